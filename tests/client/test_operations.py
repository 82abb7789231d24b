"""What a person types becomes an operation, or one line that says what is wrong with it."""

import pytest

from node.cip.epath import Port, decode_epath
from node.client.operations import OperationError, parse_operations
from node.client.paths import encode_path, encode_route_path, encode_send_path
from node.errors import LocalProtocolError

TAG = {"symbolic": "Tag"}


def read(*path: dict[str, object], elements: int = 1, **more: object) -> dict[str, object]:
    """An operation that reads."""
    return {"method": "read", "path": list(path), "elements": elements, **more}


def write(*path: dict[str, object], data: list[object], kind: int = 0xC3, **more: object) -> dict[str, object]:
    """An operation that writes."""
    elements = more.pop("elements", len(data))
    return {"method": "write", "path": list(path), "elements": elements, "tag_type": kind, "data": data, **more}


GOOD: dict[str, dict[str, object]] = {
    "SCADA": read({"symbolic": "SCADA"}),
    "SCADA[1]": read({"symbolic": "SCADA"}, {"element": 1}),
    "SCADA[0-10]": read({"symbolic": "SCADA"}, {"element": 0}, elements=11),
    "Tag[1-5]+8": read(TAG, {"element": 1}, elements=5, offset=8),
    "Tag+4": read(TAG, offset=4),
    "Tag[2]*4": read(TAG, {"element": 2}, elements=4),
    "Tag[0x10-0b10001]": read(TAG, {"element": 16}, elements=2),
    "Tag[1,2,3-5]": read(TAG, {"element": 1}, {"element": 2}, {"element": 3}, elements=3),
    "Program:Main.Pump[2].Speed": read(
        {"symbolic": "Program:Main"}, {"symbolic": "Pump"}, {"element": 2}, {"symbolic": "Speed"}
    ),
    "Größe": read({"symbolic": "Größe"}),
    "SCADA=1": write({"symbolic": "SCADA"}, data=[1]),
    "SCADA[1]=99": write({"symbolic": "SCADA"}, {"element": 1}, data=[99]),
    "A_Tag[1-2]=(REAL)111,222": write({"symbolic": "A_Tag"}, {"element": 1}, data=[111.0, 222.0], kind=0xCA),
    "Tag[0-9]+16=(DINT)4,5,6,7,8,9": write(
        TAG, {"element": 0}, data=[4, 5, 6, 7, 8, 9], kind=0xC4, offset=16, elements=10
    ),
    "Tag=9.9,10": write(TAG, data=[9.9, 10.0], kind=0xCA),
    "Tag=1e3": write(TAG, data=[1000.0], kind=0xCA),
    "Tag=1,2,3": write(TAG, data=[1, 2, 3]),
    "Tag=[1, 2,3]": write(TAG, data=[1, 2, 3]),
    "Tag[0-1]=(DINT)[1,-2]": write(TAG, {"element": 0}, data=[1, -2], kind=0xC4),
    "Tag=(DINT)0x1F,0o17,0b11,-0x1F,007": write(TAG, data=[31, 15, 3, -31, 7], kind=0xC4),
    "Tag=0x1E": write(TAG, data=[30]),
    "Tag=( lint ) 5": write(TAG, data=[5], kind=0xC5),
    "Tag=(BOOL)1,false,on": write(TAG, data=[True, False, True], kind=0xC1),
    "Tag=(SINT)255,-1": write(TAG, data=[-1, -1], kind=0xC2),
    'TEXT[1]=(SSTRING)"Hello, world!"': write({"symbolic": "TEXT"}, {"element": 1}, data=["Hello, world!"], kind=0xDA),
    'Tag="a ""b"", c=(d)", "e"': write(TAG, data=['a "b", c=(d)', "e"], kind=0xDA),
    "Tag=(SSTRING)plain": write(TAG, data=["plain"], kind=0xDA),
    'Tag=(STRING)"x"': write(TAG, data=["x"], kind=0x0FCE02A0),
    "@0x1FF/01/0x1A": read({"class": 511}, {"instance": 1}, {"attribute": 26}),
    "@511/01/26[99]=1": write({"class": 511}, {"instance": 1}, {"attribute": 26}, {"element": 99}, data=[1]),
    "@1/1": read({"class": 1}, {"instance": 1}),
    "@1/2/3/4": read({"class": 1}, {"instance": 2}, {"attribute": 3}, {"element": 4}),
    '@4/5/{"connection":100}': read({"class": 4}, {"instance": 5}, {"connection": 100}),
    '@0x04/5/{"connection":100}': read({"class": 4}, {"instance": 5}, {"connection": 100}),
    '@{"class":4}/5/{"connection":100}': read({"class": 4}, {"instance": 5}, {"connection": 100}),
    '@{"symbolic":"Tag"}/{"element":70000}': read(TAG, {"element": 70000}),
    '@{"port":123,"link":"130.151.137.105"}/{ "class":4}/{ "instance":3}/7': read(
        {"port": 123, "link": "130.151.137.105"}, {"class": 4}, {"instance": 3}, {"attribute": 7}
    ),
}


