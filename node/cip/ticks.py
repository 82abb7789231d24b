"""How long a router waits: the first two bytes of Unconnected Send, Forward Open and Forward Close.

    priority/tick u8   bit 4 priority | bits 3-0 tick t, of 2**t ms
    ticks u8           how many of them

(CIP Vol 1, 3-5.5.1.2.) Clients write the same five seconds as 0A 05 or 05 9D.
"""

TICK = 0x0F
"""The bits of the tick in its byte."""


def decode_ticks(priority_tick: int, ticks: int) -> float:
    """Seconds."""
    return (ticks << (priority_tick & TICK)) / 1000


def encode_ticks(seconds: float) -> tuple[int, int]:
    """Priority/tick and ticks of the longest time up to `seconds` that the form holds, at least 1 ms."""
    milliseconds = max(1, int(seconds * 1000))
    tick = min(TICK, max(0, milliseconds.bit_length() - 8))
    return tick, min(0xFF, milliseconds >> tick)
