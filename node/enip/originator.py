"""The client's end of a session, without a socket: requests to frames, frames to answers.

Each request gets a token, sent as its sender context; a reply is matched by it, so several may be in flight and an
answer that comes after its caller gave up is dropped instead of being taken for the next one. Connected replies are
matched by connection and sequence count, for a target need not echo a context there (CIP Vol 2, 2-3 and 2-4).

There are targets that give neither back: libplctag's `ab_server` of before 2026 leaves every context zero, and the
sequence counts too. They answer in order, and so theirs are matched, those that nobody waits for any more counted in.
"""

import struct
from dataclasses import field

from node.cip.epath import Class, Instance, encode_epath
from node.cip.message import Request, encode_request
from node.cip.services import CONNECTION_MANAGER_CLASS
from node.cip.services import UNCONNECTED_SEND as UNCONNECTED_SEND_SERVICE
from node.cip.unconnected import UnconnectedSend, encode_unconnected_send
from node.enip.commands import (
    CONNECTED_SIZE,
    decode_connected,
    decode_early,
    decode_unconnected,
    encode_register_session,
)
from node.enip.cpf import CONNECTED_ADDRESS, CONNECTED_DATA, NULL_ADDRESS, UNCONNECTED_DATA
from node.enip.framing import FrameBuffer
from node.enip.header import (
    HEADER_SIZE,
    NO_CONTEXT,
    REGISTER_SESSION,
    SEND_RR_DATA,
    SEND_UNIT_DATA,
    SUCCESS,
    UNREGISTER_SESSION,
    decode_header,
    pack_header,
)
from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

CONNECTION_MANAGER = encode_epath((Class(CONNECTION_MANAGER_CLASS), Instance(1)))

_HEADER = struct.Struct("<HHIIQI")
"""The header, with the sender context as the number that it is here."""
_RR = struct.Struct("<HHIIQI IHHHHHH")
"""Header and items of SendRRData: command, length, session, status, token, options and interface (both 0), timeout, two
items, the address's type and length, the data's."""
_UNIT = struct.Struct("<HHIIQI IHHHHIHHH")
"""The same of SendUnitData, with connection id and sequence count."""
_UNIT_END = struct.Struct("<IHHH")
_RR_SIZE = _RR.size - HEADER_SIZE
_LARGEST_RR = 0xFFFF - _RR_SIZE
_RR_ITEMS = b"\2\0\0\0\0\0\xb2\0"
_UNIT_ITEMS = b"\2\0\xa1\0\4\0"
_REMEMBERED = 64
"""Ways whose Unconnected Send is kept ready."""
_NAMELESS = 0
"""The token that no request has but RegisterSession."""


@dataclass(slots=True)
class Answer:
    """A reply: `token` names the request, `status` is the encapsulation's, and `data` the Message Router reply of a
    message that succeeded, else the body as it came. `frame` is all of it."""

    token: int
    command: int
    status: int
    data: bytes
    frame: bytes = field(default=b"", compare=False, repr=False)


@dataclass(slots=True)
class Connection:
    """An open class 3 connection: `target_id` goes out (O->T), `own_id` comes in (T->O), `sequence` was sent last."""

    target_id: int
    own_id: int
    sequence: int = 0


