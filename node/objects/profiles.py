"""The devices a node can imitate: what their Identity object says, which objects they have, and what they take.

A scanner knows a controller by these few values, and clients choose their dialect by them: pycomm3 takes a product name
that begins with 2080 for a Micro800, a major revision from 18 on for the wide tag list and from 21 on for instance
addressing. So each row is what a real device was seen to answer; where one is not, its comment says so.

Where the source gave no status, a Logix controller says 0x3060 (remote run) and anything else 0x0060 (running), state 3
(operational). A serial number is no part of a profile: two nodes never share one. (CIP Vol 1, 5-2.)

How many sessions and connections a device takes, how large they are and how long it thinks are not in any Identity. A
Logix controller here takes more than a real one, so that a test may put a thousand clients on it; the caps of small
devices, and all response times, are ours: of the size that such devices have, exact for none.
"""

from node.cip.types import BOOL_TRUE
from node.record import dataclass

ROCKWELL = 1

AC_DRIVE_753 = 123
AC_DRIVE_755 = 143
COMMUNICATIONS_ADAPTER = 12
PROGRAMMABLE_CONTROLLER = 14
HUMAN_MACHINE_INTERFACE = 24

BOOL_IS_ONE = 30
"""The firmware from which on a true BOOL of a Logix controller is 1."""

REMOTE_RUN = 0x3060
RUNNING = 0x0060
OPERATIONAL = 3


LOGIX, MICRO800, PCCC, DRIVE, ADAPTER, PANEL = "logix", "micro800", "pccc", "drive", "adapter", "panel"


@dataclass(frozen=True, slots=True)
class Profile:
    """One EtherNet/IP device. `revision` is (major, minor); `routes` is false for a device that has no backplane
    and so takes only an empty route path.

    `family` decides which objects there are (`node.objects.device`). `large` is whether it knows the Large Forward
    Open, `largest` the bytes a connection of it may carry, `multiple` whether it knows the Multiple Service Packet.
    `sessions` and `connections` are how many TCP and CIP connections it takes, `response` the least and the greatest
    seconds a reply of it takes.
    """

    name: str
    device_type: int
    product_code: int
    revision: tuple[int, int]
    product_name: str
    status: int = REMOTE_RUN
    state: int = OPERATIONAL
    vendor: int = ROCKWELL
    routes: bool = True
    family: str = LOGIX
    large: bool = True
    largest: int = 4002
    multiple: bool = True
    sessions: int = 2048
    connections: int = 512
    response: tuple[float, float] = (0.001, 0.005)

    @property
    def packed(self) -> bool:
        """Whether its BOOL arrays lie in DWORDs."""
        return self.family == LOGIX

    @property
    def bool_true(self) -> int:
        """The byte a true BOOL reads as: Logix controllers changed it with firmware 30 (1756-PM020)."""
        return 1 if self.family == LOGIX and self.revision[0] >= BOOL_IS_ONE else BOOL_TRUE

    @property
    def symbols(self) -> bool:
        """Whether it has tags by name. What has not may have them by class, instance and attribute."""
        return self.family not in (PCCC, DRIVE, ADAPTER)


@dataclass(frozen=True, slots=True)
class ModbusProfile:
    """One Modbus device: the objects of Read Device Identification (43/14) as (object id, text), the byte order its
    makers use for values wider than a register, and the least and the greatest seconds a reply takes. `registers` is
    the register map that it comes with (`node.config.device_map`), "" for none; all of that lies `shift` wire addresses
    further on."""

    name: str
    device_id: tuple[tuple[int, str], ...]
    order: str = "ABCD"
    response: tuple[float, float] = (0.005, 0.03)
    registers: str = ""
    shift: int = 0


_LOGIX = PROGRAMMABLE_CONTROLLER
_GENERIC_CODE = 65001
"""Product code of the adapter, which is nobody's: the one that a freely available adapter stack begins with."""


def _micro800(name: str, code: int, revision: tuple[int, int], product_name: str) -> Profile:
    return Profile(
        name,
        _LOGIX,
        code,
        revision,
        product_name,
        status=0x0034,
        routes=False,
        family=MICRO800,
        largest=504,
        large=False,
        multiple=False,
        sessions=16,
        connections=16,
        response=(0.003, 0.015),
    )


def _pccc(
    name: str,
    code: int,
    revision: tuple[int, int],
    product_name: str,
    device_type: int = COMMUNICATIONS_ADAPTER,
    clients: int = 16,
    response: tuple[float, float] = (0.005, 0.025),
) -> Profile:
    return Profile(
        name,
        device_type,
        code,
        revision,
        product_name,
        status=0x0004,
        state=0,
        routes=False,
        family=PCCC,
        largest=504,
        large=False,
        multiple=False,
        sessions=clients,
        connections=clients,
        response=response,
    )


def _simple(
    name: str,
    device_type: int,
    code: int,
    revision: tuple[int, int],
    product_name: str,
    status: int = RUNNING,
    state: int = OPERATIONAL,
    family: str = DRIVE,
) -> Profile:
    """A drive, a panel, an adapter."""
    return Profile(
        name,
        device_type,
        code,
        revision,
        product_name,
        status,
        state,
        routes=False,
        family=family,
        largest=504,
        large=False,
        sessions=16,
        connections=16,
        response=(0.002, 0.01),
    )


