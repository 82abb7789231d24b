"""`python -m node dissect`: a frame's parts, and the byte where it goes wrong."""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from node.capture.dissect import TAKES, Dissection, dissect
from node.capture.pcap import MICROSECONDS, NANOSECONDS
from node.cli.command_line import Parser, run_command
from node.errors import ConfigError, NodeError

PROGRAM = "python -m node dissect"
STDIN = "-"
SHOWN = 8
"""Bytes of a part that are shown."""
HEX = re.compile(rb"(?:0[xX])?((?:[0-9A-Fa-f]{2})+)")
_SEPARATORS = re.compile(rb"[\s:,\-]+")
_COMMENT = re.compile(rb"#[^\n]*")


class DissectionError(NodeError):
    """A frame that goes wrong."""


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Take a frame apart: EtherNet/IP and what it carries, or Modbus.", _teach)
    add = made.add_argument
    add(
        "frame",
        nargs="+",
        metavar="HEX|FILE|-",
        help="Hexadecimal digits, or a file of them or of bytes, or - for stdin.",
    )
    add("--as", dest="protocol", choices=tuple(TAKES), default="", help="What it is; by its form when left out.")
    sides = made.add_mutually_exclusive_group()
    sides.add_argument("--request", dest="reply", action="store_false", default=None, help="Modbus: it is a request.")
    sides.add_argument("--reply", dest="reply", action="store_true", default=None, help="Modbus: it is a reply.")
    add("--json", action="store_true", help="An object: protocol, size, parts, and what is wrong.")
    return made


def show(arguments: argparse.Namespace) -> None:
    """Prints the parts. Raises `ConfigError` for what is no frame, `DissectionError` for one that goes wrong."""
    found = dissect(read_frame(arguments.frame), arguments.protocol, arguments.reply)
    if arguments.json:
        print(json.dumps(as_json(found)))
    else:
        for line in table(found):
            print(line)
    if found.fault is not None:
        raise DissectionError(f"{found.protocol}, {found.fault}")


def read_frame(words: Sequence[str]) -> bytes:
    """The bytes that are meant. Raises `ConfigError`, and `OSError` for a file that cannot be read."""
    if list(words) == [STDIN]:
        return _meant(sys.stdin.buffer.read(), "stdin")
    if len(words) == 1 and Path(words[0]).is_file():
        return _meant(Path(words[0]).read_bytes(), words[0])
    text = " ".join(words).encode("utf-8", "surrogateescape")
    if text.startswith(b":"):
        return text.rstrip() + b"\r\n"  # of a Modbus ASCII frame, what nobody types
    data = _digits(text)
    if data is None:
        raise ConfigError(
            repr(" ".join(words)), 0, "no file, and no hexadecimal digits, two a byte; wanted HEX, FILE or - for stdin"
        )
    return data


def _meant(content: bytes, source: str) -> bytes:
    """A file's bytes, or those that its digits spell."""
    if int.from_bytes(content[:4], "little") in (MICROSECONDS, NANOSECONDS):
        raise ConfigError(source, 0, "a capture file of many frames; give one frame, as hexadecimal digits or bytes")
    spelt = _digits(_COMMENT.sub(b"", content))
    return content if spelt is None else spelt


def _digits(text: bytes) -> bytes | None:
    """What hexadecimal digits spell, in any of the ways that people separate them; None for what is no such thing."""
    words = [HEX.fullmatch(word) for word in _SEPARATORS.split(text) if word]
    return b"".join(bytes.fromhex(word[1].decode()) for word in words if word) if words and all(words) else None


def table(found: Dissection) -> Iterator[str]:
    """The parts as lines: offset, bytes, name, value; and a mark where it goes wrong."""
    rows = [
        (str(part.offset), _bytes(found.data, part.offset, part.size), "  " * part.depth + part.name, part.value)
        for part in found.parts
    ]
    if found.fault is not None:
        rest = found.data[found.fault.offset :]
        text = f"{found.fault.got} where {found.fault.wanted} was wanted"
        rows.append((str(found.fault.offset), _bytes(rest, 0, len(rest)), "^^ wrong", text))
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for offset, data, name, value in rows:
        yield f"{offset:>{widths[0]}}  {data:{widths[1]}}  {name:{widths[2]}}  {value}".rstrip()


def _bytes(data: bytes, offset: int, size: int) -> str:
    shown = data[offset : offset + min(size, SHOWN)].hex(" ")
    return f"{shown} …" if size > SHOWN else shown


def as_json(found: Dissection) -> dict[str, object]:
    """The same for scripts."""
    return {
        "protocol": found.protocol,
        "size": len(found.data),
        "parts": [
            {
                "offset": part.offset,
                "bytes": found.data[part.offset : part.offset + part.size].hex(),
                "depth": part.depth,
                "name": part.name,
                "value": part.value,
            }
            for part in found.parts
        ],
        "wrong": None
        if found.fault is None
        else {"offset": found.fault.offset, "got": found.fault.got, "wanted": found.fault.wanted},
    }


def _teach() -> str:
    return """examples:
  python -m node dissect 00 01 00 00 00 06 01 03 00 00 00 0a
  python -m node dissect --as rtu --reply 01 03 02 00 11 78 48
  python -m node dissect frame.bin --json"""


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """The command; its exit code."""
    return run_command(parser(program), show, arguments)