class OriginatorSession:
    """One TCP session: `session` is its handle, 0 until the answer to `register` came in."""

    __slots__ = (
        "_connections",
        "_forgotten",
        "_frames",
        "_last",
        "_named",
        "_sequences",
        "_waiting",
        "_ways",
        "session",
    )

    def __init__(self) -> None:
        self.session = 0
        self._named = False  # whether the target gives contexts back
        self._forgotten: dict[int, int] = {}  # until then: how many answers to a command nobody waits for any more
        self._last = 0
        self._waiting: dict[int, int] = {}
        self._connections: dict[int, Connection] = {}
        self._sequences: dict[tuple[int, int], int] = {}
        self._ways: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
        self._frames = FrameBuffer()

    @property
    def waiting(self) -> int:
        """Requests without an answer yet."""
        return len(self._waiting)

    def register(self) -> tuple[int, bytes]:
        """Token and frame of RegisterSession. There are targets that want its context to be zero (`ab_server`)."""
        body = encode_register_session()
        self._waiting[_NAMELESS] = REGISTER_SESSION
        return _NAMELESS, pack_header(REGISTER_SESSION, len(body), self.session, SUCCESS, NO_CONTEXT) + body

    def unregister(self) -> bytes:
        """The frame that ends the session; nothing answers it."""
        return pack_header(UNREGISTER_SESSION, 0, self.session, SUCCESS, NO_CONTEXT)

    def command(self, command: int, body: bytes = b"", index: int | None = None) -> tuple[int, bytes]:
        """Token and frame of any command that is answered. Raises `LocalProtocolError` over 65535 bytes.

        The first four bytes of the sender context are `index`, when there is one; the others are never the same.
        """
        if len(body) > 0xFFFF:
            raise LocalProtocolError(f"a request of {len(body)} bytes: a frame carries 65535")
        token = self._token(command, index)
        return token, _HEADER.pack(command, len(body), self.session, SUCCESS, token, 0) + body

    def unconnected(
        self,
        message: bytes,
        route: bytes | None = None,
        timeout: int = 0,
        *,
        send_path: bytes = CONNECTION_MANAGER,
        index: int | None = None,
    ) -> tuple[int, bytes]:
        """Token and frame of a Message Router request: inside Unconnected Send to `send_path` with `route` (an EPATH,
        b"" for an empty one), plain with None. `timeout` in seconds, for routers; `index` as in `command`."""
        size = len(message)
        if route is not None:
            head, tail = self._ways.get((send_path, route)) or self._way(send_path, route)
            pad = b"\0" if size & 1 else b""
            message = b"".join((head, size.to_bytes(2, "little"), message, pad, tail))
            size = len(message)
        if size > _LARGEST_RR:
            raise LocalProtocolError(f"a request of {size} bytes: a frame carries {_LARGEST_RR}")
        token = self._token(SEND_RR_DATA, index)
        items = (0, timeout, 2, NULL_ADDRESS, 0, UNCONNECTED_DATA, size)
        return token, _RR.pack(SEND_RR_DATA, size + _RR_SIZE, self.session, SUCCESS, token, 0, *items) + message

    def connect(self, target_id: int, own_id: int) -> Connection:
        """Notes a connection that a Forward Open opened."""
        connection = self._connections[own_id] = Connection(target_id, own_id)
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Forgets a connection; answers that are still to come on it are dropped."""
        self._connections.pop(connection.own_id, None)

    def connected(self, connection: Connection, message: bytes, *, index: int | None = None) -> tuple[int, bytes]:
        """Token and frame of a request over `connection`, with the next sequence count; `index` as in `command`."""
        sequence = connection.sequence = connection.sequence + 1 & 0xFFFF
        size = len(message) + 2
        length = size + CONNECTED_SIZE - 2
        if length > 0xFFFF:
            raise LocalProtocolError(f"a request of {length} bytes: a frame carries 65535")
        token = self._token(SEND_UNIT_DATA, index)
        self._sequences[connection.own_id, sequence] = token
        items = (0, 0, 2, CONNECTED_ADDRESS, 4, connection.target_id, CONNECTED_DATA, size, sequence)
        return token, _UNIT.pack(SEND_UNIT_DATA, length, self.session, SUCCESS, token, 0, *items) + message

    def forget(self, token: int) -> None:
        """Gives up on a request: its answer, if it still comes, is dropped."""
        command = self._waiting.pop(token, None)
        if command is not None and not self._named and command != SEND_UNIT_DATA:
            self._forgotten[command] = self._forgotten.get(command, 0) + 1

    def datagram(self, data: bytes) -> Answer | None:
        """The answer that a datagram is, None when nobody waits for it. The request goes on waiting, for a broadcast
        has many answers: `forget` it. Raises `RemoteProtocolError` when it is no frame."""
        header = decode_header(data)
        if HEADER_SIZE + header.length != len(data):
            raise RemoteProtocolError(f"a datagram of {len(data)} bytes that says {HEADER_SIZE + header.length}")
        answer = self._answer(data)
        if answer is not None:
            self._waiting[answer.token] = answer.command
        return answer

    def receive(self, data: bytes) -> list[Answer]:
        """The answers that `data` completes, in order; frames nobody waits for are dropped.

        Raises `RemoteProtocolError` when what came is malformed: the session is of no more use then.
        """
        frames = self._frames.feed(data)
        if len(frames) == 1:
            answer = self._answer(frames[0])
            return [] if answer is None else [answer]
        answers = []
        for frame in frames:
            answer = self._answer(frame)
            if answer is not None:
                answers.append(answer)
        return answers

    def _token(self, command: int, index: int | None) -> int:
        self._last += 1
        token = self._last if index is None else (self._last & 0xFFFFFFFF) << 32 | index & 0xFFFFFFFF
        self._waiting[token] = command
        return token

    def _answer(self, frame: bytes) -> Answer | None:
        command, length, session, status, token, _ = _HEADER.unpack_from(frame)
        if command == SEND_UNIT_DATA and status == SUCCESS:
            return self._connected_answer(frame, length)
        if self._waiting.get(token) != command:
            if token != _NAMELESS or self._named:
                return None
            token = self._oldest(command)
            if token == _NAMELESS:
                return None
        elif token != _NAMELESS:
            self._named = True
        del self._waiting[token]
        if status == SUCCESS and command == SEND_RR_DATA:
            if frame[30:38] == _RR_ITEMS and length >= _RR_SIZE and frame[38] | frame[39] << 8 == length - _RR_SIZE:
                return Answer(token, command, status, frame[_RR.size :], frame)  # what nearly every frame is
            return Answer(token, command, status, decode_unconnected(frame[HEADER_SIZE:]), frame)
        if status == SUCCESS and command == REGISTER_SESSION:
            self.session = session
        return Answer(token, command, status, frame[HEADER_SIZE:], frame)

    def _connected_answer(self, frame: bytes, length: int) -> Answer | None:
        ident, kind, size, sequence = _UNIT_END.unpack_from(frame, 36) if length >= CONNECTED_SIZE else (0, 0, 0, 0)
        if kind == CONNECTED_DATA and size == length - 20 and frame[30:36] == _UNIT_ITEMS:
            message = frame[_UNIT.size :]  # what nearly every frame is
        else:
            ident, sequence, message = self._unusual(frame[HEADER_SIZE:])
        own_id = ident if ident in self._connections else self._own_id(ident)
        token = self._sequences.pop((own_id, sequence), -1)
        if own_id not in self._connections or self._waiting.pop(token, None) is None:
            return None
        return Answer(token, SEND_UNIT_DATA, SUCCESS, message, frame)

    def _way(self, send_path: bytes, route: bytes) -> tuple[bytes, bytes]:
        """What an Unconnected Send is in front of its message's length and behind the message."""
        send = encode_unconnected_send(UnconnectedSend(b"", route))
        head = encode_request(Request(UNCONNECTED_SEND_SERVICE, send_path, send[:2]))
        if len(self._ways) >= _REMEMBERED:
            self._ways.clear()
        self._ways[send_path, route] = head, send[4:]
        return head, send[4:]

    def _own_id(self, ident: int) -> int:
        """The T->O id of the connection that a reply under `ident` belongs to. A target that does not know the
        connection any more can only give back the O->T id it was sent, and some targets always do."""
        return next((own for own, connection in self._connections.items() if connection.target_id == ident), 0)

    def _oldest(self, command: int) -> int:
        """The request that an answer without a context is to, when the target has never given one back."""
        if self._forgotten.get(command):
            self._forgotten[command] -= 1
            return _NAMELESS
        return next((token for token, asked in self._waiting.items() if asked == command), _NAMELESS)

    def _unusual(self, body: bytes) -> tuple[int, int, bytes]:
        """Connection id, sequence count and message of a reply; one that has no count (`decode_early`) is to the
        connection's oldest request. Raises `RemoteProtocolError` when it is malformed."""
        found = decode_early(body)
        if found is None:
            return decode_connected(body)
        ident, message = found
        return ident, next((sequence for own_id, sequence in self._sequences if own_id == ident), -1), message
