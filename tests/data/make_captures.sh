#!/usr/bin/env bash
# Makes the captures of this folder anew: make_captures.sh [FOLDER]   (as root, on Debian or Ubuntu)
#
# Two network namespaces, client 192.0.2.10 and server 192.0.2.20 (RFC 5737), joined by a veth pair; ordinary
# servers in one, ordinary clients in the other, tcpdump on the client's end.  Everything lives in private mount,
# process and host name namespaces: nothing is left behind, all processes end with the script, and the accounts,
# passwords and keys exist only inside it.
#
# Needs: openssh-server openssh-client sshpass opensmtpd swaks libnet-ssleay-perl nginx-light curl openssl
#        dnsmasq-base bind9-dnsutils iputils-ping netcat-openbsd telnet inetutils-telnetd inetutils-inetd
#        tcpdump ethtool wireshark-common
# FL0P_LOGS=1 shows what servers and clients said, at the end.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
OUT=$(mkdir -p "${1:-$HERE}" && cd "${1:-$HERE}" && pwd)

if [ -z "${FL0P_INSIDE:-}" ]; then
    exec env -i PATH="$PATH" TERM=vt100 FL0P_INSIDE=1 FL0P_LOGS="${FL0P_LOGS:-}" unshare --mount --uts --net --pid --fork --kill-child \
        --mount-proc bash "$0" "$OUT"
fi

CLIENT=192.0.2.10 SERVER=192.0.2.20
PASSWORD=correct-horse
WORK=$(mktemp -d) # on the host: becomes a tmpfs in here, so what is in it goes away with the namespace
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/etc" "$WORK/home"

# ---- accounts, names, folders: private copies over the machine's own --------------------------------------
hostname client
printf '127.0.0.1 localhost\n%s client client.example.org\n%s server server.example.org\n' \
    $CLIENT $SERVER >"$WORK/etc/hosts"
echo "nameserver $SERVER" >"$WORK/etc/resolv.conf"
{ grep -vE ':[0-9]{4,5}:[0-9]+:' /etc/passwd; echo 'alice:x:1000:1000::/home/alice:/bin/sh'; } >"$WORK/etc/passwd"
{ cut -d: -f1 "$WORK/etc/passwd" | grep -v alice | sed 's/$/:!:19000:0:99999:7:::/'
  echo "alice:$(openssl passwd -6 $PASSWORD):19000:0:99999:7:::"; } >"$WORK/etc/shadow"
{ grep -vE ':[0-9]{4,5}:' /etc/group; echo 'alice:x:1000:'; } >"$WORK/etc/group"
echo 'Welcome to this test machine.' >"$WORK/etc/motd"
: >"$WORK/etc/issue.net"
for file in hosts resolv.conf passwd shadow group motd issue.net; do
    [ -e /etc/$file ] || : >/etc/$file
    mount --bind "$WORK/etc/$file" /etc/$file
done
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /home
mount -t tmpfs tmpfs /root
mount -t tmpfs tmpfs /var/spool
mount -t tmpfs tmpfs /var/log
[ ! -d /etc/update-motd.d ] || mount -t tmpfs tmpfs /etc/update-motd.d # would print the kernel's name
mkdir -p /run/sshd /run/netns /home/alice/.ssh /root/.ssh /var/log/nginx
touch /home/alice/report.txt /var/log/lastlog
echo 'remember the milk' >/home/alice/notes.txt

# ---- the wire ------------------------------------------------------------------------------------------------
ip link set lo up
ip netns add server
ip link add c0 address 02:00:00:00:00:01 type veth peer name s0 address 02:00:00:00:00:02 netns server
on_server() { nsenter --net=/run/netns/server "$@"; }
on_server ip link set lo up
on_server sysctl -qw net.ipv6.conf.s0.accept_dad=0
sysctl -qw net.ipv6.conf.c0.accept_dad=0
ip addr add $CLIENT/24 dev c0
ip addr add 2001:db8::10/64 dev c0
on_server ip addr add $SERVER/24 dev s0
on_server ip addr add 2001:db8::20/64 dev s0
ip link set c0 up
on_server ip link set s0 up
offload() { # segments as on a real wire, or as a host sees its own: large, with unfinished checksums
    ethtool -K c0 tso "$1" gso "$1" gro "$1" tx "$1" >/dev/null
    on_server ethtool -K s0 tso "$1" gso "$1" gro "$1" tx "$1" >/dev/null
}
offload off

