"""Operations as a person types them, and what they become: `parse_operations`.

    operation   path [ range ] [ "*" count ] [ "+" offset ] [ "=" [ "(" type ")" ] values ]
    path        Tag   Tag[1,2].Member   Program:Main.Tag   @class/instance/attribute/element   @4/5/{"connection":100}
    range       "[" first "-" last "]"                         the last index of a path
    offset      bytes behind the first element                 a part of a fragmented read or write
    values      value { "," value }, in brackets or not        12   -0x1F   1.5   "a ""quoted"" word"
    type        SINT INT DINT LINT USINT … REAL LREAL BOOL SSTRING STRING

Without a type, a quoted value makes all of them SSTRING, one with a point or an exponent REAL, and else they are INT.
The number of values is that of the elements, or of those behind the offset; without a range, as many as there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict

from node.cip.predefined import STRING
from node.cip.structure_values import encode_text
from node.cip.tag_services import STRUCTURE_TYPE
from node.cip.template import Template
from node.cip.text import SSTRING, TextType, encode_sstring, text_by_name
from node.cip.types import BOOL, INT, REAL, SINT, Type, by_code, by_name, encode_values, parse_value
from node.client.paths import PathSegment, RoutePath, encode_path, parse_target, whole_number
from node.errors import LocalProtocolError

READ, WRITE = "read", "write"
METHODS = (READ, WRITE, "get_attribute_single", "set_attribute_single", "get_attributes_all")

Datum = bool | int | float | str


class Operation(TypedDict, total=False):
    """What is to be done, as a dict that may be changed before it is issued.

    `method` is one of `METHODS`; `path` a list of segments or a text; `elements` 1 when left out; `offset` in bytes,
    which asks for the fragmented service; `tag_type` a type's code (0xCA is REAL), for a structure 0x02A0 with its
    handle in the upper half (0x0FCE02A0 is STRING), asked of the controller when left out; `data` what is written.
    `route_path` and `send_path` where they are not the connector's own.
    """

    method: str
    path: list[PathSegment] | str
    elements: int
    offset: int
    tag_type: int
    data: Sequence[object]
    route_path: RoutePath
    send_path: str | bool | list[PathSegment] | None


class OperationError(LocalProtocolError):
    """A text that is no operation: where in it, what is there, what was wanted. `column` counts from 1."""

    def __init__(self, text: str, column: int, problem: str) -> None:
        super().__init__(f"{text!r}, column {column}: {problem}")
        self.text = text
        self.column = column
        self.problem = problem


def parse_operations(
    texts: Iterable[str],
    *,
    route_path: RoutePath = None,
    send_path: str | bool | list[PathSegment] | None = None,
    int_type: int = INT.code,
) -> Iterator[Operation]:
    """The operation of each text, as they are asked for. `route_path` and `send_path` are put into each unless None.

    Raises `OperationError` when it comes to one that is wrong.
    """
    for text in texts:
        operation = parse_operation(text, int_type)
        if route_path is not None:
            operation["route_path"] = route_path
        if send_path is not None:
            operation["send_path"] = send_path
        yield operation


def parse_operation(text: str, int_type: int = INT.code) -> Operation:
    """The operation of one text. `int_type` is what whole numbers are without a type."""
    target, values, start = _halves(text)
    path, count, offset = parse_range(target, text)
    operation: Operation = {"method": READ, "path": path, "elements": 1 if count is None else count}
    if offset is not None:
        operation["offset"] = offset
    if values is not None:
        _write(operation, text, values, start, count, int_type)
    return operation


def parse_range(target: str, whole: str = "") -> tuple[list[PathSegment], int | None, int | None]:
    """Path, elements and byte offset of the left side of an operation; None for what is not said."""
    text = whole or target
    target, offset = _suffix(target, "+", text, "a byte offset")
    target, count = _suffix(target, "*", text, "a number of elements")
    stripped = target.rstrip()
    if stripped.endswith("]"):
        head, _, body = stripped[:-1].rpartition("[")
        before, comma, last = body.rpartition(",")
        first, dash, end = last.partition("-")
        if dash:
            column = text.find(last, len(head)) + 1
            low, high = (_index(part, text, column) for part in (first, end))
            if high < low:
                raise OperationError(text, column, f"the range {last.strip()} ends before it begins")
            target, count = f"{head}[{before}{comma}{low}]", high - low + 1
        elif count is None:
            count = 1
    if count is not None and not 0 < count <= 0xFFFF:
        raise OperationError(text, 1, f"{count} elements; 1 to 65535 can be asked for at once")
    try:
        path = parse_target(target)
        encode_path(path)
    except OperationError:
        raise
    except LocalProtocolError as exc:
        raise OperationError(text, 1, str(exc).removeprefix(f"{target!r}: ")) from exc
    return path, count, offset


def type_named(name: str) -> Type | TextType | Template | None:
    """The type that a cast names, in any case."""
    return by_name(name) or text_by_name(name) or (STRING if name.upper() == STRING.name else None)


def tag_type_code(kind: Type | TextType | Template) -> int:
    """A type as an operation's `tag_type`."""
    return STRUCTURE_TYPE | kind.handle << 16 if isinstance(kind, Template) else kind.code


