"""`python -m node.examples.list_identity_simple [HOST[:PORT]]`: asks all devices of the network, or those at an
address, who they are, and shows what each answers, until a second passes without an answer."""

import sys

from node.client import Client, await_response, format_tree
from node.config.address import parse_address

TIMEOUT = 1.0


def main() -> None:
    """Prints each answer as a tree."""
    host, port = parse_address(sys.argv[1] if sys.argv[1:] else "255.255.255.255", 44818)
    with Client(host, port, udp=True, broadcast=True) as conn:
        conn.list_identity(timeout=TIMEOUT)
        while True:
            response, _ = await_response(conn, timeout=TIMEOUT)
            if not response:
                break  # None: nothing came in time
            print(format_tree(response))


if __name__ == "__main__":
    main()
