"""What is wrong with a plant file: every fault, in order of place, each with its line, a caret and a code.

A person who is told one fault at a time starts the farm ten times. So nothing here raises until all is read; and one
fault in a template that four hundred nodes use is one message that names the first of them, not four hundred.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from farm.errors import TopologyError
from farm.topology.document import Node, Source

CODES: dict[str, str] = {
    "F001": "the file cannot be read",
    "F002": "the text is not YAML",
    "F003": "the YAML is larger or deeper than allowed",
    "F004": "a key stands twice",
    "F005": "a YAML tag or an unknown anchor",
    "F006": "an include that cannot be followed",
    "F010": "an unknown key",
    "F011": "a key that must be there is missing",
    "F012": "not the kind of value this key takes",
    "F013": "a value outside what is allowed",
    "F014": "a key of a later release",
    "F015": "the schema version is not known",
    "F016": "a name that cannot be used",
    "F020": "an expression that cannot be read",
    "F021": "a variable that is not set",
    "F022": "a setting that nothing uses",
    "F023": "variables that refer to each other in a circle",
    "F030": "an unknown kind",
    "F031": "kinds that extend each other in a circle",
    "F032": "an unknown template",
    "F033": "an unknown network",
    "F034": "an unknown profile",
    "F035": "a node without a kind, or an override of nothing",
    "F036": "two nodes of one name",
    "F037": "more nodes, or more values, than allowed",
    "F038": "a protocol the node's kind does not speak",
    "F040": "a subnet that cannot be used",
    "F041": "an address outside its network",
    "F042": "an address given twice",
    "F043": "no free address left",
    "F044": "the lock file cannot be used",
    "F045": "a gateway that cannot be",
    "F046": "keys of a network or interface that contradict each other",
    "F047": "a MAC address that cannot be used",
    "F048": "a default gateway that is none",
    "F049": "a rule of a gateway that cannot be read, or names nothing",
    "F050": "an unknown type",
    "F051": "an unknown signal or parameter",
    "F052": "a value that does not fit its type",
    "F053": "two tags of one name or address in a node",
    "F054": "an alias of nothing",
    "F055": "keys of a tag that contradict each other",
    "F056": "a member that is none, or is given twice",
    "F057": "a type that cannot be",
    "F058": "a tag that its device cannot have",
    "F060": "a register number that cannot be used",
    "F061": "register blocks that overlap",
    "F062": "a register block that does not fit its tag or type",
    "F063": "a Modbus unit given twice",
    "F064": "a serial number given twice",
    "F065": "an object's attribute that cannot be set so",
    "F066": "a link that cannot be",
    "F067": "a pattern of links that is no node's",
    "F068": "a serial device given to two nodes",
    "F069": "ways to reach a node by Modbus that contradict each other",
    "F070": "something declared and never used",
    "F071": "something that this backend cannot do",
    "F072": "a group that cannot be scaled",
    "F073": "a register map, or a line of one, that cannot be used",
    "F074": "a tag that runs code of its own",
    "F075": "an unknown host",
    "F076": "a host that cannot be",
}
"""Message codes, each explained in docs/topology.md; a code is never given to another message."""

_SEVERAL = frozenset(("F011",))
"""Codes that one place can have more than once: a map may lack two keys."""

MAX_TEXT = 400
"""Characters of a message, and of a hint; what they quote may be hostile."""

MAX_PROBLEMS = 200
"""Reading stops here: a file with so many faults is another kind of file."""

MAX_SUGGESTED = 200
MAX_LOOKED_AT = 2000
"""Words that a slip is compared with; of more, those of its length among the first ones."""

_TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s,:{}\[\]]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One message. `file` is the path as shown, `line` and `column` count from 1 (0: the file as a whole), `severity`
    is `error` or `warning`, `hint` says what to do ("" if nothing), `excerpt` is the source line with a caret."""

    file: str
    line: int
    column: int
    severity: str
    code: str
    message: str
    hint: str = ""
    excerpt: str = ""

    @property
    def headline(self) -> str:
        """The message on one line."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        hint = f" - {self.hint}" if self.hint else ""
        return f"{place}: {self.severity}: {self.message}{hint} [{self.code}]"

    def __str__(self) -> str:
        return f"{self.headline}\n{self.excerpt}" if self.excerpt else self.headline


class TopologyProblems(TopologyError):
    """A plant file with faults. `problems` are all of them, warnings too, in order of place."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        errors = sum(problem.severity == "error" for problem in problems)
        total = [_count(errors, "error"), _count(len(problems) - errors, "warning")]
        super().__init__("\n".join([*map(str, problems), ", ".join(filter(None, total))]))


