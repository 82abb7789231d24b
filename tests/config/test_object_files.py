"""cpppo.cfg: the spec's own example, the format, the places, and what is wrong told with its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config.model import ObjectSetting
from node.config.object_files import load_object_files, object_file_places, parse_object_file
from node.errors import ConfigError
from tests.cpppo_cfg import EXAMPLE


def values(text: str) -> list[tuple[str, str, object]]:
    """(section, name, value) of each entry."""
    found = parse_object_file(text, "cpppo.cfg")
    return [(setting.section, setting.name, json.loads(setting.value)) for setting, _ in found]


def test_the_example_of_the_specification_is_read() -> None:
    found = parse_object_file(EXAMPLE, "cpppo.cfg")
    assert [line for _, line in found] == [3, 7, 14]
    addresses = {
        "ip_address": "192.168.0.201",
        "network_mask": "255.255.255.0",
        "dns_primary": "8.8.8.8",
        "dns_secondary": "8.8.4.4",
        "domain_name": "example.com",
    }
    assert values(EXAMPLE) == [
        ("Identity", "Product Name", "1756-L61/B LOGIX5561"),
        ("TCPIP", "Interface Configuration", addresses),
        ("TCPIP", "Host Name", "controller"),
    ]


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("State = 255", "255"),
        ("State: 255", "255"),
        ("State=0x3F", "0x3F"),
        ('Name = "20.10"', "20.10"),
        ('Name = a "b" c', 'a "b" c'),
        ('Name = "a" and "b"', '"a" and "b"'),
        ("Name = a = b : c", "a = b : c"),
        ("Name = 50% # of it", "50% # of it"),
        ("Name =", ""),
        ("Name = one\n  two\n\ttwo", "one\ntwo\ntwo"),
        ("Name =\n  one", "one"),
        ("Name = [1, 2,\n# no\n3,\n]", [1, 2, 3]),
        ('Name =\n  {"a": [1,2,],\n  "b": {},}', {"a": [1, 2], "b": {}}),
        ('Name = {"a": ",}", "b\\"]": 1 , }', {"a": ",}", 'b"]': 1}),
        ("Name = []", []),
    ],
)
def test_values(entry: str, value: object) -> None:
    assert [found for _, _, found in values(f"[Identity]\n{entry}\n; the end\nx = y\n")] == [value, "y"]


def test_lines_of_any_system_and_a_byte_order_mark() -> None:
    assert values("\ufeff[A]\r\nb = c\r\n\r\n[D]\re = f") == [("A", "b", "c"), ("D", "e", "f")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("State = 1", 1, "before any section"),
        ("# x\n\n[Identity", 3, "wanted a section as [Identity]"),
        ("[Identity] x", 1, "wanted a section"),
        ("[]", 1, "wanted a section"),
        ("[Identity]\nState", 2, "wanted an entry"),
        ("[Identity]\n= 3", 2, "wanted an entry"),
        ("[Identity]\nState = 1\n[identity]\nSTATE = 1", 4, "it is in line 2"),
        ("[TCPIP]\nx = {\n# no\n'a': 1}", 4, "got no JSON"),
        ("[TCPIP]\nx = {\n1", 2, "without its last 1 closing brackets"),
        ("[TCPIP]\nx = [1 2]", 2, "got no JSON"),
        ("[TCPIP]\nx = [,]", 2, "got no JSON"),
        ("[TCPIP]\nx = [1,,]", 2, "got no JSON"),
        ("[TCPIP]\nx = " + "[" * 100000 + "]" * 100000, 2, "brackets in brackets"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_object_file(text, "cpppo.cfg")
    assert (caught.value.source, caught.value.line) == ("cpppo.cfg", line)
    assert message in caught.value.message


@given(st.text('[]{}=:,"\\#; \n\tab1', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_object_file(text, "cpppo.cfg")
    except ConfigError as exc:
        assert 1 <= exc.line <= text.count("\n") + 1
    else:
        assert all(json.loads(setting.value) is not None for setting, _ in found if setting.value != "null")


def test_the_places_in_their_order() -> None:
    assert object_file_places({"HOME": "/home/ann"}) == ("/etc/cpppo.cfg", "/home/ann/.cpppo.cfg", "cpppo.cfg")
    assert object_file_places({}, extra=("a.cfg", "b.cfg")) == ("/etc/cpppo.cfg", "cpppo.cfg", "a.cfg", "b.cfg")
    windows = {"APPDATA": "C:\\Users\\ann\\AppData\\Roaming", "USERPROFILE": "C:\\Users\\ann", "HOME": "/home/ann"}
    assert object_file_places(windows, windows=True) == (
        "C:\\Users\\ann\\AppData\\Roaming\\cpppo.cfg",
        "C:\\Users\\ann\\.cpppo.cfg",
        "cpppo.cfg",
    )


def test_all_files_that_are_there_are_loaded_in_order() -> None:
    files = {"/etc/cpppo.cfg": "[Identity]\nState = 1\n", "cpppo.cfg": EXAMPLE, "other": "[identity]\nstate = 2\n"}
    settings, loaded = load_object_files(("/etc/cpppo.cfg", "~", "cpppo.cfg", "other", "cpppo.cfg"), files.get)
    assert loaded == ("/etc/cpppo.cfg", "cpppo.cfg", "other")
    assert settings[0] == ObjectSetting("Identity", "State", '"1"')
    assert settings[-1] == ObjectSetting("identity", "state", '"2"')
    assert len(settings) == 5


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "[Identity]\n\nProduct Nam = x",
            3,
            "got attribute 'Product Nam', wanted one of Identity: vendor, device type",
        ),
        ("[Identty]\nState = 1", 2, "got section 'Identty', wanted an object of this device: Identity, Message Router"),
        ("[Port 9]\nPort Name = x", 2, "got instance 9 of Port, wanted one of 1 2"),
        ("[Identity]\nState = 256", 2, 'got "256", wanted a number of 0 to 255'),
        ("[Identity]\nState = on", 2, "wanted a number of 0 to 255"),
        ("[Identity]\nProduct Revision = 20.256", 2, 'wanted a revision as "20.11"'),
        ("[Identity]\nProduct Name = " + "x" * 33, 2, "wanted a text of at most 32 ISO-8859-1 characters"),
        ('[TCPIP]\nInterface Configuration = {"ip": "1.2.3.4"}', 2, "got 'ip', wanted only ip_address network_mask"),
        ('[TCPIP]\nInterface Configuration = {\n"ip_address": "1.2.3"}', 2, "wanted an IPv4 address as 192.168.0.201"),
        ("[TCPIP]\nInterface Configuration = 192.168.0.1", 2, "wanted an object of ip_address"),
        ("[Ethernet Link]\nMAC = 02:00", 2, "wanted 6 bytes in hex"),
    ],
)
def test_a_bad_entry_is_told_with_file_and_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_object_files(("cpppo.cfg",), lambda _: text)
    assert str(caught.value).startswith(f"cpppo.cfg:{line}: [")
    assert message in caught.value.message
    assert "\n" not in str(caught.value)


def test_another_device_has_other_objects() -> None:
    text = "[Assembly 151]\nData = 01 02 03 04 05 06 07 08 09 0a\n"
    settings, _ = load_object_files(("a",), lambda _: text, "adapter")
    assert settings == (ObjectSetting("Assembly 151", "Data", '"01 02 03 04 05 06 07 08 09 0a"'),)
    with pytest.raises(ConfigError, match="got section 'Assembly 151'"):
        load_object_files(("a",), lambda _: text, "1756-L61")
