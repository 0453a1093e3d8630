"""Who is at the other end of a unix socket: what the kernel says, and the name that the system has for it."""

from __future__ import annotations

import asyncio
import pwd
import socket
import struct
from dataclasses import dataclass

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7), SO_PEERCRED)


@dataclass(frozen=True, slots=True)
class Peer:
    """user: None where the system has no name for that uid."""

    uid: int
    user: str | None


def uid_of(transport: asyncio.BaseTransport | None) -> int | None:
    """The uid that its process had when it connected; None where the connection is gone, or is none of this kind."""
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    try:
        _, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    except OSError:
        return None
    return int(uid)


async def peer_of(transport: asyncio.BaseTransport | None) -> Peer | None:
    """None: nobody can be named. Names may come from a directory over the network: asked beside the loop."""
    uid = uid_of(transport)
    if uid is None:
        return None
    return Peer(uid, await asyncio.to_thread(user_of, uid))


def user_of(uid: int) -> str | None:
    """The name of that user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
