"""`cpppo.cfg`: what the CIP objects of a controller say, in a file.

    [Identity]
    # Generally, strings are not quoted
    Product Name           = 1756-L61/B LOGIX5561

    [TCPIP]
    Interface Configuration = {
        "ip_address":      "192.168.0.201",
        "domain_name":     "example.com",
    }

A section is an object, an entry one of its attributes (`node.objects.attribute_names`). The format is that of Python's
configparser: `=` or `:` after a name, lines that begin with `#` or `;` are comments, and a value goes on in lines that
are indented. A value that begins with `{` or `[` is JSON; it goes on until its brackets close, however it is indented,
and a comma may stand before a closing one. One in double quotes is a JSON text, any other is taken as it stands.

Files are read in the order of `object_file_places`; of several values for one attribute the last is used.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from node.config.model import ObjectSetting
from node.errors import ConfigError
from node.objects.attribute_names import plain
from node.objects.profiles import DEFAULT_PROFILE
from node.objects.settings import check

FILE = "cpppo.cfg"

_COMMENTS = ("#", ";")
_OPENING, _CLOSING = "{[", "}]"


def object_file_places(
    environment: Mapping[str, str], windows: bool = False, extra: Sequence[str] = ()
) -> tuple[str, ...]:
    """Where the files are looked for, the last one winning: of the whole system, of the user, of the folder one is in,
    then those named on the command line."""
    separator = "\\" if windows else "/"
    system = environment.get("APPDATA", "") if windows else "/etc"
    home = environment.get("USERPROFILE" if windows else "HOME", "")
    places = [f"{system}{separator}{FILE}"] if system else []
    places += [f"{home}{separator}.{FILE}"] if home else []
    return (*places, FILE, *extra)


def load_object_files(
    paths: Sequence[str], read: Callable[[str], str | None], profile: str = DEFAULT_PROFILE
) -> tuple[tuple[ObjectSetting, ...], tuple[str, ...]]:
    """All settings of the files that are there, in order, and those files' names. `read` gives a file's text, None
    where there is none. Raises `ConfigError` with file and line for what a device of `profile` cannot say."""
    settings: list[ObjectSetting] = []
    loaded: list[str] = []
    for path in paths:
        text = read(path)
        if text is None or path in loaded:
            continue
        loaded.append(path)
        for setting, line in parse_object_file(text, path):
            wrong = check(profile, setting.section, setting.name, setting.value)
            if wrong:
                raise ConfigError(path, line, f"[{setting.section}] {setting.name}: {wrong}")
            settings.append(setting)
    return tuple(settings), tuple(loaded)


def parse_object_file(text: str, source: str) -> list[tuple[ObjectSetting, int]]:
    """The settings of a file with the line each begins at. Raises `ConfigError` naming `source` and a line."""
    found: list[tuple[ObjectSetting, int]] = []
    seen: dict[tuple[str, str], int] = {}
    section = ""
    lines = _Lines(text)
    for number, line in lines:
        if line.startswith("["):
            section = _section(line, source, number)
            continue
        if not section:
            raise ConfigError(source, number, f"got {line!r} before any section, wanted a line as [Identity] first")
        name, value = _entry(line, source, number)
        before = seen.setdefault((plain(section), plain(name)), number)
        if before != number:
            raise ConfigError(
                source, number, f"got {name!r} of {section} twice, wanted it once; it is in line {before}"
            )
        value = value or lines.more(indented=True)[1]
        whole = _structure(value, number, lines, source) if value[:1] in tuple(_OPENING) else _plain(value, lines)
        found.append((ObjectSetting(section, name, whole), number))
    return found


class _Lines:
    """The lines that are no comments and not empty, with their numbers. `more` gives those that go on with a value."""

    def __init__(self, text: str) -> None:
        self._lines = [
            (number, line)
            for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1)
            if line.strip() and not line.lstrip().startswith(_COMMENTS)
        ]
        self._next = 0

    def __iter__(self) -> Iterator[tuple[int, str]]:
        while self._next < len(self._lines):
            number, line = self._lines[self._next]
            self._next += 1
            yield number, line.strip()

    def more(self, indented: bool) -> tuple[int, str]:
        """The next line, with `indented` only if it is; (0, "") for none."""
        if self._next >= len(self._lines):
            return 0, ""
        number, line = self._lines[self._next]
        if indented and not line[:1].isspace():
            return 0, ""
        self._next += 1
        return number, line.strip()


def _section(line: str, source: str, number: int) -> str:
    name, bracket, rest = line[1:].partition("]")
    if not bracket or not name.strip() or rest.strip():
        raise ConfigError(source, number, f"got {line!r}, wanted a section as [Identity]")
    return name.strip()


def _entry(line: str, source: str, number: int) -> tuple[str, str]:
    places = [place for place in (line.find("="), line.find(":")) if place > 0]
    if not places:
        raise ConfigError(source, number, f"got {line!r}, wanted an entry as Product Name = 1756-L61/B LOGIX5561")
    place = min(places)
    return line[:place].strip(), line[place + 1 :].strip()


def _plain(value: str, lines: _Lines) -> str:
    """A text, in JSON."""
    while line := lines.more(indented=True)[1]:
        value = f"{value}\n{line}"
    if value.startswith('"'):
        try:
            if isinstance(json.loads(value), str):
                return value
        except ValueError:
            pass
    return json.dumps(value)


def _structure(value: str, number: int, lines: _Lines, source: str) -> str:
    """The JSON that begins with `value` in line `number`, without commas before closing brackets."""
    parts, numbers = [value], [number]
    depth = _depth(value)
    while depth > 0:
        at, line = lines.more(indented=False)
        if not at:
            raise ConfigError(source, number, f"got JSON without its last {depth} closing brackets")
        depth += _depth(line)
        parts.append(line)
        numbers.append(at)
    try:
        return json.dumps(json.loads(_without_last_commas("\n".join(parts))))
    except json.JSONDecodeError as exc:
        raise ConfigError(source, numbers[exc.lineno - 1], f"got no JSON: {exc.msg}") from exc
    except RecursionError as exc:
        raise ConfigError(source, number, "got JSON of too many brackets in brackets") from exc


def _depth(text: str) -> int:
    """Brackets that are open at the end."""
    return sum((sign in _OPENING) - (sign in _CLOSING) for sign in _signs(text))


def _without_last_commas(text: str) -> str:
    """The same without a comma between a value and a closing bracket."""
    kept = list(text)
    before = last = ""
    comma = 0
    for place, sign in enumerate(_signs(text)):
        if sign.isspace():
            continue
        if sign in _CLOSING and last == "," and before not in (",", *_OPENING):
            kept[comma] = " "
        if sign == ",":
            comma = place
        before, last = last, sign
    return "".join(kept)


def _signs(text: str) -> Iterator[str]:
    """The characters, those within texts replaced by a letter."""
    quoted = escaped = False
    for character in text:
        inside = quoted
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = inside = True
        yield "x" if inside or quoted else character
