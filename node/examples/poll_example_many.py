"""`python -m node.examples.poll_example_many [HOST[:PORT]]`: polls five parameters of a PowerFlex 750 at three rates,
in four threads over one connection, until Ctrl-C."""

import sys
import time
from queue import SimpleQueue

from node.client.drives import PowerFlex750
from node.client.poll import Poller
from node.config.address import parse_address
from node.examples.timestamp import timestamp

lines: SimpleQueue[str] = SimpleQueue()


def process(name: str, value: list[float] | None) -> None:
    """Threads call it at any time, so it only puts a line down."""
    lines.put(f"{timestamp(time.time())}: {name:>16} == {value!r}")


def failure(exc: Exception) -> None:
    """The same for a poll that failed."""
    lines.put(f"{timestamp(time.time())}: {exc}")


def main() -> None:
    """Shows the lines as they come."""
    host, port = parse_address(sys.argv[1] if sys.argv[1:] else "localhost", 44818)
    with Poller(PowerFlex750(host, port, timeout=0.5), process, failure) as poller:
        poller.poll("Output Frequency", cycle=0.5)
        poller.poll(["Motor Velocity", "Output Current"], cycle=1.0)
        poller.poll("Elapsed kWh", cycle=5.0)
        poller.poll("Speed Units", cycle=5.0)
        try:
            while True:
                print(lines.get(), flush=True)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
