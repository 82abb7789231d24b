"""Code behind tags, without sockets or threads: what is looked at before anything is done, and what reaches a hook."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from node.cip import types
from node.cip.multiple import encode_multiple
from node.cip.pccc import Address
from node.cip.predefined import TIMER
from node.cip.slc_structures import SLC_TIMER
from node.memory.access import Access
from node.memory.attribute import Attribute, Value
from node.memory.bit import bit_of
from node.memory.data_files import DataFiles, read_words, write_words
from node.memory.effects import Frozen
from node.memory.hooks import HookWaits
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute
from node.modbus.bank import RegisterBank
from node.modbus.counters import BUS_MESSAGES
from node.modbus.unit import Unit
from node.modbus.units import Units
from tests.objects.devices import build, name, request

T = TypeVar("T")


class Beside:
    """A `memory.hooks.Aside` that is one while `turn` is true; nothing of it waits."""

    def __init__(self) -> None:
        self.turn = False

    def enter(self, seconds: float) -> None:
        if not self.turn:
            raise HookWaits(self, seconds)

    def call(self, hook: Callable[[], T], seconds: float, what: str) -> T:
        self.enter(seconds)
        return hook()

    def run(self, work: Callable[[], T], seconds: float) -> Awaitable[T]:
        raise AssertionError("nothing is awaited here")

    def result(self, work: Callable[[], T]) -> T:
        """Of what is run aside."""
        self.turn = True
        try:
            return work()
        finally:
            self.turn = False


class Seen(Attribute):
    """Notes its calls."""

    calls: list[tuple[str, object]]

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.calls = []

    def __getitem__(self, key: Any) -> Any:
        self.calls.append(("get", key))
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.calls.append(("set", key))
        super().__setitem__(key, value)


def hooked(kind: Any, dimensions: tuple[int, ...], aside: Beside | None = None, **keywords: Any) -> Seen:
    made = create_attribute(kind, dimensions, own=Seen, **keywords)
    assert isinstance(made, Seen)
    made.put_aside(aside)
    return made


def test_what_a_tag_starts_with_calls_nothing() -> None:
    assert hooked(types.INT, (3,), initial=(1, 2, 3)).calls == []


@pytest.mark.parametrize(
    ("kind", "dimensions", "key"),
    [
        (types.INT, (), 0),
        (types.INT, (4,), slice(0, 4)),
        (types.REAL, (2, 2), slice(0, 4)),
        (TIMER, (), 0),
        (types.BOOL, (4,), slice(0, 4)),
    ],
)
def test_a_scalar_has_the_key_0_and_an_array_a_slice(kind: Any, dimensions: tuple[int, ...], key: object) -> None:
    tag = hooked(kind, dimensions)
    values = tag.read(0, tag.length)
    tag.write(0, values)
    tag.load(0, tag.dump(0, tag.length))
    assert tag.calls == [("get", key), ("set", key), ("get", key), ("set", key)]


@pytest.mark.parametrize(
    ("type", "value", "wanted"),
    [
        (types.INT, 2.5000001, 3),
        (types.DINT, True, 1),
        (types.REAL, 3, 3.0),
        (types.BOOL, 7, True),
        (types.LREAL, "1.5", 1.5),
    ],
)
def test_values_are_cast_to_the_type(type: Any, value: object, wanted: Value) -> None:
    found = Attribute(type).cast(value)
    assert (found, found.__class__) == (wanted, wanted.__class__)


def test_the_bounds_of_a_key() -> None:
    tag = Attribute(types.INT, (10,))
    assert [tag.bounds(key) for key in (3, -1, slice(2, 4), slice(None), slice(5, 3))] == [
        (3, 4),
        (9, 10),
        (2, 4),
        (0, 10),
        (5, 5),
    ]
    with pytest.raises(IndexError):
        tag.bounds(10)


def test_parts_of_a_tag_come_to_its_hooks() -> None:
    """A bit is read out of its word, and written with the rest of it."""
    tag = hooked(types.DINT, (2,), initial=(0, 5))
    bit = bit_of(tag, 1, 1, "Word[1].1")
    assert bit.read(0, 1) == [False]
    bit.write(0, [True])
    assert tag.calls == [("get", slice(1, 2)), ("get", slice(1, 2)), ("set", slice(1, 2))]
    assert tag.array.tolist() == [0, 7]


def test_one_hook_alone_leaves_the_other_way_as_it_was() -> None:
    class ReadOnlyHook(Attribute):
        def __getitem__(self, key: Any) -> Any:
            return [9] * len(range(*key.indices(len(self))))

    tag = create_attribute(types.INT, (3,), own=ReadOnlyHook)
    aside = Beside()
    tag.put_aside(aside)
    tag.write(0, [1, 2])
    assert tag.array.tolist() == [1, 2, 0]
    with pytest.raises(HookWaits):
        tag.read(0, 3)
    assert aside.result(lambda: tag.read(0, 3)) == [9, 9, 9]


def test_a_class_that_does_not_block_is_called_in_line() -> None:
    class Quick(Seen):
        blocking = False

    tag = create_attribute(types.INT, (3,), own=Quick)
    tag.put_aside(Beside())
    assert tag.read(0, 2) == [0, 0]


def test_a_packet_does_nothing_before_it_is_known_that_none_of_it_waits() -> None:
    aside, device = Beside(), build()
    tag = hooked(types.INT, (3,), aside)
    device.router.tags.add("HOOK", tag)
    device.router.aside = aside
    write = request(0x4D, name("ONE"), "c4000100" + "05000000")
    packet = request(0x0A, "20022401", encode_multiple([write, request(0x4C, name("HOOK"), "0100")]).hex())
    one = device.router.tags["ONE"]
    before = one[0]
    with pytest.raises(HookWaits):
        device.router.request(packet)
    assert one[0] == before == 7
    reply = aside.result(lambda: device.router.request(packet))
    assert (reply[2], one[0], tag.calls) == (0, 5, [("get", slice(0, 1))])


def test_a_packet_without_hooks_is_served_at_once_in_a_node_that_has_some() -> None:
    aside, device = Beside(), build()
    device.router.tags.add("HOOK", hooked(types.INT, (3,), aside))
    device.router.aside = aside
    write = request(0x4D, name("ONE"), "c4000100" + "05000000")
    packet = request(0x0A, "20022401", encode_multiple([write, request(0x4C, name("ONE"), "0100")]).hex())
    assert device.router.request(packet)[2] == 0


def unit_of(*tags: Attribute) -> Unit:
    bank, at = RegisterBank(), 0
    for tag in tags:
        bank.add("holding", at, len(tag), tag)
        at += len(tag)
    return Unit(bank)


@pytest.mark.parametrize(
    "pdu",
    [
        "0300000004",
        "06000205" + "05",
        "1000000004080001000200030004",
        "160003" + "ffff" + "0001",
        "17" + "00000002" + "0002" + "0002" + "04" + "00090009",
    ],
)
def test_a_modbus_request_does_and_counts_nothing_before_it_is_known_that_it_need_not_wait(pdu: str) -> None:
    aside = Beside()
    plain, tag = Attribute(types.UINT, (2,)), hooked(types.UINT, (2,), aside)
    unit = unit_of(plain, tag)
    with pytest.raises(HookWaits):
        unit.answer(bytes.fromhex(pdu), 0.0)
    assert (plain.array.tolist(), tag.calls) == ([0, 0], [])
    assert unit.counters._counts[BUS_MESSAGES] == 0
    reply = aside.result(lambda: unit.answer(bytes.fromhex(pdu), 0.0))
    assert reply[0] == int(pdu[:2], 16)
    assert tag.calls
    assert unit.counters._counts[BUS_MESSAGES] == 1


def test_who_follows_a_request_calls_no_hook_again() -> None:
    """A recorder or `--print` sees the values that passed."""
    tag = hooked(types.UINT, (2,))
    trace: list[Access] = []
    unit = unit_of(tag)
    unit.answer(bytes.fromhex("1000000002040001" + "0002"), 0.0, trace)
    unit.answer(bytes.fromhex("0300000002"), 0.0, trace)
    assert [(access.writing, access.values) for access in trace] == [(True, [1, 2]), (False, [1, 2])]
    assert tag.calls == [("set", slice(0, 2)), ("get", slice(0, 2))]


def test_a_prepared_read_of_registers_waits_too() -> None:
    aside = Beside()
    units = Units({1: unit_of(hooked(types.UINT, (2,), aside))})
    read = bytes.fromhex("000100000006010300000002")
    first = aside.result(lambda: units.answer(read, 0.0))
    assert units.readers
    with pytest.raises(HookWaits):
        units.answer(read, 0.0)
    assert aside.result(lambda: units.answer(read, 0.0)) == first


def test_a_station_on_a_line_hears_a_broadcast_once() -> None:
    aside = Beside()
    plain, tag = Attribute(types.UINT, (1,)), hooked(types.UINT, (1,), aside)
    units = Units({1: unit_of(plain), 2: unit_of(tag)})
    write = bytes.fromhex("0600000005")
    with pytest.raises(HookWaits):
        units.answer_station(0, write, 0.0)
    assert plain.array.tolist() == [0]
    aside.result(lambda: units.answer_station(0, write, 0.0))
    assert (plain.array.tolist(), tag.array.tolist()) == ([5], [5])


def test_a_tag_is_frozen_at_what_was_seen_without_a_call() -> None:
    """Whoever freezes a tag waits for nothing: it is what clients saw last, or else what the memory holds."""
    aside = Beside()
    tag = hooked(types.INT, (3,), aside, initial=(1, 2, 3))
    aside.result(lambda: tag.read(0, 3))
    tag.array[0] = 9
    tag.calls.clear()
    assert Frozen(tag, 0, 3, 0.0).changed(bytes(6), 0, False) == tag.encode([1, 2, 3])
    assert Frozen(tag, 0, 2, 0.0).changed(bytes(4), 0, False) == tag.encode([9, 2])
    assert tag.calls == []


def test_data_files_of_an_slc_come_to_hooks() -> None:
    aside, table = Beside(), TagTable()
    tag = hooked(types.INT, (4,), aside)
    timer = hooked(SLC_TIMER, (2,), aside)
    table.add("N7", tag)
    table.add("T4", timer)
    files = DataFiles(table)
    words = files.find(Address(2, 7, 0x89, 1, 0))
    with pytest.raises(HookWaits):
        read_words(words, 0.0)
    with pytest.raises(HookWaits):
        write_words(words, b"\5\0", 0.0)
    aside.result(lambda: write_words(words, b"\5\0", 0.0))
    assert aside.result(lambda: read_words(words, 0.0)) == b"\5\0"
    assert tag.calls == [("set", slice(1, 2)), ("get", slice(1, 2))]
