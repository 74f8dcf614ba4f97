# fl0p's signatures: how flows look when only the direction, size and pauses of their messages are
# known.
#
# This file is made by tools/make_fp.py from signatures/*.toml, where each signature also has its
# provenance, examples and counter-examples; change it there. The language is described in
# docs/signatures.md. In short, a line is
#
#     protocol ports [=] [<] items [>] : what it is
#
# where c40 is 40 bytes from the client, s27 is 27 bytes from the server, C and S are bursts, + is a
# pause of at least 400 ms, < and > are the start and the end of the flow, = asks for these very
# sizes, and the "#:" line above says what follows from a match.

# --------------------------------------------------------------------------------------------------
# Programs with a port of their own
# --------------------------------------------------------------------------------------------------
# Beacons in the local network, and a conference program's first words.

#: id=spotify.beacon class=spotify
udp 57621 = < c44 : Spotify looking for players

#: id=dropbox.beacon class=dropbox no-edits
udp 17500 < c100-1000 : Dropbox looking for neighbours

#: id=zoom.media class=zoom
udp * = < c107-109 +? s35 +? s13 +? c13 +? c57-67 : Zoom, media channel opened

#: id=viber.call class=viber
udp 7985 = c257 ( +? c12-20 ){0,3} ( +? s34 ){0,1} +? s76 : Viber, call's relay measured

# --------------------------------------------------------------------------------------------------
# Databases, message brokers, industry
# --------------------------------------------------------------------------------------------------
# Protocols whose first messages have a length of their own.

#: id=postgresql.tls class=postgresql activity=starttls
tcp * = < c8 +? s1 +? C150-2600 +? S90-9000 : PostgreSQL, TLS asked for

#: id=postgresql.asked class=postgresql
tcp 5432 = < c8 +? s1 : PostgreSQL, TLS or encryption asked for

#: id=mysql.login class=mysql
tcp * = < s60-160 +? c80-400 +? ( s11 +? c5-1000 | s48 +? c24-36 ) : MySQL or MariaDB, login answered

#: id=mysql.tls class=mysql activity=starttls
tcp * = < s60-160 +? c36 +? c150-2600 ( +? c-1460 ){0,2} +? S800-9000 : MySQL or MariaDB, changed to TLS

#: id=oracle class=oracle
tcp 1521 = < c100-700 +? s8 +? c100-700 +? s24-200 : Oracle database, connection asked twice

#: id=memcached class=memcached
tcp 11211 = < c7 +? S200- : memcached, statistics asked

#: id=mqtt class=mqtt
tcp * = < c14-400 +? s4 +? c6-300 +? s5 : MQTT, connected and subscribed

#: id=mqtt.connected class=mqtt
tcp 1883 = < c14-2000 +? s4-200 : MQTT, connected

#: id=redis class=redis no-edits
tcp 6379 < C6- +? S4- : Redis, commands and answers

#: id=mqtt.subscribed class=mqtt
tcp 1883 = s4 +? c6-300 +? s5 : MQTT, subscribed

#: id=xmpp class=xmpp
tcp * = < c22 +? c100-200 ( +? s60-700 +? s100-900 | +? s200-1500 | +? c16 ) : XMPP (Jabber), stream opened

#: id=modbus class=modbus
tcp 502 = c12 +? s9-260 : Modbus/TCP, registers read

#: id=s7comm class=s7comm no-edits
tcp 102 < c22-40 +? s22-40 +? c20-400 : Siemens S7 (ISO on TCP), connected

#: id=ethereum class=ethereum
tcp * = c32 c1 c124 c3 c16 : Ethereum node, session with a peer

# --------------------------------------------------------------------------------------------------
# Names and addresses: DNS and its relatives, DHCP
# --------------------------------------------------------------------------------------------------
# Questions are 17 bytes and a name, answers repeat the question, so they are never shorter. That is
# true of every request and answer of some size: the ports decide, and the shapes only keep
# strangers out.

#: id=dns class=dns no-edits
udp 53 < c17-512 ( +? c17-512 ){0,4} +? s17-4096 : DNS question and answer

#: id=dns.unanswered class=dns no-edits
udp 53 < c17-512 ( + c17-512 ){2,} : DNS, asked again and again without an answer

#: id=dns.tunnel class=dns tunnel=dns-tunnel no-edits
udp 53 = c116-320 ( +? ( c17-115 | s17-4096 ) ){1,5} ( +? c116-320 ( +? ( c17-115 | s17-4096 ) ){1,5} ){2} +? c116-320 : Tunnel in DNS (long questions again and again from one port)

#: id=dns.tunnel.begun class=dns tunnel=dns-tunnel
udp 53 = < c36-74 +? s69-140 +? c41-101 +? s62-166 +? c46-105 +? s80-168 : Tunnel in DNS (three questions and long answers from one port)

#: id=dns.tunnel.polled class=dns tunnel=dns-tunnel
udp 53 = ( ( + c40 +? s70-104 ){4} ( ( +? c40 +? s70-512 ){1,12} ){0,1} +? c52-320 | ( + c41 +? s71-105 ){4} ( ( +? c41 +? s71-512 ){1,12} ){0,1} +? c53-320 | ( + c42 +? s72-106 ){4} ( ( +? c42 +? s72-512 ){1,12} ){0,1} +? c54-320 | ( + c43 +? s73-107 ){4} ( ( +? c43 +? s73-512 ){1,12} ){0,1} +? c55-320 | ( + c44 +? s74-108 ){4} ( ( +? c44 +? s74-512 ){1,12} ){0,1} +? c56-320 | ( + c45 +? s75-109 ){4} ( ( +? c45 +? s75-512 ){1,12} ){0,1} +? c57-320 | ( + c46 +? s76-110 ){4} ( ( +? c46 +? s76-512 ){1,12} ){0,1} +? c58-320 | ( + c47 +? s77-111 ){4} ( ( +? c47 +? s77-512 ){1,12} ){0,1} +? c59-320 | ( + c48 +? s78-112 ){4} ( ( +? c48 +? s78-512 ){1,12} ){0,1} +? c60-320 | ( + c49 +? s79-113 ){4} ( ( +? c49 +? s79-512 ){1,12} ){0,1} +? c61-320 | ( + c50 +? s80-114 ){4} ( ( +? c50 +? s80-512 ){1,12} ){0,1} +? c62-320 | ( + c51 +? s81-115 ){4} ( ( +? c51 +? s81-512 ){1,12} ){0,1} +? c63-320 | ( + c52 +? s82-116 ){4} ( ( +? c52 +? s82-512 ){1,12} ){0,1} +? c64-320 | ( + c53 +? s83-117 ){4} ( ( +? c53 +? s83-512 ){1,12} ){0,1} +? c65-320 | ( + c54 +? s84-118 ){4} ( ( +? c54 +? s84-512 ){1,12} ){0,1} +? c66-320 | ( + c55 +? s85-119 ){4} ( ( +? c55 +? s85-512 ){1,12} ){0,1} +? c67-320 | ( + c56 +? s86-120 ){4} ( ( +? c56 +? s86-512 ){1,12} ){0,1} +? c68-320 | ( + c57 +? s87-121 ){4} ( ( +? c57 +? s87-512 ){1,12} ){0,1} +? c69-320 | ( + c58 +? s88-122 ){4} ( ( +? c58 +? s88-512 ){1,12} ){0,1} +? c70-320 | ( + c59 +? s89-123 ){4} ( ( +? c59 +? s89-512 ){1,12} ){0,1} +? c71-320 | ( + c60 +? s90-124 ){4} ( ( +? c60 +? s90-512 ){1,12} ){0,1} +? c72-320 | ( + c61 +? s91-125 ){4} ( ( +? c61 +? s91-512 ){1,12} ){0,1} +? c73-320 | ( + c62 +? s92-126 ){4} ( ( +? c62 +? s92-512 ){1,12} ){0,1} +? c74-320 | ( + c63 +? s93-127 ){4} ( ( +? c63 +? s93-512 ){1,12} ){0,1} +? c75-320 | ( + c64 +? s94-128 ){4} ( ( +? c64 +? s94-512 ){1,12} ){0,1} +? c76-320 | ( + c65 +? s95-129 ){4} ( ( +? c65 +? s95-512 ){1,12} ){0,1} +? c77-320 | ( + c66 +? s96-130 ){4} ( ( +? c66 +? s96-512 ){1,12} ){0,1} +? c78-320 | ( + c67 +? s97-131 ){4} ( ( +? c67 +? s97-512 ){1,12} ){0,1} +? c79-320 | ( + c68 +? s98-132 ){4} ( ( +? c68 +? s98-512 ){1,12} ){0,1} +? c80-320 | ( + c69 +? s99-133 ){4} ( ( +? c69 +? s99-512 ){1,12} ){0,1} +? c81-320 | ( + c70 +? s100-134 ){4} ( ( +? c70 +? s100-512 ){1,12} ){0,1} +? c82-320 | ( + c71 +? s101-135 ){4} ( ( +? c71 +? s101-512 ){1,12} ){0,1} +? c83-320 | ( + c72 +? s102-136 ){4} ( ( +? c72 +? s102-512 ){1,12} ){0,1} +? c84-320 | ( + c73 +? s103-137 ){4} ( ( +? c73 +? s103-512 ){1,12} ){0,1} +? c85-320 | ( + c74 +? s104-138 ){4} ( ( +? c74 +? s104-512 ){1,12} ){0,1} +? c86-320 | ( + c75 +? s105-139 ){4} ( ( +? c75 +? s105-512 ){1,12} ){0,1} +? c87-320 ) : Tunnel in DNS (the same size asked again and again from one port, then a longer one)

#: id=dns.tcp class=dns no-edits
tcp 53 < C19-1024 +? S19- : DNS over TCP

#: id=mdns class=mdns no-edits
udp 5353 < c17-4096 : mDNS (Bonjour, Avahi)

#: id=llmnr class=llmnr no-edits
udp 5355 < c17-300 : LLMNR (Windows asks its neighbours for a name)

#: id=netbios.name class=netbios
udp 137 < ( c50 | c62 | c68 ) : NetBIOS name service

#: id=netbios.datagram class=netbios no-edits
udp 138 < c150-600 : NetBIOS datagram (network neighbourhood)

#: id=dnscrypt class=dnscrypt
udp * = < c576 +? ( s176 | s240 | s304 | s368 ) : DNSCrypt question and answer

#: id=dnscrypt.certificate class=dnscrypt
udp 443,465,553,1053,1443,2053,2443,3053,4343,4443,5353,5443,8443 = < ( c512 | c1532 ) ( +? ( c512 | c1532 ) ){0,3} +? s170-420 : DNSCrypt, certificate fetched

#: id=dhcp class=dhcp no-edits
udp 67-68 < c240-600 : DHCP

#: id=dhcpv6 class=dhcp no-edits
udp 546-547 < c40-400 : DHCPv6

#: id=natpmp class=natpmp
udp 5351 = < ( c2 | c12 ) : NAT-PMP, port asked of the router

#: id=ssdp class=ssdp no-edits
udp 1900 < c80-600 : SSDP (UPnP discovery)

# --------------------------------------------------------------------------------------------------
# Tunnels through SSH
# --------------------------------------------------------------------------------------------------
# A port forwarded by SSH is a channel of its own, and the messages that open it have sizes that
# follow from RFC 4254: CHANNEL_OPEN for direct-tcpip (section 7.2) has 45 bytes and two addresses,
# for forwarded-tcpip 48 and two; CHANNEL_OPEN_CONFIRMATION (section 5.1) has 17, as many as the
# answer to the first service request, whose size X names the cipher (see ssh.toml): so the
# confirmation has X bytes too, an opening 32 to 96 more, and data 9 bytes more than what is in it,
# padded to the block. What asks for a terminal or a command is shorter (X to X + 28) and is
# answered by X bytes, which may not come before; joined with the message in front of it, it has a
# size that is left out here.

#: id=ssh.forward.http class=ssh activity=forward tunnel=http-in-ssh
tcp * = < ( ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S150-6000 | c560-800 +? s400-700 +? s100-1500 ) +? ( ( c16-100 ( +? s16-3000 ){0,2} +? c40 ( +? s120-3000 ){0,1} | C56-156 ) +? s40 ( +? s40-1500 ){0,1} ( +? C24-2000 +? S40-4000 ){0,10} +? C24-2000 +? ( s24 +? ){0,1} s24 ( +? ( c48-68 | s60-2000 ) ){0,4} +? ( c72-108 | c116-136 ) ( +? s60-2000 ){0,1} +? s24-48 ( +? s24-48 ){0,1} +? C96-440 +? ( s24-40 +? ){0,1} s130- | ( c16-100 ( +? s16-3000 ){0,2} +? c44 ( +? s120-3000 ){0,1} | C60-164 ) +? s44 ( +? s44-1500 ){0,1} ( +? C28-2000 +? S44-4000 ){0,10} +? C28-2000 +? ( s36 +? ){0,1} ( s28 | s36 ) ( +? ( c52-72 | s64-2000 ) ){0,4} +? ( c76-100 | c116-140 ) ( +? s64-2000 ){0,1} +? s28-52 ( +? s28-52 ){0,1} +? C100-444 +? ( s28-44 +? ){0,1} s130- | ( c16-100 ( +? s16-3000 ){0,2} +? c48 ( +? s120-3000 ){0,1} | C64-172 ) +? s48 ( +? s48-1500 ){0,1} ( +? C32-2000 +? S48-4000 ){0,10} +? C32-2000 +? ( s32 +? ){0,1} s32 ( +? ( c56-76 | s68-2000 ) ){0,4} +? ( c80-124 | c132-144 ) ( +? s68-2000 ){0,1} +? s32-56 ( +? s32-56 ){0,1} +? C104-448 +? ( s32-48 +? ){0,1} s130- | ( c16-100 ( +? s16-3000 ){0,2} +? c52 ( +? s120-3000 ){0,1} | C68-180 ) +? s52 ( +? s52-1500 ){0,1} ( +? C36-2000 +? S52-4000 ){0,10} +? C36-2000 +? ( s36 +? ){0,1} s36 ( +? ( c60-80 | s72-2000 ) ){0,4} +? ( c84-116 | c140-148 ) ( +? s72-2000 ){0,1} +? s36-60 ( +? s36-60 ){0,1} +? C108-452 +? ( s36-52 +? ){0,1} s136- | ( c16-100 ( +? s16-3000 ){0,2} +? c56 ( +? s120-3000 ){0,1} | C72-188 ) +? s56 ( +? s56-1500 ){0,1} ( +? C40-2000 +? S56-4000 ){0,10} +? C40-2000 +? ( s40 +? ){0,1} s40 ( +? ( c64-84 | s76-2000 ) ){0,4} +? ( c88-124 | c132-152 ) ( +? s76-2000 ){0,1} +? s40-64 ( +? s40-64 ){0,1} +? C112-456 +? ( s40-56 +? ){0,1} s148- | ( c16-100 ( +? s16-3000 ){0,2} +? c64 ( +? s120-3000 ){0,1} | C80-204 ) +? s64 ( +? s64-1500 ){0,1} ( +? C48-2000 +? S64-4000 ){0,10} +? C48-2000 +? ( s48 +? ){0,1} s48 ( +? ( c72-92 | s84-2000 ) ){0,4} +? c96-156 ( +? s84-2000 ){0,1} +? s48-72 ( +? s48-72 ){0,1} +? C120-464 +? ( s48-64 +? ){0,1} s172- | ( c16-100 ( +? s16-3000 ){0,2} +? c68 ( +? s120-3000 ){0,1} | C84-212 ) +? s68 ( +? s68-1500 ){0,1} ( +? C52-2000 +? S68-4000 ){0,10} +? C52-2000 +? ( s52 +? ){0,1} s52 ( +? ( c76-96 | s88-2000 ) ){0,4} +? ( c100-148 | c156-164 ) ( +? s88-2000 ){0,1} +? s52-76 ( +? s52-76 ){0,1} +? C124-468 +? ( s52-68 +? ){0,1} s184- | ( c16-100 ( +? s16-3000 ){0,2} +? c96 ( +? s120-3000 ){0,1} | C112-268 ) +? s96 ( +? s96-1500 ){0,1} ( +? C80-2000 +? S96-4000 ){0,10} +? C80-2000 +? ( s80 +? ){0,1} s80 ( +? ( c104-124 | s116-2000 ) ){0,4} +? c128-192 ( +? s116-2000 ){0,1} +? s80-104 ( +? s80-104 ){0,1} +? C152-496 +? ( s80-96 +? ){0,1} s268- | ( c16-100 ( +? s16-3000 ){0,2} +? c100 ( +? s120-3000 ){0,1} | C116-276 ) +? s100 ( +? s100-1500 ){0,1} ( +? C84-2000 +? S100-4000 ){0,10} +? C84-2000 +? ( s84 +? ){0,1} s84 ( +? ( c108-128 | s120-2000 ) ){0,4} +? c132-196 ( +? s120-2000 ){0,1} +? s84-108 ( +? s84-108 ){0,1} +? C156-500 +? ( s84-100 +? ){0,1} s280- ) : SSH, requests through a forwarded port (-L, -D)