@pytest.mark.parametrize("text", GOOD)
def test_an_operation_is_what_the_manual_says(text: str) -> None:
    assert list(parse_operations([text])) == [GOOD[text]]


BAD = {
    "": "column 1: an empty path",
    "Tag[0-2]=1,2": "column 10: 2 values where 3 were wanted",
    "Tag[1]=1,2": "column 8: 2 values where 1 were wanted",
    "Tag[0-9]+16=(DINT)4,5": "column 19: 2 values where 6 were wanted",
    "Tag[0-3]+2=(DINT)1": "a byte offset of 2 is between elements of DINT",
    'Tag+8="a"': "SSTRING has no byte offsets",
    "Tag[5-2]": "the range 5-2 ends before it begins",
    "Tag[0-65535]": "65536 elements; 1 to 65535 can be asked for at once",
    "Tag[x-5]": "column 5: 'x' where an index was wanted",
    "Tag[1": "wanted indices like [3]",
    "Tag+x": "column 5: 'x' where a byte offset was wanted",
    "Tag=": "column 5: '' where a value of INT was wanted",
    "Tag=1,,2": "column 7: '' where a value of INT was wanted",
    "Tag=(FOO)1": "column 5: 'FOO' is no type",
    "Tag=(SINT)300": "column 11: 300 does not fit SINT: it holds -128 to 127",
    "Tag=40000": "column 5: 40000 does not fit INT",
    "Tag=(DINT)1.5": "'1.5' where a whole number was wanted, for DINT",
    "Tag=(REAL)hot": "'hot' where a number was wanted, for REAL",
    'Tag=(DINT)"5"': "'5' where a value of DINT was wanted",
    'Tag="open': "column 5: a text without a closing quote",
    'Tag="a" x': "column 9: 'x' where a comma or the end was wanted",
    "Tag=[1,2": "wanted a ] behind the values",
    "Tag=€": "'€' where a whole number was wanted",
    'Tag="€"': "outside ISO-8859-1",
    "€": "outside ISO-8859-1",
    "@1/x": "'x' where the number of a CIP instance was wanted",
    "@1/2/3/4/5": "more numbers after @",
    "@{1}": "is no JSON",
    '@{"colour":1}': "one of class, instance, attribute, element, connection with its number",
    '@{"class":-1}': "one of class",
    '@{"port":0,"link":1}': "port 0, link 1 in a path",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_operation_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(OperationError) as caught:
        list(parse_operations([text]))
    assert BAD[text] in str(caught.value)
    assert str(caught.value).startswith(f"{text!r}, column ")
    assert "\n" not in str(caught.value)


def test_they_are_parsed_as_they_are_asked_for() -> None:
    operations = parse_operations(["Tag", "Tag=("])
    assert next(operations)["method"] == "read"
    with pytest.raises(OperationError):
        next(operations)


def test_paths_of_its_own_are_put_into_each() -> None:
    (operation,) = parse_operations(["Tag"], route_path=False, send_path="")
    assert (operation["route_path"], operation["send_path"]) == (False, "")


@pytest.mark.parametrize(
    ("route", "raw"),
    [
        (None, "0100"),
        (False, ""),
        (0, ""),
        ([], ""),
        ([{"link": 0, "port": 1}], "0100"),
        ([{"port": 1, "link": 0}, {"port": 2, "link": "10.0.0.7"}], "0100120831302e302e302e37"),
        ("1/0/2/10.0.0.7", "0100120831302e302e302e37"),
        (["1/0", "2/10.0.0.7"], "0100120831302e302e302e37"),
        (((1, 3),), "0103"),
    ],
)
def test_a_route_path_in_every_form(route: object, raw: str) -> None:
    assert encode_route_path(route).hex() == raw  # type: ignore[arg-type]


@pytest.mark.parametrize(("send", "raw"), [(None, "20062401"), ("", None), (False, None), ("@6/1", "20062401")])
def test_a_send_path_in_every_form(send: str | bool | None, raw: str | None) -> None:
    encoded = encode_send_path(send)
    assert (None if encoded is None else encoded.hex()) == raw


@pytest.mark.parametrize("route", ["x", [{"port": 0, "link": 1}], [{"port": 1}], {1, 2}, [3]])
def test_what_is_no_route_is_refused(route: object) -> None:
    with pytest.raises(LocalProtocolError, match="route"):
        encode_route_path(route)  # type: ignore[arg-type]


def test_hops_in_a_path_are_port_segments() -> None:
    segments = decode_epath(encode_path('@{"port":2,"link":"10.0.0.7"}/{"port":1,"link":3}/1/1'))
    assert segments[:2] == [Port(2, b"10.0.0.7"), Port(1, 3)]