_PROFILES = (
    Profile("1756-L61", _LOGIX, 54, (20, 11), "1756-L61/B LOGIX5561"),
    Profile("1756-L61C", _LOGIX, 54, (20, 11), "1756-L61/C LOGIX5561"),
    # Its code is from one file written by hand, its revision and the letter of its series are ours.
    Profile("1756-L73", _LOGIX, 94, (24, 11), "1756-L73/A LOGIX5573"),
    Profile("1756-L83E", _LOGIX, 166, (28, 13), "1756-L83E/B"),
    Profile("1756-L83ES", _LOGIX, 213, (31, 11), "1756-L83ES"),
    Profile("1756-EN2T", COMMUNICATIONS_ADAPTER, 166, (10, 7), "1756-EN2T/D", RUNNING),
    Profile("1769-L18ER", _LOGIX, 154, (21, 11), "1769-L18ER/A LOGIX5318ER", 0x0030),
    Profile("1769-L23E", _LOGIX, 89, (20, 19), "1769-L23E-QBFC1 LOGIX5323E-QBFC1", 0x3060),
    Profile("1769-L24ER", _LOGIX, 149, (27, 11), "1769-L24ER-QB1B/A LOGIX5324ER", 0x0030),
    Profile("1769-L32E", COMMUNICATIONS_ADAPTER, 158, (3, 7), "1769-L32E Ethernet Port", 0x0030),
    Profile("1769-L36ERM", _LOGIX, 108, (37, 11), "1769-L36ERM"),
    Profile("5069-L310ERS2", _LOGIX, 236, (35, 11), "5069-L310ERS2"),
    Profile("5069-L320ER", _LOGIX, 217, (37, 11), "5069-L320ER"),
    Profile("5069-L340ER", _LOGIX, 219, (35, 11), "5069-L340ER"),
    _pccc("1763-L16DWD", 185, (2, 7), "1763-L16DWD B/7.00"),
    _pccc("1766-L32BXB", 90, (1, 7), "1766-L32BXBA A/7.00", _LOGIX, 32),
    # Nobody's capture: its code is the number of its catalogue, its revision ours.
    _pccc("1747-L551", 1747, (1, 10), "1747-L551/C C/10 - DC 3.46", _LOGIX, response=(0.01, 0.04)),
    _micro800("2080-LC50", 139, (12, 11), "2080-LC50-24QBB"),
    _simple("2711R-T4T", HUMAN_MACHINE_INTERFACE, 148, (5, 12), "2711R-T4T/B", 0x0034, 2, PANEL),
    _simple("PowerFlex-753", AC_DRIVE_753, 1168, (11, 1), f"{'PowerFlex 753':32}", 0x0561, 255),
    _simple("PowerFlex-755", AC_DRIVE_755, 2192, (10, 1), "PowerFlex 755"),
    _simple("adapter", COMMUNICATIONS_ADAPTER, _GENERIC_CODE, (2, 3), "EtherNet/IP Adapter", family=ADAPTER),
)

DEFAULT_PROFILE = "1756-L61"

PROFILES: dict[str, Profile] = {profile.name: profile for profile in _PROFILES}
"""EtherNet/IP devices by the name a plant file calls them."""

_SCHNEIDER, _EASTRON = (0, "Schneider Electric"), (0, "Eastron")
_SUNSPEC = (0, "plcfarm")

_MODBUS_PROFILES = (
    ModbusProfile("generic", ((0, "plcfarm"), (1, "generic"), (2, "v1.0"))),
    ModbusProfile("plain", ((0, "plcfarm"), (1, "plain"), (2, "v1.0")), registers="plain"),
    ModbusProfile("M340", (_SCHNEIDER, (1, "BMX P34 2020"), (2, "v2.6")), "CDAB", registers="M340"),
    ModbusProfile("PM5560", (_SCHNEIDER, (1, "PM5560"), (2, "v1.0")), registers="PM5560"),
    # Lists of it that were made with other tools take its numbers for wire addresses.
    ModbusProfile("PM5560-base0", (_SCHNEIDER, (1, "PM5560"), (2, "v1.0")), registers="PM5560", shift=1),
    ModbusProfile("SDM120", (_EASTRON, (1, "SDM120"), (2, "v1.0")), registers="SDM120"),
    ModbusProfile("SDM630", (_EASTRON, (1, "SDM630"), (2, "v1.0")), registers="SDM630"),
    ModbusProfile("sunspec-inverter", (_SUNSPEC, (1, "Inverter 10"), (2, "1.0")), registers="sunspec-inverter"),
    ModbusProfile(
        "sunspec-inverter-float", (_SUNSPEC, (1, "Inverter 10F"), (2, "1.0")), registers="sunspec-inverter-float"
    ),
    ModbusProfile("sunspec-meter", (_SUNSPEC, (1, "Meter 3"), (2, "1.0")), registers="sunspec-meter"),
)

MODBUS_PROFILES: dict[str, ModbusProfile] = {profile.name: profile for profile in _MODBUS_PROFILES}
"""Modbus devices by the name a plant file calls them."""
