"""Chance without state: a hash of (seed, stream, index) as a normal deviate.

`random.Random` would need its state carried from step to step, so a value could only be had by making all before it.
The mixing function is splitmix64's finaliser (Steele, Lea, Flood 2014), applied once for each input.
"""

import math

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_UNIT = 1.0 / (1 << 32)
_TURN = 2 * math.pi / (1 << 32)


def _mix(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def bits(seed: int, stream: int, index: int) -> int:
    """64 well mixed bits, the same for the same three integers on any host."""
    return _mix((_mix((seed + stream * _GOLDEN) & _MASK) + (index + 1) * _GOLDEN) & _MASK)


def gauss(seed: int, stream: int, index: int) -> float:
    """A deviate of the standard normal distribution, within about 6.7 of zero (Box and Muller)."""
    x = bits(seed, stream, index)
    return math.sqrt(-2.0 * math.log(((x >> 32) + 1) * _UNIT)) * math.cos((x & 0xFFFFFFFF) * _TURN)