#: id=ssh.reverse.shell class=ssh activity=reverse tunnel=shell-in-ssh
tcp * = < ( ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S150-6000 | c560-800 +? s400-700 +? s100-1500 ) +? ( ( c16-100 ( +? s16-3000 ){0,2} +? c40 ( +? s120-3000 ){0,1} | C56-156 ) +? s40 ( +? s40-1500 ){0,1} ( +? C24-2000 +? S40-4000 ){0,10} +? C24-2000 +? ( s24 +? ){0,1} s24 ( +? ( c48-80 | s24-40 | s60-2000 ) ){0,6} +? s72-96 +? c32-40 ( +? c24-2000 ){0,3} +? s24-64 +? C24- +? s24-64 | ( c16-100 ( +? s16-3000 ){0,2} +? c44 ( +? s120-3000 ){0,1} | C60-164 ) +? s44 ( +? s44-1500 ){0,1} ( +? C28-2000 +? S44-4000 ){0,10} +? C28-2000 +? ( s36 +? ){0,1} ( s28 | s36 ) ( +? ( c52-84 | s28-44 | s64-2000 ) ){0,6} +? s76-100 +? c36-44 ( +? c28-2000 ){0,3} +? s28-68 +? C28- +? s28-68 | ( c16-100 ( +? s16-3000 ){0,2} +? c48 ( +? s120-3000 ){0,1} | C64-172 ) +? s48 ( +? s48-1500 ){0,1} ( +? C32-2000 +? S48-4000 ){0,10} +? C32-2000 +? ( s32 +? ){0,1} s32 ( +? ( c56-88 | s32-48 | s68-2000 ) ){0,6} +? s80-104 +? c40-48 ( +? c32-2000 ){0,3} +? s32-72 +? C32- +? s32-72 | ( c16-100 ( +? s16-3000 ){0,2} +? c52 ( +? s120-3000 ){0,1} | C68-180 ) +? s52 ( +? s52-1500 ){0,1} ( +? C36-2000 +? S52-4000 ){0,10} +? C36-2000 +? ( s36 +? ){0,1} s36 ( +? ( c60-92 | s36-52 | s72-2000 ) ){0,6} +? s84-108 +? c44-52 ( +? c36-2000 ){0,3} +? s36-76 +? C36- +? s36-76 | ( c16-100 ( +? s16-3000 ){0,2} +? c56 ( +? s120-3000 ){0,1} | C72-188 ) +? s56 ( +? s56-1500 ){0,1} ( +? C40-2000 +? S56-4000 ){0,10} +? C40-2000 +? ( s40 +? ){0,1} s40 ( +? ( c64-96 | s40-56 | s76-2000 ) ){0,6} +? s88-112 +? c48-56 ( +? c40-2000 ){0,3} +? s40-80 +? C40- +? s40-80 | ( c16-100 ( +? s16-3000 ){0,2} +? c64 ( +? s120-3000 ){0,1} | C80-204 ) +? s64 ( +? s64-1500 ){0,1} ( +? C48-2000 +? S64-4000 ){0,10} +? C48-2000 +? ( s48 +? ){0,1} s48 ( +? ( c72-104 | s48-64 | s84-2000 ) ){0,6} +? s96-120 +? c56-64 ( +? c48-2000 ){0,3} +? s48-88 +? C48- +? s48-88 | ( c16-100 ( +? s16-3000 ){0,2} +? c68 ( +? s120-3000 ){0,1} | C84-212 ) +? s68 ( +? s68-1500 ){0,1} ( +? C52-2000 +? S68-4000 ){0,10} +? C52-2000 +? ( s52 +? ){0,1} s52 ( +? ( c76-108 | s52-68 | s88-2000 ) ){0,6} +? s100-124 +? c60-68 ( +? c52-2000 ){0,3} +? s52-92 +? C52- +? s52-92 | ( c16-100 ( +? s16-3000 ){0,2} +? c96 ( +? s120-3000 ){0,1} | C112-268 ) +? s96 ( +? s96-1500 ){0,1} ( +? C80-2000 +? S96-4000 ){0,10} +? C80-2000 +? ( s80 +? ){0,1} s80 ( +? ( c104-136 | s80-96 | s116-2000 ) ){0,6} +? s128-152 +? c88-96 ( +? c80-2000 ){0,3} +? s80-120 +? C80- +? s80-120 | ( c16-100 ( +? s16-3000 ){0,2} +? c100 ( +? s120-3000 ){0,1} | C116-276 ) +? s100 ( +? s100-1500 ){0,1} ( +? C84-2000 +? S100-4000 ){0,10} +? C84-2000 +? ( s84 +? ){0,1} s84 ( +? ( c108-140 | s84-100 | s120-2000 ) ){0,6} +? s132-156 +? c92-100 ( +? c84-2000 ){0,3} +? s84-124 +? C84- +? s84-124 ) : SSH, shell behind a port forwarded back (-R)

# --------------------------------------------------------------------------------------------------
# FTP and TFTP
# --------------------------------------------------------------------------------------------------
# FTP's dialogue is like mail's, so the port decides. What vsftpd and pyftpdlib answer to a password
# is told by a byte or five and written here exactly; other servers word theirs differently. The
# client's lines are bursts: netcat sends a line and its end as two segments.

#: id=ftp class=ftp
tcp 21 < S10-2000 +? C5-260 : FTP, greeted and spoken to

#: id=ftp.auth.failed class=ftp outcome=auth-failed count
tcp 21 = C6-80 +? s33-34 +? C6-140 +? ( s22 | s28 ) : FTP login failed (vsftpd, pyftpdlib)

#: id=ftp.auth.success class=ftp outcome=auth-success
tcp 21 = C6-80 +? s33-34 +? C6-140 +? s23 : FTP login succeeded (vsftpd, pyftpdlib)

#: id=ftp.tls class=ftp activity=starttls
tcp 21 = < S10-2000 ( +? c5-80 +? S10-600 ){0,3} +? c10 +? s10-120 +? C100-2600 +? S80-9000 : FTP, changed to TLS (AUTH TLS)

#: id=ftp.by-hand class=ftp actor=human
tcp 21 = < S10-2000 + C5-60 +? S10-400 + C5-60 +? S10-400 : FTP typed by hand

#: id=ftp.by-program class=ftp actor=bot
tcp 21 = < S10-2000 C5-120 S10-2000 C5-140 S10-400 C5-140 S10-2000 : FTP spoken by a program

#: id=tftp class=tftp
udp * = ( c516 s4 c516 s4 c516 s4 | s516 c4 s516 c4 s516 c4 ) : TFTP transfer

#: id=tftp.request class=tftp no-edits
udp 69 < c8-200 : TFTP request

# --------------------------------------------------------------------------------------------------
# ICMP and ICMPv6 echo
# --------------------------------------------------------------------------------------------------
# What a ping carries behind the 8-byte echo header is what its author chose as the default, and the
# answer is a copy. Sizes a user may set by hand; 56, 32 and 72 are rarely chosen without being a
# default. ICMPv6 is matched by the same signatures.

#: id=icmp.ping.unix class=icmp
icmp * = < c56 +? s56 : Ping of Linux, BSD, macOS or Android (56 bytes)

#: id=icmp.ping.windows class=icmp
icmp * = < c32 +? s32 : Ping of Windows (32 bytes)

#: id=icmp.ping.cisco class=icmp
icmp * = < c72 ( + c72 ){0,4} +? s72 : Ping of Cisco IOS (datagrams of 100 bytes)

#: id=icmp.ping.cisco.v6 class=icmp
icmp * = < c52 +? s52 : Ping of Cisco IOS over IPv6 (datagrams of 100 bytes)

#: id=icmp.ping.mtu class=icmp
icmp * = < ( c1372-1472 | c8920-8972 ) +? ( s1372-1472 | s8920-8972 ) : Ping that measures the path's MTU

#: id=icmp.ping class=icmp no-edits
icmp * < c* +? s* : Ping of another size

#: id=icmp.ping.unanswered class=icmp no-edits
icmp * < c* ( +? c* ){2,} : Ping without an answer

#: id=icmp.tunnel.ip class=icmp tunnel=icmp-tunnel no-edits
icmp * = ( c-48 +? s64- | c49-72 +? s73- ) ( +? ( c* | s* ) ){0,12} +? ( c-48 +? s64- | c49-72 +? s73- ) : Tunnel in ICMP echo (small questions, large answers, again and again)

#: id=icmp.tunnel.ip.answers class=icmp tunnel=icmp-tunnel no-edits
icmp * = < c-200 ( +? ( c-200 | s-200 ) ){0,24} +? s201- ( +? ( c-200 | s* ) ){0,12} +? s201- : Tunnel in ICMP echo (answers longer than any question)

#: id=icmp.tunnel.tcp class=icmp tunnel=icmp-tunnel no-edits
icmp * = ( c60 +? s60 +? c52 ( +? c-8 ){0,8} +? ( c90-1500 | s53-1500 ) | c61 +? s61 +? c53 ( +? c-8 ){0,8} +? ( c90-1500 | s54-1500 ) | c62 +? s62 +? c54 ( +? c-8 ){0,8} +? ( c90-1500 | s55-1500 ) | c63 +? s63 +? c55 ( +? c-8 ){0,8} +? ( c90-1500 | s56-1500 ) | c64 +? s64 +? c56 ( +? c-8 ){0,8} +? ( c90-1500 | s57-1500 ) | c65 +? s65 +? c57 ( +? c-8 ){0,8} +? ( c90-1500 | s58-1500 ) | c66 +? s66 +? c58 ( +? c-8 ){0,8} +? ( c90-1500 | s59-1500 ) | c67 +? s67 +? c59 ( +? c-8 ){0,8} +? ( c90-1500 | s60-1500 ) | c68 +? s68 +? c60 ( +? c-8 ){0,8} +? ( c90-1500 | s61-1500 ) | c69 +? s69 +? c61 ( +? c-8 ){0,8} +? ( c90-1500 | s62-1500 ) | c70 +? s70 +? c62 ( +? c-8 ){0,8} +? ( c90-1500 | s63-1500 ) | c71 +? s71 +? c63 ( +? c-8 ){0,8} +? ( c90-1500 | s64-1500 ) | c72 +? s72 +? c64 ( +? c-8 ){0,8} +? ( c90-1500 | s65-1500 ) | c80 +? s80 +? c72 ( +? c-8 ){0,8} +? ( c90-1500 | s73-1500 ) | c84 +? s84 +? c76 ( +? c-8 ){0,8} +? ( c90-1500 | s77-1500 ) ) : Tunnel in ICMP echo (a connection opened inside)

#: id=icmp.tunnel.ptunnel class=icmp tunnel=icmp-tunnel no-edits
icmp * = < c28 ( +? ( c28 | s28 ) ){0,8} +? ( c29-1052 | s29-1052 ) ( +? ( c28-1052 | s28-1052 ) ){2} : Tunnel in ICMP echo (ptunnel)

#: id=icmp.tunnel class=icmp tunnel=icmp-tunnel
icmp * = ( c-160 +? s320- ( +? ( c-160 | s320- ) ){0,6} +? c-160 +? s320- ) : Tunnel in ICMP echo (answers longer than the questions)

# --------------------------------------------------------------------------------------------------
# Mail: SMTP, POP3, IMAP
# --------------------------------------------------------------------------------------------------
# Short lines in turns, the server first. SMTP betrays itself on any port by DATA, which is 6 bytes
# with its line end and comes behind at least a greeting, a sender and a recipient. POP3 and IMAP
# are told from each other, and from FTP, by their ports alone. Whether a person types is told by
# the pauses before the client's lines: a program has none.

#: id=smtp class=smtp
tcp 25,587,2525 < S6-600 +? C3-715 : SMTP, greeted and spoken to

#: id=smtp.mail class=smtp activity=delivery inside=tls12,tls12-cbc,tls13 no-edits
tcp * < S10-600 +? C6-122 +? S8-800 ( +? C5-122 +? S8-800 ){0,8} +? C14-322 +? S8-200 +? C12-322 +? S8-200 ( +? C12-322 +? S8-200 ){0,20} +? C5-6 +? S12-120 ( +? C30- ( + C* ){0,20} | + C-29 ( + C* ){1,20} ) +? S8-200 : SMTP, mail handed over

