"""Class 0x6B: lists of symbols in pages, and the attributes of one."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.browse import SYMBOL_ATTRIBUTES, SymbolValues, decode_symbols
from node.cip.message import Reply, decode_reply
from node.cip.status import PARTIAL_TRANSFER, REPLY_DATA_TOO_LARGE
from node.cip.text import SSTRING
from node.cip.types import DINT, INT
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute
from node.objects.router import Router
from node.objects.symbol import SymbolObject
from tests.objects.browsed import ask, build, build_tags
from tests.objects.devices import name, request
from tests.vectors import read_vectors

ALL = tuple(SYMBOL_ATTRIBUTES)
BASE = 1 << 26
CLIENTS = {"pycomm3": read_vectors("pycomm3_requests"), "pylogix": read_vectors("pylogix_requests")}

ROUTER = build()


def listed(router: Router, path: str, start: int, attributes: tuple[int, ...], limit: int) -> Reply:
    """The reply to one Get Instance Attribute List."""
    instance = f"2600{start.to_bytes(4, 'little').hex()}" if start > 255 else f"24{start:02x}"
    data = struct.pack(f"<H{len(attributes)}H", len(attributes), *attributes).hex()
    return decode_reply(router.request(request(0x55, path + "206b" + instance, data), limit=limit))


def upload(
    router: Router, path: str = "", attributes: tuple[int, ...] = ALL, limit: int = 504, start: int = 0
) -> list[tuple[int, SymbolValues]]:
    """All symbols as a client gathers them: again from the last one on while there are more."""
    symbols: list[tuple[int, SymbolValues]] = []
    while True:
        reply = listed(router, path, start, attributes, limit)
        assert reply.status in (0, PARTIAL_TRANSFER)
        symbols += decode_symbols(reply.data, attributes)
        if reply.status == 0:
            return symbols
        start = symbols[-1][0] + 1


def test_the_controller_s_symbols() -> None:
    symbols = upload(ROUTER)
    assert [instance for instance, _ in symbols] == list(range(1, 17))
    shown = {
        values.name: (values.type, values.lengths, values.size, values.control, values.access) for _, values in symbols
    }
    assert shown == {
        "Count": (0xC4, (), 4, BASE, 0),
        "Bits": (0x20D3, (3,), 4, BASE, 0),
        "Program:Main": (0x1068, (), 0, BASE, 0),
        "Cube": (0x60C3, (2, 3, 4), 2, BASE, 0),
        "P": (0x8100, (), 104, BASE, 0),
        "Plants": (0xA101, (2,), 212, BASE, 0),
        "Name": (0x8FCE, (), 88, BASE, 0),
        "Text": (0xDA, (), 256, BASE, 0),
        "Delay": (0x8F83, (), 12, BASE, 0),
        "Fixed": (0xCA, (), 4, BASE, 2),
        "Secret": (0xC5, (), 8, BASE, 3),
        "Program:Idle": (0x1068, (), 0, BASE, 0),
        "Speed": (0xCA, (), 4, 0, 0),
        "Bit": (0x02C1, (), 1, 0, 0),
        "Row": (0xC3, (), 2, 0, 0),
        "Old.Level": (0xC2, (), 1, BASE, 0),
    }


def test_a_program_s_symbols() -> None:
    symbols = upload(ROUTER, name("PROGRAM:main"))
    assert [(instance, values.name, values.type, values.control) for instance, values in symbols] == [
        (1, "Level", 0xC3, BASE),
        (2, "P", 0xA100, BASE),
        (3, "All", 0x60C3, 0),
    ]
    assert upload(ROUTER, name("Program:Idle")) == []
    assert listed(ROUTER, name("Program:Other"), 0, ALL, 504).status == 0x04


def test_addresses_are_stable_and_differ() -> None:
    first, second = upload(ROUTER), upload(build())
    assert first == second
    addresses = [address for _, values in first for address in (values.address, values.object_address)]
    assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize("client", CLIENTS)
def test_released_clients_get_what_they_ask_for(client: str) -> None:
    tags = TagTable()
    tags.add("Count", create_attribute(DINT))
    tags.add("Program:MainProgram.P1", create_attribute(INT))
    router = build(tags)
    entry = {
        "pycomm3": (
            "0500436f756e74 c400 10000020 10000040 00000004" + "00" * 13,
            "02005031 c300 10000020 10000040 00000004" + "00" * 13,
        ),
        "pylogix": ("0500436f756e74 c400" + "00" * 12, "02005031 c300" + "00" * 12),
    }[client]
    reply = ask(router, CLIENTS[client]["symbol_list"].data)
    assert reply.startswith(("d5000000 01000000" + entry[0]).replace(" ", ""))
    assert b"Program:MainProgram\x68\x10" in bytes.fromhex(reply)
    program = ask(router, CLIENTS[client]["program_symbol_list"].data)
    assert program == ("d5000000 01000000" + entry[1]).replace(" ", "")


@pytest.mark.parametrize("start", [17, 255, 300, 0xFFFFFFFF])
def test_a_list_from_behind_the_last_is_empty(start: int) -> None:
    assert listed(ROUTER, "", start, ALL, 504) == Reply(0x55)


def test_a_list_of_no_attributes_is_the_numbers() -> None:
    reply = listed(ROUTER, "", 15, (), 504)
    assert reply.data.hex() == "0f00000010000000"


@pytest.mark.parametrize("attribute", [0, 4, 9, 11, 99])
def test_an_attribute_that_no_symbol_has_refuses_the_list(attribute: int) -> None:
    assert listed(ROUTER, "", 0, (1, attribute), 504) == Reply(0x55, 0x14)


@pytest.mark.parametrize(("data", "status"), [("", 0x13), ("0200 0100", 0x13), ("ffff 0100", 0x13)])
def test_a_list_that_does_not_add_up(data: str, status: int) -> None:
    assert ask(ROUTER, request(0x55, "206b2400", data)) == f"d500{status:02x}00"


@given(st.integers(60, 400), st.permutations(ALL), st.integers(0, 8), st.integers(0, 20))
def test_pages_hold_whole_symbols_and_all_of_them(limit: int, order: list[int], count: int, start: int) -> None:
    attributes = tuple(order[:count])
    pages: list[Reply] = []
    at = start
    while not pages or pages[-1].status == PARTIAL_TRANSFER:
        pages.append(listed(ROUTER, "", at, attributes, limit))
        found = decode_symbols(pages[-1].data, attributes)
        assert len(pages[-1].data) + 4 <= limit
        assert found or pages[-1].status == 0
        at = found[-1][0] + 1 if found else at
    numbers = [instance for page in pages for instance, _ in decode_symbols(page.data, attributes)]
    assert numbers == list(range(max(start, 1), 17))
    for page, after in pairwise(pages):
        (following, _), *_ = decode_symbols(after.data, attributes)
        more = listed(ROUTER, "", following, attributes, 504).data
        one = len(after.data) if len(decode_symbols(after.data, attributes)) == 1 else _first(more, attributes)
        assert len(page.data) + 4 + one > limit, "another symbol would have fitted"


def _first(data: bytes, attributes: tuple[int, ...]) -> int:
    """Bytes of the first symbol of a page."""
    length = 4
    for attribute in attributes:
        length += {1: 2, 2: 2, 3: 4, 5: 4, 6: 4, 7: 2, 8: 12, 10: 1}[attribute]
    return length + (len(decode_symbols(data, attributes)[0][1].name) if 1 in attributes else 0)


def test_a_page_without_room_for_one_symbol_is_an_error() -> None:
    tags = TagTable()
    tags.add("N" * 200, create_attribute(DINT))
    router = build(tags)
    assert listed(router, "", 0, (1,), 209).status == REPLY_DATA_TOO_LARGE
    assert listed(router, "", 0, (1,), 210).status == 0


def test_lists_see_a_tag_that_was_added_and_a_right_that_was_taken() -> None:
    tags = build_tags()
    router = build(tags)
    before = upload(router)
    tags.add("New", create_attribute(SSTRING, (4,)))
    count = tags.by_name("Count")
    assert count is not None
    count.writable = False
    after = upload(router)
    assert after[-1] == (17, SymbolValues("New", 0x20DA, 0x20000110, 0x40000110, BASE, 256, (4,)))
    assert [values.access for _, values in (before[0], after[0])] == [0, 2]


def test_lists_that_no_client_repeats_are_not_kept() -> None:
    symbols = SymbolObject(build_tags())
    for count in range(200):
        symbols.page(0, (1,) * count, 4000)
        symbols.page(0, (count % 8 + 1,) if count % 8 not in (3, 8) else (10,), 4000)
    assert len(symbols._listings) <= 4
    assert all(len(attributes) <= 8 for attributes in symbols._listings)


ATTRIBUTES = {
    "one": (request(0x0E, "206b 2404 3001"), "8e000000 0400 43756265"),
    "its type": (request(0x0E, "206b 2404 3002"), "8e000000 c360"),
    "its lengths": (request(0x0E, "206b 2404 3008"), "8e000000 02000000 03000000 04000000"),
    "a program's": (request(0x0E, name("Program:Main") + "206b 2401 3001"), "8e000000 0500 4c6576656c"),
    "the symbol of a program": (request(0x0E, "206b 2403 3002"), "8e000000 6810"),
    "one that is not there": (request(0x0E, "206b 2404 3004"), "8e001400"),
    "none": (request(0x0E, "206b 2404"), "8e001400"),
    "of a symbol that is not there": (request(0x0E, "206b 2463 3001"), "8e000501 0000"),
    "a list": (
        request(0x03, "206b 2404", "0300 0200 0700 0a00"),
        "83000000 0300 0200 0000 c360 0700 0000 0200 0a00 0000 00",
    ),
    "a list with an unknown": (
        request(0x03, "206b 2404", "0200 0200 0900"),
        "83000a00 0200 0200 0000 c360 0900 1400",
    ),
    "a list of a program": (request(0x03, "206b 2403", "0100 0200"), "83000000 0100 0200 0000 6810"),
    "a list of nothing": (request(0x03, "206b 2463", "0100 0200"), "83000501 0000"),
    "set": (request(0x10, "206b 2404 3002", "c400"), "90000e00"),
    "set the whole": (request(0x10, "206b 2404", "c400"), "90001400"),
    "the class, all": (request(0x01, "206b 2400"), "81000000 0100 1000 1000 0700 0a00"),
    "the class, how many": (request(0x0E, "206b 2400 3003"), "8e000000 1000"),
    "the class of a program": (request(0x0E, name("Program:Main") + "206b 2400 3002"), "8e000000 0300"),
    "the class, a list": (request(0x03, "206b", "0100 0100"), "83000000 0100 0100 0000 0100"),
    "read the class": (request(0x4C, "206b 2400", "0100"), "cc000800"),
    "read a program": (request(0x4C, "206b 2403", "0100"), "cc000800"),
    "read nothing": (request(0x4C, "206b 2463", "0100"), "cc000501 0000"),
    "a service that no symbol has": (request(0x33, "206b 2404"), "b3000800"),
}


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_attributes_of_a_symbol(case: str) -> None:
    message, reply = ATTRIBUTES[case]
    assert ask(ROUTER, message) == reply.replace(" ", "")


def test_five_thousand_tags_are_listed_in_full() -> None:
    tags = TagTable()
    for index in range(5000):
        tags.add(f"Tag_{index:05}", create_attribute(DINT))
    router = build(tags)
    assert len(upload(router, limit=4000)) == 5000
    assert len(upload(router, limit=4000, attributes=(1, 2, 8), start=1)) == 5000
