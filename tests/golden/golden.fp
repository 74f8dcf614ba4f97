# Signatures of the golden runs: apart from the shipped ones, so that those can change.

#: id=ssh.password.refused class=ssh outcome=auth-failed count
tcp 22 = c84 +? s52 : SSH password refused
#: id=ssh.banner class=ssh outcome=banner-only
tcp 22 = < s41 > : SSH banner read, nothing said
#: id=smtp.typed class=smtp actor=human
tcp 25 < s* + c* s* + c* s* : SMTP typed by hand
#: id=smtp.any class=smtp
tcp 25 < s* c* : SMTP
#: id=http.post class=http actor=bot
tcp 80 < c159 s308 > : HTTP request with a body
#: id=dns.lookup class=dns
udp 53 < c20-300 s20-512 : DNS lookup
#: id=ping class=icmp activity=idle
icmp * < c56 s56 + c56 s56 : ping, once a second