#: id=smtp.mail.pipelined class=smtp activity=delivery
tcp 25,587,2525 = < S10-600 +? c6-122 +? S8-800 +? c14-322 +? S8-200 +? c18-330 +? S40-260 +? C60- ( + C* ){0,20} +? S8-200 +? c6 +? S8- : SMTP, mail handed over (recipient and DATA in one)

#: id=smtp.auth.login class=smtp activity=login
tcp * = c12 +? s18 +? c6-90 +? s18 +? c6-90 +? s12-200 : SMTP, AUTH LOGIN

#: id=smtp.starttls class=smtp activity=starttls
tcp 25,587,2525 = < S10-600 +? c6-300 +? S20-800 +? c10 +? s8-120 +? C100-2600 +? S80-9000 : SMTP, changed to TLS (STARTTLS)

#: id=smtp.by-hand class=smtp actor=human inside=tls12,tls12-cbc,tls13
tcp 25,587,2525 = < S10-600 + C6-82 +? S8-800 + C12-102 +? S8-200 + C5-102 +? S8-200 : SMTP typed by hand

#: id=smtp.by-hand.left class=smtp actor=human inside=tls12,tls12-cbc,tls13
tcp 25,587,2525 = < S10-600 + C6-82 +? S8-800 ( + C5-102 +? S8-800 ){0,3} + c5-6 +? S10-120 > : SMTP typed by hand, greeted and left

#: id=smtp.mail.by-hand class=smtp actor=human inside=ssh,tls12,tls12-cbc,tls13
tcp * = < S10-600 + C6-82 +? S8-800 ( + C5-102 +? S8-800 ){2,12} + C5-6 +? S12-120 + C-200 + C-200 : SMTP typed by hand, mail handed over

#: id=smtp.by-program class=smtp actor=bot inside=tls12,tls12-cbc,tls13
tcp * = < S10-600 c6-120 +? S8-800 ( c6-120 +? S8-800 ){0,8} c14-320 +? S8-200 c12-320 +? S8-200 ( c12-320 +? S8-200 ){0,20} c6 +? S12-120 C30- : SMTP spoken by a program

#: id=smtp.by-program.short class=smtp actor=bot
tcp 25,587,2525 = < S10-600 C6-122 S8-800 C12-322 S8-200 C5-322 S8-200 : SMTP spoken by a program, first commands

#: id=pop3 class=pop3
tcp 110 < S5-520 +? C4-260 +? S3- : POP3, greeted and answered

#: id=pop3.by-hand class=pop3 actor=human inside=tls12,tls12-cbc,tls13
tcp 110 = < S5-520 + C4-80 +? S3-200 + C4-80 +? S3-200 + C4-80 +? S3-200 : POP3 typed by hand

#: id=pop3.by-program class=pop3 actor=bot inside=tls12,tls12-cbc,tls13
tcp 110 = < S5-520 c4-260 S3-700 c4-260 S3-700 c4-260 S3- : POP3 spoken by a program

#: id=pop3.auth.failed class=pop3 outcome=auth-failed count
tcp 110 = ( C6-80 +? s5 +? C6-140 | c6-90 +? s4 +? c6-300 ) +? ( s36 | s44 ) : POP3 login failed (Dovecot, popa3d)

#: id=pop3.auth.success class=pop3 outcome=auth-success
tcp 110 = ( C6-80 +? s5 +? C6-140 | c6-90 +? s4 +? c6-300 ) +? s16 : POP3 login succeeded (Dovecot)

#: id=pop3.auth.success.short class=pop3 outcome=auth-success
tcp 110 = < s5 +? C6-80 +? s5 +? C6-140 +? s5 : POP3 login succeeded (popa3d)

#: id=imap class=imap
tcp 143 < S10-520 +? C8-300 : IMAP, greeted and spoken to

#: id=imap.by-program class=imap actor=bot
tcp 143 = < S10-520 C8-300 +? S12- C6-300 +? S12- C6-300 +? S12- : IMAP spoken by a program

#: id=imap.auth.failed class=imap outcome=auth-failed
tcp 143 = < S39-400 +? C12-24 +? S100-300 +? C18-140 + s53-58 : IMAP login failed (Dovecot)

#: id=imap.auth.success class=imap outcome=auth-success
tcp 143 = < S39-400 +? C12-24 +? S100-300 ( +? C18-140 + s53-58 ){0,3} +? C18-140 +? S300-600 +? C10-102 +? S32- : IMAP login succeeded (Dovecot)

#: id=imap.idle-polling class=imap activity=idle
tcp 143 = c12 +? s26 ( +? c12 +? s26 ){2} : IMAP, mailbox polled

# --------------------------------------------------------------------------------------------------
# The network's own services
# --------------------------------------------------------------------------------------------------
# Time, logs, accounts, routing, real-time media set-up, files.

#: id=ntp class=ntp
udp 123 = < c48 ( + c48 ){0,4} +? s48 : NTP, time asked and given

#: id=syslog class=syslog no-edits
udp 514 < c30-2048 : Syslog over UDP

#: id=syslog.tcp class=syslog no-edits
tcp 514,601 < C20- ( + C* ){0,60} > : Syslog over TCP

#: id=snmp class=snmp no-edits
udp 161 < c28-1500 ( +? c28-1500 ){0,4} +? s28-1500 : SNMP question and answer

#: id=radius class=radius no-edits
udp 1645-1646,1812-1813 < c44-4096 : RADIUS

#: id=kerberos.udp class=kerberos no-edits
udp 88 < c120-2000 +? s60-2000 : Kerberos over UDP

#: id=kerberos.tcp class=kerberos no-edits
tcp 88 < C120-16000 +? S60-16000 : Kerberos over TCP

#: id=cldap class=ldap no-edits
udp 389 < c60-300 +? s60-400 : CLDAP (Windows looks for a domain controller)

#: id=ldap class=ldap no-edits
tcp 389,3268 < C12-2000 +? S14- : LDAP, asked and answered

#: id=smb class=smb no-edits
tcp 445 < c45-300 +? s80-700 +? c80-400 +? s80-700 +? c80-8000 : SMB 2 or 3 session (Windows file sharing)

#: id=rpc.null class=rpc
udp * = < c40 +? s24 : ONC RPC, null call (is the service there?)

#: id=rpc.null.tcp class=rpc
tcp * = < c44 +? s28 +? c60-800 +? s24-2000 : ONC RPC over TCP, null call

#: id=rpc.portmap class=rpc
udp 111 = < c56-120 +? s28-60 : Portmapper asked for a service

#: id=nfs class=nfs no-edits
udp 2049 < c100-400 +? s24-9000 ( +? c100-9000 +? s24-9000 ){2} : NFS over UDP

#: id=bgp class=bgp
tcp 179 < ( c29-300 & s29-300 ) ( c19 & s19 ) : BGP session opened

#: id=bgp.keepalive class=bgp
tcp 179 = ( c19 | s19 ) +? ( c19 | s19 ) : BGP keepalives

#: id=bfd class=bfd
udp 3784,4784 = < c24 : BFD control packet

#: id=stun class=stun no-edits
udp 3478-3479,5349,19302-19309 < ( c20 | c28 | c40 | c44 | c108 | c126 ) ( +? c20-160 ){0,3} +? s32-140 : STUN binding

#: id=quic class=quic no-edits
udp 443,784,853,4433,8443 < c1200-1472 ( +? c40-1472 ){0,6} +? s24-1472 ( +? s24-1472 ){0,4} +? c20-1472 : QUIC handshake

#: id=sip.tcp class=sip no-edits
tcp 5060 < C250-4000 +? S150-4000 : SIP over TCP, answered

#: id=sip.udp class=sip no-edits
udp 5060 < c250-4000 ( +? c250-4000 ){0,4} +? s150-4000 : SIP over UDP, answered

# --------------------------------------------------------------------------------------------------
# SSH: what a session does
# --------------------------------------------------------------------------------------------------
# Learned by `fl0p-learn learn --labels` from the learn parts of the lab's runs, with its other
# captures and the public ones as --background. Of what it proposed, these held on other runs and on
# the software that was held out of all of them (docs/learn.md). What rested on one length of a
# terminal's name, of a greeting or of a path was widened by hand or left out. ssh.toml has what was
# worked out from the protocol instead; of both, the more specific speaks.

#: id=ssh.shell.asked class=ssh activity=shell
tcp * = ( s28 | s36 | s52 | s48 ) +? ( c52 | c60 | c68 | c112 | c120 | c152 | c160 ) +? S28-1500 +? c340-560 +? ( s108 | s116 | s124 | s36 s36 | s44 s44 ) : SSH, a terminal asked for and granted

#: id=ssh.shell.asked.2 class=ssh activity=shell
tcp 22,222,2200,2222,22022,22222 = s24-76 c52 S28-824 c244-480 S28-824 +? C32- : SSH, a terminal asked for (dropbear, asyncssh and paramiko)

#: id=ssh.exec.ended class=ssh activity=exec
tcp 22,222,2200,2222,22022,22222 = S26-38 C96-128 S104-616 C28-244 S64-6280 C28-244 > : SSH, a command run to its end (OpenSSH)

#: id=ssh.exec.ended.2 class=ssh activity=exec
tcp 22,222,2200,2222,22022,22222 = c82-284 S20-152 c48-124 S28-588 c50-200 s24-1468 ( +? s24-1468 ){1,} C68-144 > : SSH, a command run to its end (any client and server)

#: id=ssh.exec.ended.3 class=ssh activity=exec
tcp 22,222,2200,2222,22022,22222 = c124-580 +? S16-520 +? c108-1536 S16-940 +? c32-396 S16-940 +? c44-264 s20-1456 ( +? s20-1456 ){0,7} C28-244 > : SSH, a command run to its end (logged in by the second credential, or by a key)

#: id=ssh.exec.ended.4 class=ssh activity=exec
tcp 22,222,2200,2222,22022,22222 = S8-2272 +? C76-940 +? S8-581 +? C36-940 +? S20-1016 +? C44-81 +? S20-1016 +? C48-92 +? S142-2240 > : SSH, a command run to its end (dbclient)

#: id=ssh.exec.ended.5 class=ssh activity=exec
tcp 22,222,2200,2222,22022,22222 = S16-87 +? C32-1116 +? S16-524 +? C74-220 +? S176-908 +? C40-220 > : SSH, a command run to its end (little output)

#: id=ssh.sftp.read class=ssh activity=download
tcp 22,222,2200,2222,22022,22222 = S76 +? C56-160 +? s76 : SSH, a file looked at twice and read (sftp)

#: id=ssh.sftp.write class=ssh activity=upload
tcp 22,222,2200,2222,22022,22222 = C52 S24-424 ( +? C24-951 +? S24-608 ){0,8} +? C952- : SSH, a file written (sftp, scp)

#: id=ssh.sftp.write.small class=ssh activity=upload
tcp 22,222,2200,2222,22022,22222 = S44-392 +? C60-96 +? S52-392 +? C44-68 +? S60-100 +? C52-92 +? S44-92 +? C92-884 +? S52-68 +? c44-68 : SSH, a small file written (sftp, scp)

#: id=ssh.idle class=ssh activity=idle
tcp 22,222,2200,2222,22022,22222 = c146-1576 +? s16-544 +? C40-1308 S16-956 +? c28-80 > : SSH, logged in and nothing done (-N)

#: id=ssh.idle.kept class=ssh activity=idle
tcp 22,222,2200,2222,22022,22222 = c76-544 ( +? s24-100 ){1,2} ( +? c52-100 +? S24-1500 ){0,1} ( + c44-100 ( +? s24-100 ){1,2} ){1,} + c44-120 > : SSH, logged in and nothing done but kept alive (-N)

#: id=ssh.shell.prompted class=ssh activity=shell
tcp 22,222,2200,2222,22022,22222 = s24-100 +? c40-160 +? S28-1500 +? c240-560 ( +? s24-120 ){2,4} + c24-100 s24-100 : SSH, a terminal granted, and the first key after a pause

#: id=ssh.shell.echoed class=ssh activity=shell
tcp 22,222,2200,2222,22022,22222 = s24-100 c40-160 S28-1500 c240-560 ( +? s24-120 ){2,4} ( +? c24-60 s24-60 ){3} : SSH, a terminal granted, and keys echoed

#: id=ssh.in-tls.shell class=ssh activity=shell inside=tls12,tls13
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C56-136 +? s40 ( s40-72 ){0,1} ( +? C32-2000 +? S40-4000 ){0,14} +? C32-2000 +? s24 | C60-140 +? s44 ( s44-84 ){0,1} ( +? C36-2000 +? S44-4000 ){0,14} +? C36-2000 +? s28 | C64-144 +? s48 ( s48-80 ){0,1} ( +? C40-2000 +? S48-4000 ){0,14} +? C40-2000 +? s32 | C68-148 +? s52 ( s52-84 ){0,1} ( +? C44-2000 +? S52-4000 ){0,14} +? C44-2000 +? s36 | C72-152 +? s56 ( s56-88 ){0,1} ( +? C48-2000 +? S56-4000 ){0,14} +? C48-2000 +? s40 | C80-160 +? s64 ( s64-96 ){0,1} ( +? C56-2000 +? S64-4000 ){0,14} +? C56-2000 +? s48 | C84-164 +? s68 ( s68-100 ){0,1} ( +? C60-2000 +? S68-4000 ){0,14} +? C60-2000 +? s52 | C112-192 +? s96 ( s96-128 ){0,1} ( +? C88-2000 +? S96-4000 ){0,14} +? C88-2000 +? s80 | C116-196 +? s100 ( s100-132 ){0,1} ( +? C92-2000 +? S100-4000 ){0,14} +? C92-2000 +? s84 ) +? c40-170 +? S28-1500 +? c340-560 +? ( s100-132 | s32-52 s32-52 ) : SSH, a terminal asked for and granted, inside TLS

#: id=ssh.in-tls.exec class=ssh activity=exec inside=tls12,tls13
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C56-136 +? s40 ( s40-72 ){0,1} ( +? C32-2000 +? S40-4000 ){0,14} +? C32-2000 +? s24 | C60-140 +? s44 ( s44-84 ){0,1} ( +? C36-2000 +? S44-4000 ){0,14} +? C36-2000 +? s28 | C64-144 +? s48 ( s48-80 ){0,1} ( +? C40-2000 +? S48-4000 ){0,14} +? C40-2000 +? s32 | C68-148 +? s52 ( s52-84 ){0,1} ( +? C44-2000 +? S52-4000 ){0,14} +? C44-2000 +? s36 | C72-152 +? s56 ( s56-88 ){0,1} ( +? C48-2000 +? S56-4000 ){0,14} +? C48-2000 +? s40 | C80-160 +? s64 ( s64-96 ){0,1} ( +? C56-2000 +? S64-4000 ){0,14} +? C56-2000 +? s48 | C84-164 +? s68 ( s68-100 ){0,1} ( +? C60-2000 +? S68-4000 ){0,14} +? C60-2000 +? s52 | C112-192 +? s96 ( s96-128 ){0,1} ( +? C88-2000 +? S96-4000 ){0,14} +? C88-2000 +? s80 | C116-196 +? s100 ( s100-132 ){0,1} ( +? C92-2000 +? S100-4000 ){0,14} +? C92-2000 +? s84 ) +? c40-170 +? S28-1500 +? c44-232 +? S56- ( + S16- ){0,4} ( +? c28-56 +? S16- ( + S16- ){0,4} ){0,1} +? C56-160 > : SSH, a command run to its end, inside TLS

