#!/usr/bin/env bash
# Installs what the lab's scenarios talk with, as root on Debian 12: setup.sh [PREFIX] [VENV]
#
# Packages of the distribution as they are; OpenSSH 10 from its backports beside them, unpacked below PREFIX
# (/opt/fl0p-lab) and never installed, so that 9.2 and 10 run side by side.  Python packages go into VENV (.venv).
set -euo pipefail

PREFIX=${1:-/opt/fl0p-lab}
VENV=${2:-.venv}
export DEBIAN_FRONTEND=noninteractive

apt-get update -qq
apt-get install -y -qq --no-install-recommends iproute2 ethtool procps util-linux tcpdump iputils-ping openssl \
    openssh-server openssh-client openssh-sftp-server dropbear-bin putty-tools hydra medusa nmap netcat-openbsd
# mail, files, web
apt-get install -y -qq --no-install-recommends opensmtpd dovecot-imapd dovecot-pop3d vsftpd nginx-light lighttpd \
    lighttpd-mod-openssl stunnel4 socat ncat telnet swaks libnet-ssleay-perl msmtp s-nail curl wget lftp chromium sshpass
# networks inside others
apt-get install -y -qq --no-install-recommends openvpn wireguard-go wireguard-tools iodine ptunnel-ng microsocks
# what is on every network
apt-get install -y -qq --no-install-recommends bind9-dnsutils dnsmasq-base unbound chrony ntpdate snmp snmpd bsdutils \
    inetutils-telnetd inetutils-inetd mosquitto mosquitto-clients redis-server redis-tools postgresql-15 bash
"$VENV/bin/pip" install -q 'aiosmtpd>=1.4' 'pyftpdlib>=2' 'aioquic>=1.2'
"$VENV/bin/pip" install -q 'asyncssh>=2.14' 'paramiko>=3'

# ---- servers that Debian lets nobody have beside others, only unpacked -------------------------------------
if [ ! -x "$PREFIX/usr/sbin/exim4" ]; then
    beside=$(mktemp -d)
    (cd "$beside" && apt-get download -qq exim4-daemon-light popa3d)
    for package in "$beside"/*.deb; do dpkg -x "$package" "$PREFIX"; done
    rm -rf "$beside"
fi

# ---- OpenSSH 10, only unpacked -----------------------------------------------------------------------------
if [ ! -x "$PREFIX/openssh10/usr/sbin/sshd" ]; then
    mkdir -p "$PREFIX/openssh10"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/archives/partial"
    cat >"$work/backports.sources" <<'SOURCE'
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCE
    # lists of its own: the machine's are left as they are
    options=(-o "Dir::Etc::SourceList=$work/backports.sources" -o "Dir::Etc::SourceParts=-" -o "Dir::State::Lists=$work/lists"
             -o "Dir::Cache::Archives=$work/archives")
    apt-get "${options[@]}" update -qq
    (cd "$work" && apt-get "${options[@]}" download -qq openssh-server openssh-client openssh-sftp-server)
    for package in "$work"/openssh-*.deb; do dpkg -x "$package" "$PREFIX/openssh10"; done
fi
echo "the lab is ready: $("$PREFIX/openssh10/usr/bin/ssh" -V 2>&1) beside $(ssh -V 2>&1)"
