"""smtplib, poplib and imaplib at work.

settings: protocol ("smtp", "pop3", "imap"), address, port, tls (implicit), pause ([kind, seconds] between
commands, see `pace`), seed; smtp: helo, sender, recipients, text, count; pop3, imap: name, password, wrong
(tried before)
Prints {"ended": "delivered" | "refused" | "read" | "failed", "mails": n, "client_port": n}
"""

import imaplib
import json
import poplib
import random
import smtplib
import ssl
import sys
import time


def pace(kind, seconds, draw):
    """A pause of a program: none, always the same, evenly or exponentially spread."""
    pauses = {
        "none": lambda: 0.0,
        "fixed": lambda: seconds,
        "even": lambda: draw.uniform(0.5, 1.5) * seconds,
        "exponential": lambda: draw.expovariate(1 / seconds),
    }
    return pauses[kind]


def trusting():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def smtp(address, port, tls, wait, helo, sender, recipients, text, count):
    make = smtplib.SMTP_SSL if tls else smtplib.SMTP
    more = {"context": trusting()} if tls else {}
    said = {"ended": "delivered", "mails": 0}
    with make(address, port, local_hostname=helo, timeout=30, **more) as client:
        said["client_port"] = client.sock.getsockname()[1]
        time.sleep(wait())
        client.ehlo()
        for _ in range(count):
            time.sleep(wait())
            client.mail(sender)
            taken = 0
            for recipient in recipients:
                time.sleep(wait())
                taken += client.rcpt(recipient)[0] == 250
            if not taken:
                said["ended"] = "refused"
                client.rset()
                continue
            time.sleep(wait())
            if client.data(text)[0] != 250:
                said["ended"] = "failed"
            said["mails"] += 1
        time.sleep(wait())
    return said


def pop3(address, port, tls, wait, name, password, wrong):
    client = (
        poplib.POP3_SSL(address, port, timeout=30, context=trusting())
        if tls
        else poplib.POP3(address, port, timeout=30)
    )
    said = {"ended": "read", "mails": 0, "client_port": client.sock.getsockname()[1]}
    for attempt in [*wrong, password]:
        time.sleep(wait())
        try:
            client.user(name)
            time.sleep(wait())
            client.pass_(attempt)
        except poplib.error_proto:
            said["ended"] = "failed"
        else:
            said["ended"] = "read"
            break
    if said["ended"] == "read":
        time.sleep(wait())
        count = client.stat()[0]
        client.list()
        for number in range(1, count + 1):
            time.sleep(wait())
            client.retr(number)
            said["mails"] += 1
    time.sleep(wait())
    client.quit()
    return said


def imap(address, port, tls, wait, name, password, wrong):
    client = imaplib.IMAP4_SSL(address, port, ssl_context=trusting()) if tls else imaplib.IMAP4(address, port)
    said = {"ended": "read", "mails": 0, "client_port": client.sock.getsockname()[1]}
    for attempt in [*wrong, password]:
        time.sleep(wait())
        try:
            client.login(name, attempt)
        except imaplib.IMAP4.error:
            said["ended"] = "failed"
        else:
            said["ended"] = "read"
            break
    if said["ended"] == "read":
        client.select()
        time.sleep(wait())
        for number in client.search(None, "ALL")[1][0].split():
            time.sleep(wait())
            client.fetch(number, "(RFC822)")
            said["mails"] += 1
    client.logout()
    return said


def main(protocol, pause, seed, **settings):
    wait = pace(*pause, random.Random(seed))
    print(json.dumps({"smtp": smtp, "pop3": pop3, "imap": imap}[protocol](wait=wait, **settings)))


main(**json.loads(sys.argv[1]))
