"""A serial line on which one byte in a hundred arrives wrong, both ways, between a node and a client of ours: whatever
is answered must be right, and whatever was written must be what was asked for."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from node.client.failure import NoAnswer
from node.client.modbus import Limits, ModbusClient
from node.config.model import SerialConfig
from node.errors import RemoteProtocolError
from node.modbus.functions import ModbusError
from tests.peers.line_node import line_node
from tests.peers.null_modem import null_modem

SHARE = 0.01
UNITS = (1, 100)
REGISTERS = 100
PATIENCE = Limits(total=0.25)
"""Longer than a node takes on a busy machine: on a line an answer that comes too late is taken for the next one."""


class Corrupting:
    """Turns bytes into others while it is `on`."""

    def __init__(self, seed: int) -> None:
        self.on = True
        self.bytes = self.wrong = 0
        self._chance = random.Random(seed)

    def __call__(self, data: bytes) -> bytes:
        if not self.on:
            return data
        spoilt = bytes(byte ^ (self._chance.randrange(1, 256) if self._chance.random() < SHARE else 0) for byte in data)
        self.bytes += len(data)
        self.wrong += sum(one != other for one, other in zip(data, spoilt, strict=True))
        return spoilt


@dataclass
class Outcome:
    """Requests by how they ended; `wrong` says what was accepted and is not so."""

    answered: int = 0
    unanswered: int = 0
    refused: int = 0
    bytes: int = 0
    spoilt: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.answered} answered, {self.unanswered} not, {self.refused} refused, {self.spoilt} of {self.bytes} "
            f"bytes wrong; {len(self.wrong)} wrong values accepted {self.wrong[:5]}"
        )


def corrupt(seconds: float, seed: int) -> Outcome:
    """Reads and writes for so long; then the line is good again, and all registers are read."""
    outcome, spoils = Outcome(), Corrupting(seed)
    chance = random.Random(seed + 1)
    with tempfile.TemporaryDirectory(prefix="plcs") as folder, null_modem(spoils) as (ours, theirs):
        line = SerialConfig(theirs, baud=115200, format="8N2")
        with (
            line_node(Path(folder), tcp=False, serial=line),
            ModbusClient.rtu(ours, 115200, limits=PATIENCE, parity="N", stop_bits=2) as client,
        ):
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                _one(client.view(unit=chance.choice(UNITS)), chance, outcome)
            spoils.on = False
            time.sleep(PATIENCE.total)  # what was said last is heard
            for table in (30001, 40001):
                _look(client.view(limits=Limits()), table, REGISTERS, outcome)
    outcome.bytes, outcome.spoilt = spoils.bytes, spoils.wrong
    return outcome


def _one(client: ModbusClient, chance: random.Random, outcome: Outcome) -> None:
    """A request: register A is A, and stays so."""
    at = chance.randrange(REGISTERS - 20)
    count = chance.choice((1, 2, 5, 20))
    try:
        match chance.randrange(4):
            case 0:
                client.write(40001 + at, [at])
            case 1:
                client.write(40001 + at, list(range(at, at + count)))
            case table:
                _look(client, (30001, 40001)[table % 2] + at, count, outcome)
    except NoAnswer:
        outcome.unanswered += 1
    except ModbusError:
        outcome.refused += 1
    except RemoteProtocolError as exc:  # its check was right, though it is not the answer to this
        outcome.wrong.append(str(exc))
    else:
        outcome.answered += 1


def _look(client: ModbusClient, first: int, count: int, outcome: Outcome) -> None:
    at = first % 10_000 - 1
    found = client.read(first, count=count)
    if found != list(range(at, at + count)):
        outcome.wrong.append(f"{count} from {first} on: {found}")
