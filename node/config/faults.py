"""Faults that are wanted: what is to go wrong with a node, as plain data with one check and one line of text.

A farm reads them from its command line and its pages, a node from its commands; both ask here, so that a mistake is the
same clear line everywhere.

    {"kind": "offline"}                                               nobody reaches the node
    {"kind": "refuse"}                                                no new connection is taken
    {"kind": "slow", "seconds": 0.2}                                  each reply comes so much later
    {"kind": "slow", "distribution": "normal", "mean": 0.2, "deviation": 0.05, "most": 1}
    {"kind": "slow", "distribution": "pareto", "scale": 0.05, "shape": 1.5, "most": 5}
    {"kind": "drop", "percent": 10}                                   so many requests are not answered
    {"kind": "reset", "after": 20}                                    a connection is reset at the request after these
    {"kind": "close", "after": 20}                                    the same, but in good order
    {"kind": "status", "code": 8 or [255, 8453], "tag": "Level"}      all requests, or accesses to a tag, are refused
    {"kind": "exception", "code": 4, "every": 10}                     a Modbus request is refused with it
    {"kind": "truncate", "percent": 100, "keep": 10}                  a reply ends early, and its connection with it
    {"kind": "corrupt", "percent": 100}                               a byte behind a reply's header is another
    {"kind": "wrong-transaction", "percent": 100}                     a reply names another request than it answers
    {"kind": "wrong-unit", "percent": 100}                            a Modbus reply is another unit's
    {"kind": "freeze", "tag": "Level"}                                a tag's value stands still
    {"kind": "bias", "tag": "Level", "by": 5.0}                       it is off by so much
    {"kind": "spike", "tag": "Level", "by": 50, "percent": 5}         so many reads of it are
    {"kind": "bad-quality", "tag": "Level"}                           it has no value worth the name

Each may have `for` (seconds until it ends by itself) and `seed` (another course of chance). A `tag` may be a path, as
`Line[3].Speed`, and "*" is all tags. `percent` is 100 where it is not given; in its place those of replies, and `slow`,
may have `every`: 10 is each tenth request of a protocol.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from node.cip.status import GENERAL_STATUS
from node.config.hint import closest
from node.config.model import Json
from node.errors import ConfigError
from node.modbus.functions import EXCEPTIONS
from node.record import dataclass

OFFLINE = "offline"
REFUSE = "refuse"
SLOW = "slow"
DROP = "drop"
RESET = "reset"
CLOSE = "close"
STATUS = "status"
EXCEPTION = "exception"
TRUNCATE = "truncate"
CORRUPT = "corrupt"
WRONG_TRANSACTION = "wrong-transaction"
WRONG_UNIT = "wrong-unit"
FREEZE = "freeze"
BIAS = "bias"
SPIKE = "spike"
BAD_QUALITY = "bad-quality"

FIXED, NORMAL, PARETO = "fixed", "normal", "pareto"
ALL_TAGS = "*"

LONGEST = 3600.0
"""Seconds that a reply may be late."""
CONNECTION_REQUESTS = 1_000_000_000
FRAME = 65_559
"""Bytes of the longest frame."""


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One fault. Times in seconds; `code` is a general status and perhaps an extended one, or a Modbus exception;
    `every` 0 where `percent` says how often; `tag` "" where there is none; `keep` bytes of a reply, 0 for half of it;
    `lasts` None for ever. Only what `kind` has means anything."""

    kind: str
    seconds: float = 0.0
    distribution: str = FIXED
    mean: float = 0.0
    deviation: float = 0.0
    scale: float = 0.0
    shape: float = 0.0
    most: float | None = None
    percent: float = 100.0
    every: int = 0
    after: int = 0
    code: tuple[int, ...] = ()
    tag: str = ""
    by: float = 0.0
    keep: int = 0
    lasts: float | None = None
    seed: int = 0

    @property
    def text(self) -> str:
        """What goes wrong, in a few words: `slow by 200 ms`, `status 0x08 service not supported of Level`."""
        of = "" if not self.tag else " of all tags" if self.tag == ALL_TAGS else f" of {self.tag}"
        return _TEXTS[self.kind](self) + of

    def dump(self) -> dict[str, Json]:
        """Plain JSON that `parse_fault` takes, without what is as it would be anyway."""
        body: dict[str, Json] = {"kind": self.kind}
        for key in (*_form(self.kind, self.distribution), *COMMON):
            name = "lasts" if key == "for" else key
            value = getattr(self, name)
            if value != getattr(_PLAIN, name) or key in _required(self.kind, self.distribution):
                body[key] = value
        if self.code:
            body["code"] = self.code[0] if len(self.code) == 1 else list(self.code)
        return body


