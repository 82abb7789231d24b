"""How the links of nodes were shaped, in the run's folder, for whoever supervises next: links/NODE.json, where a link
is not a good one. A file that is missing or damaged counts as a good link, and a plan then shapes it anew."""

import contextlib
import json
import os
from pathlib import Path

from farm.errors import BackendError, FarmError
from farm.topology.wiring import GOOD, Shaping, decode_quality, encode_quality


class LinkFiles:
    """The folder of a run in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / "links"

    def read(self) -> dict[str, Shaping]:
        """What was made of each link, by node name."""
        found = {}
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError, FarmError):
                body = json.loads(path.read_bytes())
                quality, left = decode_quality(body["quality"]), decode_quality(body["left"])
                found[path.stem] = Shaping(quality, str(body["kernel"]), left)
        return found

    def holds(self, node: str) -> bool:
        """Whether the node's link is not a good one."""
        return (self._folder / f"{node}.json").exists()

    def write(self, node: str, shaping: Shaping) -> None:
        """Keeps it, or forgets a link that is good again. Raises `BackendError`."""
        path = self._folder / f"{node}.json"
        try:
            if shaping.quality == GOOD:
                path.unlink(missing_ok=True)
                return
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            body = {
                "quality": encode_quality(shaping.quality),
                "kernel": shaping.kernel,
                "left": encode_quality(shaping.left),
            }
            fresh = path.with_suffix(".new")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(json.dumps(body).encode())
            fresh.replace(path)
        except OSError as exc:
            raise BackendError(node, "shape", f"cannot write how its link is: {exc}") from exc
