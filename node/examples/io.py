"""`python -m node.examples.io [HOST[:PORT]]`: writes and reads some of `Tag=DINT[10]`, one request at a time.

    python -m node enip Tag=DINT[10] &
    python -m node.examples.io

The second operation fails, as nobody has a tag there; the exit code is 1 when any does.
"""

import sys

from node.client import Connector, parse_operations
from node.config.address import parse_address

TAGS = ["Tag[0-9]+16=(DINT)4,5,6,7,8,9", "@0x2/1/1", "Tag[3-5]"]


def main() -> int:
    """Prints a line for each operation; the exit code."""
    host, port = parse_address(sys.argv[1] if sys.argv[1:] else "localhost", 44818)
    with Connector(host, port, timeout=1.0) as connection:
        failures, values = connection.process(parse_operations(TAGS), depth=1, printing=True)
    print(f"{failures} of {len(values)} operations failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
