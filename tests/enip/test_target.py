"""The server's end of a session, frame by frame, with every byte of each reply."""

from collections.abc import Sequence

import pytest

from node.cip.status import CipError
from node.enip.commands import encode_list_identity
from node.enip.target import NO_SESSION, TargetSession, answer_datagram
from node.errors import RemoteProtocolError
from node.exchange.metrics import Metrics
from node.memory.access import Access
from node.memory.attribute import Attribute, Value
from node.objects.device import Device
from node.objects.identity import identity_item
from tests.objects.devices import IDENTITY, build, name, request

CONTEXT = "636f6e7465787421"
ONE = request(0x4C, name("ONE"), "0100")
ANSWER = "cc000000c40007000000"
ITEM = encode_list_identity(identity_item(IDENTITY, "192.168.0.201", 44818))


class Pair:
    """A session with its device, and what was counted."""

    def __init__(self, device: Device | None = None) -> None:
        self.device = device or build()
        self.metrics = Metrics()
        self.session: TargetSession[list[Access]] = TargetSession(
            self.device.router, self.device.connections, lambda: ITEM, self.metrics
        )

    def ask(self, frame: bytes) -> str | None:
        reply = self.session.answer(frame)
        return None if reply is None else reply.hex()

    def register(self) -> str:
        """The handle in hex."""
        reply = self.ask(frame(0x65, "01000000", "00000000"))
        assert reply is not None
        assert reply[16:] == "00000000" + CONTEXT + "00000000" + "01000000"
        return reply[8:16]


def frame(command: int, data: str = "", session: str = "00000000", status: int = 0, options: int = 0) -> bytes:
    """A frame; data and session in hex."""
    body = bytes.fromhex(data)
    head = command.to_bytes(2, "little") + len(body).to_bytes(2, "little") + bytes.fromhex(session)
    return head + status.to_bytes(4, "little") + bytes.fromhex(CONTEXT) + options.to_bytes(4, "little") + body


def u16(value: int) -> str:
    return value.to_bytes(2, "little").hex()


