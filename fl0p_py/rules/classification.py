"""The classes of alerts (`classtype`): name, what is printed, default priority.

Names, words and priorities are those that Snort and Suricata have in common, so that logs can be joined.
"""

from __future__ import annotations

from typing import NamedTuple


class Classification(NamedTuple):
    words: str
    priority: int


CLASSIFICATIONS = {
    name: Classification(words, int(priority))
    for name, words, priority in (
        line.split(" | ")
        for line in """
attempted-admin | Attempted Administrator Privilege Gain | 1
attempted-user | Attempted User Privilege Gain | 1
inappropriate-content | Inappropriate Content was Detected | 1
policy-violation | Potential Corporate Privacy Violation | 1
shellcode-detect | Executable code was detected | 1
successful-admin | Successful Administrator Privilege Gain | 1
successful-user | Successful User Privilege Gain | 1
trojan-activity | A Network Trojan was detected | 1
unsuccessful-user | Unsuccessful User Privilege Gain | 1
web-application-attack | Web Application Attack | 1
attempted-dos | Attempted Denial of Service | 2
attempted-recon | Attempted Information Leak | 2
bad-unknown | Potentially Bad Traffic | 2
default-login-attempt | Attempt to login by a default username and password | 2
denial-of-service | Detection of a Denial of Service Attack | 2
misc-attack | Misc Attack | 2
non-standard-protocol | Detection of a non-standard protocol or event | 2
rpc-portmap-decode | Decode of an RPC Query | 2
successful-dos | Denial of Service | 2
successful-recon-largescale | Large Scale Information Leak | 2
successful-recon-limited | Information Leak | 2
suspicious-filename-detect | A suspicious filename was detected | 2
suspicious-login | An attempted login using a suspicious username was detected | 2
system-call-detect | A system call was detected | 2
unusual-client-port-connection | A client was using an unusual port | 2
web-application-activity | access to a potentially vulnerable web application | 2
icmp-event | Generic ICMP event | 3
misc-activity | Misc activity | 3
network-scan | Detection of a Network Scan | 3
not-suspicious | Not Suspicious Traffic | 3
protocol-command-decode | Generic Protocol Command Decode | 3
string-detect | A suspicious string was detected | 3
unknown | Unknown Traffic | 3
tcp-connection | A TCP connection was detected | 4
""".strip().splitlines()
    )
}
