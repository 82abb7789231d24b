"""Drives by the names of their parameters: PowerFlex of the 750 series, and how to name those of others.

A parameter of a 750 is an instance of the DPI Parameter object, class 0x93, whose attribute 10 is the value in use and
9 the one that outlives a restart. Numbers and names are the drive's (Rockwell 750-PM001); a name here says in full what
the drive cuts short: Motor Velocity is its "Mtr Vel Fdbk". What Motor Velocity is in, Hz or RPM, Speed Units says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from node.client.parameters import Kind, Named, Parameter
from node.client.proxy import ProxySimple

IN_USE = 10
"""The attribute of the value that the drive works with."""


def drive_parameter(number: int, kind: Kind = "REAL", units: str = "") -> Parameter:
    """The parameter of this number, of a 750's class 0x93."""
    return Parameter(f"@0x93/{number}/{IN_USE}", kind, units)


class PowerFlex(ProxySimple):
    """A PowerFlex, of which only that is known that every device has. `PARAMETERS` of a class of one's own tell more,
    in a line each: `dict(PowerFlex.PARAMETERS, accel_time=PowerFlex.number(140, "REAL", "s"))`."""

    number = staticmethod(drive_parameter)


class PowerFlex750(PowerFlex):
    """A PowerFlex 753 or 755, with the parameters that are read most."""

    PARAMETERS: ClassVar[Mapping[str, Named]] = dict(
        PowerFlex.PARAMETERS,
        output_frequency=drive_parameter(1, units="Hz"),
        motor_velocity=drive_parameter(3, units="Hz"),
        output_current=drive_parameter(7, units="A"),
        output_voltage=drive_parameter(8, units="V"),
        output_power=drive_parameter(9, units="kW"),
        dc_bus_volts=drive_parameter(11, units="V"),
        elapsed_mwh=drive_parameter(13, units="MWh"),
        elapsed_kwh=drive_parameter(14, units="kWh"),
        elapsed_run_time=drive_parameter(15, units="h"),
        rated_volts=drive_parameter(20, units="V"),
        rated_amps=drive_parameter(21, units="A"),
        rated_kw=drive_parameter(22, units="kW"),
        accel_time_1=drive_parameter(140, units="s"),
        speed_units=drive_parameter(300, "DINT"),
    )