# ---- servers ---------------------------------------------------------------------------------------------------
ssh-keygen -q -t ed25519 -N '' -C server -f "$WORK/host_key"
ssh-keygen -q -t ed25519 -N '' -C alice -f /root/.ssh/id_ed25519
ssh-keygen -q -t ed25519 -N '' -C nobody -f "$WORK/unknown_key"
cp /root/.ssh/id_ed25519.pub /home/alice/.ssh/authorized_keys
chown -R 1000:1000 /home/alice && chmod 700 /home/alice /home/alice/.ssh
cat >"$WORK/sshd_config" <<CONF
HostKey $WORK/host_key
PidFile none
UsePAM yes
UseDNS no
PrintLastLog no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
CONF
on_server /usr/sbin/sshd -D -e -f "$WORK/sshd_config" 2>"$WORK/sshd.log" &

openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=server.example.org \
    -keyout "$WORK/tls.key" -out "$WORK/tls.crt" 2>/dev/null
cat >"$WORK/smtpd.conf" <<CONF
pki server.example.org cert "$WORK/tls.crt"
pki server.example.org key "$WORK/tls.key"
listen on $SERVER port 25 hostname server.example.org tls pki server.example.org
action "keep" maildir "/home/alice/mail"
match from any for domain "example.org" action "keep"
CONF
mkdir -p /var/spool/smtpd && chmod 711 /var/spool/smtpd
on_server smtpd -d -f "$WORK/smtpd.conf" >"$WORK/smtpd.log" 2>&1 &

mkdir -p "$WORK/www"
chmod 755 "$WORK" "$WORK/www"
echo '<html><body><h1>It works</h1></body></html>' >"$WORK/www/index.html"
seq 1 1200 >"$WORK/www/numbers.txt"
cat >"$WORK/nginx.conf" <<CONF
pid $WORK/nginx.pid;
events {}
http {
    access_log off;
    server {
        listen $SERVER:80;
        listen $SERVER:443 ssl;
        ssl_certificate $WORK/tls.crt;
        ssl_certificate_key $WORK/tls.key;
        root $WORK/www;
    }
}
CONF
on_server nginx -c "$WORK/nginx.conf" -g 'daemon off;' 2>"$WORK/nginx.log" &
on_server dnsmasq -k -C /dev/null --no-resolv --no-hosts --listen-address=$SERVER --bind-interfaces -x "$WORK/dnsmasq.pid" \
    --address=/www.example.org/$SERVER --mx-host=example.org,server.example.org,10 \
    --txt-record=example.org,"v=spf1 -all" --local=/example.org/ 2>"$WORK/dnsmasq.log" &
echo 'telnet stream tcp nowait root /usr/sbin/telnetd telnetd -h' >"$WORK/inetd.conf"
on_server inetutils-inetd -d "$WORK/inetd.conf" >"$WORK/inetd.log" 2>&1 &
sleep 3

# ---- recording ---------------------------------------------------------------------------------------------------
record() { # record NAME: everything from here until `stop`
    tcpdump -i c0 -U -w "$WORK/$1.pcap" --immediate-mode 2>"$WORK/tcpdump.log" &
    RECORDER=$!
    NAME=$1
    sleep 1
}
stop() {
    sleep 1
    kill -INT "$RECORDER"
    wait "$RECORDER" || true
    cp "$WORK/$NAME.pcap" "$OUT/$NAME.pcap"
    echo "$NAME: $(stat -c %s "$OUT/$NAME.pcap") bytes"
}
typed() { python3 "$HERE/typist.py" "$@" >>"$WORK/typed.log" 2>&1 || true; }
SSH_QUIET=(-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR)
NO_KEY=(-o PubkeyAuthentication=no)

