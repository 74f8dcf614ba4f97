"""aiosmtpd: takes mail for example.org, refuses the rest.

settings: address, port, host_name, ident (of the greeting), answer_ms (thinks so long before it answers
RCPT and the end of DATA)
"""

import asyncio
import json
import sys

from aiosmtpd.smtp import SMTP


class Desk:
    """Answers what aiosmtpd asks."""

    def __init__(self, answer_ms):
        self.answer_s = answer_ms / 1e3

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 aiosmtpd's name
        await asyncio.sleep(self.answer_s)
        if not address.endswith("@example.org"):
            return "550 not relaying to that domain"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 aiosmtpd's name
        await asyncio.sleep(self.answer_s)
        print("taken", len(envelope.content), flush=True)
        return "250 OK"


async def main(address, port, host_name, ident, answer_ms):
    desk = Desk(answer_ms)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(desk, hostname=host_name, ident=ident, loop=loop), address, port
    )
    await server.serve_forever()


asyncio.run(main(**json.loads(sys.argv[1])))