#: id=ssh.in-tls.upload class=ssh activity=upload inside=tls12,tls13
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C56-136 +? s40 ( s40-72 ){0,1} ( +? C32-2000 +? S40-4000 ){0,14} +? C32-2000 +? s24 | C60-140 +? s44 ( s44-84 ){0,1} ( +? C36-2000 +? S44-4000 ){0,14} +? C36-2000 +? s28 | C64-144 +? s48 ( s48-80 ){0,1} ( +? C40-2000 +? S48-4000 ){0,14} +? C40-2000 +? s32 | C68-148 +? s52 ( s52-84 ){0,1} ( +? C44-2000 +? S52-4000 ){0,14} +? C44-2000 +? s36 | C72-152 +? s56 ( s56-88 ){0,1} ( +? C48-2000 +? S56-4000 ){0,14} +? C48-2000 +? s40 | C80-160 +? s64 ( s64-96 ){0,1} ( +? C56-2000 +? S64-4000 ){0,14} +? C56-2000 +? s48 | C84-164 +? s68 ( s68-100 ){0,1} ( +? C60-2000 +? S68-4000 ){0,14} +? C60-2000 +? s52 | C112-192 +? s96 ( s96-128 ){0,1} ( +? C88-2000 +? S96-4000 ){0,14} +? C88-2000 +? s80 | C116-196 +? s100 ( s100-132 ){0,1} ( +? C92-2000 +? S100-4000 ){0,14} +? C92-2000 +? s84 ) +? c40-170 +? S28-1500 +? C44-120 +? S24-424 ( +? C24-951 +? S24-608 ){0,8} +? C952- : SSH, a file written (sftp, scp), inside TLS

# --------------------------------------------------------------------------------------------------
# SSH
# --------------------------------------------------------------------------------------------------
# Everything after the key exchange is encrypted, but the length of a packet is what its content,
# the block size and the MAC make of it. The answer to the first service request (always the same 17
# bytes of content) therefore names the cipher: its size X is
#
#     40  umac-64          44  chacha20-poly1305, umac-64-etm        48  umac-128
#     52  aes-gcm, umac-128-etm, hmac-sha1                           56  hmac-sha1-etm
#     64  hmac-sha2-256    68  hmac-sha2-256-etm
#     96  hmac-sha2-512   100  hmac-sha2-512-etm
#
# and all other sizes follow from X: "success" (one byte of content) is the only answer shorter than
# X; "failure" carries the list of methods. Before the verdict on keyboard-interactive come
# questions, which may be as long as a refusal; then the client's request, which has its own range
# of sizes, tells them apart. The question `none` that most clients ask first counts as no attempt.
# The sizes of what is refused, and the pattern of `ssh.auth.failed`, are worked out by `python -m
# tools.ssh_failed`.
#
# Three servers differ. dropbear sends its greeting and its offer of methods in one segment, and
# pads "success" to 36 with chacha20-poly1305. asyncssh sends an empty "ignore" before each answer,
# and with most ciphers that has the very size of "success": so success is a burst of that size
# alone, twice that size, or (OpenSSH tells its other host keys behind it) that size and something
# longer than any list of methods. paramiko and asyncssh announce extensions behind their new-keys
# message. A banner of the server's own makes the first answer longer; the next ones tell.
#
# All of it was worked out from RFC 4253 section 6 and RFC 4252, and then checked in the lab with
# four servers and eight clients, their ciphers and MACs, key exchanges and kinds of host key.
# Sessions whose beginning is not in the capture are not judged: `<` keeps chance away.
#
# Inside of TLS, where records hide where a message ends, so many branches would find too much.
# There the signatures `ssh.in-tls` speak, which know less, and only on ports that are used for TLS.

#: id=ssh.banners class=ssh
tcp 22 < ( c8-255 & s8-255 ) : SSH, banners exchanged

#: id=ssh.kex class=ssh inside=tls12,tls13
tcp * = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) +? S200-6000 +? ( C56-136 +? s40 | C60-140 +? s44 | C64-144 +? s48 | C68-148 +? s52 | C72-152 +? s56 | C80-160 +? s64 | C84-164 +? s68 | C112-192 +? s96 | C116-196 +? s100 ) : SSH, keys exchanged

#: id=ssh.hostkey-asked class=ssh prompt=hostkey threshold_ms=1000 inside=tls12,tls13
tcp * = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} ( c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) +? S200-6000 + c16 : SSH, host key confirmed by hand on first contact

#: id=ssh.banner-only.greeting class=ssh outcome=banner-only
tcp 22,222,2200,2222,22022,22222 = < ( s8-255 ( +? s200-3000 ( +? s-1460 ){0,1} ){0,1} ( +? c-255 ( +? s20-60 ( +? s2 ){0,1} ){0,1} ){0,1} | s256-3000 ( +? c-255 ){0,1} | c-255 +? ( s8-255 ( +? s20-60 ( +? s2 ){0,1} | +? s200-3000 ( +? s-1460 ){0,1} ){0,1} | s256-3000 ) ) > : SSH, greeting read and left

#: id=ssh.banner-only.by-hand class=ssh actor=human threshold_ms=1000
tcp 22,222,2200,2222,22022,22222 = < ( s8-255 | s256-3000 ) + c-100 : SSH, greeting answered by hand

#: id=ssh.banner-only.key-scan class=ssh outcome=banner-only
tcp 22,222,2200,2222,22022,22222 = < ( c8-255 +? ( s8-3000 +? ){1,3} c200-3000 | ( s8-3000 +? ){1,3} c8-255 +? ( s8-3000 +? ){0,2} c200-3000 | c560-3000 +? s8-3000 ) ( +? c-1460 ){0,1} ( +? s8-3000 ){0,3} ( +? c24-1300 ( +? S200-6000 ){0,1} ){0,2} > : SSH, left before the keys were exchanged (key scan, or no method in common)

#: id=ssh.aborted class=ssh outcome=aborted
tcp * = < ( ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} ( c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) +? S150-6000 | c560-800 +? s400-700 +? s100-1500 ) +? ( ( c16-100 ( +? s16-3000 ){0,2} +? c40 ( +? s120-3000 ){0,1} | C56-156 ) +? s40 ( +? ( C48-140 +? ){0,1} ( s24 +? ){0,1} s40-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c44 ( +? s120-3000 ){0,1} | C60-164 ) +? s44 ( +? ( C52-144 +? ){0,1} ( s36 +? ){0,1} s44-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c48 ( +? s120-3000 ){0,1} | C64-172 ) +? s48 ( +? ( C56-148 +? ){0,1} ( s32 +? ){0,1} s48-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c52 ( +? s120-3000 ){0,1} | C68-180 ) +? s52 ( +? ( C60-152 +? ){0,1} ( s36 +? ){0,1} s52-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c56 ( +? s120-3000 ){0,1} | C72-188 ) +? s56 ( +? ( C64-156 +? ){0,1} ( s40 +? ){0,1} s56-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c64 ( +? s120-3000 ){0,1} | C80-204 ) +? s64 ( +? ( C72-164 +? ){0,1} ( s48 +? ){0,1} s64-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c68 ( +? s120-3000 ){0,1} | C84-212 ) +? s68 ( +? ( C76-168 +? ){0,1} ( s52 +? ){0,1} s68-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c96 ( +? s120-3000 ){0,1} | C112-268 ) +? s96 ( +? ( C104-196 +? ){0,1} ( s80 +? ){0,1} s96-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c100 ( +? s120-3000 ){0,1} | C116-276 ) +? s100 ( +? ( C108-200 +? ){0,1} ( s84 +? ){0,1} s100-1500 ){0,1} ) > : SSH, left without trying a credential

#: id=ssh.aborted.by-hand class=ssh outcome=aborted actor=human
tcp * = < ( ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} ( c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) +? S150-6000 | c560-800 +? s400-700 +? s100-1500 ) +? ( ( c16-100 ( +? s16-3000 ){0,2} +? c40 ( +? s120-3000 ){0,1} | C56-156 ) +? s40 ( +? ( C48-140 +? ){0,1} ( s24 +? ){0,1} s40-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c44 ( +? s120-3000 ){0,1} | C60-164 ) +? s44 ( +? ( C52-144 +? ){0,1} ( s36 +? ){0,1} s44-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c48 ( +? s120-3000 ){0,1} | C64-172 ) +? s48 ( +? ( C56-148 +? ){0,1} ( s32 +? ){0,1} s48-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c52 ( +? s120-3000 ){0,1} | C68-180 ) +? s52 ( +? ( C60-152 +? ){0,1} ( s36 +? ){0,1} s52-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c56 ( +? s120-3000 ){0,1} | C72-188 ) +? s56 ( +? ( C64-156 +? ){0,1} ( s40 +? ){0,1} s56-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c64 ( +? s120-3000 ){0,1} | C80-204 ) +? s64 ( +? ( C72-164 +? ){0,1} ( s48 +? ){0,1} s64-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c68 ( +? s120-3000 ){0,1} | C84-212 ) +? s68 ( +? ( C76-168 +? ){0,1} ( s52 +? ){0,1} s68-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c96 ( +? s120-3000 ){0,1} | C112-268 ) +? s96 ( +? ( C104-196 +? ){0,1} ( s80 +? ){0,1} s96-1500 ){0,1} | ( c16-100 ( +? s16-3000 ){0,2} +? c100 ( +? s120-3000 ){0,1} | C116-276 ) +? s100 ( +? ( C108-200 +? ){0,1} ( s84 +? ){0,1} s100-1500 ){0,1} ) + > : SSH, left by hand without trying a credential