def parse_fault(body: object, source: str = "fault") -> FaultSpec:
    """The fault that `body`, a map of plain JSON, describes. Raises `ConfigError` naming `source`: one line with what
    was got and what was wanted."""
    if not isinstance(body, Mapping):
        raise ConfigError(source, 0, f"got {_short(body)}; wanted a map such as {{'kind': 'slow', 'seconds': 0.2}}")
    kind = body.get("kind")
    if kind not in KINDS:
        got = "a fault without a kind" if kind is None else f"there is no fault {_short(kind)}"
        near = closest(kind, KINDS) if isinstance(kind, str) else None
        hint = f"; did you mean {near}?" if near else f"; wanted one of {', '.join(KINDS)}"
        raise ConfigError(source, 0, got + hint)
    distribution = body.get("distribution", FIXED) if kind == SLOW else FIXED
    if distribution not in tuple(DISTRIBUTIONS):  # it may be anything, and not all of that can be hashed
        wanted = ", ".join(DISTRIBUTIONS)
        raise ConfigError(source, 0, f"slow: distribution: got {_short(distribution)}; wanted one of {wanted}")
    what = kind if distribution == FIXED else f"{kind}, {distribution}"
    form = _form(kind, distribution)
    known = ("kind", *form, *COMMON)
    for key in body:
        if key not in known:
            raise ConfigError(source, 0, f"{what}: unknown key {_short(key)}; it takes {', '.join(known[1:])}")
    for key in form:
        if key not in body and key in _required(kind, distribution):
            raise ConfigError(source, 0, f"{what}: {key} is missing: {_wanted(kind, key)} is wanted")
    values = {}
    for key, value in body.items():
        if key != "kind":
            try:
                values["lasts" if key == "for" else key] = _READERS[key](value)
            except ValueError:
                raise ConfigError(
                    source, 0, f"{what}: {key}: got {_short(value)}; wanted {_wanted(kind, key)}"
                ) from None
    if "percent" in body and "every" in body:
        raise ConfigError(source, 0, f"{what}: percent and every: one of them says how often")
    if kind == EXCEPTION and len(values["code"]) > 1:
        raise ConfigError(source, 0, f"{what}: code: got {_short(body['code'])}; wanted {EXCEPTION_WANTED}")
    return FaultSpec(kind, **values)


def keys_of(kind: str) -> tuple[str, ...]:
    """The keys that a kind of fault may have, beside those that all have."""
    return (
        ("seconds", "distribution", "mean", "deviation", "scale", "shape", "most", "every")
        if kind == SLOW
        else _FORMS[kind]
    )


_FORMS: Mapping[str, tuple[str, ...]] = {
    OFFLINE: (),
    REFUSE: (),
    SLOW: ("seconds", "most", "every"),
    DROP: ("percent", "every"),
    RESET: ("after",),
    CLOSE: ("after",),
    STATUS: ("code", "tag"),
    EXCEPTION: ("code", "percent", "every"),
    TRUNCATE: ("percent", "every", "keep"),
    CORRUPT: ("percent", "every"),
    WRONG_TRANSACTION: ("percent", "every"),
    WRONG_UNIT: ("percent", "every"),
    FREEZE: ("tag",),
    BIAS: ("tag", "by"),
    SPIKE: ("tag", "by", "percent"),
    BAD_QUALITY: ("tag",),
}
KINDS = tuple(_FORMS)
DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    FIXED: ("seconds",),
    NORMAL: ("mean", "deviation"),
    PARETO: ("scale", "shape"),
}
COMMON = ("for", "seed")
"""What every fault may have."""
REQUIRED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    SLOW: DISTRIBUTIONS,
    RESET: {FIXED: ("after",)},
    CLOSE: {FIXED: ("after",)},
    STATUS: {FIXED: ("code",)},
    EXCEPTION: {FIXED: ("code",)},
    FREEZE: {FIXED: ("tag",)},
    BIAS: {FIXED: ("tag", "by")},
    SPIKE: {FIXED: ("tag", "by")},
    BAD_QUALITY: {FIXED: ("tag",)},
}
"""What must be there, by kind and distribution."""
FRAME_FAULTS = frozenset((SLOW, DROP, RESET, CLOSE, EXCEPTION, TRUNCATE, CORRUPT, WRONG_TRANSACTION, WRONG_UNIT))
"""What befalls frames, whatever they are about. A status does where it names no tag."""
PORT_FAULTS = frozenset((OFFLINE, REFUSE))
MODBUS_FAULTS = frozenset((EXCEPTION, WRONG_UNIT))
"""What there is of Modbus alone."""
NUMERIC = frozenset((BIAS, SPIKE))
"""What can only befall numbers."""


def _form(kind: str, distribution: str) -> tuple[str, ...]:
    """The keys of a kind of fault, beside those that all have."""
    return ("distribution", *DISTRIBUTIONS[distribution], "most", "every") if kind == SLOW else _FORMS[kind]


def _required(kind: str, distribution: str) -> tuple[str, ...]:
    """Those of them that must be there."""
    return REQUIRED.get(kind, {}).get(distribution, ())


def _number(low: float, high: float, open_at_low: bool = False) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError
        try:
            number = float(value)
        except OverflowError as exc:  # a whole number of any length, as JSON has them
            raise ValueError from exc
        if (open_at_low and number == low) or not math.isfinite(number):
            raise ValueError
        return number

    return read


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return read


