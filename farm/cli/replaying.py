"""A replay on its way: what a recording says is read some seconds ahead and told to the nodes, each value with the
instant from which on it is so. Nodes keep the time themselves: what a busy machine delays is on time nevertheless.
"""

import json
import os
import secrets
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from farm.cli.events import ACTOR
from farm.cli.moving_line import MovingLine, told_to_end
from farm.cli.recording_files import first_time, last_time, values_file
from farm.cli.terminal import node_count, note, warn
from farm.errors import FarmError
from farm.supervisor.link import Link
from node.history.loader import Loader
from node.history.player import Player
from node.history.utc_text import utc_text

LEAD = 1.0
"""Seconds until the first values are due, so that all nodes have them by then."""
AHEAD = 3.0
"""Seconds that nodes are told ahead."""
EVERY = 1.0
RENEWED = 3.0
"""Seconds after which a node of which nothing changes is told so."""
LEASE = 10.0
"""Seconds after which a node that is told nothing gives its tags back."""
REST = 1.0
"""Seconds for which the last values stay."""
PATIENCE = 0.2
"""Seconds after which it is seen whether it is to end."""
LATE = 0.1
"""Seconds too late from which on it is said."""
STANDING = 1e-9
"""A speed at which nothing but the beginning is ever due."""
FINEST = 0.005
"""Seconds within which what changes is told as one."""
MESSAGE = 512 << 10
"""Characters of values in one message to a node, but for a record that is longer."""
TOLD = 10
"""Refused tags that are told of one by one."""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be played: `factor` recorded seconds a second, from the instant `at` (since 1970) or `into` it on,
    `lasting` recorded seconds, over and over with `loop`, of tags that one of `tags` fits."""

    factor: float = 1.0
    at: float | None = None
    into: float | None = None
    lasting: float | None = None
    loop: bool = False
    tags: Sequence[str] = ("*",)

    def names(self, tag: str) -> bool:
        """Whether a tag is played."""
        return any(fnmatchcase(tag.casefold(), pattern.casefold()) for pattern in self.tags)


@dataclass(slots=True)
class Track:
    """One node's part: what plays it, what all tags are by now, and what was told ahead."""

    loader: Loader
    player: Player
    values: Values = field(default_factory=dict)
    ahead: deque[tuple[float, Values]] = field(default_factory=deque)
    knows: bool = False
    """Whether the node was told what all tags are."""
    told: float = 0.0
    next: list[tuple[float, Values]] = field(default_factory=list)
    """What is to be told before anything else."""

    def begin_again(self, basis: float) -> None:
        """Has what the tags are at the beginning come at the instant `basis`; the node shows something else yet."""
        self.knows = True
        self.next = [(basis, dict(self.values))]

    def messages(self, coming: list[tuple[float, Values]], now: float) -> list[list[Any]]:
        """What the node is to be told, several lists of [instant, values as text] where it is much; none where there is
        nothing new."""
        coming, self.next = [*self.next, *coming], []
        while self.ahead and self.ahead[0][0] <= now:
            self.values |= self.ahead.popleft()[1]
        self.ahead += coming
        if not self.knows:
            first = [(now, self.values)] if self.values else []
            coming = [*first, *self.ahead]
        if not coming and now - self.told < RENEWED:
            return []
        self.told = now
        lists: list[list[Any]] = [[]]
        length = 0
        for due, values in coming:
            text = json.dumps(values, separators=(",", ":"))
            if length and length + len(text) > MESSAGE:
                lists.append([])
                length = 0
            lists[-1].append([round(due, 4), text])
            length += len(text)
        return lists


