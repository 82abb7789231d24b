"""The messages that put a queueing discipline before what a link sends: how fast (TBF), how late and how lossy (netem).

Packed here and not by pyroute2, whose netem takes no rate, without which jitter would put frames out of order; times
are whole nanoseconds and not the kernel's ticks. (tc-tbf(8), tc-netem(8), linux/rtnetlink.h and pkt_sched.h; all in the
machine's byte order.)

    tcmsg         family u8 | 0 u8 | 0 u16 | link i32 | handle u32 | parent u32 | info u32
    tc_tbf_qopt   rate, peak: tc_ratespec | limit u32 | buffer u32 | mtu u32
    tc_ratespec   cell log u8 | link layer u8 | overhead u16 | cell align i16 | mpu u16 | bytes a second u32
    tc_netem_qopt latency u32 | limit u32 | loss u32 | gap u32 | duplicate u32 | jitter u32
    tc_netem_rate bytes a second u32 | packet overhead i32 | cell size u32 | cell overhead i32
"""

import struct

from farm.backends.rtnetlink import Message, attribute

NEW_QDISC, DELETE_QDISC = 36, 37
ROOT = 0xFFFFFFFF
NETEM = 1 << 16
"""Handle 1: of a netem that is a link's root."""
TBF = 2 << 16
"""Handle 2: of a TBF that is a link's root."""
BELOW_NETEM = 3 << 16
"""Handle 3: of a TBF below the netem. Each place has its own handle: the kernel lets none change its kind."""
NETEM_CLASS = NETEM + 1

_MESSAGE = struct.Struct("=BBHiIII")
_RATE = struct.Struct("=BBHhHI")
_TBF_TAIL = struct.Struct("=III")
_NETEM = struct.Struct("=IIIIII")
_NETEM_RATE = struct.Struct("=IiIi")
_CREATE, _REPLACE = 0x400, 0x100
_KIND, _OPTIONS = 1, 2
_TBF_PARMS, _TBF_RATE64, _TBF_BURST = 1, 4, 6
_NETEM_OF_RATE, _NETEM_LATENCY64, _NETEM_JITTER64 = 6, 10, 11
_ETHERNET = 1
_MOST = 0xFFFFFFFF

HEADER = 14
"""Bytes of Ethernet before an MTU: the kernel counts them as sent."""
BURST = 0.01
"""Seconds of a rate that may go at once, above a frame: a timer that comes so late costs nothing of the rate."""
QUEUE = 0.2
"""Seconds of a rate that wait before the next frame is dropped; a few whole frames at least."""
QUEUED_FRAMES = 4
IN_FLIGHT = 10_000
"""Frames that a netem holds before it drops: 50,000 a second at 200 ms."""
IN_ORDER = 1_250_000_000
"""Bytes a second of a netem with jitter: with any rate at all it keeps frames in order, as a wire does."""


def put_tbf(index: int, rate: int, mtu: int, parent: int = ROOT) -> Message:
    """Lets the link `index` send `rate` bits a second, as the root or below its netem (`NETEM_CLASS`)."""
    speed = max(1, rate // 8)
    frame = mtu + HEADER
    burst = min(frame + int(speed * BURST), _MOST >> 1)
    limit = min(burst + max(QUEUED_FRAMES * frame, int(speed * QUEUE)), _MOST)
    spec = _RATE.pack(0, _ETHERNET, 0, 0, 0, min(speed, _MOST))
    options = attribute(_TBF_PARMS, spec + bytes(_RATE.size) + _TBF_TAIL.pack(limit, 0, 0))
    options += attribute(_TBF_BURST, struct.pack("=I", burst))
    if speed >= _MOST:
        options += attribute(_TBF_RATE64, struct.pack("=Q", speed))
    handle = TBF if parent == ROOT else BELOW_NETEM
    return _put(index, handle, parent, "tbf", options)


def put_netem(index: int, delay: float, jitter: float, loss: float) -> Message:
    """Has the link `index` send everything `delay` seconds late, give or take `jitter`, and lose `loss` per cent."""
    options = _NETEM.pack(0, IN_FLIGHT, round(_MOST * loss / 100), 0, 0, 0)
    # All of them, always: one that is left out of a change stays as it was.
    options += attribute(_NETEM_LATENCY64, struct.pack("=q", round(delay * 1e9)))
    options += attribute(_NETEM_JITTER64, struct.pack("=q", round(jitter * 1e9)))
    options += attribute(_NETEM_OF_RATE, _NETEM_RATE.pack(IN_ORDER if jitter else 0, 0, 0, 0))
    return _put(index, NETEM, ROOT, "netem", options)


def take_root(index: int) -> Message:
    """Lets the link `index` send as it did when it was made."""
    return Message(DELETE_QDISC, 0, _MESSAGE.pack(0, 0, 0, index, 0, ROOT, 0), f"free link {index}", missing_ok=True)


def take_below(index: int) -> Message:
    """Takes away the TBF below the netem of the link `index`."""
    body = _MESSAGE.pack(0, 0, 0, index, BELOW_NETEM, NETEM_CLASS, 0)
    return Message(DELETE_QDISC, 0, body, f"free link {index} below its netem", missing_ok=True)


def _put(index: int, handle: int, parent: int, kind: str, options: bytes) -> Message:
    body = _MESSAGE.pack(0, 0, 0, index, handle, parent, 0)
    body += attribute(_KIND, kind.encode() + b"\0") + attribute(_OPTIONS, options)
    return Message(NEW_QDISC, _CREATE | _REPLACE, body, f"put {kind} on link {index}")
