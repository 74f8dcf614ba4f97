"""pyftpdlib with accounts and an anonymous folder.

settings: address, people (name: password), homes (name: folder), anonymous (folder), banner, failed_s,
ports (passive)
"""

import json
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


def main(address, people, homes, anonymous, banner, failed_s, ports):
    authorizer = DummyAuthorizer()
    for name, password in people.items():
        authorizer.add_user(name, password, homes[name], perm="elradfmwMT")
    authorizer.add_anonymous(anonymous)

    class Handler(FTPHandler):
        pass

    Handler.authorizer = authorizer
    Handler.auth_failed_timeout = failed_s
    Handler.passive_ports = range(ports[0], ports[1] + 1)
    if banner:
        Handler.banner = banner
    FTPServer((address, 21), Handler).serve_forever()


main(**json.loads(sys.argv[1]))
