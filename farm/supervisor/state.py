"""What a farm must remember over the death of its supervisor: who it is, and what is wanted of it.

Written whole into a new file and renamed into place, so that a reader sees the old or the new and never half of one. A
file that is damaged or of another version counts as missing: the processes are found without it.
"""

import json
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from farm.errors import FarmError
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.wire import decode_plant, digest_plant, encode_plant
from farm.topology.plant import Plant
from node.control.messages import boot_id

__all__ = ["Identity", "RunDirectory", "RunState", "write_atomically"]

VERSION = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """What never changes in a run. `run_id` stands in the environment of its processes, `token` is the secret that
    shards' tokens are made from, `epoch` the plant's start in seconds on the monotonic clock of the boot `boot_id`."""

    farm: str
    run_id: str
    token: str
    backend: str
    boot_id: str
    epoch: float

    @classmethod
    def new(cls, run: RunDirectory, backend: str) -> "Identity":
        """A run that starts now."""
        return cls(run.name, run.run_id, secrets.token_hex(16), backend, boot_id(), time.monotonic())

    @classmethod
    def read(cls, run: RunDirectory) -> "Identity | None":
        """What the run's folder says, or None when it says nothing usable, or speaks of an earlier boot."""
        for file in (run.identity_file, run.state_file):
            body = _read(file)
            found = cls._decode(body.get("identity")) if body else None
            if found is not None and found.boot_id == boot_id():
                return found
        return None

    @classmethod
    def _decode(cls, body: Any) -> "Identity | None":
        try:
            return cls(
                str(body["farm"]),
                str(body["run_id"]),
                str(body["token"]),
                str(body["backend"]),
                str(body["boot_id"]),
                float(body["epoch"]),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def encode(self) -> dict[str, str | float]:
        """As plain JSON."""
        return {name: getattr(self, name) for name in ("farm", "run_id", "token", "backend", "boot_id", "epoch")}

    def write(self, run: RunDirectory) -> None:
        """Keeps it. Raises `FarmError`."""
        write_atomically(run.identity_file, _packed({"version": VERSION, "identity": self.encode()}))


@dataclass(slots=True)
class RunState:
    """What is wanted. `plant` None means that nothing is: the farm is going down, or never came up. `stopped` are the
    nodes told to stop serving, `restarts` counts by node name, `faults` those that are on, encoded (`faults.Fault`)."""

    identity: Identity
    plant: Plant | None = None
    stopped: set[str] = field(default_factory=set)
    restarts: dict[str, int] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    _encoded: tuple[Plant | None, bytes] = (None, b"null")

    @classmethod
    def read(cls, run: RunDirectory, identity: Identity) -> "RunState":
        """What was written last, or an empty state."""
        body = _read(run.state_file)
        if body is None:
            return cls(identity)
        try:
            plant = decode_plant(body["plant"]) if body["plant"] else None
            restarts = {str(node): int(count) for node, count in body["restarts"].items()}
            return cls(identity, plant, set(body["stopped"]), restarts, list(body.get("faults", ())))
        except (FarmError, KeyError, TypeError, ValueError, AttributeError):
            return cls(identity)

    @property
    def plant_json(self) -> bytes:
        """The plant as JSON (`wire.encode_plant`), `null` for none. Made once, for a plant never changes itself, and
        kept as text, which takes a tenth of what objects do."""
        if self.plant is not self._encoded[0]:
            self._encoded = (self.plant, _packed(encode_plant(self.plant)) if self.plant else b"null")
        return self._encoded[1]

    def is_wanted(self, digest: str) -> bool:
        """Whether a plant is wanted of which the JSON has this `wire.digest_plant`."""
        return self.plant is not None and digest_plant(self.plant_json) == digest

    def want(self, plant: Plant, encoded: bytes = b"") -> None:
        """This plant is wanted, which came as the JSON `encoded` where somebody sent it."""
        self.plant = plant
        if encoded:
            self._encoded = (plant, encoded)

    def encode(self) -> bytes:
        """As JSON."""
        first = _packed({"version": VERSION, "identity": self.identity.encode()})
        rest = {"stopped": sorted(self.stopped), "restarts": self.restarts, "faults": self.faults}
        return first[:-1] + b',"plant":' + self.plant_json + b"," + _packed(rest)[1:]

    def write(self, run: RunDirectory) -> None:
        """Keeps it. Raises `FarmError`."""
        write_atomically(run.state_file, self.encode())


def _packed(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def write_atomically(path: Path, content: bytes) -> None:
    """Writes the content for this user only. Raises `FarmError`; the old content stays in that case."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as exc:
        raise FarmError(f"cannot write {path}: {exc.strerror}; what runs is left as it is") from exc


def _read(path: Path) -> dict[str, Any] | None:
    """The object in a file of this version, or None."""
    try:
        body = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return body if isinstance(body, dict) and body.get("version") == VERSION else None