def _halves(text: str) -> tuple[str, str | None, int]:
    """What is left and right of the equals sign that is not within braces, and where the right begins."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if char == "=" and not depth:
            return text[:at], text[at + 1 :], at + 1
    return text, None, 0


def _suffix(target: str, mark: str, text: str, what: str) -> tuple[str, int | None]:
    """The number behind the last `mark`, when there is one that is not within braces or brackets."""
    head, found, number = target.rpartition(mark)
    if not found or any(char in number for char in "]}"):
        return target, None
    try:
        return head, whole_number(number, text, what)
    except LocalProtocolError as exc:
        raise OperationError(text, len(head) + 2, f"{number.strip()!r} where {what} was wanted") from exc


def _index(word: str, text: str, column: int) -> int:
    try:
        return whole_number(word, text, "an index")
    except LocalProtocolError as exc:
        raise OperationError(text, column, f"{word.strip()!r} where an index was wanted, as in [1-5]") from exc


def _write(operation: Operation, text: str, values: str, start: int, count: int | None, int_type: int) -> None:
    kind, values, start = _cast(text, values, start)
    words = _words(text, *_unbracketed(text, values, start))
    kind = kind or _implied(words, int_type)
    data = [_value(text, kind, *word) for word in words]
    size = kind.size if isinstance(kind, Type) else 0
    before, odd = divmod(operation.get("offset", 0), size or 1)
    if "offset" in operation and (odd or not size):
        problem = f"a byte offset of {operation['offset']} is between elements of {kind.name}"
        raise OperationError(text, text.find("+") + 1, problem if size else f"{kind.name} has no byte offsets")
    elements = before + len(data) if count is None else count
    if elements - before != len(data):
        got = f"{len(data)} value{'s' if len(data) != 1 else ''}"
        raise OperationError(text, start + 1, f"{got} where {max(elements - before, 0)} were wanted")
    operation.update({"method": WRITE, "elements": elements, "tag_type": tag_type_code(kind), "data": data})


def _cast(text: str, values: str, start: int) -> tuple[Type | TextType | Template | None, str, int]:
    stripped = values.lstrip()
    start += len(values) - len(stripped)
    if not stripped.startswith("("):
        return None, stripped, start
    name, closed, rest = stripped[1:].partition(")")
    kind = type_named(name.strip())
    if not closed or kind is None:
        raise OperationError(
            text, start + 1, f"{name.strip()!r} is no type; wanted one like (DINT), (REAL) or (SSTRING)"
        )
    return kind, rest, start + len(name) + 2


def _unbracketed(text: str, values: str, start: int) -> tuple[str, int]:
    stripped = values.strip()
    if not stripped.startswith("["):
        return values, start
    if not stripped.endswith("]"):
        raise OperationError(text, len(text), "wanted a ] behind the values")
    return stripped[1:-1], start + values.find("[") + 1


def _words(text: str, values: str, start: int) -> list[tuple[str, bool, int]]:
    """(word, quoted, column) of each value between commas."""
    words: list[tuple[str, bool, int]] = []
    at = 0
    while True:
        while at < len(values) and values[at].isspace():
            at += 1
        column = start + at + 1
        if values[at : at + 1] == '"':
            word, at = _quoted(text, values, at, start)
        else:
            end = values.find(",", at)
            end = len(values) if end < 0 else end
            word, at = values[at:end].strip(), end
        words.append((word, values[column - start - 1 : column - start] == '"', column))
        if at >= len(values):
            return words
        at += 1


def _quoted(text: str, values: str, at: int, start: int) -> tuple[str, int]:
    word = ""
    begun = at
    at += 1
    while at < len(values):
        if values[at] != '"':
            word += values[at]
        elif values[at + 1 : at + 2] == '"':
            word += '"'
            at += 1
        else:
            rest = values[at + 1 :]
            after = len(rest) - len(rest.lstrip())
            if rest.strip() and rest[after] != ",":
                raise OperationError(
                    text, start + at + 2 + after, f"{rest[after]!r} where a comma or the end was wanted"
                )
            return word, at + 1 + after
        at += 1
    raise OperationError(text, start + begun + 1, "a text without a closing quote")


def _implied(words: list[tuple[str, bool, int]], int_type: int) -> Type | TextType | Template:
    if any(quoted for _, quoted, _ in words):
        return SSTRING
    if any(_is_fraction(word) for word, _, _ in words):
        return REAL
    return by_code(int_type) or INT


def _is_fraction(word: str) -> bool:
    if "x" in word.lower():
        return False
    if "." in word:
        return True
    try:
        float(word)
    except ValueError:
        return False
    return "e" in word.lower() or not word.strip("+-").replace("_", "").isdigit()


def _value(text: str, kind: Type | TextType | Template, word: str, quoted: bool, column: int) -> Datum:
    try:
        if isinstance(kind, TextType):
            encode_sstring(word)
            return word
        if isinstance(kind, Template):
            encode_text(kind, word)
            return word
        if quoted or not word:
            raise LocalProtocolError(f"{word!r} where a value of {kind.name} was wanted")
        sign = word[:1] if word[:1] in "+-" else ""
        bare = word[len(sign) :]
        number = parse_value(kind, sign + (bare.lstrip("0") or "0") if bare.isdigit() else word)
        if kind is SINT and 0x7F < number <= 0xFF:
            number = int(number) - 0x100  # raw bytes are written as SINT, and shown without a sign
        encode_values(kind, [number])
    except LocalProtocolError as exc:
        raise OperationError(text, column, str(exc)) from exc
    return bool(number) if kind is BOOL else number
