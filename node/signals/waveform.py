"""Values that move, as functions of time: value = waveform(t), t in seconds since the plant started.

No signal keeps state that matters: the same parameters, seed and t give the same value on any host, after any restart
and in any order of reading, and a tag nobody reads costs nothing. A signal that stepped on a timer would need 50,000
timers in a large plant and would show another past after each restart.

Chance comes from a hash of (seed, step number). The random walk lives in `node.signals.walk`.
"""

import math
from collections.abc import Callable, Mapping

from node.errors import ConfigError
from node.record import dataclass
from node.signals.chance import gauss
from node.signals.walk import RandomWalk, fold

Waveform = Callable[[float], float]
Values = Mapping[str, float]

SECONDS = "s"
"""The unit of a parameter that is a duration; other units are "" (the tag's own) and "1/s"."""


SHORTEST = 0.001
"""Seconds; the shortest period or interval."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a signal. `default` None means that it may be left out and then has no effect (or follows from
    others, as `meaning` says); `unit` is `SECONDS`, "1/s", "" for the tag's own, or "fraction"."""

    name: str
    default: float | None
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """A kind of signal: its parameters in order, and how to make a waveform of their values and a seed.

    `wraps`: an integer tag takes the value modulo its type's range, as a counter does, where others are clamped."""

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]
    build: Callable[[Values, int], Waveform]
    seeded: bool = False
    wraps: bool = False

    @property
    def defaults(self) -> dict[str, float]:
        """Parameter name to default, for those that have one."""
        return {parameter.name: parameter.default for parameter in self.parameters if parameter.default is not None}


def _constant(values: Values, seed: int) -> Waveform:
    value = values["value"]
    return lambda t: value


def _sine(values: Values, seed: int) -> Waveform:
    if "mean" in values or "amplitude" in values:
        mean, amplitude = values.get("mean", 0.0), values.get("amplitude", 1.0)
    else:
        low, high = values.get("min", 0.0), values.get("max", 100.0)
        mean, amplitude = (low + high) / 2, (high - low) / 2
    turn, phase, sin = 2 * math.pi / values["period"], values["phase"], math.sin
    return lambda t: mean + amplitude * sin(turn * (t + phase))


def _ramp(values: Values, seed: int) -> Waveform:
    low, span, period, phase = values["min"], values["max"] - values["min"], values["period"], values["phase"]
    return lambda t: low + span * ((t + phase) % period) / period


def _triangle(values: Values, seed: int) -> Waveform:
    low, span, period, phase = values["min"], values["max"] - values["min"], values["period"], values["phase"]
    return lambda t: low + span * (1 - abs(2 * ((t + phase) % period) / period - 1))


def _square(values: Values, seed: int) -> Waveform:
    low, high, period, phase = values["min"], values["max"], values["period"], values["phase"]
    on = values["duty"] * period
    return lambda t: high if (t + phase) % period < on else low


def _counter(values: Values, seed: int) -> Waveform:
    start, rate, step, low = values["start"], values["per_second"], values["step"], values["min"]
    floor, wrap = math.floor, values.get("wrap")
    if wrap is None:
        return lambda t: start + step * floor(t * rate)
    return lambda t: low + (start - low + step * floor(t * rate)) % (wrap - low)


