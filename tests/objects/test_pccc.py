"""Class 0x67: what clients of SLC and MicroLogix controllers ask, and the bytes they get."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.message import decode_reply
from node.cip.pccc import decode_answer
from node.cip.pccc_status import decode_status
from node.cip.slc_directory import MICROLOGIX_1100, MICROLOGIX_1400, SLC, Layout, decode_directory
from node.config.data_files import with_data_files
from node.config.model import EnipConfig, NodeConfig, TagConfig
from node.config.schema import identity
from node.memory.access import Access
from node.memory.attribute import Instant
from node.objects.pccc import pccc_object
from node.objects.router import Router
from node.objects.slc_processors import processor_of, series_of
from node.tag_memory import build_tags
from tests.vectors import read_vectors

VECTORS = read_vectors("pccc")
ASKED = [name for name in VECTORS if not name.endswith("_reply")]
HEAD = "4b022067240107091066bbf656"
MICROLOGIX = "1766-L32BXBA A/7.00"


def build(product_name: str = MICROLOGIX) -> Router:
    """N7 begins with 1, -2, 3, T4:0.ACC is 2; there are ST9 and L10."""
    tags = (
        TagConfig("N7", "INT", (64,), (1, -2, 3, *range(61))),
        TagConfig("ST9", "SLC_STRING", (5,)),
        TagConfig("L10", "DINT", (4,)),
    )
    config = NodeConfig("ml", "logix", "1766-L32BXB", "", tags, EnipConfig(identity("1766-L32BXB", 1)))
    table = build_tags(with_data_files(config).tags, 0.0)
    timers = table.by_name("T4")
    assert timers is not None
    timers.load(0, bytes.fromhex("000000000200"))
    return Router(table, Instant(), [pccc_object(table, product_name)])


def ask(router: Router, digits: str, head: str = HEAD, trace: list[Access] | None = None) -> str:
    """What a request with that PCCC message gets, from CMD on; its CIP part must be a success."""
    reply = decode_reply(router.request(bytes.fromhex(head + digits), trace))
    assert (reply.status, reply.extended) == (0, ())
    requestor = bytes.fromhex(head)[6:]
    assert reply.data[: len(requestor)] == requestor
    return reply.data[len(requestor) :].hex()


@pytest.mark.parametrize("name", ASKED)
def test_clients_get_the_reply_byte_for_byte(name: str) -> None:
    assert build().request(VECTORS[name].data).hex() == VECTORS[f"{name}_reply"].data.hex()


@pytest.mark.parametrize(
    ("name", "tag", "values"),
    [
        ("pycomm3_write", "N7", [1, 5, 3]),
        ("pycomm3_write_bit", "N7", [1, -2, 11]),
        ("pycomm3_write_string", "ST9", ["abc", "", ""]),
        ("libplctag_write", "N7", [258, -2, 3]),
        ("libplctag_write_bit", "L10", [0x20000, 0, 0]),
        ("nodepccc_write", "C5", [0, 100, 0]),
    ],
)
def test_what_clients_write_is_in_the_tags(name: str, tag: str, values: list[object]) -> None:
    router = build()
    router.request(VECTORS[name].data)
    attribute = router.tags.by_name(tag)
    assert attribute is not None
    held = attribute[0:3]
    assert [item["PRE"] if isinstance(item, dict) else item for item in held] == values


def test_a_timer_s_done_bit_is_a_bit_of_its_control_word() -> None:
    router = build()
    router.request(VECTORS["pycomm3_write_timer_bit"].data)
    timers = router.tags.by_name("T4")
    assert timers is not None
    assert timers[0] == {"PRE": 0, "ACC": 2, "EN": False, "TT": False, "DN": True}


@pytest.mark.parametrize(
    ("digits", "answer"),
    [
        ("0f000100", "4f100100"),
        ("0f000100a2", "4f100100"),
        ("0f000100a202078900", "4f100100"),
        ("0f000100a20207890000 ffff", "4f000100 0100"),
        ("0f000100a1020789 02", "4f000100 0300"),
        ("0f000100a9020789 02 0900", "4f000100"),
        ("0f000100aa02078902 00", "4f100100"),
        ("0f000100aa0207890200 09", "4f100100"),
        ("0f000100aa0207890200 090000", "4f000100"),
        ("0f000100ab0207890200 ffff", "4f100100"),
        ("0f000100ab0207890200 ffff 09", "4f100100"),
        ("0f000100ab0207890200 ffff 090000", "4f000100"),
        ("0f000100ab0a07890000 ffff 09000900", "4f000100"),
        ("0f00010068", "4f100100"),
        ("0f00010001", "4f100100"),
        ("0f000100a7", "4f100100"),
        ("4f000100a20207890000", "4f100100"),
        ("06000100", "46100100"),
        ("0600010000", "46000100"),
        ("0600010001", "46100100"),
        ("0700010000", "47100100"),
        ("01000100", "41100100"),
        ("0ff0fffea20207890000", "4f00fffe 0100"),
    ],
)
def test_commands_and_what_is_wrong_with_them(digits: str, answer: str) -> None:
    assert ask(build(), digits) == answer.replace(" ", "")


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        ("4b0220672401", "cb001300"),
        ("4b0220672401 07091066bbf656", "cb001300"),
        ("4b0220672401 07091066bbf656 0f0001", "cb001300"),
        ("4b0220672401 00 0f000100a2", "cb001300"),
        ("4b0220672400 07091066bbf656 0f000100a20207890000", "cb000800"),
        ("4b0220672402 07091066bbf656 0f000100a20207890000", "cb000500"),
        ("4c0220672401 07091066bbf656 0f000100a20207890000", "cc000800"),
        ("0102206724 01", "81000800"),
        ("0e03206724013001", "8e001400"),
        ("0e03206724003001", "8e0000000100"),
    ],
)
def test_faults_of_cip_are_faults_of_cip(message: str, reply: str) -> None:
    assert build().request(bytes.fromhex(message)).hex() == reply


def test_another_requestor_is_echoed() -> None:
    assert ask(build(), "0f000100a20207890000", "4b0220672401" + "03abcd") == "4f0001000100"


def test_a_reply_that_does_not_fit_its_connection_is_too_large() -> None:
    message = bytes.fromhex(HEAD + "0f000100a26407890000")
    assert build().request(message, limit=100).hex() == "cb001100"


def test_a_write_to_what_may_not_be_written_is_not_allowed() -> None:
    router = build()
    numbers = router.tags.by_name("N7")
    assert numbers is not None
    numbers.writable = False
    trace: list[Access] = []
    assert ask(router, "0f000100aa02078900000900", trace=trace) == "4f600100"
    assert [(access.start, access.stop, access.writing, access.status) for access in trace] == [(0, 1, True, 0x60)]
    assert numbers[0] == 1


def test_accesses_are_told_in_whole_elements() -> None:
    router = build()
    trace: list[Access] = []
    ask(router, "0f000100a20407890100", trace=trace)
    ask(router, "0f000100a20204860002", trace=trace)
    ask(router, "0f000100ab5409 8d0000ffff 0300 4548 0059", trace=trace)
    seen = [(access.attribute.name, access.start, access.writing, access.values) for access in trace]
    timer = {"PRE": 0, "ACC": 2, "EN": False, "TT": False, "DN": False}
    assert seen == [("N7", 1, False, [-2, 3]), ("T4", 0, False, [timer]), ("ST9", 0, True, ["HEY"])]


@pytest.mark.parametrize(
    ("product_name", "bulletin", "code", "series", "layout"),
    [
        ("1763-L16DWD B/7.00", "1763-LEC", 0x9C, (1, 6), MICROLOGIX_1100),
        (MICROLOGIX, "1766-LEC", 0x9F, (0, 6), MICROLOGIX_1400),
        ("1747-L551", "5/05", 0x78, (0, 0), SLC),
        ("1747-L552 C/13", "5/05", 0x78, (2, 12), SLC),
        ("something else", "5/05", 0x78, (0, 0), SLC),
    ],
)
def test_the_product_name_says_which_processor_it_is(
    product_name: str, bulletin: str, code: int, series: tuple[int, int], layout: Layout
) -> None:
    status = decode_status(bytes.fromhex(ask(build(product_name), "0600010003"))[4:])
    assert (status.bulletin, status.processor, (status.series, status.revision)) == (bulletin, code, series)
    assert processor_of(product_name).directory is layout
    assert series_of(product_name) == series


def test_a_diagnostic_status_repeats_words_of_the_status_file() -> None:
    router = build()
    ask(router, "0f000100aa020284 0600 2000")
    ask(router, "0f000100aa020284 0100 0300")
    status = decode_status(bytes.fromhex(ask(router, "0600010003"))[4:])
    assert (status.error, status.mode) == (0x20, 3)


def directory(router: Router, kind: int) -> bytes:
    """File 0, read 80 bytes at a time as clients do."""
    whole = b""
    while True:
        at = len(whole) // 2
        element = f"{at:02x}" if at < 255 else "ff" + at.to_bytes(2, "little").hex()
        answer = bytes.fromhex(ask(router, f"0f000100a15000{kind:02x}{element}"))
        if answer[1]:
            break
        whole += answer[4:]
    return whole


@pytest.mark.parametrize("product_name", ["1747-L552 C/13", MICROLOGIX, "1763-L16DWD B/7.00"])
def test_the_file_directory_lists_the_files(product_name: str) -> None:
    router = build(product_name)
    layout = processor_of(product_name).directory
    entries = decode_directory(layout, directory(router, layout.type))
    assert [(entry.number, entry.code, entry.size) for entry in entries][:3] == [
        (0, 0x82, 8),
        (1, 0x83, 8),
        (2, 0x84, 132),
    ]


@pytest.mark.parametrize(
    ("digits", "answer"),
    [
        ("0f000100aa02000300 00 0000", "4ff001000b"),
        ("0f000100a2ee000300 00", "4ff0010007"),
        ("0f000100a200000300 00", "4f100100"),
        ("0f000100a202000100 00", "4f100100"),
        ("0f000100a1020003 ffffff", "4f100100"),
    ],
)
def test_the_file_directory_is_only_read_and_only_as_what_it_is(digits: str, answer: str) -> None:
    assert ask(build(), digits) == answer


@given(st.binary(max_size=60))
def test_any_message_gets_an_answer(message: bytes) -> None:
    reply = decode_reply(ROUTER.request(bytes.fromhex(HEAD) + message))
    assert reply.service == 0x4B
    if reply.status == 0:
        decode_answer(reply.data)


@given(
    st.sampled_from(["a2", "a1", "aa", "a9", "ab"]),
    st.sampled_from(["0789", "0486", "098d", "0a91", "008b", "0183", "0003", "0001"]),
    st.integers(0, 0xFF),
    st.binary(max_size=60),
)
def test_any_data_behind_a_typed_function_gets_an_answer(function: str, file: str, size: int, data: bytes) -> None:
    answer = ask(ROUTER, f"0f000100{function}{size:02x}{file}{data.hex()}")
    assert answer.startswith("4f")
    assert len(answer) <= 2 * (4 + 236)


ROUTER = build()