#: id=ssh.auth.failed class=ssh outcome=auth-failed count
tcp * = < ( ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S150-6000 | c560-800 +? s400-700 +? s100-1500 ) +? ( ( ( ( c16 | c88 | c104 ) ( +? s16-3000 ){0,2} +? c40 ( +? s120-3000 ){0,1} | C56 | C128-144 ) +? s40 ( +? ( C56 | C72 | C80 | C88 | C96 | C112 ) +? ( ( s24 +? ){0,1} ( s40 | s56 | s72 ) | ( s24 +? ){0,1} s112-1500 ) ( +? ( C56-2000 +? ( s24 +? ){0,1} ( s40 | s72 ) | C88-128 +? ( s24 +? ){0,1} s56 +? C16-2000 +? ( s24 +? ){0,1} ( s56 | s72 ) | C88-128 +? ( s24 +? ){0,1} s56 +? C16-2000 + ( s24 +? ){0,1} s40 | ( C72 | C136-2000 ) +? ( s24 +? ){0,1} s56 ) ){1,} | +? C56-2000 + ( ( s40 | s56 | s72 ) | s112-1500 ) ( +? C40 +? s40 +? C56-2000 +? ( s24 +? ){0,1} ( s40 | s56 | s72 ) ){0,} | +? C56-2000 ( ( s24 +? ){0,1} ( s40 | s56 | s72 ) | s112-1500 ) +? C40 +? s40 ( +? C56-2000 +? ( s24 +? ){0,1} ( s40 | s56 | s72 ) ( +? C40 +? s40 +? C56-2000 +? ( s24 +? ){0,1} ( s40 | s56 | s72 ) ){0,} ){0,1} | +? C56-104 +? ( s24 +? ){0,1} s56 +? ( C40 | C56 ) +? ( s24 +? ){0,1} ( s56 | s72 ) ( +? C40 +? s40 +? C56-104 +? ( s24 +? ){0,1} s56 +? ( C40 | C56 ) +? ( s24 +? ){0,1} ( s56 | s72 ) ){0,} ) | C112-144 +? s40 ( ( s24 +? ){0,1} ( s40 | s56 | s72 ) | ( s24 +? ){0,1} s112-1500 ) ( +? ( C56-2000 +? ( s24 +? ){0,1} ( s40 | s72 ) | C88-128 +? ( s24 +? ){0,1} s56 +? C16-2000 +? ( s24 +? ){0,1} ( s56 | s72 ) | C88-128 +? ( s24 +? ){0,1} s56 +? C16-2000 + ( s24 +? ){0,1} s40 | ( C72 | C136-2000 ) +? ( s24 +? ){0,1} s56 ) ){1,} ) | ( ( ( c16 | c76 | c84 | c92 | c100 ) ( +? s16-3000 ){0,2} +? c44 ( +? s120-3000 ){0,1} | C60 | C120-144 ) +? s44 ( +? ( C60 | C68 | C76 | C84 | C88 | C92 | C96 | C104 | C112 | C120 | C128 ) +? ( ( ( s28 | s36 ) +? ){0,1} ( s44 | s52 | s60 | s68 | s76 ) | ( ( s28 | s36 ) +? ){0,1} s116-1500 ) ( +? ( C60-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s44 | s52 | s68 | s76 ) | C84-139 +? ( ( s28 | s36 ) +? ){0,1} s60 +? C16-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s60 | s68 | s76 ) | C84-139 +? ( ( s28 | s36 ) +? ){0,1} s60 +? C16-2000 + ( ( s28 | s36 ) +? ){0,1} s44 | ( C140-2000 ) +? ( ( s28 | s36 ) +? ){0,1} s60 | C60-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s44 | s76 ) | C76-136 +? ( ( s28 | s36 ) +? ){0,1} s60 +? C16-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s60 | s76 ) | C76-136 +? ( ( s28 | s36 ) +? ){0,1} s60 +? C16-2000 + ( ( s28 | s36 ) +? ){0,1} s44 ) ){1,} | +? C60-2000 + ( ( s44 | s52 | s60 | s68 | s76 ) | s116-1500 ) ( +? C44 +? s44 +? C60-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s44 | s52 | s60 | s68 | s76 ) ){0,} | +? C60-2000 ( ( ( s28 | s36 ) +? ){0,1} ( s44 | s52 | s60 | s68 | s76 ) | s116-1500 ) +? C44 +? s44 ( +? C60-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s44 | s52 | s60 | s68 | s76 ) ( +? C44 +? s44 +? C60-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s44 | s52 | s60 | s68 | s76 ) ){0,} ){0,1} | +? C60-116 +? ( ( s28 | s36 ) +? ){0,1} s60 +? ( C28 | C36 | C44 | C52 | C60 | C68 ) +? ( ( s28 | s36 ) +? ){0,1} ( s52 | s60 | s68 | s76 ) ( +? C44 +? s44 +? C60-116 +? ( ( s28 | s36 ) +? ){0,1} s60 +? ( C28 | C36 | C44 | C52 | C60 | C68 ) +? ( ( s28 | s36 ) +? ){0,1} ( s52 | s60 | s68 | s76 ) ){0,} ) | C120-152 +? s44 ( ( ( s28 | s36 ) +? ){0,1} ( s44 | s52 | s60 | s68 | s76 ) | ( ( s28 | s36 ) +? ){0,1} s116-1500 ) ( +? ( C60-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s44 | s52 | s68 | s76 ) | C84-139 +? ( ( s28 | s36 ) +? ){0,1} s60 +? C16-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s60 | s68 | s76 ) | C84-139 +? ( ( s28 | s36 ) +? ){0,1} s60 +? C16-2000 + ( ( s28 | s36 ) +? ){0,1} s44 | ( C140-2000 ) +? ( ( s28 | s36 ) +? ){0,1} s60 | C60-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s44 | s76 ) | C76-136 +? ( ( s28 | s36 ) +? ){0,1} s60 +? C16-2000 +? ( ( s28 | s36 ) +? ){0,1} ( s60 | s76 ) | C76-136 +? ( ( s28 | s36 ) +? ){0,1} s60 +? C16-2000 + ( ( s28 | s36 ) +? ){0,1} s44 ) ){1,} ) | ( ( ( c16 | c96 | c112 ) ( +? s16-3000 ){0,2} +? c48 ( +? s120-3000 ){0,1} | C64 | C144-160 ) +? s48 ( +? ( C64 | C80 | C96 | C112 | C128 ) +? ( ( s32 +? ){0,1} ( s48 | s64 | s80 ) | ( s32 +? ){0,1} s120-1500 ) ( +? ( C64-2000 +? ( s32 +? ){0,1} ( s48 | s80 ) | C96-143 +? ( s32 +? ){0,1} s64 +? C16-2000 +? ( s32 +? ){0,1} ( s64 | s80 ) | C96-143 +? ( s32 +? ){0,1} s64 +? C16-2000 + ( s32 +? ){0,1} s48 | ( C80 | C144-2000 ) +? ( s32 +? ){0,1} s64 ) ){1,} | +? C64-2000 + ( ( s48 | s64 | s80 ) | s120-1500 ) ( +? C48 +? s48 +? C64-2000 +? ( s32 +? ){0,1} ( s48 | s64 | s80 ) ){0,} | +? C64-2000 ( ( s32 +? ){0,1} ( s48 | s64 | s80 ) | s120-1500 ) +? C48 +? s48 ( +? C64-2000 +? ( s32 +? ){0,1} ( s48 | s64 | s80 ) ( +? C48 +? s48 +? C64-2000 +? ( s32 +? ){0,1} ( s48 | s64 | s80 ) ){0,} ){0,1} | +? C64-112 +? ( s32 +? ){0,1} s64 +? ( C48 | C64 ) +? ( s32 +? ){0,1} ( s64 | s80 ) ( +? C48 +? s48 +? C64-112 +? ( s32 +? ){0,1} s64 +? ( C48 | C64 ) +? ( s32 +? ){0,1} ( s64 | s80 ) ){0,} ) | C128-160 +? s48 ( ( s32 +? ){0,1} ( s48 | s64 | s80 ) | ( s32 +? ){0,1} s120-1500 ) ( +? ( C64-2000 +? ( s32 +? ){0,1} ( s48 | s80 ) | C96-143 +? ( s32 +? ){0,1} s64 +? C16-2000 +? ( s32 +? ){0,1} ( s64 | s80 ) | C96-143 +? ( s32 +? ){0,1} s64 +? C16-2000 + ( s32 +? ){0,1} s48 | ( C80 | C144-2000 ) +? ( s32 +? ){0,1} s64 ) ){1,} ) | ( ( ( c16 | c84 | c100 | c116 ) ( +? s16-3000 ){0,2} +? c52 ( +? s120-3000 ){0,1} | C68 | C136-168 ) +? s52 ( +? ( C68 | C84 | C100 | C104 | C120 | C136 ) +? ( ( s36 +? ){0,1} ( s52 | s68 | s84 ) | ( s36 +? ){0,1} s124-1500 ) ( +? ( C68-2000 +? ( s36 +? ){0,1} ( s52 | s84 ) | C84-147 +? ( s36 +? ){0,1} s68 +? C16-2000 +? ( s36 +? ){0,1} ( s68 | s84 ) | C84-147 +? ( s36 +? ){0,1} s68 +? C16-2000 + ( s36 +? ){0,1} s52 | ( C148-2000 ) +? ( s36 +? ){0,1} s68 | C100-147 +? ( s36 +? ){0,1} s68 +? C16-2000 +? ( s36 +? ){0,1} ( s68 | s84 ) | C100-147 +? ( s36 +? ){0,1} s68 +? C16-2000 + ( s36 +? ){0,1} s52 ) ){1,} | +? C68-2000 + ( ( s52 | s68 | s84 ) | s124-1500 ) ( +? C52 +? s52 +? C68-2000 +? ( s36 +? ){0,1} ( s52 | s68 | s84 ) ){0,} | +? C68-2000 ( ( s36 +? ){0,1} ( s52 | s68 | s84 ) | s124-1500 ) +? C52 +? s52 ( +? C68-2000 +? ( s36 +? ){0,1} ( s52 | s68 | s84 ) ( +? C52 +? s52 +? C68-2000 +? ( s36 +? ){0,1} ( s52 | s68 | s84 ) ){0,} ){0,1} | +? C68-116 +? ( s36 +? ){0,1} s68 +? ( C36 | C52 | C68 ) +? ( s36 +? ){0,1} ( s68 | s84 ) ( +? C52 +? s52 +? C68-116 +? ( s36 +? ){0,1} s68 +? ( C36 | C52 | C68 ) +? ( s36 +? ){0,1} ( s68 | s84 ) ){0,} ) | C136-168 +? s52 ( ( s36 +? ){0,1} ( s52 | s68 | s84 ) | ( s36 +? ){0,1} s124-1500 ) ( +? ( C68-2000 +? ( s36 +? ){0,1} ( s52 | s84 ) | C84-147 +? ( s36 +? ){0,1} s68 +? C16-2000 +? ( s36 +? ){0,1} ( s68 | s84 ) | C84-147 +? ( s36 +? ){0,1} s68 +? C16-2000 + ( s36 +? ){0,1} s52 | ( C148-2000 ) +? ( s36 +? ){0,1} s68 | C100-147 +? ( s36 +? ){0,1} s68 +? C16-2000 +? ( s36 +? ){0,1} ( s68 | s84 ) | C100-147 +? ( s36 +? ){0,1} s68 +? C16-2000 + ( s36 +? ){0,1} s52 ) ){1,} ) | ( ( ( c16 | c88 | c104 ) ( +? s16-3000 ){0,2} +? c56 ( +? s120-3000 ){0,1} | C72 | C144-160 ) +? s56 ( +? ( C72 | C88 | C104 | C112 | C128 | C144 ) +? ( ( s40 +? ){0,1} ( s56 | s72 | s88 ) | ( s40 +? ){0,1} s128-1500 ) ( +? ( C72-2000 +? ( s40 +? ){0,1} ( s56 | s88 ) | C88-151 +? ( s40 +? ){0,1} s72 +? C16-2000 +? ( s40 +? ){0,1} ( s72 | s88 ) | C88-151 +? ( s40 +? ){0,1} s72 +? C16-2000 + ( s40 +? ){0,1} s56 | ( C152-2000 ) +? ( s40 +? ){0,1} s72 ) ){1,} | +? C72-2000 + ( ( s56 | s72 | s88 ) | s128-1500 ) ( +? C56 +? s56 +? C72-2000 +? ( s40 +? ){0,1} ( s56 | s72 | s88 ) ){0,} | +? C72-2000 ( ( s40 +? ){0,1} ( s56 | s72 | s88 ) | s128-1500 ) +? C56 +? s56 ( +? C72-2000 +? ( s40 +? ){0,1} ( s56 | s72 | s88 ) ( +? C56 +? s56 +? C72-2000 +? ( s40 +? ){0,1} ( s56 | s72 | s88 ) ){0,} ){0,1} | +? C72-120 +? ( s40 +? ){0,1} s72 +? ( C40 | C56 | C72 ) +? ( s40 +? ){0,1} ( s72 | s88 ) ( +? C56 +? s56 +? C72-120 +? ( s40 +? ){0,1} s72 +? ( C40 | C56 | C72 ) +? ( s40 +? ){0,1} ( s72 | s88 ) ){0,} ) | C144-176 +? s56 ( ( s40 +? ){0,1} ( s56 | s72 | s88 ) | ( s40 +? ){0,1} s128-1500 ) ( +? ( C72-2000 +? ( s40 +? ){0,1} ( s56 | s88 ) | C88-151 +? ( s40 +? ){0,1} s72 +? C16-2000 +? ( s40 +? ){0,1} ( s72 | s88 ) | C88-151 +? ( s40 +? ){0,1} s72 +? C16-2000 + ( s40 +? ){0,1} s56 | ( C152-2000 ) +? ( s40 +? ){0,1} s72 ) ){1,} ) | ( ( ( c16 | c112 | c128 ) ( +? s16-3000 ){0,2} +? c64 ( +? s120-3000 ){0,1} | C80 | C176-192 ) +? s64 ( +? ( C80 | C128 ) +? ( ( s48 +? ){0,1} ( s64 | s80 | s96 ) | ( s48 +? ){0,1} s136-1500 ) ( ( +? C80 ( s48 +? ){0,1} ( s64 | s80 | s96 ) ){0,1} +? ( C81-2000 +? ( s48 +? ){0,1} ( s64 | s80 | s96 ) | C80 + ( s48 +? ){0,1} ( s64 | s80 | s96 ) ) ){1,} | +? ( C96 | C144 ) +? ( ( s48 +? ){0,1} ( s64 | s80 | s96 ) | ( s48 +? ){0,1} s136-1500 ) ( ( +? C96 ( s48 +? ){0,1} ( s64 | s80 | s96 ) ){0,1} +? ( C97-2000 +? ( s48 +? ){0,1} ( s64 | s80 | s96 ) | C96 + ( s48 +? ){0,1} ( s64 | s80 | s96 ) ) ){1,} | +? ( C112 | C160 ) +? ( ( s48 +? ){0,1} ( s64 | s80 | s96 ) | ( s48 +? ){0,1} s136-1500 ) ( ( +? C112 ( s48 +? ){0,1} ( s64 | s80 | s96 ) ){0,1} +? ( C113-2000 +? ( s48 +? ){0,1} ( s64 | s80 | s96 ) | C112 + ( s48 +? ){0,1} ( s64 | s80 | s96 ) ) ){1,} | +? C80-2000 + ( ( s64 | s80 | s96 ) | s136-1500 ) ( +? C64 +? s64 +? C80-2000 +? ( s48 +? ){0,1} ( s64 | s80 | s96 ) ){0,} | +? C80-2000 ( ( s48 +? ){0,1} ( s64 | s80 | s96 ) | s136-1500 ) +? C64 +? s64 ( +? C80-2000 +? ( s48 +? ){0,1} ( s64 | s80 | s96 ) ( +? C64 +? s64 +? C80-2000 +? ( s48 +? ){0,1} ( s64 | s80 | s96 ) ){0,} ){0,1} | +? C80-128 +? ( s48 +? ){0,1} s80 +? ( C64 | C80 ) +? ( s48 +? ){0,1} ( s80 | s96 ) ( +? C64 +? s64 +? C80-128 +? ( s48 +? ){0,1} s80 +? ( C64 | C80 ) +? ( s48 +? ){0,1} ( s80 | s96 ) ){0,} ) | C160-192 +? s64 ( ( s48 +? ){0,1} ( s64 | s80 | s96 ) | ( s48 +? ){0,1} s136-1500 ) ( +? ( C80-2000 +? ( s48 +? ){0,1} ( s64 | s80 | s96 ) ) ){1,} ) | ( ( ( c16 | c100 | c116 ) ( +? s16-3000 ){0,2} +? c68 ( +? s120-3000 ){0,1} | C84 | C168-184 ) +? s68 ( +? ( C84 | C100 | C116 | C136 | C152 | C168 ) +? ( ( s52 +? ){0,1} ( s68 | s84 | s100 ) | ( s52 +? ){0,1} s140-1500 ) ( +? ( C84-2000 +? ( s52 +? ){0,1} ( s68 | s100 ) | C100-163 +? ( s52 +? ){0,1} s84 +? C16-2000 +? ( s52 +? ){0,1} ( s84 | s100 ) | C100-163 +? ( s52 +? ){0,1} s84 +? C16-2000 + ( s52 +? ){0,1} s68 | ( C164-2000 ) +? ( s52 +? ){0,1} s84 ) ){1,} | +? C84-2000 + ( ( s68 | s84 | s100 ) | s140-1500 ) ( +? C68 +? s68 +? C84-2000 +? ( s52 +? ){0,1} ( s68 | s84 | s100 ) ){0,} | +? C84-2000 ( ( s52 +? ){0,1} ( s68 | s84 | s100 ) | s140-1500 ) +? C68 +? s68 ( +? C84-2000 +? ( s52 +? ){0,1} ( s68 | s84 | s100 ) ( +? C68 +? s68 +? C84-2000 +? ( s52 +? ){0,1} ( s68 | s84 | s100 ) ){0,} ){0,1} | +? C84-132 +? ( s52 +? ){0,1} s84 +? ( C52 | C68 | C84 ) +? ( s52 +? ){0,1} ( s84 | s100 ) ( +? C68 +? s68 +? C84-132 +? ( s52 +? ){0,1} s84 +? ( C52 | C68 | C84 ) +? ( s52 +? ){0,1} ( s84 | s100 ) ){0,} ) | C168-200 +? s68 ( ( s52 +? ){0,1} ( s68 | s84 | s100 ) | ( s52 +? ){0,1} s140-1500 ) ( +? ( C84-2000 +? ( s52 +? ){0,1} ( s68 | s100 ) | C100-163 +? ( s52 +? ){0,1} s84 +? C16-2000 +? ( s52 +? ){0,1} ( s84 | s100 ) | C100-163 +? ( s52 +? ){0,1} s84 +? C16-2000 + ( s52 +? ){0,1} s68 | ( C164-2000 ) +? ( s52 +? ){0,1} s84 ) ){1,} ) | ( ( ( c16 | c144 | c160 ) ( +? s16-3000 ){0,2} +? c96 ( +? s120-3000 ){0,1} | C112 | C240-256 ) +? s96 ( +? ( C112 | C128 | C144 | C192 | C208 | C224 ) +? ( ( s80 +? ){0,1} ( s96 | s112 | s128 ) | ( s80 +? ){0,1} s168-1500 ) ( +? ( C112-2000 +? ( s80 +? ){0,1} ( s96 | s128 ) | C144-191 +? ( s80 +? ){0,1} s112 +? C16-2000 +? ( s80 +? ){0,1} ( s112 | s128 ) | C144-191 +? ( s80 +? ){0,1} s112 +? C16-2000 + ( s80 +? ){0,1} s96 | ( C128 | C192-2000 ) +? ( s80 +? ){0,1} s112 ) ){1,} | +? C112-2000 + ( ( s96 | s112 | s128 ) | s168-1500 ) ( +? C96 +? s96 +? C112-2000 +? ( s80 +? ){0,1} ( s96 | s112 | s128 ) ){0,} | +? C112-2000 ( ( s80 +? ){0,1} ( s96 | s112 | s128 ) | s168-1500 ) +? C96 +? s96 ( +? C112-2000 +? ( s80 +? ){0,1} ( s96 | s112 | s128 ) ( +? C96 +? s96 +? C112-2000 +? ( s80 +? ){0,1} ( s96 | s112 | s128 ) ){0,} ){0,1} | +? C112-160 +? ( s80 +? ){0,1} s112 +? ( C96 | C112 ) +? ( s80 +? ){0,1} ( s112 | s128 ) ( +? C96 +? s96 +? C112-160 +? ( s80 +? ){0,1} s112 +? ( C96 | C112 ) +? ( s80 +? ){0,1} ( s112 | s128 ) ){0,} ) | C224-256 +? s96 ( ( s80 +? ){0,1} ( s96 | s112 | s128 ) | ( s80 +? ){0,1} s168-1500 ) ( +? ( C112-2000 +? ( s80 +? ){0,1} ( s96 | s128 ) | C144-191 +? ( s80 +? ){0,1} s112 +? C16-2000 +? ( s80 +? ){0,1} ( s112 | s128 ) | C144-191 +? ( s80 +? ){0,1} s112 +? C16-2000 + ( s80 +? ){0,1} s96 | ( C128 | C192-2000 ) +? ( s80 +? ){0,1} s112 ) ){1,} ) | ( ( ( c16 | c132 | c148 ) ( +? s16-3000 ){0,2} +? c100 ( +? s120-3000 ){0,1} | C116 | C232-248 ) +? s100 ( +? ( C116 | C132 | C148 | C200 | C216 | C232 ) +? ( ( s84 +? ){0,1} ( s100 | s116 | s132 ) | ( s84 +? ){0,1} s172-1500 ) ( +? ( C116-2000 +? ( s84 +? ){0,1} ( s100 | s132 ) | C132-195 +? ( s84 +? ){0,1} s116 +? C16-2000 +? ( s84 +? ){0,1} ( s116 | s132 ) | C132-195 +? ( s84 +? ){0,1} s116 +? C16-2000 + ( s84 +? ){0,1} s100 | ( C196-2000 ) +? ( s84 +? ){0,1} s116 ) ){1,} | +? C116-2000 + ( ( s100 | s116 | s132 ) | s172-1500 ) ( +? C100 +? s100 +? C116-2000 +? ( s84 +? ){0,1} ( s100 | s116 | s132 ) ){0,} | +? C116-2000 ( ( s84 +? ){0,1} ( s100 | s116 | s132 ) | s172-1500 ) +? C100 +? s100 ( +? C116-2000 +? ( s84 +? ){0,1} ( s100 | s116 | s132 ) ( +? C100 +? s100 +? C116-2000 +? ( s84 +? ){0,1} ( s100 | s116 | s132 ) ){0,} ){0,1} | +? C116-164 +? ( s84 +? ){0,1} s116 +? ( C84 | C100 | C116 ) +? ( s84 +? ){0,1} ( s116 | s132 ) ( +? C100 +? s100 +? C116-164 +? ( s84 +? ){0,1} s116 +? ( C84 | C100 | C116 ) +? ( s84 +? ){0,1} ( s116 | s132 ) ){0,} ) | C232-264 +? s100 ( ( s84 +? ){0,1} ( s100 | s116 | s132 ) | ( s84 +? ){0,1} s172-1500 ) ( +? ( C116-2000 +? ( s84 +? ){0,1} ( s100 | s132 ) | C132-195 +? ( s84 +? ){0,1} s116 +? C16-2000 +? ( s84 +? ){0,1} ( s116 | s132 ) | C132-195 +? ( s84 +? ){0,1} s116 +? C16-2000 + ( s84 +? ){0,1} s100 | ( C196-2000 ) +? ( s84 +? ){0,1} s116 ) ){1,} ) ) : SSH login failed (credential rejected)

