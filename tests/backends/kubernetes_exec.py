"""The server's end of `pods/exec`: a command's standard streams as channels of a WebSocket (RFC 6455).

Each message is a byte that says which channel, and bytes: 0 input, 1 output, 2 errors, 3 how it ended. The protocol is
`v4.channel.k8s.io`.
"""

import base64
import hashlib
import json
import subprocess
import threading
from collections.abc import Callable
from typing import BinaryIO

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PROTOCOL = "v4.channel.k8s.io"
BINARY, CLOSE, PING, PONG = 0x2, 0x8, 0x9, 0xA
READ = 64 << 10


def accept_key(key: str) -> str:
    """What a server answers to `Sec-WebSocket-Key`."""
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def encode(opcode: int, body: bytes) -> bytes:
    """A whole message of a server."""
    if len(body) < 126:
        return bytes((0x80 | opcode, len(body))) + body
    if len(body) < 1 << 16:
        return bytes((0x80 | opcode, 126)) + len(body).to_bytes(2, "big") + body
    return bytes((0x80 | opcode, 127)) + len(body).to_bytes(8, "big") + body


def decode(stream: BinaryIO) -> tuple[int, bytes]:
    """The next message of a client, a close where there is none."""
    head = stream.read(2)
    if len(head) < 2:
        return CLOSE, b""
    size = head[1] & 0x7F
    if size >= 126:
        size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
    mask = stream.read(4) if head[1] & 0x80 else bytes(4)
    body = stream.read(size)
    return head[0] & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(body))


def serve(process: "subprocess.Popen[bytes]", read: BinaryIO, write: Callable[[bytes], None]) -> None:
    """Carries the streams of a process until it or the client ends."""
    lock = threading.Lock()

    def send(opcode: int, body: bytes) -> None:
        with lock:
            write(encode(opcode, body))

    def copy(channel: int, source: BinaryIO) -> None:
        while data := source.read1(READ):  # type: ignore[attr-defined]
            send(BINARY, bytes((channel,)) + data)

    def out() -> None:
        try:
            copy(1, process.stdout)  # type: ignore[arg-type]
            code = process.wait()
            status = {"status": "Success"} if not code else {"status": "Failure", "message": f"exit code {code}"}
            send(BINARY, b"\x03" + json.dumps(status).encode())
            send(CLOSE, b"")
        except OSError:
            process.kill()

    threads = [threading.Thread(target=out, daemon=True)]
    threads.append(threading.Thread(target=lambda: _quietly(copy, 2, process.stderr), daemon=True))
    for thread in threads:
        thread.start()
    assert process.stdin is not None
    try:
        while True:
            opcode, body = decode(read)
            if opcode == CLOSE:
                return
            if opcode == PING:
                send(PONG, body)
            elif body[:1] == b"\x00":
                process.stdin.write(body[1:])
                process.stdin.flush()
    except (OSError, ValueError):
        return
    finally:
        process.kill()
        process.wait()
        for thread in threads:
            thread.join(5)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                _quietly(stream.close)


def _quietly(work: Callable[..., object], *arguments: object) -> None:
    try:
        work(*arguments)
    except (OSError, ValueError):
        return
