"""How much of a device's time is spent on polling it: three averages, as a system's load has them."""

from math import exp

MINUTES = (1, 5, 15)


class PollLoad:
    """Fractions of time that were busy, each fading over its minutes. Times in seconds, of any clock; `now` is when it
    begins. What was before that does not count as idle, so a figure is true from the first poll on."""

    def __init__(self, now: float) -> None:
        self._begin = self._at = now
        self._busy = [0.0 for _ in MINUTES]

    def polled(self, since: float, now: float) -> None:
        """It was busy from `since` to `now`."""
        self._pass(since, 0.0)
        self._pass(now, 1.0)

    def figures(self, now: float) -> tuple[float, float, float]:
        """Over about the last 1, 5 and 15 minutes, 0 to 1 each."""
        until = max(now, self._at)  # looked at and not kept: what is under way may turn out to have been busy since
        seen = [1.0 - exp((self._begin - until) / (60.0 * minutes)) for minutes in MINUTES]
        parts = zip(self._faded(until, 0.0), seen, strict=True)
        one, five, fifteen = (min(1.0, busy / part) if part else 0.0 for busy, part in parts)
        return one, five, fifteen

    def _pass(self, until: float, load: float) -> None:
        if until > self._at:
            self._busy = self._faded(until, load)
            self._at = until

    def _faded(self, until: float, load: float) -> list[float]:
        fades = [exp((self._at - until) / (60.0 * minutes)) for minutes in MINUTES]
        return [load + (busy - load) * fade for busy, fade in zip(self._busy, fades, strict=True)]