#: id=ssh.auth.success class=ssh outcome=auth-success
tcp * = < ( ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S150-6000 | c560-800 +? s400-700 +? s100-1500 ) +? ( ( c16-100 ( +? s16-3000 ){0,2} +? c40 ( +? s120-3000 ){0,1} | C56-156 ) +? s40 ( +? s40-1500 ){0,1} ( +? C24-2000 +? S40-4000 ){0,14} +? C24-2000 +? ( S24 | s24 +? s24 | s24 s96-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c44 ( +? s120-3000 ){0,1} | C60-164 ) +? s44 ( +? s44-1500 ){0,1} ( +? C28-2000 +? S44-4000 ){0,14} +? C28-2000 +? ( s28 | S36 | s36 +? s28 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c48 ( +? s120-3000 ){0,1} | C64-172 ) +? s48 ( +? s48-1500 ){0,1} ( +? C32-2000 +? S48-4000 ){0,14} +? C32-2000 +? ( S32 | s32 +? s32 | s32 s104-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c52 ( +? s120-3000 ){0,1} | C68-180 ) +? s52 ( +? s52-1500 ){0,1} ( +? C36-2000 +? S52-4000 ){0,14} +? C36-2000 +? ( S36 | s36 +? s36 | s36 s108-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c56 ( +? s120-3000 ){0,1} | C72-188 ) +? s56 ( +? s56-1500 ){0,1} ( +? C40-2000 +? S56-4000 ){0,14} +? C40-2000 +? ( S40 | s40 +? s40 | s40 s112-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c64 ( +? s120-3000 ){0,1} | C80-204 ) +? s64 ( +? s64-1500 ){0,1} ( +? C48-2000 +? S64-4000 ){0,14} +? C48-2000 +? ( S48 | s48 +? s48 | s48 s120-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c68 ( +? s120-3000 ){0,1} | C84-212 ) +? s68 ( +? s68-1500 ){0,1} ( +? C52-2000 +? S68-4000 ){0,14} +? C52-2000 +? ( S52 | s52 +? s52 | s52 s124-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c96 ( +? s120-3000 ){0,1} | C112-268 ) +? s96 ( +? s96-1500 ){0,1} ( +? C80-2000 +? S96-4000 ){0,14} +? C80-2000 +? ( S80 | s80 +? s80 | s80 s152-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c100 ( +? s120-3000 ){0,1} | C116-276 ) +? s100 ( +? s100-1500 ){0,1} ( +? C84-2000 +? S100-4000 ){0,14} +? C84-2000 +? ( S84 | s84 +? s84 | s84 s156-4000 ) ) : SSH login succeeded

#: id=ssh.auth.success.publickey class=ssh outcome=auth-success
tcp * = < ( ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S150-6000 | c560-800 +? s400-700 +? s100-1500 ) +? ( ( c16-100 ( +? s16-3000 ){0,2} +? c40 ( +? s120-3000 ){0,1} | C56-156 ) +? s40 ( +? s40-1500 ){0,1} ( +? C24-2000 +? S40-4000 ){0,10} +? C128-800 +? ( s24 +? ){0,1} s84-800 +? C220-1600 +? ( S24 | s24 +? s24 | s24 s96-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c44 ( +? s120-3000 ){0,1} | C60-164 ) +? s44 ( +? s44-1500 ){0,1} ( +? C28-2000 +? S44-4000 ){0,10} +? C132-800 +? ( s36 +? ){0,1} s88-800 +? C224-1600 +? ( s28 | S36 | s36 +? s28 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c48 ( +? s120-3000 ){0,1} | C64-172 ) +? s48 ( +? s48-1500 ){0,1} ( +? C32-2000 +? S48-4000 ){0,10} +? C136-800 +? ( s32 +? ){0,1} s92-800 +? C228-1600 +? ( S32 | s32 +? s32 | s32 s104-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c52 ( +? s120-3000 ){0,1} | C68-180 ) +? s52 ( +? s52-1500 ){0,1} ( +? C36-2000 +? S52-4000 ){0,10} +? C140-800 +? ( s36 +? ){0,1} s96-800 +? C232-1600 +? ( S36 | s36 +? s36 | s36 s108-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c56 ( +? s120-3000 ){0,1} | C72-188 ) +? s56 ( +? s56-1500 ){0,1} ( +? C40-2000 +? S56-4000 ){0,10} +? C144-800 +? ( s40 +? ){0,1} s100-800 +? C236-1600 +? ( S40 | s40 +? s40 | s40 s112-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c64 ( +? s120-3000 ){0,1} | C80-204 ) +? s64 ( +? s64-1500 ){0,1} ( +? C48-2000 +? S64-4000 ){0,10} +? C152-800 +? ( s48 +? ){0,1} s108-800 +? C244-1600 +? ( S48 | s48 +? s48 | s48 s120-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c68 ( +? s120-3000 ){0,1} | C84-212 ) +? s68 ( +? s68-1500 ){0,1} ( +? C52-2000 +? S68-4000 ){0,10} +? C156-800 +? ( s52 +? ){0,1} s112-800 +? C248-1600 +? ( S52 | s52 +? s52 | s52 s124-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c96 ( +? s120-3000 ){0,1} | C112-268 ) +? s96 ( +? s96-1500 ){0,1} ( +? C80-2000 +? S96-4000 ){0,10} +? C184-800 +? ( s80 +? ){0,1} s140-800 +? C276-1600 +? ( S80 | s80 +? s80 | s80 s152-4000 ) | ( c16-100 ( +? s16-3000 ){0,2} +? c100 ( +? s120-3000 ){0,1} | C116-276 ) +? s100 ( +? s100-1500 ){0,1} ( +? C84-2000 +? S100-4000 ){0,10} +? C188-800 +? ( s84 +? ){0,1} s144-800 +? C280-1600 +? ( S84 | s84 +? s84 | s84 s156-4000 ) ) : SSH login succeeded (public key)

#: id=ssh.exec class=ssh activity=exec
tcp 22,222,2200,2222,22022,22222 = ( s28 c112 | s36 c120 | s52 c152 | s48 c160 ) +? S100-1500 +? c52-200 s72-112 c36-52 ( +? s20-1456 ){1,} +? C64-144 > : SSH, a command run without a terminal, its input ended at once

#: id=ssh.reverse class=ssh activity=reverse
tcp 22,222,2200,2222,22022,22222 = ( ( s28 +? ( c56-84 +? ){1,2} | s28 +? c112-160 +? ) ( s28-1200 +? ){1,4} s84-108 +? c44 | ( s36 +? ( c64-92 +? ){1,2} | s36 +? c128-184 +? ) ( s36-1200 +? ){1,4} s92-116 +? c52 | ( s40 +? ( c68-96 +? ){1,2} | s40 +? c136-192 +? ) ( s40-1200 +? ){1,4} s96-120 +? c56 | ( s48 +? ( c76-104 +? ){1,2} | s48 +? c152-208 +? ) ( s48-1200 +? ){1,4} s104-128 +? c64 | ( s52 +? ( c80-108 +? ){1,2} | s52 +? c160-216 +? ) ( s52-1200 +? ){1,4} s108-132 +? c68 | ( s80 +? ( c108-136 +? ){1,2} | s80 +? c216-272 +? ) ( s80-1200 +? ){1,4} s136-160 +? c96 | ( s84 +? ( c112-140 +? ){1,2} | s84 +? c224-280 +? ) ( s84-1200 +? ){1,4} s140-164 +? c100 ) : SSH, a connection from the server's side forwarded back (-R)

#: id=ssh.sftp class=ssh activity=sftp
tcp * = ( s28 +? c112 | s36 +? c120 ) +? S100-1500 +? c52-200 +? s72 +? ( c44 | c52 ) +? s200-600 : SSH, file transfer session (sftp, scp)

#: id=ssh.sftp.upload class=ssh activity=upload
tcp * = ( s28 +? c112 | s36 +? c120 ) +? S100-1500 +? c52-200 +? s72 +? ( c44 | c52 ) +? s200-600 ( +? C52-400 +? S44-400 ){2,10} +? C2000- : SSH, file uploaded (sftp, scp)

#: id=ssh.sftp.download class=ssh activity=download
tcp * = ( s28 +? c112 | s36 +? c120 ) +? S100-1500 +? c52-200 +? s72 +? ( c44 | c52 ) +? s200-600 ( +? C52-400 +? S44-400 ){2,10} +? C52-2000 +? S2000- : SSH, file downloaded (sftp, scp)

#: id=ssh.sftp.read.whole class=ssh activity=download
tcp 22,222,2200,2222,22022,22222 = ( s52 +? c68 +? S72- ( +? C68- +? S69- ){0,6} +? c68 +? s68 +? c52 +? s68 | s68 +? c84 +? S88- ( +? C84- +? S85- ){0,6} +? c84 +? s84 +? c68 +? s84 | s56 +? c72 +? S76- ( +? C72- +? S73- ){0,6} +? c72 +? s72 +? c56 +? s72 | s44 +? c60 +? S64- ( +? C60- +? S61- ){0,6} +? c60 +? s60 +? c44 +? s60 | s100 +? c116 +? S120- ( +? C116- +? S117- ){0,6} +? c116 +? s116 +? c100 +? s116 ) : SSH, a file read to its end (sftp, scp)

#: id=ssh.shell.typed class=ssh activity=shell actor=human
tcp * = + ( c36 s36 c36 s36 c36 s36 c36 s36 | c52 s52 c52 s52 c52 s52 c52 s52 | c64 s64 c64 s64 c64 s64 c64 s64 | c28 s28 c28 s28 c28 s28 c28 s28 ) : SSH, shell typed by hand

