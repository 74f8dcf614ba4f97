#!/usr/bin/env bash
# Makes the captures of things inside of TLS anew: make_tunnels.sh [FOLDER]   (as root, on Debian or Ubuntu)
#
# As make_captures.sh, but on the loopback of one network namespace: stunnel at both ends, an OpenSSH server and a
# little SMTP dialogue behind it, tcpdump on the port between the two stunnels; MTU 1500, so that segments are as on
# a wire.  Everything lives in private namespaces and ends with the script.
#
# Needs: openssh-server openssh-client sshpass stunnel4 socat openssl tcpdump iproute2 python3
set -euo pipefail

OUT=$(mkdir -p "${1:-$(dirname "$0")}" && cd "${1:-$(dirname "$0")}" && pwd)
HERE=$(cd "$(dirname "$0")" && pwd)
if [ -z "${FL0P_INSIDE:-}" ]; then
    exec env -i PATH="$PATH" TERM=vt100 FL0P_INSIDE=1 unshare --mount --uts --net --pid --fork --kill-child \
        --mount-proc timeout 600 bash "$HERE/$(basename "$0")" "$OUT"
fi

PASSWORD=correct-horse
WORK=$(mktemp -d)
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/etc"
hostname client
printf '127.0.0.1 localhost client server.example.org\n' >"$WORK/etc/hosts"
{ grep -vE ':[0-9]{4,5}:[0-9]+:' /etc/passwd; echo 'alice:x:1000:1000::/home/alice:/bin/sh'; } >"$WORK/etc/passwd"
{ cut -d: -f1 "$WORK/etc/passwd" | grep -v alice | sed 's/$/:!:19000:0:99999:7:::/'
  echo "alice:$(openssl passwd -6 $PASSWORD):19000:0:99999:7:::"; } >"$WORK/etc/shadow"
{ grep -vE ':[0-9]{4,5}:' /etc/group; echo 'alice:x:1000:'; } >"$WORK/etc/group"
: >"$WORK/etc/motd"
for file in hosts passwd shadow group motd; do
    [ -e /etc/$file ] || : >/etc/$file
    mount --bind "$WORK/etc/$file" /etc/$file
done
for place in /run /home /root /var/log; do mount -t tmpfs tmpfs $place; done
[ ! -d /etc/update-motd.d ] || mount -t tmpfs tmpfs /etc/update-motd.d
mkdir -p /run/sshd /home/alice /root/.ssh
chown 1000:1000 /home/alice
ip link set lo mtu 1500 up

ssh-keygen -q -t ed25519 -N '' -C server -f "$WORK/host_key"
ssh-keygen -q -t ed25519 -N '' -C alice -f /root/.ssh/id_ed25519
mkdir -p /home/alice/.ssh && cp /root/.ssh/id_ed25519.pub /home/alice/.ssh/authorized_keys
chown -R 1000:1000 /home/alice && chmod 700 /home/alice/.ssh
cat >"$WORK/sshd_config" <<CONF
Port 2200
HostKey $WORK/host_key
PidFile none
UsePAM yes
UseDNS no
PrintLastLog no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
CONF
/usr/sbin/sshd -D -e -f "$WORK/sshd_config" 2>"$WORK/sshd.log" &

openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=server.example.org \
    -keyout "$WORK/tls.key" -out "$WORK/tls.crt" 2>/dev/null
cat >"$WORK/mail.py" <<'CODE'
import socketserver

class Mail(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 server.example.org ESMTP ready\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go ahead\r\n")
                for text in self.rfile:
                    if text == b".\r\n":
                        break
                self.wfile.write(b"250 2.0.0 message accepted for delivery\r\n")
                continue
            answer = {b"EHLO": b"250-server.example.org\r\n250-SIZE 36700160\r\n250 HELP\r\n",
                      b"QUIT": b"221 2.0.0 Bye\r\n"}
            self.wfile.write(answer.get(verb, b"250 2.0.0 Ok\r\n"))
            if verb == b"QUIT":
                return

socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 2500), Mail).serve_forever()
CODE
python3 "$WORK/mail.py" &

tunnel() { # version, cipher options
    cat >"$WORK/$1-server.conf" <<CONF
foreground = yes
pid =
cert = $WORK/tls.crt
key = $WORK/tls.key
sslVersion = $2
$3
[ssh]
accept = 127.0.0.1:$((4430 + $4))
connect = 127.0.0.1:2200
[mail]
accept = 127.0.0.1:$((4650 + $4))
connect = 127.0.0.1:2500
CONF
    cat >"$WORK/$1-client.conf" <<CONF
foreground = yes
pid =
client = yes
sslVersion = $2
[ssh]
accept = 127.0.0.1:$((2210 + $4))
connect = 127.0.0.1:$((4430 + $4))
sessionCacheSize = 1
[mail]
accept = 127.0.0.1:$((2510 + $4))
connect = 127.0.0.1:$((4650 + $4))
CONF
    stunnel "$WORK/$1-server.conf" 2>"$WORK/$1-server.log" &
    stunnel "$WORK/$1-client.conf" 2>"$WORK/$1-client.log" &
}
tunnel tls13 TLSv1.3 '' 1
tunnel tls12 TLSv1.2 'ciphers = ECDHE-RSA-AES128-GCM-SHA256' 2
tunnel chacha TLSv1.2 'ciphers = ECDHE-RSA-CHACHA20-POLY1305' 3
sleep 1.5

OPTIONS="-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
for number in 1 2 3; do
    name=$(echo "tls13 tls12 chacha" | cut -d' ' -f$number)
    tcpdump -q -i lo -s 0 -U -w "$OUT/inside-$name.pcap" "tcp port $((4430 + number)) or tcp port $((4650 + number))" 2>/dev/null &
    dump=$!
    sleep 1
    ssh="ssh $OPTIONS -p $((2210 + number))"
    sshpass -p $PASSWORD $ssh -o PubkeyAuthentication=no alice@127.0.0.1 uname </dev/null >/dev/null || true
    sshpass -p wrong $ssh -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 alice@127.0.0.1 uname </dev/null 2>/dev/null || true
    $ssh alice@127.0.0.1 uname </dev/null >/dev/null || true
    python3 "$HERE/typist.py" $((40 + number)) "220=>EHLO client.example.org" "HELP=>MAIL FROM:<bob@example.org>" \
        "Ok=>RCPT TO:<alice@example.org>" "Ok=>DATA" "ahead=>Subject: dinner\\r\\nat eight?\\r\\n." "accepted=>QUIT" \
        -- socat - TCP:127.0.0.1:$((2510 + number)) >/dev/null || true
    python3 - $((2510 + number)) <<'CODE' || true
import smtplib, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.example.org") as mail:
    mail.sendmail("bob@example.org", ["alice@example.org"], "Subject: report\r\n\r\nAll is well.\r\n")
CODE
    curl -sk --max-time 5 "https://127.0.0.1:$((4430 + number))/" >/dev/null || true
    sleep 1
    kill $dump; wait $dump || true
done
