"""Names become operations, and bytes values, without a socket."""

from __future__ import annotations

import pytest

from node.cip.status import CipError
from node.client.parameters import (
    PREDEFINED,
    Parameter,
    decode_attribute,
    encode_attribute,
    folded,
    folded_names,
    to_read,
    to_write,
    to_write_text,
)
from node.errors import LocalProtocolError, RemoteProtocolError

KNOWN = folded_names({**PREDEFINED, "Output  Current": Parameter("@0x93/7/10", "REAL", "A"), "Units": "@0x93/300/10"})


@pytest.mark.parametrize("name", ["Product Name", "product_name", "PRODUCT   NAME", " Product_Name "])
def test_case_and_blanks_make_no_other_name(name: str) -> None:
    assert folded(name) == "product_name"
    asked = to_read(name, KNOWN)
    assert (asked.name, asked.kind, asked.operation["method"]) == (name, "SSTRING", "get_attribute_single")
    assert asked.operation["path"] == [{"class": 1}, {"instance": 1}, {"attribute": 7}]


@pytest.mark.parametrize(
    ("what", "method", "elements"),
    [
        ("SCADA[2-5]", "read", 4),
        ("@1/1", "get_attributes_all", 1),
        ("@1/1/7", "get_attribute_single", 1),
        (("@0x93/1/10", "REAL"), "get_attribute_single", 1),
        (Parameter("SCADA", "INT"), "read", 1),
    ],
)
def test_what_is_no_name_is_read_as_it_stands(what: str, method: str, elements: int) -> None:
    operation = to_read(what, KNOWN).operation
    assert (operation["method"], operation["elements"]) == (method, elements)


IDENTITY = bytes.fromhex("0100 0e00 3600 140b 6030 6a066c00 03 414243 ff".replace(" ", ""))


def test_an_identity_is_decoded_with_its_state_or_without() -> None:
    identity = to_read("Identity", KNOWN)
    assert identity.value(list(IDENTITY)) == [1, 14, 54, 2836, 12384, 7079530, "ABC", 255]
    assert identity.value(list(IDENTITY[:-1])) == [1, 14, 54, 2836, 12384, 7079530, "ABC"]
    assert identity.value([*IDENTITY, 1, 2, 3]) == [1, 14, 54, 2836, 12384, 7079530, "ABC", 255]
    with pytest.raises(RemoteProtocolError, match=r"^Identity: 13 bytes that are no UINT, UINT.*: "):
        identity.value(list(IDENTITY[:13]))


def test_the_kinds_go_both_ways() -> None:
    kinds = ("EPATH", "IPADDR", "STRING", "SSTRING", "DINT", "STRING")
    values = [[{"class": 246}, {"instance": 1}], "192.168.0.201", "odd", "x", -2, ""]
    data = encode_attribute("all", kinds, ["@0xF6/1", *values[1:]])
    assert data.hex() == "020020f62401c900a8c003006f6464000178feffffff0000"
    assert decode_attribute(kinds, data) == values
    for end in range(len(data)):
        with pytest.raises((RemoteProtocolError, CipError)):
            decode_attribute(kinds, data[:end])
    assert decode_attribute("INT", bytes.fromhex("0100feff")) == [1, -2]
    assert decode_attribute(("EPATH", "USINT"), bytes.fromhex("0000 05")) == [[], 5], "devices have empty ones"
    with pytest.raises(RemoteProtocolError):
        decode_attribute("INT", b"")


def test_a_write_knows_the_type_of_a_parameter() -> None:
    assert to_write("output current", 1.5, KNOWN).operation["data"] == bytes.fromhex("0000c03f")
    assert to_write_text("Output Current=1.5", KNOWN).operation["data"] == bytes.fromhex("0000c03f")
    raw = to_write_text("@0x93/300/10=(DINT)1", KNOWN).operation
    assert (raw["method"], raw["tag_type"], raw["data"]) == ("set_attribute_single", 0xC4, [1])
    tag = to_write_text("SCADA[0-1]=3,4", KNOWN).operation
    assert (tag["method"], tag["tag_type"], tag["data"]) == ("write", 0xC3, [3, 4])


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: to_write("Identity", 1, KNOWN), "'Identity' is a whole object; name the attribute to write"),
        (lambda: to_write("SCADA[0-2]", [1], KNOWN), "'SCADA[0-2]': 1 values where 3 were wanted"),
        (lambda: to_write_text("SCADA", KNOWN), "'SCADA' writes nothing; wanted an = and a value"),
        (lambda: to_read("SCADA=1", KNOWN), "'SCADA=1' is a write; `write` does those"),
        (lambda: to_write("Output Current", "fast", KNOWN), "Output Current: 'fast'"),
        (
            lambda: folded_names({"Flow": Parameter("@1/1/1", "FLOAT")}),
            "Flow: 'FLOAT' is no type; wanted one like REAL, DINT, SSTRING or IPADDR",
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_line(attempt: object, message: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        attempt()  # type: ignore[operator]
    assert str(caught.value).startswith(message)