#: id=ssh.in-tls.failed.1 class=ssh outcome=auth-failed inside=tls12,tls13 count
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C56-136 +? s40 ( ( C48-124 ){0,1} s40-56 ( ( +? C40 +? s40 ){0,1} +? C56-2000 +? s40-56 ) | ( C48-124 ){0,1} s72 ( ( +? C40 +? s40 ){0,1} +? C56-2000 ( +? s56 +? C56-2000 ){0,1} +? s72 ) ) | C60-140 +? s44 ( ( C52-128 ){0,1} s44-52 ( ( +? C44 +? s44 ){0,1} +? C60-2000 +? s44-52 ) | ( C52-128 ){0,1} s76-84 ( ( +? C44 +? s44 ){0,1} +? C60-2000 ( +? s60 +? C60-2000 ){0,1} +? s76-84 ) ) | C64-144 +? s48 ( ( C56-132 ){0,1} s48-64 ( ( +? C48 +? s48 ){0,1} +? C64-2000 +? s48-64 ) | ( C56-132 ){0,1} s80 ( ( +? C48 +? s48 ){0,1} +? C64-2000 ( +? s64 +? C64-2000 ){0,1} +? s80 ) ) | C68-148 +? s52 ( ( C60-136 ){0,1} s52-68 ( ( +? C52 +? s52 ){0,1} +? C68-2000 +? s52-68 ) | ( C60-136 ){0,1} s84 ( ( +? C52 +? s52 ){0,1} +? C68-2000 ( +? s68 +? C68-2000 ){0,1} +? s84 ) ) | C72-152 +? s56 ( ( C64-140 ){0,1} s56 ( ( +? C56 +? s56 ){0,1} +? C72-2000 +? s56 ) | ( C64-140 ){0,1} s88 ( ( +? C56 +? s56 ){0,1} +? C72-2000 ( +? s72 +? C72-2000 ){0,1} +? s88 ) ) | C80-160 +? s64 ( ( C72-148 ){0,1} s64-80 ( ( +? C64 +? s64 ){0,1} +? C80-2000 +? s64-80 ) | ( C72-148 ){0,1} s96 ( ( +? C64 +? s64 ){0,1} +? C80-2000 ( +? s80 +? C80-2000 ){0,1} +? s96 ) ) | C84-164 +? s68 ( ( C76-152 ){0,1} s68 ( ( +? C68 +? s68 ){0,1} +? C84-2000 +? s68 ) | ( C76-152 ){0,1} s100 ( ( +? C68 +? s68 ){0,1} +? C84-2000 ( +? s84 +? C84-2000 ){0,1} +? s100 ) ) | C112-192 +? s96 ( ( C104-180 ){0,1} s96-112 ( ( +? C96 +? s96 ){0,1} +? C112-2000 +? s96-112 ) | ( C104-180 ){0,1} s128 ( ( +? C96 +? s96 ){0,1} +? C112-2000 ( +? s112 +? C112-2000 ){0,1} +? s128 ) ) | C116-196 +? s100 ( ( C108-184 ){0,1} s100 ( ( +? C100 +? s100 ){0,1} +? C116-2000 +? s100 ) | ( C108-184 ){0,1} s132 ( ( +? C100 +? s100 ){0,1} +? C116-2000 ( +? s116 +? C116-2000 ){0,1} +? s132 ) ) ) : SSH login failed (first rejected credential), inside TLS

#: id=ssh.in-tls.failed.2 class=ssh outcome=auth-failed inside=tls12,tls13 count
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C56-136 +? s40 ( ( C48-124 ){0,1} s40-56 ( ( +? C40 +? s40 ){0,1} +? C56-2000 +? s40-56 ){2} | ( C48-124 ){0,1} s72 ( ( +? C40 +? s40 ){0,1} +? C56-2000 ( +? s56 +? C56-2000 ){0,1} +? s72 ){2} ) | C60-140 +? s44 ( ( C52-128 ){0,1} s44-52 ( ( +? C44 +? s44 ){0,1} +? C60-2000 +? s44-52 ){2} | ( C52-128 ){0,1} s76-84 ( ( +? C44 +? s44 ){0,1} +? C60-2000 ( +? s60 +? C60-2000 ){0,1} +? s76-84 ){2} ) | C64-144 +? s48 ( ( C56-132 ){0,1} s48-64 ( ( +? C48 +? s48 ){0,1} +? C64-2000 +? s48-64 ){2} | ( C56-132 ){0,1} s80 ( ( +? C48 +? s48 ){0,1} +? C64-2000 ( +? s64 +? C64-2000 ){0,1} +? s80 ){2} ) | C68-148 +? s52 ( ( C60-136 ){0,1} s52-68 ( ( +? C52 +? s52 ){0,1} +? C68-2000 +? s52-68 ){2} | ( C60-136 ){0,1} s84 ( ( +? C52 +? s52 ){0,1} +? C68-2000 ( +? s68 +? C68-2000 ){0,1} +? s84 ){2} ) | C72-152 +? s56 ( ( C64-140 ){0,1} s56 ( ( +? C56 +? s56 ){0,1} +? C72-2000 +? s56 ){2} | ( C64-140 ){0,1} s88 ( ( +? C56 +? s56 ){0,1} +? C72-2000 ( +? s72 +? C72-2000 ){0,1} +? s88 ){2} ) | C80-160 +? s64 ( ( C72-148 ){0,1} s64-80 ( ( +? C64 +? s64 ){0,1} +? C80-2000 +? s64-80 ){2} | ( C72-148 ){0,1} s96 ( ( +? C64 +? s64 ){0,1} +? C80-2000 ( +? s80 +? C80-2000 ){0,1} +? s96 ){2} ) | C84-164 +? s68 ( ( C76-152 ){0,1} s68 ( ( +? C68 +? s68 ){0,1} +? C84-2000 +? s68 ){2} | ( C76-152 ){0,1} s100 ( ( +? C68 +? s68 ){0,1} +? C84-2000 ( +? s84 +? C84-2000 ){0,1} +? s100 ){2} ) | C112-192 +? s96 ( ( C104-180 ){0,1} s96-112 ( ( +? C96 +? s96 ){0,1} +? C112-2000 +? s96-112 ){2} | ( C104-180 ){0,1} s128 ( ( +? C96 +? s96 ){0,1} +? C112-2000 ( +? s112 +? C112-2000 ){0,1} +? s128 ){2} ) | C116-196 +? s100 ( ( C108-184 ){0,1} s100 ( ( +? C100 +? s100 ){0,1} +? C116-2000 +? s100 ){2} | ( C108-184 ){0,1} s132 ( ( +? C100 +? s100 ){0,1} +? C116-2000 ( +? s116 +? C116-2000 ){0,1} +? s132 ){2} ) ) : SSH login failed (second rejected credential), inside TLS

#: id=ssh.in-tls.failed.3 class=ssh outcome=auth-failed inside=tls12,tls13 count
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C56-136 +? s40 ( ( C48-124 ){0,1} s40-56 ( ( +? C40 +? s40 ){0,1} +? C56-2000 +? s40-56 ){3} | ( C48-124 ){0,1} s72 ( ( +? C40 +? s40 ){0,1} +? C56-2000 ( +? s56 +? C56-2000 ){0,1} +? s72 ){3} ) | C60-140 +? s44 ( ( C52-128 ){0,1} s44-52 ( ( +? C44 +? s44 ){0,1} +? C60-2000 +? s44-52 ){3} | ( C52-128 ){0,1} s76-84 ( ( +? C44 +? s44 ){0,1} +? C60-2000 ( +? s60 +? C60-2000 ){0,1} +? s76-84 ){3} ) | C64-144 +? s48 ( ( C56-132 ){0,1} s48-64 ( ( +? C48 +? s48 ){0,1} +? C64-2000 +? s48-64 ){3} | ( C56-132 ){0,1} s80 ( ( +? C48 +? s48 ){0,1} +? C64-2000 ( +? s64 +? C64-2000 ){0,1} +? s80 ){3} ) | C68-148 +? s52 ( ( C60-136 ){0,1} s52-68 ( ( +? C52 +? s52 ){0,1} +? C68-2000 +? s52-68 ){3} | ( C60-136 ){0,1} s84 ( ( +? C52 +? s52 ){0,1} +? C68-2000 ( +? s68 +? C68-2000 ){0,1} +? s84 ){3} ) | C72-152 +? s56 ( ( C64-140 ){0,1} s56 ( ( +? C56 +? s56 ){0,1} +? C72-2000 +? s56 ){3} | ( C64-140 ){0,1} s88 ( ( +? C56 +? s56 ){0,1} +? C72-2000 ( +? s72 +? C72-2000 ){0,1} +? s88 ){3} ) | C80-160 +? s64 ( ( C72-148 ){0,1} s64-80 ( ( +? C64 +? s64 ){0,1} +? C80-2000 +? s64-80 ){3} | ( C72-148 ){0,1} s96 ( ( +? C64 +? s64 ){0,1} +? C80-2000 ( +? s80 +? C80-2000 ){0,1} +? s96 ){3} ) | C84-164 +? s68 ( ( C76-152 ){0,1} s68 ( ( +? C68 +? s68 ){0,1} +? C84-2000 +? s68 ){3} | ( C76-152 ){0,1} s100 ( ( +? C68 +? s68 ){0,1} +? C84-2000 ( +? s84 +? C84-2000 ){0,1} +? s100 ){3} ) | C112-192 +? s96 ( ( C104-180 ){0,1} s96-112 ( ( +? C96 +? s96 ){0,1} +? C112-2000 +? s96-112 ){3} | ( C104-180 ){0,1} s128 ( ( +? C96 +? s96 ){0,1} +? C112-2000 ( +? s112 +? C112-2000 ){0,1} +? s128 ){3} ) | C116-196 +? s100 ( ( C108-184 ){0,1} s100 ( ( +? C100 +? s100 ){0,1} +? C116-2000 +? s100 ){3} | ( C108-184 ){0,1} s132 ( ( +? C100 +? s100 ){0,1} +? C116-2000 ( +? s116 +? C116-2000 ){0,1} +? s132 ){3} ) ) : SSH login failed (third rejected credential), inside TLS

#: id=ssh.in-tls.failed.4 class=ssh outcome=auth-failed inside=tls12,tls13 count
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C60-140 +? s44 ( ( C52-128 ){0,1} s44-52 ( ( +? C44 +? s44 ){0,1} +? C60-2000 +? s44-52 ){4} | ( C52-128 ){0,1} s76-84 ( ( +? C44 +? s44 ){0,1} +? C60-2000 ( +? s60 +? C60-2000 ){0,1} +? s76-84 ){4} ) | C68-148 +? s52 ( ( C60-136 ){0,1} s52-68 ( ( +? C52 +? s52 ){0,1} +? C68-2000 +? s52-68 ){4} | ( C60-136 ){0,1} s84 ( ( +? C52 +? s52 ){0,1} +? C68-2000 ( +? s68 +? C68-2000 ){0,1} +? s84 ){4} ) | C80-160 +? s64 ( ( C72-148 ){0,1} s64-80 ( ( +? C64 +? s64 ){0,1} +? C80-2000 +? s64-80 ){4} | ( C72-148 ){0,1} s96 ( ( +? C64 +? s64 ){0,1} +? C80-2000 ( +? s80 +? C80-2000 ){0,1} +? s96 ){4} ) | C84-164 +? s68 ( ( C76-152 ){0,1} s68 ( ( +? C68 +? s68 ){0,1} +? C84-2000 +? s68 ){4} | ( C76-152 ){0,1} s100 ( ( +? C68 +? s68 ){0,1} +? C84-2000 ( +? s84 +? C84-2000 ){0,1} +? s100 ){4} ) ) : SSH login failed (fourth rejected credential), inside TLS

#: id=ssh.in-tls.failed.5 class=ssh outcome=auth-failed inside=tls12,tls13 count
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C60-140 +? s44 ( ( C52-128 ){0,1} s44-52 ( ( +? C44 +? s44 ){0,1} +? C60-2000 +? s44-52 ){5} | ( C52-128 ){0,1} s76-84 ( ( +? C44 +? s44 ){0,1} +? C60-2000 ( +? s60 +? C60-2000 ){0,1} +? s76-84 ){5} ) | C68-148 +? s52 ( ( C60-136 ){0,1} s52-68 ( ( +? C52 +? s52 ){0,1} +? C68-2000 +? s52-68 ){5} | ( C60-136 ){0,1} s84 ( ( +? C52 +? s52 ){0,1} +? C68-2000 ( +? s68 +? C68-2000 ){0,1} +? s84 ){5} ) | C80-160 +? s64 ( ( C72-148 ){0,1} s64-80 ( ( +? C64 +? s64 ){0,1} +? C80-2000 +? s64-80 ){5} | ( C72-148 ){0,1} s96 ( ( +? C64 +? s64 ){0,1} +? C80-2000 ( +? s80 +? C80-2000 ){0,1} +? s96 ){5} ) | C84-164 +? s68 ( ( C76-152 ){0,1} s68 ( ( +? C68 +? s68 ){0,1} +? C84-2000 +? s68 ){5} | ( C76-152 ){0,1} s100 ( ( +? C68 +? s68 ){0,1} +? C84-2000 ( +? s84 +? C84-2000 ){0,1} +? s100 ){5} ) ) : SSH login failed (fifth rejected credential), inside TLS

#: id=ssh.in-tls.failed.6 class=ssh outcome=auth-failed inside=tls12,tls13 count
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C60-140 +? s44 ( ( C52-128 ){0,1} s44-52 ( ( +? C44 +? s44 ){0,1} +? C60-2000 +? s44-52 ){6} | ( C52-128 ){0,1} s76-84 ( ( +? C44 +? s44 ){0,1} +? C60-2000 ( +? s60 +? C60-2000 ){0,1} +? s76-84 ){6} ) | C68-148 +? s52 ( ( C60-136 ){0,1} s52-68 ( ( +? C52 +? s52 ){0,1} +? C68-2000 +? s52-68 ){6} | ( C60-136 ){0,1} s84 ( ( +? C52 +? s52 ){0,1} +? C68-2000 ( +? s68 +? C68-2000 ){0,1} +? s84 ){6} ) | C80-160 +? s64 ( ( C72-148 ){0,1} s64-80 ( ( +? C64 +? s64 ){0,1} +? C80-2000 +? s64-80 ){6} | ( C72-148 ){0,1} s96 ( ( +? C64 +? s64 ){0,1} +? C80-2000 ( +? s80 +? C80-2000 ){0,1} +? s96 ){6} ) | C84-164 +? s68 ( ( C76-152 ){0,1} s68 ( ( +? C68 +? s68 ){0,1} +? C84-2000 +? s68 ){6} | ( C76-152 ){0,1} s100 ( ( +? C68 +? s68 ){0,1} +? C84-2000 ( +? s84 +? C84-2000 ){0,1} +? s100 ){6} ) ) : SSH login failed (sixth rejected credential), inside TLS

