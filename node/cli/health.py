"""`python -m node health FILE`: asks every node of a shard file, in the container that serves it, by real requests.

What whoever runs the container asks for its health: a List Services over EtherNet/IP, by a datagram, which takes no
connection from a device that has few; a read of one register or coil over Modbus, in the node's own framing. A refusal
is an answer too. A serial line is nobody's who is in here, and what speaks TLS is asked for a connection alone: whom it
trusts is not known here.

This runs in each container every half minute, so it takes in nothing that checks a configuration: who serves it has.
"""

import socket
from collections.abc import Iterator, Sequence

from node.cli.outcome import FAILED, USAGE, complain
from node.config.model import TABLES, ModbusConfig
from node.control.messages import Message, ShardFile, read_file
from node.enip.header import HEADER_SIZE, LIST_SERVICES, PORT, Header, decode_header, encode_header
from node.errors import NodeError
from node.modbus.adu import PREFIX_SIZE, decode_adu, encode_adu
from node.modbus.ascii import LF, decode_ascii, encode_ascii
from node.modbus.functions import EXCEPTION
from node.modbus.rtu import decode_rtu, encode_rtu

PROGRAM = "python -m node health"
HELP = """\
usage: {program} FILE [--any | --busy]

Ask every node of a shard file on each of its protocols: 0 when all answer, 1 with a line about the first that does not.

  FILE    the shard file that is served in this container or on this machine
  --busy  one that hangs up at once answers too, as it does when it has all the clients that it takes
  --any   the same, and one node that answers is enough"""

SECONDS = 3.0
"""For one answer."""
LOOPBACK = "127.0.0.1"
CONTEXT = b"plcfarm?"
TRANSACTION = 0x504C
READS = dict(zip(TABLES, (1, 2, 4, 3), strict=True))
"""Table to the function that reads it."""
LONGEST = 600
"""Bytes of an answer that are looked at."""


def main(arguments: Sequence[str], program: str = PROGRAM) -> int:
    """The command; its exit code."""
    match list(arguments):
        case ["-h" | "--help"]:
            print(HELP.format(program=program))
            return 0
        case [file, *rest] if not file.startswith("-") and rest in ([], ["--any"], ["--busy"]):
            one_is_enough, busy_is_well = rest == ["--any"], bool(rest)
        case words:
            wanted = f"wanted FILE [--any | --busy], got {' '.join(words) or 'nothing'}"
            return complain(program, f"{wanted} (--help says more)", USAGE)
    try:
        shard = ShardFile.decode(file, read_file(file))
        address = LOOPBACK if shard.everywhere else ""
        found = first_failure(shard.nodes, address, one_is_enough, busy_is_well)
    except (NodeError, OSError) as exc:
        return complain(program, str(exc), FAILED)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        return complain(program, f"{file}: not a node's configuration: {exc!r}", FAILED)
    return complain(program, found, FAILED) if found else 0


def first_failure(
    nodes: Sequence[Message], address: str, one_is_enough: bool = False, busy_is_well: bool = False
) -> str:
    """What is wrong with the first node that does not answer at `address`, "" being its own; "" where nothing is, or
    where `one_is_enough` and answers. Hanging up is an answer where `busy_is_well`."""
    first = ""
    for node in nodes:
        failed = [
            (where, failure)
            for where, failure in failures(node, address or node["address"] or LOOPBACK)
            if not (busy_is_well and isinstance(failure, HungUp))
        ]
        if failed and not first:
            where, failure = failed[0]
            said = f"no answer within {SECONDS:g} s" if isinstance(failure, TimeoutError) else str(failure)
            first = f"{node['name']}: {where}: {said}"
        if failed and not one_is_enough:
            return first
        if one_is_enough and not failed:
            return ""
    return first


class HungUp(NodeError):
    """A peer that took the connection and ended it without an answer."""


def failures(node: Message, address: str) -> Iterator[tuple[str, Exception]]:
    """(protocol and port, what went wrong) of each protocol that does not answer at `address`; a node as a shard file
    has it."""
    for protocol, ask, port in (("enip", _ask_enip, PORT), ("modbus", _ask_modbus, ModbusConfig().port)):
        face = node.get(protocol)
        if face is not None:
            port = face.get("port", port)
            try:
                ask(face, (address, port))
            except (NodeError, OSError) as exc:
                yield f"{protocol} {port}", exc


def _ask_enip(face: Message, where: tuple[str, int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(SECONDS)
        connection.connect(where)
        connection.sendall(encode_header(Header(LIST_SERVICES, context=CONTEXT)))
        answer = decode_header(connection.recv(LONGEST)[:HEADER_SIZE])
    if (answer.command, answer.context) != (LIST_SERVICES, CONTEXT):
        raise NodeError(f"command 0x{answer.command:04X} came in place of an answer")


def _ask_modbus(face: Message, where: tuple[str, int]) -> None:
    modbus = ModbusConfig(**{name: face[name] for name in ("tcp", "udp", "framing", "tls") if name in face})
    if not modbus.tcp and not modbus.udp:
        return  # a serial line alone
    kind = socket.SOCK_STREAM if modbus.tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as connection:
        connection.settimeout(SECONDS)
        connection.connect(where)
        if modbus.tls is not None:
            return
        unit, pdu = _question(face.get("units", ()))
        try:
            connection.sendall(_framed(modbus.framing, unit, pdu))
            answer = _answer(connection, modbus)
        except (ConnectionResetError, BrokenPipeError) as exc:  # the question came before it was closed
            raise HungUp("the connection is closed without an answer") from exc
    if answer[0] & ~EXCEPTION != pdu[0]:
        raise NodeError(f"function {answer[0]} came in place of an answer to {pdu[0]}")


def _question(units: Sequence[Message]) -> tuple[int, bytes]:
    """The unit and the PDU that reads the first thing that it has; register 0 where nothing is known of any."""
    for unit in units:
        for block in unit.get("blocks", ()):
            return int(unit["unit_id"]), bytes((READS[block["table"]], *block["start"].to_bytes(2, "big"), 0, 1))
    return (int(units[0]["unit_id"]) if units else 1), bytes((READS["holding"], 0, 0, 0, 1))


def _framed(framing: str, unit: int, pdu: bytes) -> bytes:
    if framing == "tcp":
        return encode_adu(TRANSACTION, unit, pdu)
    return encode_ascii(unit, pdu) if framing == "ascii" else encode_rtu(unit, pdu)


def _answer(connection: socket.socket, modbus: ModbusConfig) -> bytes:
    """The PDU that came. Raises `RemoteProtocolError` for what is none."""
    if not modbus.tcp:
        return decode_adu(connection.recv(LONGEST))[2]
    if modbus.framing == "tcp":
        head = _read(connection, PREFIX_SIZE)
        return decode_adu(head + _read(connection, int.from_bytes(head[-2:], "big")))[2]
    if modbus.framing == "ascii":
        line = b""
        while not line.endswith(bytes((LF,))) and len(line) < LONGEST:
            line += _read(connection, 1)
        return decode_ascii(line)[1]
    head = _read(connection, 3)  # station, function, and the count of bytes or the exception
    return decode_rtu(head + _read(connection, 2 if head[1] & EXCEPTION else head[2] + 2))[1]


def _read(connection: socket.socket, size: int) -> bytes:
    """So many bytes. Raises `NodeError` where the connection is closed before."""
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise HungUp("the connection is closed without an answer")
        data += part
    return data