record ssh-typed
# a first contact: the host key is confirmed by hand, one wrong password, then the right one, a short shell session
typed 1 "yes/no=>yes" "password:=>correct-hrose" "password:=>$PASSWORD" "\$ =>ls -l" "\$ =>cat notes.txt" "\$ =>exit" \
    -- ssh "${NO_KEY[@]}" alice@$SERVER
# three wrong passwords
typed 2 "password:=>wrong" "password:=>Wrong" "password:=>wrong1" -- ssh "${NO_KEY[@]}" alice@$SERVER
stop

record ssh-program
sshpass -p $PASSWORD ssh "${SSH_QUIET[@]}" "${NO_KEY[@]}" alice@$SERVER uname >/dev/null
sshpass -p wrong ssh "${SSH_QUIET[@]}" "${NO_KEY[@]}" alice@$SERVER true || true
ssh "${SSH_QUIET[@]}" alice@$SERVER uname >/dev/null                                             # by key
ssh "${SSH_QUIET[@]}" -o BatchMode=yes -i "$WORK/unknown_key" -o IdentitiesOnly=yes alice@$SERVER true || true
scp -q "${SSH_QUIET[@]}" "$WORK/www/numbers.txt" alice@$SERVER:upload.txt
ssh-keyscan -t ed25519 $SERVER >/dev/null 2>&1
nc -w 1 $SERVER 22 </dev/null >/dev/null || true                                                  # banner only
stop

record mail
typed 3 "ESMTP=>HELO client.example.org" "250=>MAIL FROM:<alice@example.org>" "250=>RCPT TO:<alice@example.org>" \
    "250=>DATA" "354=>Subject: hello" "=>" "=>typed by hand" "=>." "250=>QUIT" -- telnet $SERVER 25
MAIL=(--server $SERVER --helo client.example.org --from alice@example.org --silent 3)
swaks "${MAIL[@]}" --to alice@example.org --header-X-Mailer none --header-Message-Id '<1@example.org>' || true
swaks "${MAIL[@]}" --to bob@example.net || true                                                # refused: no relay
swaks "${MAIL[@]}" --to alice@example.org -tls || true
stop

record web
curl -s http://$SERVER/ http://$SERVER/numbers.txt >/dev/null
curl -s http://$SERVER/none >/dev/null
curl -s -d name=alice http://$SERVER/form >/dev/null
curl -sk https://$SERVER/ >/dev/null
curl -sk --tls-max 1.2 https://$SERVER/index.html >/dev/null
typed 4 "character is=>GET / HTTP/1.0" "=>" -- telnet $SERVER 80
stop

record dns
for query in "www.example.org A" "www.example.org AAAA" "example.org MX" "example.org TXT" "none.example.org A"; do
    # shellcheck disable=SC2086
    dig +tries=1 $query @$SERVER >/dev/null
done
dig +tcp example.org MX @$SERVER >/dev/null
stop

record ping
ping -q -c 4 $SERVER >/dev/null
ping -q -c 3 -i 0.3 -s 1000 $SERVER >/dev/null
ping -q -c 3 -i 0.3 2001:db8::20 >/dev/null
stop

record typing
# a telnet login and a chat: each key, each line a token
typed 5 "login:=>alice" "assword:=>$PASSWORD" "\$ =>ls" "\$ =>exit" -- telnet $SERVER
(sleep 3.2; echo 'hello, who is there?'; sleep 2.9; echo 'good morning'; sleep 3) | on_server nc -l -p 4000 -q 1 >/dev/null &
sleep 0.5
typed 6 "there?=>it is alice" "morning=>good morning to you\\x04" -- nc -N $SERVER 4000
stop

offload on
record offload
curl -s http://$SERVER/numbers.txt >/dev/null
sshpass -p $PASSWORD ssh "${SSH_QUIET[@]}" "${NO_KEY[@]}" alice@$SERVER uname >/dev/null
stop
offload off

# the demonstration: all of it but the offloaded
mergecap -F pcap -w "$WORK/demo.pcap" "$WORK"/{ssh-typed,ssh-program,mail,web,dns,ping,typing}.pcap
cp "$WORK/demo.pcap" "$OUT/demo.pcap"
if [ -n "${FL0P_LOGS:-}" ]; then cat "$WORK"/*.log; fi
