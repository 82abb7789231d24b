"""A signal as the source of an attribute: it puts the values of the moment in place just before they are read.

Nothing runs between two reads, and what is put in place depends only on the signal, the seed and the seconds since the
plant's start, so every client and both protocols see one and the same value at one moment.

A client's write meets the signal as ladder logic would: it succeeds and is overwritten at the next read, unless
`on_write` says `hold` (those elements keep what was written, until the node starts again) or `refuse`.
"""

import math
from array import array
from collections.abc import Mapping
from typing import cast

from node.cip.template import Kind
from node.cip.types import BOOL, Type
from node.errors import ConfigError
from node.memory.attribute import Attribute
from node.signals.waveform import SIGNALS, waveform


class SignalSource:
    """A `memory.attribute.Source`: a signal of `kind` since `epoch`, in seconds on the clock that `now` is read from.

    Raises `ConfigError` for parameters or a type the signal cannot have.
    """

    __slots__ = ("_epoch", "_held", "_hold", "_spread", "_type", "_wave", "_wraps", "refuses")

    def __init__(
        self,
        kind: str,
        parameters: Mapping[str, float],
        seed: int,
        on_write: str,
        epoch: float,
        type: Kind,
    ) -> None:
        if not isinstance(type, Type):
            raise ConfigError("signal", 0, f"{kind} makes numbers, which a tag of {type.name} cannot hold")
        self._wave = waveform(kind, parameters, seed)
        self._epoch = epoch
        self._type = type
        self._wraps = SIGNALS[kind].wraps
        self._spread = parameters.get("spread", 0.0)
        self._hold = on_write == "hold"
        self._held: bytearray | None = None
        self.refuses = on_write == "refuse"

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        """Puts the values of `now` into elements [start, stop), but for those that hold what was written."""
        t = max(now - self._epoch, 0.0)
        cells = cast("array[float]", attribute.array)
        if self._held is None and self._spread == 0:
            value = self._stored(self._wave(t))
            if stop - start == 1:
                cells[start] = value
            else:
                cells[start:stop] = array(attribute.typecode, [value]) * (stop - start)
            return
        for index in range(start, stop):
            if self._held is None or not self._held[index]:
                cells[index] = self._stored(self._wave(t + index * self._spread))

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        """Elements [start, stop) were written: with `hold` they stay so."""
        if self._hold:
            if self._held is None:
                self._held = bytearray(len(attribute))
            self._held[start:stop] = b"\1" * (stop - start)

    def _stored(self, value: float) -> int | float:
        """`value` as an element: an integer is rounded, and clamped or wrapped to its type; a BOOL is true above a
        half."""
        kind = self._type
        if kind is BOOL:
            return int(value > 0.5)
        low, high = kind.low, kind.high
        if isinstance(low, int):
            whole = math.floor(value + 0.5)
            if self._wraps:
                return int(low + (whole - low) % (high - low + 1))
            value = whole
        return low if value < low else high if value > high else value
