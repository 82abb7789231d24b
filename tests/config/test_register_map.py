"""Register maps: what a line makes, every message that a wrong one gets, and that no text is too much for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config.model import ModbusConfig, NodeConfig, RegisterBlock, SignalConfig, TagConfig, UnitConfig
from node.config.register_map import LineProblem, RegisterMap, RegisterMapError, clear_of, decode_map, parse_map
from node.config.register_number import number
from node.config.schema import problems
from node.errors import ConfigError

HEAD = "address,type,name,unit,scale,access,signal,init,order,offset,min,max\n"


def one(line: str, order: str = "ABCD") -> tuple[TagConfig, RegisterBlock]:
    """What one line makes."""
    found = parse_map(HEAD + line, order)
    assert found.problems == ()
    (row,) = found.rows
    return row.tag, row.block


def said(text: str) -> list[str]:
    """`line: message` of each problem."""
    return [f"{problem.line}: {problem.message}" for problem in parse_map(text).problems]


@pytest.mark.parametrize(
    ("line", "tag", "block"),
    [
        ("40001,UINT,A", TagConfig("A", "UINT"), RegisterBlock("holding", 0, 1, "A")),
        ("40001-40010,uint16,A", TagConfig("A", "UINT", (10,)), RegisterBlock("holding", 0, 10, "A")),
        ("40001-40008,REAL,A", TagConfig("A", "REAL", (4,)), RegisterBlock("holding", 0, 8, "A")),
        ("holding@4,float64[2],A", TagConfig("A", "LREAL", (2,)), RegisterBlock("holding", 4, 8, "A")),
        ('input@4,"DINT[2,2]",A', TagConfig("A", "DINT", (2, 2)), RegisterBlock("input", 4, 8, "A")),
        ("10001-10008,BOOL,A", TagConfig("A", "BOOL", (8,)), RegisterBlock("discrete", 0, 8, "A")),
        ("00001,BOOL,A,,,,,true", TagConfig("A", "BOOL", (), True), RegisterBlock("coils", 0, 1, "A")),
        (
            "40001-40002,BOOL,A,,,,,1 0",
            TagConfig("A", "BOOL", (2,), (True, False)),
            RegisterBlock("holding", 0, 2, "A"),
        ),
        ("00001-00016,INT,A", TagConfig("A", "INT"), RegisterBlock("coils", 0, 16, "A")),
        ("40001,DINT,A,l,,,,-5", TagConfig("A", "DINT", (), -5, unit="l"), RegisterBlock("holding", 0, 2, "A")),
        ("40001,UINT[2],A,,,,,1 0xFFFF", TagConfig("A", "UINT", (2,), (1, 65535)), RegisterBlock("holding", 0, 2, "A")),
        ("40001,REAL,A,,,,,1e3", TagConfig("A", "REAL", (), 1000.0), RegisterBlock("holding", 0, 2, "A")),
        ("40001,STRING[5],A,,,,,He lo", TagConfig("A", "STRING", (), "He lo"), RegisterBlock("holding", 0, 3, "A")),
        ("40001-40004,STRING,A", TagConfig("A", "STRING"), RegisterBlock("holding", 0, 4, "A")),
        ("40001,STRING[100],A", TagConfig("A", "SSTRING"), RegisterBlock("holding", 0, 50, "A")),
        (
            "40001,INT,A,°C,0.1,read,,21.5,,-40",
            TagConfig("A", "REAL", (), 21.5, unit="°C"),
            RegisterBlock("holding", 0, 1, "A", access="read only", shown_as="INT", scale=0.1, offset=-40.0),
        ),
        (
            "40001,UDINT,A,,0.001",
            TagConfig("A", "LREAL"),
            RegisterBlock("holding", 0, 2, "A", shown_as="UDINT", scale=0.001),
        ),
        (
            "40001,UINT[3],A,,10",
            TagConfig("A", "REAL", (3,)),
            RegisterBlock("holding", 0, 3, "A", shown_as="UINT", scale=10.0),
        ),
        ("40001,INT,A,,1", TagConfig("A", "INT"), RegisterBlock("holding", 0, 1, "A")),
        (
            "40001,INT,A,,,,,,,,-5,5",
            TagConfig("A", "INT"),
            RegisterBlock("holding", 0, 1, "A", least=-5.0, most=5.0),
        ),
        ("40001,REAL,A,,,W,,,cdab", TagConfig("A", "REAL"), RegisterBlock("holding", 0, 2, "A", "CDAB", "write only")),
        (
            "30001,INT,A,,,R,ramp max=9 period=5s",
            TagConfig("A", "INT", signal=SignalConfig("ramp", (("max", 9.0), ("period", 5.0)))),
            RegisterBlock("input", 0, 1, "A"),
        ),
    ],
)
def test_what_a_line_makes(line: str, tag: TagConfig, block: RegisterBlock) -> None:
    assert one(line) == (tag, block)


@pytest.mark.parametrize(
    ("written", "access"),
    [
        (("read", "R", "ro", "Read Only"), "read only"),
        (("write", "w", "WO"), "write only"),
        (("", "read/write", "RW", "rw", "R/W"), "read/write"),
    ],
)
def test_access_as_manuals_have_it(written: tuple[str, ...], access: str) -> None:
    assert [one(f"40001,INT,A,,,{word}")[1].access for word in written] == [access] * len(written)


def test_the_device_says_the_order_unless_the_line_does() -> None:
    assert [one(line, "CDAB")[1].order for line in ("40001,REAL,A", "40001,REAL,A,,,,,,ABCD")] == ["CDAB", "ABCD"]


def test_comments_blank_lines_and_columns_in_any_order() -> None:
    text = "\ufeff# meter\n\nName , TYPE,address\r\n\n  # one\nA,INT,40001\n,,\n"
    found = parse_map(decode_map(text.encode(), "m.csv"))
    assert found.problems == ()
    assert [(row.line, row.tag.name, row.block.start) for row in found.rows] == [(6, "A", 0)]


@pytest.mark.parametrize(
    "text",
    [
        'address;type;name;scale;init\n40001;INT;A;0,1;"-1,5"\n',
        "address\ttype\tname\tscale\tinit\n40001\tINT\tA\t0.1\t-1.5\n",
        'address,type,name,scale,init\n"40001","INT","A","0.1","-1.5"\n',
    ],
)
def test_separators_of_spreadsheets(text: str) -> None:
    found = parse_map(text)
    assert found.problems == ()
    assert [(row.tag.initial, row.block.scale) for row in found.rows] == [(-1.5, 0.1)]


TYPES = (
    "SINT, INT, DINT, LINT, USINT, UINT, UDINT, ULINT, REAL, LREAL, BYTE, WORD, DWORD, LWORD, BOOL, STRING[n], or "
    "bool, int16, uint16, int32, uint32, int64, uint64, float32, float64"
)

BAD_LINES = {
    "40001,UNIT,A": f"type 'UNIT': wanted {TYPES}; did you mean UINT?",
    "40001,FLOAT,A": f"type 'FLOAT': wanted {TYPES}; a 32-bit float is REAL",
    "40001,INT[x],A": "type 'INT[x]': '[x]' is no array length; wanted one to three numbers as [10] or [2,3,4]",
    "40001,INT[2,A": "type 'INT[2': '[2' does not end with ']'",
    "40001,,A": "no type",
    ",INT,A": "no address",
    "40001,INT,": "no name",
    "40001,INT,A b": "name: 'A b' is no tag name; wanted a letter or _, then letters, digits, _ and :, at most 255",
    "2999,INT,A": "address '2999' could be a register number or a wire address; "
    "write 43000 or holding@2999 for wire address 2999",
    "40001-40003,REAL,A": "address: takes 3, and one REAL takes 2",
    "40001-40003,REAL[2],A": "address: takes 3, and the type 4; name the first register only",
    "465536,REAL,A": "address: 2 from wire address 65535 end beyond 65535",
    "00001,REAL,A": "type REAL: cannot be shown as a coil",
    "00001,STRING[4],A": "type STRING: cannot be shown as a coil",
    "40001,STRING,A": "type STRING: wanted its characters, as STRING[16], or a range of registers",
    "40001-40003,STRING[4],A": "address: takes 3 registers, and STRING[4] 2",
    "40001,STRING[256],A": "type STRING: 256 characters; wanted at most 254",
    "40001,STRING[4],A,,0.1": "type STRING: a text has no scale and no limits",
    "40001,STRING[100],A,,,,ramp": "signal: a signal is a number and the type is SSTRING",
    "40001,INT,A,,x": "scale 'x': wanted a number",
    "40001,INT,A,,0": "scale '0': wanted a number that is not 0",
    "40001,INT,A,,nan": "scale 'nan': wanted a number",
    "00001,BOOL,A,,0.1": "only numbers in registers have a scale or limits",
    "40001,INT,A,,,,,,,x": "offset 'x': wanted a number",
    "40001,INT,A,,,,,,,,5,1": "min 5 is above max 1",
    "40001,INT,A,,,rx": "access 'rx': wanted read, write or read/write",
    "30001,INT,A,,,rw": "access 'rw': input is read only",
    "40001,INT,A,,,,sinus": "signal: 'sinus' is no signal; wanted constant, sine, ramp, sawtooth, triangle, square, "
    "counter, noise, random_walk; did you mean sine?",
    "40001,INT,A,,,,sine min=5 max=1": "signal: sine: min 5 is above max 1",
    "40001,INT,A,,,,,70000": "init: 70000 does not fit INT; wanted -32768 to 32767",
    "40001,INT,A,,,,,1 2": "init: 2 values for 1 elements",
    "40001,INT,A,,,,,x": "init: 'x' does not fit INT; wanted -32768 to 32767",
    "40001,REAL,A,,,,,,ABDC": "order 'ABDC': wanted ABCD, CDAB, BADC, DCBA",
    f"40001,INT,A,{'x' * 33}": "unit of 33 characters: wanted at most 32 that can be printed",
    '40001,"INT,A': "cannot be parted into cells: unexpected end of data",
    "40001,INT,A,,,,,,,,,,x": "13 cells for 12 columns; put a cell with a separator in quotes",
}


@pytest.mark.parametrize(("line", "message"), BAD_LINES.items())
def test_what_a_wrong_line_is_told(line: str, message: str) -> None:
    assert said(HEAD + line) == [f"2: {message}"]


def test_every_wrong_line_is_told_at_once_and_one_message_has_all_of_it() -> None:
    text = HEAD + "\n".join(("40001,UNIT,A", "40002,INT,B", "40003,INT,C,,x,rx", "40004,INT,D,,,,,70000"))
    assert said(text) == [
        f"2: {BAD_LINES['40001,UNIT,A']}",
        "4: scale 'x': wanted a number; access 'rx': wanted read, write or read/write",
        "5: init: 70000 does not fit INT; wanted -32768 to 32767",
    ]
    assert [row.tag.name for row in parse_map(text).rows] == ["B"]


def test_names_and_registers_are_one_line_s_alone() -> None:
    lines = ("40001,INT[10],A", "40003,INT,B", "40010,REAL,C", "30010,INT,a", "40011,INT,E", "input@9,INT,F")
    assert said(HEAD + "\n".join(lines)) == [
        "3: holding 40003 is in line 2 already",
        "4: holding 40010 is in line 2 already",
        "5: name 'a' is that of line 2",
        "6: holding 40011 is in line 4 already",
        "7: input 30010 is in line 5 already",
    ]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["0: is empty; wanted a first line such as address,type,name,unit,scale,access,signal"]),
        ("# all\n\n", ["0: is empty; wanted a first line such as address,type,name,unit,scale,access,signal"]),
        ("address,type,name\n", ["1: has no registers below it"]),
        (
            "adress,type,name,name\n40001,UNIT,A\n",
            [
                "1: unknown column 'adress' (did you mean address?); column 'name' is there twice; no column address; "
                "wanted columns of address, type, name, unit, scale, access, signal, init, order, offset, min, max"
            ],
        ),
        (
            "# x\n\naddress,type,name,colour\n40001,INT,A\n40002,INT,a\n",
            [
                "3: unknown column 'colour'; wanted columns of address, type, name, unit, scale, access, signal, "
                "init, order, offset, min, max",
                "5: name 'a' is that of line 4",
            ],
        ),
        (
            "40001,INT,A\n",
            ["1: names no columns; wanted a first line such as address,type,name,unit,scale,access,signal"],
        ),
        ('"address,type,name\n', ["1: cannot be parted into cells: unexpected end of data"]),
    ],
)
def test_what_a_wrong_head_is_told(text: str, messages: list[str]) -> None:
    assert said(text) == messages


def test_a_file_that_is_no_map_is_not_read_to_its_end() -> None:
    found = said(HEAD + "40001,UNIT,A\n" * 300)
    assert (len(found), found[-1]) == (201, "202: and what follows is not read: 200 lines are wrong already")
    assert said(HEAD + "40001,INT,A\n" * 20_001) == [
        "0: has 20,001 lines; wanted at most 20,000: a line may be an array"
    ]


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(ConfigError) as caught:
        decode_map(b"address,type,name\n40001,INT,Temp\xe9\n", "meter.csv")
    assert str(caught.value) == "meter.csv:2: byte 0xE9 is not UTF-8; save the file as UTF-8"


def test_the_error_is_a_line_for_each() -> None:
    error = RegisterMapError("m.csv", (LineProblem(0, "is empty"), LineProblem(3, "no type")))
    assert (str(error), error.line) == ("m.csv: is empty\nm.csv:3: no type", 0)


def test_what_is_clear_of_blocks() -> None:
    clear = clear_of((RegisterBlock("holding", 10, 4, "own"),))
    spans = {(6, 4): True, (6, 5): False, (13, 1): False, (14, 2): True, (0, 100): False, (11, 1): False}
    assert {span: clear(RegisterBlock("holding", *span, "map")) for span in spans} == spans
    assert clear(RegisterBlock("input", 10, 4, "map"))


NUMBERS = st.sampled_from(["INT", "UINT", "DINT", "UDINT", "REAL", "LREAL", "LINT", "BYTE"])
LINES = st.lists(
    st.tuples(
        st.sampled_from(["input", "holding"]),
        NUMBERS,
        st.integers(1, 5),
        st.sampled_from(["", "0.1", "10", "-2.5"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


@given(LINES)
def test_any_whole_map_is_a_device(lines: list[tuple[str, str, int, str, bool]]) -> None:
    sizes = {"INT": 1, "UINT": 1, "BYTE": 1, "DINT": 2, "UDINT": 2, "REAL": 2, "LREAL": 4, "LINT": 4}
    at = {"input": 0, "holding": 0}
    text, wanted = "address,type,name,scale\n", []
    for index, (table, kind, length, scale, wire) in enumerate(lines):
        start, count = at[table], sizes[kind] * length
        at[table] += count
        address = f"{table}@{start}" if wire else number(table, start)
        text += f"{address},{kind}[{length}],T{index},{scale}\n"
        wanted.append((table, start, count, f"T{index}"))
    found = parse_map(text)
    assert found.problems == ()
    blocks = tuple(row.block for row in found.rows)
    assert [(block.table, block.start, block.count, block.tag) for block in blocks] == wanted
    units = (UnitConfig(1, blocks),)
    config = NodeConfig(
        "m", "modbus", "generic", "", tuple(row.tag for row in found.rows), modbus=ModbusConfig(502, units)
    )
    assert problems(config) == []


@given(st.text(max_size=300))
def test_no_text_is_too_much(text: str) -> None:
    found = parse_map(HEAD + text)
    assert isinstance(found, RegisterMap)
    assert all(problem.message and "\n" not in problem.message for problem in found.problems)


CELL = st.text(st.sampled_from(list("0149@-[]xinputhlgINTREAL. ;,\"'#=é\x00\u2028")), max_size=14)


@given(st.lists(st.lists(CELL, min_size=3, max_size=12), max_size=6))
def test_a_line_is_a_row_or_a_message(lines: list[list[str]]) -> None:
    text = HEAD + "\n".join(",".join(line) for line in lines)
    found = parse_map(text)
    bad = {problem.line for problem in found.problems if problem.line}
    assert len(bad) == len([problem for problem in found.problems if problem.line])
    meant = {
        at
        for at, line in enumerate(text.split("\n"), 1)
        if line.strip(" \r,;\t") and not line.lstrip(" \r,;\t").startswith("#")
    }
    assert bad | {row.line for row in found.rows} | {1} >= meant
