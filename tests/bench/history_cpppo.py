"""The same by cpppo, for its own interpreter: `RECORDS FOLDER`."""

import json
import logging
import sys
import time
import warnings

from cpppo.history import loader, logger, timestamp
from history_cases import BEGIN, ZONE, each, instants, rate, write


def load(path, count):
    """Reads all of it, a thousand at a time."""
    reading, got = loader(path, historical=BEGIN, basis=time.time(), factor=100_000.0, lookahead=0.0), 0
    while reading:
        got += len(reading.load(limit=1000)[1])
    assert got >= count, got


def main(count, folder):
    """All cases."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    found = {}
    for name, values in instants(count).items():
        texts = [str(timestamp(value)) for value in values]
        found["parse, " + name] = rate(count, each(timestamp, texts))
        found["render, " + name] = rate(count, each(lambda value: str(timestamp(value)), values))
        found[f"render in {ZONE}, {name}"] = rate(
            count, each(lambda value: timestamp(value).render(tzinfo=ZONE), values)
        )
    waiting, once = f"{folder}/waiting.hst", f"{folder}/once.hst"
    found["write, records wait for each other"] = rate(count, lambda: write(logger(waiting), count))
    found["write, each at once"] = rate(count, lambda: write(logger(once, bufsize=1), count))
    found["load"] = rate(count, lambda: load(once, count))
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