#: id=ssh.in-tls.success class=ssh outcome=auth-success inside=tls12,tls13
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C56-136 +? s40 ( s40-72 ){0,1} ( +? C32-2000 +? S40-4000 ){0,14} +? C32-2000 +? s24 | C60-140 +? s44 ( s44-84 ){0,1} ( +? C36-2000 +? S44-4000 ){0,14} +? C36-2000 +? s28 | C64-144 +? s48 ( s48-80 ){0,1} ( +? C40-2000 +? S48-4000 ){0,14} +? C40-2000 +? s32 | C68-148 +? s52 ( s52-84 ){0,1} ( +? C44-2000 +? S52-4000 ){0,14} +? C44-2000 +? s36 | C72-152 +? s56 ( s56-88 ){0,1} ( +? C48-2000 +? S56-4000 ){0,14} +? C48-2000 +? s40 | C80-160 +? s64 ( s64-96 ){0,1} ( +? C56-2000 +? S64-4000 ){0,14} +? C56-2000 +? s48 | C84-164 +? s68 ( s68-100 ){0,1} ( +? C60-2000 +? S68-4000 ){0,14} +? C60-2000 +? s52 | C112-192 +? s96 ( s96-128 ){0,1} ( +? C88-2000 +? S96-4000 ){0,14} +? C88-2000 +? s80 | C116-196 +? s100 ( s100-132 ){0,1} ( +? C92-2000 +? S100-4000 ){0,14} +? C92-2000 +? s84 ) : SSH login succeeded, inside TLS

#: id=ssh.in-tls.success.publickey class=ssh outcome=auth-success inside=tls12,tls13
tcp 443,465,563,636,853,989-995,4400-4499,8443 = < ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2} c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272 | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S200-6000 +? ( C56-136 +? s40 ( s40-72 ){0,1} ( +? C32-2000 +? S40-4000 ){0,10} +? C128-800 +? s84-800 +? C220-1600 +? s24 | C60-140 +? s44 ( s44-84 ){0,1} ( +? C36-2000 +? S44-4000 ){0,10} +? C132-800 +? s88-800 +? C224-1600 +? s28 | C64-144 +? s48 ( s48-80 ){0,1} ( +? C40-2000 +? S48-4000 ){0,10} +? C136-800 +? s92-800 +? C228-1600 +? s32 | C68-148 +? s52 ( s52-84 ){0,1} ( +? C44-2000 +? S52-4000 ){0,10} +? C140-800 +? s96-800 +? C232-1600 +? s36 | C72-152 +? s56 ( s56-88 ){0,1} ( +? C48-2000 +? S56-4000 ){0,10} +? C144-800 +? s100-800 +? C236-1600 +? s40 | C80-160 +? s64 ( s64-96 ){0,1} ( +? C56-2000 +? S64-4000 ){0,10} +? C152-800 +? s108-800 +? C244-1600 +? s48 | C84-164 +? s68 ( s68-100 ){0,1} ( +? C60-2000 +? S68-4000 ){0,10} +? C156-800 +? s112-800 +? C248-1600 +? s52 | C112-192 +? s96 ( s96-128 ){0,1} ( +? C88-2000 +? S96-4000 ){0,10} +? C184-800 +? s140-800 +? C276-1600 +? s80 | C116-196 +? s100 ( s100-132 ){0,1} ( +? C92-2000 +? S100-4000 ){0,10} +? C188-800 +? s144-800 +? C280-1600 +? s84 ) : SSH login succeeded (public key), inside TLS

# --------------------------------------------------------------------------------------------------
# Telnet, remote desktops
# --------------------------------------------------------------------------------------------------
# Telnet negotiates its options in commands of 3 bytes and then sends each key by itself, echoed.
# RDP and VNC open with messages of fixed size.

#: id=telnet class=telnet no-edits
tcp 23,2323,9999 < ( ( s3 | s6 | s9 | s12 | s15 | s18 | s21 | s24 ) +? ( c3 | c6 | c9 | c12 | c15 | c18 | c21 | c24 | c27 | c30 | c33 ) | ( c3 | c6 | c9 | c12 | c15 | c18 | c21 | c24 | c27 | c30 | c33 ) +? ( s3 | s6 | s9 | s12 | s15 | s18 | s21 | s24 ) ) : Telnet, options negotiated

#: id=telnet.typed class=telnet activity=shell actor=human inside=tls12,tls12-cbc,tls13
tcp 23,513,2323,9999 = + c1 s1 ( +? c1 s1 ){3} : Telnet or rlogin, typed by hand

#: id=shell.typed activity=shell actor=human inside=tls12,tls12-cbc,tls13
tcp * = + c1 s1 c1 s1 c1 s1 c1 s1 c1 s1 c1 s1 : Terminal without encryption, typed by hand

#: id=shell.reverse.typed activity=reverse inside=tls12,tls12-cbc,tls13
tcp * = + s1 c1 s1 c1 s1 c1 s1 c1 s1 c1 s1 c1 : Terminal of a client, typed by hand at the server (reverse shell)

#: id=shell.typed.commands activity=shell actor=human inside=tls12,tls12-cbc,tls13
tcp * = + c1 s1 c1 s1 c1 s1 ( +? c1 s1 ){0,20} +? c1 +? S2- ( + S* ){0,3} + c1 s1 c1 s1 c1 s1 : Terminal without encryption, commands typed by hand

#: id=shell.reverse.typed.commands activity=reverse inside=tls12,tls12-cbc,tls13
tcp * = + s1 c1 s1 c1 s1 c1 ( +? s1 c1 ){0,20} +? s1 +? C2- ( + C* ){0,3} + s1 c1 s1 c1 s1 c1 : Terminal of a client, commands typed by hand at the server (reverse shell)

#: id=shell.lines activity=shell inside=tls12,tls12-cbc,tls13
tcp 1-20,22-24,26-109,111-118,120-142,144-464,466-562,564-586,588-989,991-992,996-2524,2526-65535 = < c2-120 ( +? S* ( + S* ){0,3} ){0,1} ( + c2-120 ( +? S* ( + S* ){0,3} ){0,1} ){2,} + c5 > : Shell without a terminal, worked by lines

#: id=shell.lines.prompted activity=shell inside=tls12,tls12-cbc,tls13
tcp 1-20,22-24,26-109,111-118,120-142,144-464,466-562,564-586,588-989,991-992,996-2524,2526-65535 = < s10-300 ( +? s-300 ){1,5} ( + ( c2-9 +? S6- | c10-19 +? S12- | c20-39 +? S22- | c40-120 +? S42- ) ( + S* ){0,3} ){2,} + c5 +? S8-120 > : Shell with prompts and without a terminal, worked by lines

#: id=shell.reverse.lines activity=reverse inside=tls12,tls12-cbc,tls13
tcp 1-20,22-24,26-109,111-118,120-142,144-464,466-562,564-586,588-989,991-992,996-2524,2526-65535 = < c10-300 ( +? c-300 ){1,5} ( + ( s2-9 +? C6- | s10-19 +? C12- | s20-39 +? C22- | s40-120 +? C42- ) ( + C* ){0,3} ){2,} + s5 +? C8-120 > : Shell with prompts of a client, worked by lines at the server (reverse shell)

#: id=rdp class=rdp
tcp * = < ( c19 | c32-70 ) +? s19 +? C100-2600 +? S80-9000 : RDP connection

#: id=rdp.udp class=rdp
udp 3389 = < c1232 ( +? c1232 ){0,4} +? s1232 : RDP over UDP

#: id=vnc class=vnc
tcp * = < s12 +? c12 +? ( s4 | s2-20 +? c1 ) +? ( s4 | s16 | c1 | s24-200 ) : VNC (RFB) connection

# --------------------------------------------------------------------------------------------------
# TLS
# --------------------------------------------------------------------------------------------------
# A handshake is records of sizes that the cipher and the curve fix: the client's last flight of TLS
# 1.2 is a key exchange (x25519 42 bytes, P-256 75, P-384 107, RSA-2048 or DHE-2048 267, 1024 bits
# 139, all with headers), a ChangeCipherSpec (6) and a Finished (AES-GCM 45, ChaCha20 37, CBC 53 to
# 101), the server's a ChangeCipherSpec and a Finished, with or without a session ticket before
# them. In TLS 1.3 the client's flight is a dummy ChangeCipherSpec and a Finished of 58 (SHA-256) or
# 74 (SHA-384) bytes. The hellos, certificates and tickets are as long as they like: ranges, as
# bursts, so that segments do not matter.
#
# Who talks inside is not known from these: mail, web and many a messenger begin alike.

#: id=tls.12 class=tls
tcp 1-79,81-65535 = < C80-2400 +? S600-9000 +? ( c85 | c93 | c101 | c105 | c117-122 | c126 | c133-134 | c138 | c149-158 | c166 | c182-198 | c214 | c310-326 | c342-346 | c358 | c374 | ( c42 | c75 | c107 | c139 | c267 ) +? c6 +? ( c37 | c45 | c53 ) ) ( +? c10-9000 ){0,12} +? ( s43 | s47 | s51 | s57 | s59 | s63 | s75 | s79 | s91 | s107 | s170-400 | s6 +? ( s37 | s45 | s53 | s69 | s85 | s101 ) ) : TLS 1.2 or older, full handshake

#: id=tls.12.resumed class=tls
tcp * = < C150-2400 +? S125-215 +? ( c43 | c51 | c75 | c79 | c91 | c107 | c6 +? ( c37 | c45 | c69 | c73 | c85 | c101 ) ) : TLS 1.2, resumed session

#: id=tls.13 class=tls inside=ssh
tcp * = < C180-2600 +? S650-9000 +? ( c64 | c80 | c6 +? c58-2000 ) : TLS 1.3, full handshake

#: id=tls.13.resumed class=tls
tcp * = < C300-2800 +? S170-330 +? ( c64 | c80 | c6 +? c58 | c6 +? c74 ) : TLS 1.3, resumed session

#: id=tls.13.retry class=tls inside=ssh
tcp * = < C180-2600 +? S88-110 +? C180-2600 +? S170-9000 +? ( c58 | c74 | c64 | c80 | c6 +? c58-2000 ) : TLS 1.3, asked for another key share

#: id=tls.refused class=tls
tcp * = < C100-2600 +? s7 > : TLS, handshake refused by the server

#: id=tls.distrusted class=tls
tcp * = < C100-2600 ( +? S88-110 +? C180-2600 ){0,1} +? S400-9000 +? ( c7 | c30 | c6 +? c24 ) > : TLS, server's certificate refused by the client

#: id=tls.dns class=tls tunnel=dns-in-tls
tcp * = ( c159 +? s499 ( +? c159 ){1,2} +? s499 | c152 +? s492 ( +? c152 ){1,2} +? s492 ) : DNS over TLS

#: id=tls.socks class=tls tunnel=socks-in-tls
tcp * = c72-82 c26 S16-721 c29-47 s32 c88-147 S172- : SOCKS inside TLS 1.3

#: id=tls.tor.old class=tls tunnel=tor-in-tls
tcp * = c586 +? c586 ( +? ( c586 | s586 ) ){0,3} +? s586 : Tor cells inside TLS 1.0

# --------------------------------------------------------------------------------------------------
# Virtual private networks
# --------------------------------------------------------------------------------------------------
# The opening of a VPN is of fixed sizes, set by the length of its keys, identifiers and checksums;
# what comes later is whatever is carried. So all of these want the beginning of the flow.

#: id=wireguard class=wireguard
udp * = < c148 ( + c148 ){0,8} +? s92 +? ( c32 | c48 | c64 | c80 | c96 | c112 | c128 | c144 | c160 | c176-1480 ) : WireGuard handshake

#: id=openvpn.udp class=openvpn
udp * = < ( c14 ( + c14 ){0,8} +? s26 +? ( c22 | c200-700 ) | c42 ( + c42 ){0,8} +? s54 +? ( c50 | c200-700 ) | c54 ( + c54 ){0,8} +? s66 +? ( c62 | c200-700 ) | c86 ( + c86 ){0,8} +? s98 +? ( c94 | c200-800 ) | c353 ( + c353 ){0,8} +? ( s66 | s72 ) +? ( c62 | c200-1300 ) ) : OpenVPN over UDP

#: id=openvpn.tcp class=openvpn
tcp * = < ( c16 ( + c16 ){0,3} +? s28 +? ( c24 | c200-700 ) | c44 ( + c44 ){0,3} +? s56 +? ( c52 | c200-700 ) | c56 ( + c56 ){0,3} +? s68 +? ( c64 | c200-700 ) | c88 ( + c88 ){0,3} +? s100 +? ( c96 | c200-800 ) | c355 ( + c355 ){0,3} +? ( s68 | s74 ) +? ( c64 | c200-1300 ) ) : OpenVPN over TCP

#: id=ike class=ipsec no-edits
udp 500 < c92-1500 ( + c92-1500 ){0,4} +? s36-1500 : IKE (IPsec key exchange), answered

#: id=ike.asked class=ipsec no-edits
udp 500 < c92-1500 : IKE (IPsec key exchange), first message

#: id=teredo class=teredo
udp * = < c61 +? s109 : Teredo (IPv6 through NAT), address asked

#: id=gtp-u class=gtp no-edits
udp 2152 < ( c36-1500 | s36-1500 ) : GTP-U (mobile network's user tunnel)

# --------------------------------------------------------------------------------------------------
# HTTP and its relations
# --------------------------------------------------------------------------------------------------
# Plain HTTP has no fixed size anywhere: a request of a line and some headers, an answer. The port
# has to say what it is; what the shape adds is whether a person typed it and which way the bulk
# went. Port 8080 is left out on purpose: too much that is not HTTP is found there.

#: id=http class=http
tcp 80,591,3128,8000,8008,8888 < C16-8192 ( + C-8192 ){0,15} +? S60- : HTTP request and answer

#: id=http.download class=http activity=download no-edits
tcp 80,591,3128,8000,8008,8888 < C16-8192 +? S12000- : HTTP, large download

#: id=http.upload class=http activity=upload no-edits
tcp 80,591,3128,8000,8008,8888 < C12000- +? S60- : HTTP, large upload

#: id=http.by-hand class=http actor=human
tcp 80,591,3128,8000,8008,8888 = < C6-122 ( + C3-202 ){0,6} + C-2 +? S60- : HTTP typed by hand

#: id=http.by-tool class=http actor=bot
tcp 80,591,3128,8000,8008,8888 = < C37-250 +? s17- : HTTP requested by a tool (few headers, sent in one go)

#: id=socks5 class=socks inside=tls12,tls12-cbc,tls13
tcp * = < c3-5 +? s2 +? ( c5-513 +? s2 +? ){0,1} c10-262 +? ( s10 | s22 ) : SOCKS 5 proxy, connection made

#: id=socks4 class=socks
tcp 1080 = < c9-270 +? s8 +? C10- : SOCKS 4 proxy, connection made

#: id=ajp class=ajp
tcp * = < c5 +? s5 +? c100-8192 ( +? c4-8192 ){0,8} +? S10- : AJP (web server to servlet container), pinged and asked

#: id=rtmp class=rtmp
tcp * = < C1537 +? S3073 +? C1536-4000 : RTMP handshake (Flash video)
