"""A refusal of any CIP message, put together without running it.

The service that is answered is the one that was asked for: of an Unconnected Send that of the message in it, as the
reply of an Unconnected Send is the message's own (CIP Vol 1, 2-4.2, 3-5.5.4). Opening and closing connections is left
alone: who is refused everything else may still be connected, and sees it on the way that he always goes.
"""

from struct import pack

from node.cip.message import Request, decode_request
from node.cip.services import (
    FORWARD_CLOSE,
    FORWARD_OPEN,
    LARGE_FORWARD_OPEN,
    REPLY,
    UNCONNECTED_SEND,
)
from node.cip.status import CipError
from node.cip.unconnected import decode_unconnected_send

MANAGER = b"\x20\x06\x24\x01"
"""The path of the Connection Manager, as everybody writes it."""
CONNECTING = frozenset((FORWARD_OPEN, LARGE_FORWARD_OPEN, FORWARD_CLOSE))


def refused(message: bytes, status: tuple[int, ...]) -> bytes | None:
    """The reply to `message` with `status`, general and extended; None for one about connections, or for none."""
    try:
        request = decode_request(message)
        if _is_managed(request) and request.service == UNCONNECTED_SEND:
            request = decode_request(decode_unconnected_send(request.data).message)
    except CipError:
        return None
    if _is_managed(request) and request.service in CONNECTING:
        return None
    general, *extended = status
    return pack(f"<BBBB{len(extended)}H", request.service | REPLY, 0, general, len(extended), *extended)


def _is_managed(request: Request) -> bool:
    return request.path == MANAGER
