"""What released clients send, decoded down to values: their quirks are the specification that counts."""

import pytest

from node.cip.attribute_services import decode_get_attribute_list
from node.cip.epath import decode_epath
from node.cip.message import Request, decode_request, encode_request
from node.cip.multiple import decode_multiple, encode_multiple
from node.cip.path_text import format_path
from node.cip.predefined import STRING
from node.cip.services import (
    GET_ATTRIBUTE_LIST,
    MULTIPLE_SERVICE_PACKET,
    READ_MODIFY_WRITE,
    READ_TAG,
    READ_TAG_FRAGMENTED,
    UNCONNECTED_SEND,
    WRITE_TAG,
)
from node.cip.structure_values import decode_structure
from node.cip.tag_services import (
    decode_read_fragmented,
    decode_read_modify_write,
    decode_read_tag,
    decode_write_tag,
)
from node.cip.unconnected import decode_unconnected_send, encode_unconnected_send
from tests.vectors import Vector, check_codec, read_vectors

PYCOMM3 = read_vectors("pycomm3_requests")
PYLOGIX = read_vectors("pylogix_requests")
ALL = [("pycomm3", vector) for vector in PYCOMM3.values()] + [("pylogix", vector) for vector in PYLOGIX.values()]


def request(vector: Vector) -> Request:
    """The vector as a Message Router request."""
    return decode_request(vector.data)


@pytest.mark.parametrize(("client", "vector"), ALL, ids=[f"{client}-{vector.name}" for client, vector in ALL])
def test_every_request_is_read_in_all_ways(client: str, vector: Vector) -> None:
    check_codec(vector.data, request(vector), decode_request, encode_request, tail="kept")
    path = decode_epath(request(vector).path)
    assert path, f"{client}: {vector.comment}"


@pytest.mark.parametrize(
    ("vector", "service", "path"),
    [
        (PYCOMM3["read_by_instance"], READ_TAG, "@0x6B/1"),
        (PYCOMM3["read_deep_member"], READ_TAG, "UA[2].arr[1]"),
        (PYCOMM3["write_bool_member_doubled"], WRITE_TAG, "U.b1"),
        (PYCOMM3["write_bit_of_array"], READ_MODIFY_WRITE, "@0x6B/9[0]"),
        (PYCOMM3["template_read"], READ_TAG, "@0x6C/4046"),
        (PYCOMM3["program_symbol_list"], 0x55, "Program:MainProgram@0x6B/0"),
        (PYCOMM3["pccc_read"], 0x4B, "@0x67/1"),
        (PYLOGIX["read_array"], READ_TAG, "ARR[0]"),
        (PYLOGIX["multiple_writes"], MULTIPLE_SERVICE_PACKET, "@2/1"),
    ],
    ids=lambda value: value.name if isinstance(value, Vector) else None,
)
def test_where_requests_go(vector: Vector, service: int, path: str) -> None:
    asked = request(vector)
    assert (asked.service, format_path(decode_epath(asked.path))) == (service, path)


@pytest.mark.parametrize("vectors", [PYCOMM3, PYLOGIX], ids=["pycomm3", "pylogix"])
def test_identity_comes_inside_unconnected_send(vectors: dict[str, Vector]) -> None:
    asked = request(vectors["identity_through_backplane"])
    assert asked.service == UNCONNECTED_SEND
    send = decode_unconnected_send(asked.data)
    assert (send.message, send.route) == (vectors["identity"].data, b"\1\0")
    assert encode_unconnected_send(send) == asked.data


def test_a_doubled_write_holds_its_value_first() -> None:
    code, handle, elements, values = decode_write_tag(request(PYCOMM3["write_dint_doubled"]).data)
    assert (code, handle, elements, values[:4]) == (0xC4, None, 1, b"\x2a\0\0\0")
    assert values[6:] == PYCOMM3["write_dint_doubled"].data[:14]


@pytest.mark.parametrize(
    ("vector", "text"), [(PYCOMM3["write_string_doubled"], "hello"), (PYLOGIX["write_string"], "abc")], ids=["p3", "px"]
)
def test_a_string_is_written_whole(vector: Vector, text: str) -> None:
    code, handle, elements, values = decode_write_tag(request(vector).data)
    assert (code, handle, elements) == (0xA0, 0x0FCE, 1)
    assert decode_structure(STRING, values) == text


@pytest.mark.parametrize("vector", [PYCOMM3["write_bit"], PYCOMM3["write_bit_of_array"], PYLOGIX["write_bit"]])
def test_bit_writes_set_one_bit_and_clear_none(vector: Vector) -> None:
    assert decode_read_modify_write(request(vector).data) == (4, b"\x08\0\0\0", b"\xff" * 4)


def test_reads_say_how_many_and_from_where() -> None:
    assert decode_read_tag(request(PYLOGIX["read_array"]).data) == 100
    assert decode_read_fragmented(request(PYCOMM3["read_fragmented"]).data) == (5000, 0)
    assert request(PYLOGIX["read_fragmented"]).service == READ_TAG_FRAGMENTED
    assert decode_read_fragmented(request(PYLOGIX["read_fragmented"]).data) == (5000, 3992)


@pytest.mark.parametrize(
    ("vector", "ids"),
    [
        (PYCOMM3["template_attributes"], [4, 5, 2, 1]),
        (PYLOGIX["template_attributes"], [4, 3, 2, 1]),
        (PYCOMM3["clock_attributes"], [6]),
        (PYLOGIX["clock_attributes"], [11]),
    ],
)
def test_lists_ask_for_attributes_in_their_order(vector: Vector, ids: list[int]) -> None:
    assert request(vector).service == GET_ATTRIBUTE_LIST
    assert decode_get_attribute_list(request(vector).data) == ids


def test_a_packet_of_two_writes() -> None:
    packet = request(PYLOGIX["multiple_writes"]).data
    messages = decode_multiple(packet)
    assert encode_multiple(messages) == packet
    written = [decode_write_tag(decode_request(message).data) for message in messages]
    assert written == [(0xC4, None, 1, b"\1\0\0\0"), (0xC4, None, 1, b"\2\0\0\0")]
