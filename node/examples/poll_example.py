"""`python -m node.examples.poll_example [HOST[:PORT]]`: polls two parameters of a PowerFlex 750, until Ctrl-C.

The poll is a thread's, which only puts down what it gets; the main thread shows it.
"""

import sys
import threading
import time

from node.client.drives import PowerFlex750
from node.client.poll import poll
from node.config.address import parse_address
from node.examples.timestamp import timestamp

PARAMS = ["Motor Velocity", "Output Current"]

values: dict[str, tuple[float, list[float] | None]] = {}
failed: list[tuple[float, str]] = []


class Process:
    """What is called with each value; once `done` is true, polling ends."""

    done = False

    def __call__(self, name: str, value: list[float] | None) -> None:
        values[name] = (time.time(), value)


def failure(exc: Exception) -> None:
    """What is called with each failure."""
    failed.append((time.time(), str(exc)))


def main() -> None:
    """Shows values and failures as they come."""
    address = parse_address(sys.argv[1] if sys.argv[1:] else "localhost", 44818)
    process = Process()
    keywords = {"address": address, "cycle": 1.0, "timeout": 0.5, "params": PARAMS}
    poller = threading.Thread(
        target=poll, args=(PowerFlex750,), kwargs={**keywords, "process": process, "failure": failure}
    )
    poller.start()
    try:
        while True:
            while values:
                name, (when, value) = values.popitem()
                print(f"{timestamp(when)}: {name:>16} == {value!r}", flush=True)
            while failed:
                when, text = failed.pop(0)
                print(f"{timestamp(when)}: {text}", flush=True)
            time.sleep(0.1)
    except KeyboardInterrupt:
        pass
    finally:
        process.done = True
        poller.join()


if __name__ == "__main__":
    main()