@dataclass(slots=True)
class Place:
    """A place that is no value of the tree: a file as a whole (line 0), or where a parser stopped."""

    source: Source
    line: int = 0
    column: int = 0


@dataclass(slots=True)
class _Finding:
    place: Node | Place
    severity: str
    code: str
    message: str
    hint: str
    subject: str
    others: int = 0


class TooManyError(Exception):
    """So many faults that looking further helps nobody."""


@dataclass(slots=True)
class Report:
    """Collects problems. `subject` is the node being built: a fault found in several is told once. `noted` counts how
    often something was noted, repetitions too."""

    subject: str = ""
    noted: int = 0
    _findings: dict[tuple[object, ...], _Finding] = field(default_factory=dict)
    _order: dict[str, int] = field(default_factory=dict)

    def error(self, code: str, place: Node | Place, message: str, hint: str = "") -> None:
        """Note a fault; nothing is raised before `raise_errors`, unless there are more than `MAX_PROBLEMS`."""
        self._add("error", code, place, message, hint)

    def warning(self, code: str, place: Node | Place, message: str, hint: str = "") -> None:
        """Note something that works but is hardly meant."""
        self._add("warning", code, place, message, hint)

    @property
    def failed(self) -> bool:
        """Whether any error was noted."""
        return any(finding.severity == "error" for finding in self._findings.values())

    def raise_errors(self) -> None:
        """Raise `TopologyProblems` when any error was noted."""
        if self.failed:
            raise TopologyProblems(self.problems())

    def problems(self) -> list[Problem]:
        """Everything noted, by file in the order files were read, then by line and column."""
        found = sorted(self._findings.values(), key=self._place)
        return [_problem(finding) for finding in found]

    def _add(self, severity: str, code: str, place: Node | Place, message: str, hint: str) -> None:
        if code not in CODES:
            raise KeyError(code)
        self.noted += 1
        name = place.source.name
        self._order.setdefault(name, len(self._order))
        spot = (code, name, place.line, place.column, message if code in _SEVERAL or not place.line else "")
        known = self._findings.get(spot)
        if known is not None:
            known.others += bool(known.subject) and known.subject != self.subject
            return
        self._findings[spot] = _Finding(place, severity, code, _cut(message), _cut(hint), self.subject)
        if len(self._findings) >= MAX_PROBLEMS:
            raise TooManyError

    def _place(self, finding: _Finding) -> tuple[int, int, int]:
        return self._order[finding.place.source.name], finding.place.line, finding.place.column


def _problem(finding: _Finding) -> Problem:
    place = finding.place
    message = finding.message
    if finding.subject and (finding.others or f"'{finding.subject}'" not in message):
        more = f" and {finding.others} more" if finding.others else ""
        message = f"{message} (in '{finding.subject}'{more})"
    return Problem(
        file=place.source.name,
        line=place.line,
        column=place.column,
        severity=finding.severity,
        code=finding.code,
        message=message,
        hint=finding.hint,
        excerpt=_excerpt(place),
    )


def _excerpt(place: Node | Place) -> str:
    """The source line under its number, and a caret under the token at the place."""
    lines = place.source.lines
    if not 0 < place.line <= len(lines):
        return ""
    line, start = lines[place.line - 1], place.column - 1
    first = max(0, start - 80)
    shown = "".join(letter if letter.isprintable() else " " for letter in line[first : first + 160])
    token = _TOKEN.match(line, start)
    width = min(len(token.group()) if token else 1, max(1, len(shown) - (start - first)))
    number = f"{place.line:5} | "
    return f"{number}{shown.rstrip()}\n{' ' * (len(number) - 2)}| {' ' * (start - first)}^{'~' * (width - 1)}"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """ "did you mean …?" for the known word closest to a wrong one; "" when none is close."""
    names = list(known)
    if len(names) > MAX_SUGGESTED:
        names = [name for name in names[:MAX_LOOKED_AT] if abs(len(name) - len(word)) <= 2][:MAX_SUGGESTED]
    close = difflib.get_close_matches(word[:64], names, n=1, cutoff=0.6)
    if not close:
        lower = {name.lower(): name for name in names}
        close = [lower[word.lower()]] if word.lower() in lower else []
    if not close:
        close = [name for name in names if len(word) > 2 and (word in name or name in word)][:1]
    return f"did you mean '{close[0]}'?" if close else ""
