# fl0p's signatures. The language is described in docs/signatures.md.

#: id=dns.query class=dns
udp 53 < c17-512 s12- : DNS query and answer