def _noise(values: Values, seed: int) -> Waveform:
    mean, sigma, interval = values["mean"], values["sigma"], values["interval"]
    low, high = values.get("min", -math.inf), values.get("max", math.inf)
    return lambda t: min(max(mean + sigma * gauss(seed, 0, int(t // interval)), low), high)


def _random_walk(values: Values, seed: int) -> Waveform:
    low, high = values.get("min"), values.get("max")
    start = values.get("start")
    if start is None:
        start = (low + high) / 2 if low is not None and high is not None else fold(0.0, low, high)
    step, interval, revert = values["step"], values["interval"], values["revert"]
    return RandomWalk(seed, start=start, step=step, interval=interval, low=low, high=high, revert=revert).value


_MIN = Parameter("min", 0.0, "lowest value")
_MAX = Parameter("max", 100.0, "highest value")
_PERIOD = Parameter("period", 60.0, "time of one turn", SECONDS)
_PHASE = Parameter("phase", 0.0, "how far into its turn it starts", SECONDS)
_SPREAD = Parameter("spread", 0.0, "element i of an array is this much times i ahead", SECONDS)
_INTERVAL = Parameter("interval", 1.0, "time between two steps", SECONDS)

_SIGNALS = (
    Signal("constant", "one value, always", (Parameter("value", 0.0, "the value"), _SPREAD), _constant),
    Signal(
        "sine",
        "a sine between min and max, or around mean by amplitude",
        (
            Parameter("min", None, "lowest value (0)"),
            Parameter("max", None, "highest value (100)"),
            Parameter("mean", None, "middle; instead of min and max"),
            Parameter("amplitude", None, "greatest distance from the mean (1)"),
            _PERIOD,
            _PHASE,
            _SPREAD,
        ),
        _sine,
    ),
    Signal("ramp", "rises from min to max and falls back at once", (_MIN, _MAX, _PERIOD, _PHASE, _SPREAD), _ramp),
    Signal("sawtooth", "another name of ramp", (_MIN, _MAX, _PERIOD, _PHASE, _SPREAD), _ramp),
    Signal("triangle", "rises from min to max and falls as slowly", (_MIN, _MAX, _PERIOD, _PHASE, _SPREAD), _triangle),
    Signal(
        "square",
        "max for a part of the period, then min",
        (
            _MIN,
            Parameter("max", 1.0, "highest value"),
            _PERIOD,
            Parameter("duty", 0.5, "part of the period at max", "fraction"),
            _PHASE,
            _SPREAD,
        ),
        _square,
    ),
    Signal(
        "counter",
        "counts up from start; an integer tag wraps at its type's limit unless told earlier",
        (
            Parameter("start", 0.0, "first value"),
            Parameter("per_second", 1.0, "counts a second", "1/s"),
            Parameter("step", 1.0, "added by each count"),
            Parameter("min", 0.0, "where it goes on after a wrap"),
            Parameter("wrap", None, "never reached: it goes on at min instead"),
            _SPREAD,
        ),
        _counter,
        wraps=True,
    ),
    Signal(
        "noise",
        "independent normal values, a new one each interval",
        (
            Parameter("mean", 0.0, "middle"),
            Parameter("sigma", 1.0, "standard deviation"),
            Parameter("min", None, "cut off below"),
            Parameter("max", None, "cut off above"),
            _INTERVAL,
            _SPREAD,
        ),
        _noise,
        seeded=True,
    ),
    Signal(
        "random_walk",
        "a random step each interval, turned back at min and max",
        (
            Parameter("start", None, "value at the plant's start (middle of min and max, else 0)"),
            Parameter("step", 1.0, "standard deviation of a step"),
            Parameter("min", None, "lowest value"),
            Parameter("max", None, "highest value"),
            Parameter("revert", 0.0, "part of the way back to start that each interval takes", "fraction"),
            _INTERVAL,
            _SPREAD,
        ),
        _random_walk,
        seeded=True,
    ),
)

SIGNALS: dict[str, Signal] = {signal.name: signal for signal in _SIGNALS}
"""Signals by the name a plant file calls them."""


def problems(kind: str, parameters: Values) -> list[str]:
    """What is wrong with a signal of `kind` and these parameters, a line each; none when `waveform` will take it."""
    signal = SIGNALS.get(kind)
    if signal is None:
        return [f"signal {kind!r} is unknown; known: {' '.join(SIGNALS)}"]
    known = {parameter.name for parameter in signal.parameters}
    found = [
        f"parameter {name!r} is unknown to {kind}; known: {' '.join(parameter.name for parameter in signal.parameters)}"
        for name in parameters
        if name not in known
    ]
    found += [
        f"{kind}: {name} {value} is not a finite number"
        for name, value in parameters.items()
        if not math.isfinite(value)
    ]
    if found:
        return found
    values = {**signal.defaults, **parameters}
    return [f"{kind}: {problem}" for problem in (*_range_problems(kind, values), *_limit_problems(values))]


def _range_problems(kind: str, values: Values) -> list[str]:
    """Parameters that contradict one another."""
    found = []
    low, high = values.get("min"), values.get("max")
    if kind == "sine":
        if ("mean" in values or "amplitude" in values) and (low is not None or high is not None):
            found.append("give min and max, or mean and amplitude, not both")
        elif low is not None or high is not None:
            low, high = values.get("min", 0.0), values.get("max", 100.0)
    if low is not None and high is not None and low > high:
        found.append(f"min {low:g} is above max {high:g}")
    start, wrap = values.get("start"), values.get("wrap")
    if wrap is not None and wrap <= values["min"]:
        found.append(f"wrap {wrap:g} must be above min {values['min']:g}")
    if kind == "random_walk" and start is not None and fold(start, low, high) != start:
        found.append(f"start {start:g} is outside min and max")
    return found


def _limit_problems(values: Values) -> list[str]:
    """Parameters outside what they can be on their own."""
    found = [
        f"{name} {values[name]:g} s is too short; at least {SHORTEST:g} s"
        for name in ("period", "interval")
        if name in values and values[name] < SHORTEST
    ]
    for name in ("duty", "revert"):
        if name in values and not 0 <= values[name] <= 1:
            found.append(f"{name} {values[name]:g} must be from 0 to 1")
    found += [
        f"{name} {values[name]:g} must not be negative"
        for name in ("sigma", "step", "spread", "per_second")
        if values.get(name, 0.0) < 0 and not (name == "step" and "per_second" in values)
    ]
    return found


def waveform(kind: str, parameters: Values, seed: int) -> Waveform:
    """The function of t. Raises `ConfigError` when `problems` finds any."""
    found = problems(kind, parameters)
    if found:
        raise ConfigError("signal", 0, "; ".join(found))
    signal = SIGNALS[kind]
    return signal.build({**signal.defaults, **parameters}, seed)
