"""Asks the Modbus device of this container for a register: exit code 0 when it answers, with a refusal too, or hangs up
at once, as it does when it has all the clients that it takes."""

import socket
import sys

PORT = 502
READ_ONE = bytes.fromhex("504c 0000 0006 01 03 0000 0001".replace(" ", ""))
"""Transaction 0x504C, six bytes more: unit 1, function 3, one register from 0 on."""


def main() -> int:
    """Takes any whole answer to this very transaction."""
    try:
        with socket.create_connection(("127.0.0.1", PORT), 3) as connection:
            try:
                connection.sendall(READ_ONE)
                answer = connection.recv(256)
            except ConnectionError:
                answer = b""
    except OSError as exc:
        print(f"no answer at port {PORT}: {exc}")
        return 1
    if not answer:
        return 0
    if answer[:4] != READ_ONE[:4] or len(answer) < 9:
        print(f"at port {PORT} is no Modbus device: it answers {answer.hex()}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
