"""Community ID: ours against the reference package."""

from __future__ import annotations

import communityid
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.output.community import PORTS_OF_ECHO, community_id

ports = st.integers(0, 65535)
ends = st.sampled_from([4, 16]).flatmap(
    lambda n: st.tuples(st.binary(min_size=n, max_size=n), st.binary(min_size=n, max_size=n))
)


@given(ends, ports, ports, st.sampled_from([6, 17, 1, 58]), st.booleans())
def test_it_is_the_id_that_others_compute(
    ends: tuple[bytes, bytes], cport: int, sport: int, proto: int, same: bool
) -> None:
    client, server = (ends[0], ends[0]) if same else ends
    tuple_ports = PORTS_OF_ECHO.get(proto, (cport, sport))
    if proto in (1, 58):
        tuple_ports = (tuple_ports[0], 0)
    expected = communityid.CommunityID().calc(communityid.FlowTuple(proto, client, server, *tuple_ports))
    assert community_id(client, server, cport, sport, proto) == expected


@pytest.mark.parametrize("proto", [1, 58])
def test_request_and_reply_have_one_id(proto: int) -> None:
    request, reply = PORTS_OF_ECHO[proto]
    a, b = b"\x0a\0\0\1", b"\x0a\0\0\2"
    back = communityid.CommunityID().calc(communityid.FlowTuple(proto, b, a, reply if proto == 58 else 0, 0))
    assert community_id(a, b, 0, 0, proto) == back
    assert request != reply