class Replay:
    """The recording in `folder`, played into `nodes`."""

    def __init__(self, link: Link, folder: Path, nodes: Sequence[str], wanted: Wanted) -> None:
        self._link = link
        self._folder = folder
        self._nodes = nodes
        self._wanted = wanted
        self._key = f"p{os.getpid()}-{secrets.token_hex(4)}"
        self._start, self._end = self._span()
        self._basis = 0.0
        self._last = 0.0
        self._rounds = 0
        self._refused = 0
        self._late = 0.0
        self._line = MovingLine(self._text)

    def run(self) -> None:
        """Until the recording is over, or it is told to end. Raises `FarmError`."""
        factor = self._wanted.factor
        span = "" if self._end is None else f"{self._end - self._start:.0f} s of "
        text = f"{span}{self._folder} from {utc_text(self._start)} on, at {factor:g}x"
        note(f"replaying {text}, into {node_count(len(self._nodes))}; Ctrl-C ends it")
        began = time.time()
        with told_to_end() as told, self._line:
            try:
                tracks = self._open()
                self._tell(tracks, time.time(), text)
                self._begin(tracks, time.time() + LEAD)
                while True:
                    self._play(tracks, told)
                    for track in tracks.values():
                        track.player.close()
                    self._rounds += 1
                    if told or not self._wanted.loop or self._last <= self._basis:
                        break
                    tracks = self._open()
                    self._begin(tracks, self._last)
            finally:
                self._link.ask("replay_stop", key=self._key, nodes=list(self._nodes), actor=ACTOR)
        if self._late > LATE:
            warn(f"values came up to {self._late:.1f} s late: this machine is too busy for that speed")
        note(f"{self._folder}: played {self._played()} in {time.time() - began:.0f} s; tags are what they were")

    def _span(self) -> tuple[float, float | None]:
        """Where in the recording it begins and ends, in seconds since 1970, None for an unknown end. Raises
        `FarmError`."""
        paths = [values_file(self._folder, node) for node in self._nodes]
        begins = [begin for begin in map(first_time, paths) if begin is not None]
        if not begins:
            raise FarmError(f"there is no record in {paths[0]}{' and the others' if len(paths) > 1 else ''}")
        wanted, begin = self._wanted, min(begins)
        ends = [last_time(path) for path in paths]
        end = None if None in ends else max(each for each in ends if each is not None)
        start = wanted.at if wanted.at is not None else begin + (wanted.into or 0.0)
        if start < begin - 0.001 or (end is not None and start > end):
            until = "" if end is None else f" to {utc_text(end)}"
            raise FarmError(f"--from {utc_text(start)}: {self._folder} is from {utc_text(begin)}{until} (UTC)")
        if wanted.lasting is not None:
            end = start + wanted.lasting if end is None else min(end, start + wanted.lasting)
        return start, end

    def _open(self) -> dict[str, Track]:
        """Each node's part, which stands at the beginning, and what all its tags are there. This is what takes long
        where there are many."""
        tracks = {}
        for node in self._nodes:
            path, wanted, now = values_file(self._folder, node), self._wanted, time.time()
            loader = Loader(path, self._start, now, STANDING, duration=wanted.lasting, tell=self._warn)
            player = Player(loader, wanted=None if "*" in wanted.tags else wanted.names)
            tracks[node] = Track(loader, player, player.due_values(now))
        return tracks

    def _begin(self, tracks: Mapping[str, Track], basis: float) -> None:
        """Has all of them move from the instant `basis` on."""
        self._basis = self._last = basis
        if self._end is not None:
            self._last += (self._end - self._start) / self._wanted.factor
        for track in tracks.values():
            track.loader.basis, track.loader.factor = basis, self._wanted.factor
            if self._rounds:  # what they still show is the end of the round before
                track.begin_again(basis)

    def _play(self, tracks: Mapping[str, Track], told: Sequence[int]) -> None:
        """To the end, or with `loop` to where the next round must be told."""
        rest = -AHEAD if self._wanted.loop else REST
        turn = time.time()
        while not told:
            now = time.time()
            if now >= self._last + rest and not any(track.player for track in tracks.values()):
                return
            self._tell(tracks, now)
            turn = max(turn + EVERY, now)
            self._wait(turn, told)

    def _tell(self, tracks: Mapping[str, Track], now: float, text: str = "") -> None:
        nodes: dict[str, list[Any]] = {}
        for node, track in tracks.items():
            lists = track.messages(self._coming(track.player, now + AHEAD), now)
            if lists:
                head = {"key": self._key, "lease": LEASE}
                nodes[node] = [
                    {**head, "first": not (track.knows or at), "records": each} for at, each in enumerate(lists)
                ]
                track.knows = True
        if not nodes:
            return
        done = self._link.ask("replay_put", nodes=nodes, text=text, actor=ACTOR)
        for node in (*done["again"], *done["away"]):
            tracks[node].knows = False
        for node, refused in done["refused"].items():
            for why in refused.values():
                self._refused += 1
                if self._refused <= TOLD:
                    self._warn(f"{node}: {why}" if self._refused < TOLD else "and more tags that are left out")

    def _coming(self, player: Player, until: float) -> list[tuple[float, Values]]:
        """What is due by then, by the instant it is due."""
        found: list[tuple[float, Values]] = []
        for record in player.due(until):
            if record.serial is not None:
                continue
            due = self._basis + max(0.0, record.time - self._start) / self._wanted.factor
            if found and due - found[-1][0] < FINEST:
                found[-1][1].update(record.data)
            else:
                found.append((due, dict(record.data)))
            self._last = max(self._last, due)
        if found:
            self._late = max(self._late, time.time() - found[0][0])
        return found

    def _wait(self, until: float, told: Sequence[int]) -> None:
        while not told and (left := until - time.time()) > 0:
            self._line.look()
            time.sleep(min(PATIENCE, left))

    def _position(self) -> float:
        return self._start + max(0.0, time.time() - self._basis) * self._wanted.factor

    def _played(self) -> str:
        """`120 s`, `60 s 3 times`."""
        if self._rounds > 1 and self._end is not None:
            return f"{self._end - self._start:.0f} s {self._rounds} times"
        position = self._position()
        return f"{max(0.0, position if self._end is None else min(position, self._end)) - self._start:.0f} s"

    def _text(self) -> str:
        position = self._position()
        of = "" if self._end is None else f" of {self._end - self._start:.0f}"
        return f"{position - self._start:.0f}{of} s: {utc_text(position)[:19]}; Ctrl-C ends it"

    def _warn(self, text: str) -> None:
        self._line.wipe()
        warn(text)
