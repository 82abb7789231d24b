"""Instants and histories by ours: `RECORDS FOLDER`; prints what it did in a second, by case, as JSON."""

import json
import sys
from pathlib import Path

from node.history import HistoryWriter, Loader, Timestamp
from tests.bench.history_cases import BEGIN, TAGS, ZONE, each, instants, rate, write


def load(path: Path, count: int) -> None:
    """Reads all of it, a thousand at a time."""
    loader, got = Loader(path, historical=BEGIN, basis=0.0, factor=100_000.0), 0
    while loader:
        got += len(loader.load(1000)[1])
    assert got == count + 1
    assert loader.values[str(40000 + TAGS)] == (count - 1) & 0xFFFF


def main(count: int, folder: Path) -> None:
    """All cases."""
    found = {}
    for name, values in instants(count).items():
        texts = [str(Timestamp(value)) for value in values]
        found[f"parse, {name}"] = rate(count, each(Timestamp, texts))
        found[f"render, {name}"] = rate(count, each(lambda value: str(Timestamp(value)), values))
        found[f"render in {ZONE}, {name}"] = rate(count, each(lambda value: Timestamp(value).render(ZONE), values))
    waiting, once = folder / "waiting.hst", folder / "once.hst"
    found["write, records wait for each other"] = rate(count, lambda: write(HistoryWriter(waiting, flush=1.0), count))
    found["write, each at once"] = rate(count, lambda: write(HistoryWriter(once), count))
    found["load"] = rate(count, lambda: load(once, count))
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