def parse_code(value: object) -> tuple[int, ...]:
    """A general status (1 to 255), perhaps with an extended one: `8`, `"0x08"`, `[255, 8453]`, `"255,8453"`. Raises
    `ValueError`."""
    given = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    codes = [int(each, 0) if isinstance(each, str) else each for each in given]
    if not 1 <= len(codes) <= 2:
        raise ValueError
    return tuple(_whole(low, high)(code) for code, (low, high) in zip(codes, ((1, 0xFF), (0, 0xFFFF)), strict=False))


def _tag(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > 500:
        raise ValueError
    return value.strip()


def _one_of(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


_TIME = _number(0.0, LONGEST)
_READERS: Mapping[str, Callable[[object], Any]] = {
    "seconds": _TIME,
    "distribution": _one_of,
    "mean": _TIME,
    "deviation": _TIME,
    "scale": _number(0.0, LONGEST, True),
    "shape": _number(0.1, 1e6),
    "most": _number(0.0, LONGEST, True),
    "percent": _number(0.0, 100.0, True),
    "every": _whole(1, CONNECTION_REQUESTS),
    "after": _whole(0, CONNECTION_REQUESTS),
    "code": parse_code,
    "tag": _tag,
    "by": _number(-math.inf, math.inf),
    "keep": _whole(1, FRAME),
    "for": _number(0.0, math.inf, True),
    "seed": _whole(-(2**63), 2**63 - 1),
}
CODE_WANTED = "a general status 1 to 255, as 8 or '0x08', or with an extended one, as [255, 8453]"
EXCEPTION_WANTED = "a Modbus exception 1 to 255, as 4"
_SECONDS = f"seconds, 0 to {LONGEST:g}"
_ABOVE = f"seconds above 0, {LONGEST:g} at most"
_WANTED: Mapping[str, str] = {
    "seconds": _SECONDS,
    "mean": _SECONDS,
    "deviation": _SECONDS,
    "scale": _ABOVE,
    "shape": "a number of 0.1 or more, as 1.5",
    "most": _ABOVE,
    "percent": "per cent above 0, 100 at most",
    "every": "a number of requests, 1 or more",
    "after": "a number of requests, 0 or more",
    "code": CODE_WANTED,
    "tag": "a tag's name, or '*' for all",
    "by": "a finite number",
    "keep": "a number of bytes, 1 or more",
    "for": "seconds above 0",
    "seed": "a whole number of 64 bits",
}


def _wanted(kind: str, key: str) -> str:
    return EXCEPTION_WANTED if (kind, key) == (EXCEPTION, "code") else _WANTED[key]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _time(seconds: float) -> str:
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def _status(fault: FaultSpec) -> str:
    general, *extended = fault.code
    more = "".join(f"/0x{code:04X}" for code in extended)
    name = GENERAL_STATUS.get(general, "")
    return f"status 0x{general:02X}{more}" + (f" {name}" if name else "")


def _exception(fault: FaultSpec) -> str:
    name = EXCEPTIONS.get(fault.code[0], "")
    return _often(f"exception {fault.code[0]:02X}" + (f" {name}" if name else "") + " in")(fault)


def _slow(fault: FaultSpec) -> str:
    if fault.distribution == NORMAL:
        how = f"{_time(fault.mean)} ± {_time(fault.deviation)}"
    elif fault.distribution == PARETO:
        how = f"{_time(fault.scale)} or more (pareto {fault.shape:g})"
    else:
        how = _time(fault.seconds)
    most = "" if fault.most is None else f", {_time(fault.most)} at most"
    return f"slow by {how}{most}" + (f", every {fault.every} requests" if fault.every > 1 else "")


def _often(what: str) -> Callable[[FaultSpec], str]:
    def text(fault: FaultSpec) -> str:
        if fault.every > 1:
            return f"{what} 1 of {fault.every} replies"
        return f"{what} {'every reply' if fault.percent == 100 else f'{fault.percent:g} % of replies'}"

    return text


def _truncate(fault: FaultSpec) -> str:
    return _often("truncate")(fault) + (f" to {fault.keep} bytes" if fault.keep else "")


_TEXTS: Mapping[str, Callable[[FaultSpec], str]] = {
    OFFLINE: lambda fault: "offline",
    REFUSE: lambda fault: "refuse connections",
    SLOW: _slow,
    DROP: _often("drop"),
    RESET: lambda fault: f"reset after {fault.after} requests",
    CLOSE: lambda fault: f"close after {fault.after} requests",
    STATUS: _status,
    EXCEPTION: _exception,
    TRUNCATE: _truncate,
    CORRUPT: _often("corrupt"),
    WRONG_TRANSACTION: _often("wrong transaction id in"),
    WRONG_UNIT: _often("wrong unit in"),
    FREEZE: lambda fault: "freeze",
    BIAS: lambda fault: f"bias by {fault.by:g}",
    SPIKE: lambda fault: f"spike by {fault.by:g} in {fault.percent:g} % of reads",
    BAD_QUALITY: lambda fault: "bad quality",
}
_PLAIN = FaultSpec("")
