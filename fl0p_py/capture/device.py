"""Device: which interface is listened to when none was named."""

from __future__ import annotations

import fcntl
import socket
import struct

from fl0p_py.errors import CaptureError

SIOCGIFFLAGS = 0x8913  # linux/sockios.h
IFF_UP, IFF_LOOPBACK = 0x1, 0x8  # linux/if.h
ROUTES = "/proc/net/route"


def default_device() -> str:
    """The interface of the default route, else the first one that is up and no loopback.

    Raises CaptureError.
    """
    return _of_default_route() or _first_up()


def _of_default_route() -> str:
    try:
        with open(ROUTES) as file:  # noqa: PTH123
            lines = file.read().splitlines()[1:]
    except OSError:
        return ""
    for line in lines:
        fields = line.split()
        if len(fields) > 7 and fields[1] == fields[7] == "00000000":  # destination and mask
            return fields[0]
    return ""


def _first_up() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("16sH22x", name.encode(), 0)
            try:
                answer = fcntl.ioctl(asking, SIOCGIFFLAGS, request)
            except OSError:
                continue  # it went away
            flags = struct.unpack_from("16sH", answer)[1]
            if flags & IFF_UP and not flags & IFF_LOOPBACK:
                return name
    raise CaptureError("-d", "no interface is up; name one")
