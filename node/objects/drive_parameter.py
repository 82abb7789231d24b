"""Parameters of a PowerFlex 750 drive, DPI class 0x93: an instance a parameter.

    9 value in EEPROM | 10 value in RAM                                   REAL or DINT, 4 bytes

A value set in EEPROM is in RAM too; one set in RAM lasts until the drive restarts. What a drive measures moves as that
of one that runs at nearly full speed, until a client sets it. Numbers, names and types are the drive's; the ratings and
how fast it runs are ours. The same parameters are in class 0x0F (`node.objects.parameter`).
"""

from collections.abc import Callable, Iterable
from functools import partial
from math import pi, sin

from node.cip.attribute_values import Number
from node.cip.services import DRIVE_PARAMETER_CLASS
from node.cip.types import DINT, REAL, Type, Value, encode_values
from node.memory.attribute import Instant
from node.objects.attribute_access import ATTRIBUTE_SERVICES
from node.objects.object import AttributeRow, Object
from node.record import dataclass

EEPROM, RAM = 9, 10

_VOLTS, _AMPS, _KILOWATTS, _HERTZ = 400.0, 22.0, 11.0, 50.0
_PERIOD = 60.0
"""Seconds in which the speed goes up and down once."""


@dataclass(frozen=True, slots=True)
class DriveParameter:
    """One parameter: `start` is what it is at first, `measured` gives its value at an instant in seconds."""

    number: int
    name: str
    units: str
    kind: Type
    start: Value = 0.0
    measured: Callable[[float], float] | None = None


def _speed(now: float) -> float:
    """Of full speed, 0.85 to 0.95."""
    return 0.9 + 0.05 * sin(2 * pi * now / _PERIOD)


def _energy(now: float) -> float:
    """Kilowatt-hours, at the mean power."""
    return 1200.0 + _KILOWATTS * 0.9**3 * now / 3600


PARAMETERS: tuple[DriveParameter, ...] = (
    DriveParameter(1, "Output Frequency", "Hz", REAL, measured=lambda now: _HERTZ * _speed(now)),
    DriveParameter(3, "Mtr Vel Fdbk", "Hz", REAL, measured=lambda now: _HERTZ * _speed(now) * 0.98),
    DriveParameter(7, "Output Current", "Amps", REAL, measured=lambda now: _AMPS * (0.3 + 0.6 * _speed(now) ** 2)),
    DriveParameter(8, "Output Voltage", "VAC", REAL, measured=lambda now: _VOLTS * _speed(now)),
    DriveParameter(9, "Output Power", "kW", REAL, measured=lambda now: _KILOWATTS * _speed(now) ** 3),
    DriveParameter(11, "DC Bus Volts", "VDC", REAL, measured=lambda now: 1.35 * _VOLTS + 4 * (0.9 - _speed(now))),
    DriveParameter(13, "Elapsed MWH", "MWh", REAL, measured=lambda now: _energy(now) / 1000),
    DriveParameter(14, "Elapsed kWH", "kWh", REAL, measured=_energy),
    DriveParameter(15, "Elapsed Run Time", "Hrs", REAL, measured=lambda now: 160.0 + now / 3600),
    DriveParameter(20, "Rated Volts", "VAC", REAL, _VOLTS),
    DriveParameter(21, "Rated Amps", "Amps", REAL, _AMPS),
    DriveParameter(22, "Rated kW", "kW", REAL, _KILOWATTS),
    DriveParameter(140, "Accel Time 1", "Secs", REAL, 10.0),
    DriveParameter(300, "Speed Units", "", DINT, 0),
)


class ParameterValue:
    """The value of one parameter at `instant`."""

    def __init__(self, parameter: DriveParameter, instant: Instant) -> None:
        self.parameter = parameter
        self._instant = instant
        self._measured = parameter.measured
        self._start = self._eeprom = self._ram = encode_values(parameter.kind, (parameter.start,))
        self._moves = parameter.measured is not None

    def ram(self) -> bytes:
        """As it is now."""
        if self._moves and self._measured is not None:
            return encode_values(self.parameter.kind, (self._measured(self._instant.now),))
        return self._ram

    def eeprom(self) -> bytes:
        """As it is kept."""
        return self.ram() if self._moves else self._eeprom

    def set_ram(self, data: bytes) -> None:
        """Until the next restart. Raises `CipError`."""
        Number(self.parameter.kind).decode(data)
        self._ram = data
        self._moves = False

    def set_eeprom(self, data: bytes) -> None:
        """For good. Raises `CipError`."""
        self.set_ram(data)
        self._eeprom = data

    def preset(self, data: bytes) -> None:
        """What it starts with; it does not move then."""
        self._start = self._eeprom = self._ram = data
        self._measured = None
        self._moves = False

    def restart(self) -> None:
        """What is kept is in use again, what is measured is measured."""
        self._ram = self._eeprom
        self._moves = self._measured is not None

    def restore(self) -> None:
        """What it started with."""
        self._eeprom = self._start
        self.restart()


def drive_values(instant: Instant, parameters: Iterable[DriveParameter] = PARAMETERS) -> list[ParameterValue]:
    """A value for each of `parameters`."""
    return [ParameterValue(parameter, instant) for parameter in parameters]


def drive_parameter_object(values: Iterable[ParameterValue]) -> Object:
    """The object of these parameters."""
    instances = {value.parameter.number: _rows(value) for value in values}
    return Object(
        DRIVE_PARAMETER_CLASS, "DPI Parameter", instances, dict(ATTRIBUTE_SERVICES), names=("Drive Parameter",)
    )


def _rows(value: ParameterValue) -> list[AttributeRow]:
    row = partial(AttributeRow, codec=Number(value.parameter.kind), preset=value.preset, restore=value.restore)
    return [
        row(EEPROM, "EEPROM value", value.eeprom, value.set_eeprom),
        row(RAM, "RAM value", value.ram, value.set_ram, aliases=("value",)),
    ]
