"""When a client asks, whatever it was answered.

A client that waits for an answer before it thinks of the next question asks less of a device the slower it gets, and so
measures it when it is well: that is coordinated omission. Here every question has its time before the first is asked,
and an answer has taken from then on.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import sqrt
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Beats:
    """Beats of one client, `rate` a second once `ramp` seconds are over, in which the rate grows evenly from none.
    `phase`, 0 to below 1, is the part of a beat that it is before others; spread over clients it spreads their load."""

    rate: float
    ramp: float = 0.0
    phase: float = 0.0

    def time(self, number: int) -> float:
        """Seconds from the start to beat `number`, from 0 on."""
        beats = number + self.phase
        if beats < self.rate * self.ramp / 2:
            return sqrt(2 * self.ramp * beats / self.rate)
        return self.ramp / 2 + beats / self.rate

    def count(self, seconds: float) -> int:
        """How many beats there are before `seconds`."""
        if seconds <= 0:
            return 0
        if seconds < self.ramp:
            beats = self.rate * seconds * seconds / (2 * self.ramp)
        else:
            beats = self.rate * (seconds - self.ramp / 2)
        number = max(0, int(beats - self.phase))
        while self.time(number) < seconds:
            number += 1
        while number and self.time(number - 1) >= seconds:
            number -= 1
        return number


def phases(clients: int) -> list[float]:
    """A phase for each client, evenly spread."""
    return [number / clients for number in range(clients)]


def start_of(number: int, clients: int, ramp: float) -> float:
    """When client `number` of so many begins that asks as fast as may be: one after another over the ramp."""
    return ramp * number / clients


class Turns(Generic[Item]):
    """What a client does at each beat: reads all that it reads, or writes one of what it writes, by weight and drawn
    with a seed, so that a run can be had again."""

    def __init__(self, reads: Sequence[Item], writes: Sequence[Item], mix: Mapping[str, float], seed: int) -> None:
        self._draw = random.Random(seed)
        self._reads = tuple(reads)
        self._writes = cycle(writes)
        weights = mix.get("read", 0) * bool(reads), mix.get("write", 0) * bool(writes)
        self._reading = weights[0] / sum(weights) if sum(weights) else 0.0
        self._idle = not sum(weights)

    def next(self) -> tuple[Item, ...]:
        """The requests of the next beat."""
        if self._idle:
            return ()
        if self._reading >= 1 or self._draw.random() < self._reading:
            return self._reads
        return (next(self._writes),)

    def forever(self) -> Iterator[Item]:
        """Requests one by one, without an end but where there is none."""
        while requests := self.next():
            yield from requests