def rr(message: bytes | str, session: str) -> bytes:
    """SendRRData as every client lays it out, and as replies are."""
    text = message if isinstance(message, str) else message.hex()
    return frame(0x6F, "00000000 0000 0200 00000000 b200" + u16(len(text) // 2) + text, session)


def unit(connection: str, sequence: int, message: bytes | str, session: str) -> bytes:
    """SendUnitData."""
    text = message if isinstance(message, str) else message.hex()
    size = u16(len(text) // 2 + 2)
    return frame(0x70, f"00000000 0000 0200 a1000400 {connection} b100 {size} {u16(sequence)}" + text, session)


LISTS = {
    "ListServices": (0x04, "0100 0001 1400 0100 2000 436f6d6d756e69636174696f6e730000"),
    "ListIdentity": (0x63, ITEM.hex()),
    "ListInterfaces": (0x64, "0000"),
    "0x0001": (0x01, "0100 0100 2400 0100 0000 0002af12c0a800c90000000000000000 3139322e3136382e302e323031000000"),
}


@pytest.mark.parametrize("command", LISTS)
def test_lists_need_no_session(command: str) -> None:
    code, body = LISTS[command]
    pair = Pair()
    for session in ("00000000", "78563412", pair.register()):
        wanted = frame(code, body, session)
        assert pair.ask(frame(code, "", session)) == wanted.hex()
        assert answer_datagram(frame(code, "", session), lambda: ITEM) == wanted


def test_the_identity_item() -> None:
    assert ITEM.hex() == (
        "0100 0c00 3600 0100 0002af12c0a800c90000000000000000 0100 0e00 3600 140b 6030 1a066c00"
        "14 313735362d4c36312f42204c4f47495835353631 03"
    ).replace(" ", "")


def test_handles_are_random_and_never_0() -> None:
    handles = {Pair().register() for _ in range(50)}
    assert len(handles) == 50
    assert "00000000" not in handles


REGISTRATIONS = {
    "version 2": ("02000000", 0x69, "01000000"),
    "version 0": ("00000000", 0x69, "01000000"),
    "options": ("01000100", 0x69, "01000000"),
    "too short": ("0100", 0x65, ""),
    "too long": ("0100000000", 0x65, ""),
    "nothing": ("", 0x65, ""),
}


@pytest.mark.parametrize("case", REGISTRATIONS)
def test_registrations_that_fail(case: str) -> None:
    data, status, body = REGISTRATIONS[case]
    pair = Pair()
    assert pair.ask(frame(0x65, data)) == frame(0x65, body, status=status).hex()
    assert pair.session.handle == NO_SESSION
    assert pair.metrics.errors == 1
    pair.register()


def test_a_second_registration_is_refused_and_the_first_stays() -> None:
    pair = Pair()
    handle = pair.register()
    assert pair.ask(frame(0x65, "01000000")) == frame(0x65, "01000000", status=1).hex()
    assert pair.ask(rr(ONE, handle)) == rr(ANSWER, handle).hex()


@pytest.mark.parametrize("command", [0x66, 0x6F, 0x70])
def test_a_wrong_handle_is_refused(command: int) -> None:
    pair = Pair()
    data = rr(ONE, "00000000")[24:].hex()
    for _ in range(2):
        for session in ("00000000", "ffffffff", "78563412"):
            assert pair.ask(frame(command, data, session)) == frame(command, "", session, 0x64).hex()
            assert not pair.session.closing
        pair.register() if pair.session.handle == NO_SESSION else None


def test_a_handle_is_good_on_its_own_connection_only() -> None:
    device = build()
    one, other = Pair(device), Pair(device)
    handle = one.register()
    other.register()
    assert other.ask(rr(ONE, handle)) == frame(0x6F, "", handle, 0x64).hex()


def test_unregistering_closes_without_a_reply() -> None:
    pair = Pair()
    assert pair.ask(frame(0x66, "", pair.register())) is None
    assert pair.session.closing


def test_silence() -> None:
    pair = Pair()
    assert pair.ask(frame(0x00)) is None
    assert pair.ask(frame(0x00, "0102030405")) is None
    assert pair.ask(frame(0x63, options=1)) is None
    assert pair.ask(frame(0x00, "00" * 60)) is None
    assert not pair.session.closing


@pytest.mark.parametrize("command", [0x02, 0x03, 0x62, 0x71, 0x72, 0xFFFF])
def test_an_unknown_command_is_answered(command: int) -> None:
    pair = Pair()
    assert pair.ask(frame(command, "0102", "01000000")) == frame(command, "", "01000000", 1).hex()
    assert pair.ask(frame(command, "00" * 40, "01000000")) == frame(command, "", "01000000", 1).hex()


ODD = {
    "surplus after the items": ("00000000 0500 0200 00000000 b200 0a00" + ONE.hex() + "ffff", True),
    "socket address items": (
        "00000000 0500 0400 00000000 b200 0a00" + ONE.hex() + "0080 0200 0102 0180 0000",
        True,
    ),
    "an interface handle": ("01000000 0000 0200 00000000 b200 0a00" + ONE.hex(), False),
    "no items": ("00000000 0000 0000", False),
    "one item": ("00000000 0000 0100 00000000", False),
    "the items the other way round": ("00000000 0000 0200 b200 0a00" + ONE.hex() + "00000000", False),
    "an item longer than the frame": ("00000000 0000 0200 00000000 b200 0b00" + ONE.hex(), False),
    "more items than there can be": ("00000000 0000 ffff 00000000 b200 0a00" + ONE.hex(), False),
    "a message of no bytes": ("00000000 0000 0200 00000000 b200 0000", False),
    "nothing": ("", False),
}


@pytest.mark.parametrize("case", ODD)
def test_send_rr_data_laid_out_otherwise(case: str) -> None:
    data, good = ODD[case]
    pair = Pair()
    handle = pair.register()
    wanted = rr(ANSWER, handle) if good else frame(0x6F, "", handle, 3)
    assert pair.ask(frame(0x6F, data.replace(" 0a00", u16(len(ONE))).replace(" 0b00", u16(99)), handle)) == wanted.hex()
    assert pair.ask(rr(ONE, handle)) == rr(ANSWER, handle).hex()


def connect(pair: Pair, handle: str, size: int = 500, serial: int = 7) -> str:
    """Opens a connection with T->O id 0x11223344; its O->T id in hex."""
    head = f"0a0e 00000000 44332211 {u16(serial)} 3713 2a000000 03000000"
    data = f"{head} 80841e00 {u16(0x4200 | size)} 80841e00 {u16(0x4200 | size)} a3 02 2002 2401"
    reply = pair.ask(rr(request(0x54, "20062401", data), handle))
    assert reply is not None
    assert reply[80:88] == "d4000000"
    return reply[88:96]


def test_connected_messages() -> None:
    pair = Pair()
    handle = pair.register()
    connection = connect(pair, handle)
    for sequence in (1, 2, 65535, 0):
        wanted = unit("44332211", sequence, ANSWER, handle).hex()
        assert pair.ask(unit(connection, sequence, ONE, handle)) == wanted


def test_a_repeated_sequence_is_answered_again_and_not_run() -> None:
    pair = Pair()
    handle = pair.register()
    connection = connect(pair, handle)
    flip = request(0x4E, name("ONE"), "0400 00000000 feffffff")
    first = pair.ask(unit(connection, 5, flip, handle))
    assert first == unit("44332211", 5, "ce000000", handle).hex()
    attribute = pair.device.router.tags.by_name("ONE")
    assert attribute is not None
    assert attribute[0] == 6
    attribute[0] = 7
    assert pair.ask(unit(connection, 5, flip, handle)) == first
    assert attribute[0] == 7
    pair.ask(unit(connection, 6, flip, handle))
    assert attribute[0] == 6


def test_replies_keep_within_the_connection() -> None:
    pair = Pair()
    handle = pair.register()
    connection = connect(pair, handle, 100)
    reply = pair.ask(unit(connection, 1, request(0x4C, name("SCADA"), "e803"), handle))
    assert reply is not None
    assert reply[92:104] == "cc000600c400"
    assert len(reply) // 2 - 44 <= 100


def test_a_connection_nobody_has_is_a_cip_fault() -> None:
    device = build()
    pair, other = Pair(device), Pair(device)
    handle, elsewhere = pair.register(), other.register()
    connection = connect(pair, handle)
    lost = unit(connection, 3, "cc000700", elsewhere).hex()
    assert other.ask(unit(connection, 3, ONE, elsewhere)) == lost
    pair.session.leave()
    assert len(device.connections) == 0
    assert pair.session.handle == NO_SESSION


@pytest.mark.parametrize(
    "data",
    [
        "",
        "00000000 0000 0200 00000000 b200 0200 0000",
        "00000000 0000 0200 a1000200 0000 b100 0400 00000000",
        "00000000 0000 0200 a1000400 00000000 b100 0100 00",
        "00000000 0000 0200 a1000400 00000000 b100 0200 0000",
    ],
)
def test_malformed_connected_data(data: str) -> None:
    pair = Pair()
    handle = pair.register()
    assert pair.ask(frame(0x70, data, handle)) == frame(0x70, "", handle, 3).hex()


def test_connected_data_with_surplus() -> None:
    pair = Pair()
    handle = pair.register()
    connection = connect(pair, handle)
    usual = unit(connection, 9, ONE, handle)
    surplus = usual[:2] + (len(usual) - 22).to_bytes(2, "little") + usual[4:] + b"\0\0"
    assert pair.ask(surplus) == unit("44332211", 9, ANSWER, handle).hex()


def test_errors_are_counted_and_partial_reads_are_not() -> None:
    pair = Pair()
    handle = pair.register()
    connection = connect(pair, handle)
    for message in (ONE, request(0x4C, name("NO"), "0100"), request(0x4C, name("SCADA"), "e803")):
        pair.ask(rr(message, handle))
    assert pair.metrics.errors == 1
    pair.ask(unit(connection, 1, request(0x4C, name("NO"), "0100"), handle))
    assert pair.metrics.errors == 2


class Moody:
    """A gate that closes when it is told to."""

    closed = False

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        if self.closed:
            raise CipError(0x10)

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        return values


def test_a_tag_in_error_is_an_error_though_its_reply_was_prepared() -> None:
    pair = Pair()
    handle = pair.register()
    attribute = pair.device.router.tags.by_name("ONE")
    assert attribute is not None
    attribute.gate = gate = Moody()
    assert pair.ask(rr(ONE, handle)) == rr(ANSWER, handle).hex()
    gate.closed = True
    assert pair.ask(rr(ONE, handle)) == rr("cc001000", handle).hex()
    assert pair.metrics.errors == 1


def test_a_bug_is_answered_with_status_1f() -> None:
    pair = Pair()
    handle = pair.register()
    connection = connect(pair, handle)
    assert pair.session.failure(rr(ONE, handle)) == rr("cc001f00", handle)
    assert pair.session.failure(unit(connection, 4, ONE, handle)) == unit("44332211", 4, "cc001f00", handle)
    assert pair.session.failure(rr(b"", handle)) == frame(0x6F, "", handle, 3)
    assert pair.session.failure(frame(0x63)) == frame(0x63, status=3)
    assert pair.session.failure(frame(0x00)) is None


def test_less_than_a_header() -> None:
    with pytest.raises(RemoteProtocolError, match="23 bytes"):
        Pair().session.answer(frame(0x63)[:23])


DATAGRAMS = {
    "RegisterSession": (frame(0x65, "01000000"), frame(0x65, status=1)),
    "SendRRData": (rr(ONE, "00000000"), frame(0x6F, status=1)),
    "NOP": (frame(0x00), None),
    "half a header": (frame(0x63)[:12], None),
    "a wrong length": (frame(0x63) + b"\0", None),
    "options": (frame(0x63, options=7), None),
}


@pytest.mark.parametrize("case", DATAGRAMS)
def test_datagrams(case: str) -> None:
    data, reply = DATAGRAMS[case]
    assert answer_datagram(data, lambda: ITEM) == reply
