"""The registers of a whole device: of a profile that comes with the package, or of a register map in a file.

Maps of profiles are files beside the code (`node/profiles/NAME.csv`), in the form that people's own have
(`node.config.register_map`). One is read when it is asked for, and by whoever makes a configuration: a node is told its
registers and reads none of these files.
"""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from node.config.hint import closest
from node.config.model import RegisterBlock, TagConfig
from node.config.register_map import MAX_BYTES, RegisterMap, RegisterMapError, decode_map, parse_map
from node.config.register_row import MapRow
from node.errors import ConfigError
from node.objects.profiles import MODBUS_PROFILES, ModbusProfile

FOLDER = Path(__file__).resolve().parent.parent / "profiles"
GENERIC = MODBUS_PROFILES["generic"]

DeviceMap = tuple[ModbusProfile, tuple[TagConfig, ...], tuple[RegisterBlock, ...]]
"""What a device says it is, its tags, and the registers of one unit that show them; a tag has one block."""


def mapped_profile(name: str) -> ModbusProfile | None:
    """The profile called `name`, in any case, when it has a register map."""
    for profile in MODBUS_PROFILES.values():
        if profile.registers and profile.name.lower() == name.strip().lower():
            return profile
    return None


def mapped_profiles() -> tuple[str, ...]:
    """Names of the profiles that have a register map."""
    return tuple(name for name, profile in MODBUS_PROFILES.items() if profile.registers)


def profile_text(profile: ModbusProfile) -> str:
    """The text of a profile's register map."""
    return (FOLDER / f"{profile.registers}.csv").read_text(encoding="utf-8")


def profile_map(profile: ModbusProfile) -> RegisterMap:
    """The register map of a profile, at its wire addresses."""
    found = parse_map(profile_text(profile), profile.order)
    return RegisterMap(tuple(_shifted(row, profile.shift) for row in found.rows), found.problems)


def device_map(name_or_path: str) -> DeviceMap:
    """The device that `name_or_path` names: a profile with a register map (`SDM630`, in any case) or the file of a map
    (`meter.csv`), whose device says that it is a generic one. Chance in its signals is each tag's own.

    Raises `RegisterMapError`, which has a line for each wrong line of the file, or `ConfigError` for what is neither.
    """
    profile = mapped_profile(name_or_path)
    if profile is not None:
        return _device(profile, profile_map(profile).rows)
    found = parse_map(_read(name_or_path), GENERIC.order)
    if found.problems:
        raise RegisterMapError(name_or_path, found.problems)
    return _device(GENERIC, found.rows)


def _device(profile: ModbusProfile, rows: Sequence[MapRow]) -> DeviceMap:
    return profile, tuple(_seeded(row.tag) for row in rows), tuple(row.block for row in rows)


def _seeded(tag: TagConfig) -> TagConfig:
    if tag.signal is None or tag.signal.seed:
        return tag
    return replace(tag, signal=replace(tag.signal, seed=zlib.crc32(tag.name.encode()) or 1))


def _shifted(row: MapRow, shift: int) -> MapRow:
    return replace(row, block=replace(row.block, start=row.block.start + shift)) if shift else row


def _read(path: str) -> str:
    """The text of a file. Raises `ConfigError`."""
    file = Path(path)
    try:
        if file.exists() and not file.is_file():
            raise ConfigError(path, 0, "is not a regular file; wanted a register map as CSV")
        with file.open("rb") as opened:
            return decode_map(opened.read(MAX_BYTES + 1), path)
    except FileNotFoundError:
        raise _neither(path) from None
    except (OSError, ValueError) as exc:
        raise ConfigError(path, 0, f"cannot be read: {exc.strerror if isinstance(exc, OSError) else exc}") from None


def _neither(text: str) -> ConfigError:
    known = mapped_profiles()
    if text.lower().endswith(".csv"):
        return ConfigError(text, 0, "there is no such file")
    near = closest(text, known)
    hint = f"; did you mean {near}?" if near else ""
    return ConfigError(text, 0, f"is no file, and no profile with registers; profiles: {', '.join(known)}{hint}")
