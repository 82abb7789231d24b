"""The group `capture` of a node's commands: what passes through it, fetched frame by frame.

    capture             the captures that run: id, and how many payloads were lost
    capture/start       begins one; {"id": 1}
    capture/1/read      {"packets": [[nanoseconds since 1970, frame in base64], ...], "lost": n, "more": true or false}
    capture/1/stop      ends it; {"lost": n}

One that is not read for half a minute ends by itself.
"""

from binascii import b2a_base64
from collections.abc import Callable, Iterable

from node.capture.tap import Capture, Tap
from node.commands.errors import CommandError
from node.config.model import Json

MOST = 4
"""Captures of one node at a time: each costs every request."""
ANSWER = 1 << 20
"""Bytes of frames in one answer."""


class CaptureCommands:
    """The captures of the node at `address`. `attach` is called when there is another set of them, `clock` and `wall`
    give the instant on the node's clock and in seconds since 1970."""

    def __init__(
        self, address: str, clock: Callable[[], float], wall: Callable[[], float], attach: Callable[[], None]
    ) -> None:
        self._address = address
        self._clock = clock
        self._epoch = round((wall() - clock()) * 1e9)
        """Nanoseconds since 1970 when the clock was at 0."""
        self._attach = attach
        self._captures: dict[int, Capture] = {}
        self._last = 0

    def taps(self, port: int) -> Iterable[Tap]:
        """The interceptors of what passes through a port."""
        return [capture.tap(port) for capture in self._captures.values()]

    def run(self, path: str, value: Json = None) -> Json:
        """What stands at `path`, or was done there. Raises `CommandError`."""
        if not path:
            return [{"id": number, "lost": capture.lost} for number, capture in self._captures.items()]
        if path == "start":
            return {"id": self._start()}
        number, _, action = path.partition("/")
        capture = self._captures.get(int(number)) if number.isdecimal() and len(number) < 10 else None
        if capture is None or action not in ("read", "stop"):
            raise CommandError(f"there is no capture/{path}; there is start, ID/read and ID/stop")
        if action == "stop":
            self._stop(int(number))
            return {"lost": capture.lost}
        return self._read(capture)

    def _start(self) -> int:
        if len(self._captures) >= MOST:
            raise CommandError(f"there are {MOST} captures of this node; end one, or wait half a minute")
        self._last = number = self._last + 1
        self._captures[number] = Capture(self._address, self._clock, lambda: self._stop(number))
        self._attach()
        return number

    def _stop(self, number: int) -> None:
        if self._captures.pop(number, None) is not None:
            self._attach()

    def _read(self, capture: Capture) -> Json:
        frames, more = capture.fetch(ANSWER)
        packets: list[Json] = [
            [self._epoch + round(time * 1e9), b2a_base64(frame, newline=False).decode()] for time, frame in frames
        ]
        return {"packets": packets, "lost": capture.lost, "more": more}
