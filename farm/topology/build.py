"""From a member's merged body to the `NodeConfig` that a backend starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from farm.topology.aliases import Tags
from farm.topology.blocks import BlockBuilder, Device
from farm.topology.document import MapNode, Node, Scalar
from farm.topology.groups import Member
from farm.topology.identities import IdentityBuilder
from farm.topology.inherit import empty_map
from farm.topology.keys import DELAY, DEVICE_ID_OBJECTS, DEVICE_TEXT, PEERS, PORT, ROUTE, TIME, UNKNOWN
from farm.topology.named_addresses import NamedAddresses
from farm.topology.object_settings import ObjectBuilder
from farm.topology.own_code import OwnCode
from farm.topology.problem import Report
from farm.topology.register_maps import MapReader
from farm.topology.shapes import read, take
from farm.topology.tag_keys import RECORDS
from farm.topology.tags import TagBuilder
from farm.topology.transports import TLS_BEYOND, TransportBuilder
from farm.topology.types import Types, tag_maps
from farm.topology.vocabulary import PROFILE_NAME
from farm.topology.wiring_keys import HOST_NAME, SUBNET
from node.config.model import EnipConfig, InterfaceConfig, ModbusConfig, NodeConfig, TypeConfig
from node.config.schema import (
    DEFAULT_PROFILES,
    MAX_ELEMENTS,
    MODBUS_PROFILES,
    PROFILES,
    TABLES,
    TYPES,
    ModbusProfile,
    Profile,
    problems,
)

_OWN_REGISTERS = (*TABLES, "registers")
"""Keys, beside units, that say which registers a node has."""

_MODBUS_ONLY = (*_OWN_REGISTERS, *(key.name for key in RECORDS), "units", "unit", "device_id", "modbus")
_ENIP_ONLY = ("identity", "enip", "objects", "programs")
_GENERIC = MODBUS_PROFILES["generic"]


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a node is: its `address` and `interfaces` on the backend, and `outside` its address on this machine, "" for
    none."""

    address: str = ""
    interfaces: tuple[InterfaceConfig, ...] = ()
    outside: str = ""


@dataclass(frozen=True, slots=True)
class ModbusPorts:
    """The Modbus port of nodes whose file gives none: where they are, and outside on this machine."""

    here: int
    outside: int


@dataclass(slots=True)
class NodeBuilder:
    """Builds the nodes of one plant. `defaults` is the file's section of that name: what stands there may be of no
    use to some kinds."""

    farm: str
    seed: int
    modbus_ports: ModbusPorts
    defaults: MapNode
    types: Types
    named: NamedAddresses
    maps: MapReader
    own_code: OwnCode
    report: Report
    tags: TagBuilder = field(init=False)
    blocks: BlockBuilder = field(init=False)
    identities: IdentityBuilder = field(init=False)
    objects: ObjectBuilder = field(init=False)
    transports: TransportBuilder = field(init=False)
    traces: dict[str, tuple[dict[str, Node], tuple[TypeConfig, ...]]] = field(default_factory=dict)
    """By node: what its blocks, and the tags they make, are made of, by path in its configuration; and its types."""

    def __post_init__(self) -> None:
        self.tags = TagBuilder(self.seed, self.report, self.types, self.own_code)
        self.blocks = BlockBuilder(self.tags, self.maps, self.report)
        self.identities = IdentityBuilder(self.farm, self.report)
        self.objects = ObjectBuilder(self.report)
        self.transports = TransportBuilder(self.named.backend, self.report)

    def nodes(self, members: list[Member], seats: Mapping[str, Seat]) -> list[NodeConfig]:
        """A configuration for each member."""
        self.identities.take_serials(members)
        built: list[NodeConfig] = []
        for member in members:
            self.report.subject = member.name
            trace: dict[str, Node] = {}
            self.blocks.trace = trace
            node = self.node(member, seats.get(member.name, Seat()))
            if node is not None:
                built.append(node)
                self.traces[member.name] = trace, node.types
        self.report.subject = ""
        return built

    def traced(self, member: Member) -> dict[str, Node]:
        """Path in the node's configuration (`tags.Level`, `modbus.units.1.blocks.0`) to what it is made of."""
        trace, kinds = self.traces.get(member.name, ({}, ()))
        found = dict(trace)
        for prefix, tags in self.tags.scopes(member.body):
            found.update({f"tags.{prefix}{name}": entry for name, _, entry in tags.items()})
        for config in kinds:
            place = f"types.{config.name}"
            found.update({path: at for path, at in self.types.places.items() if f"{path}.".startswith(f"{place}.")})
        return found

    def node(self, member: Member, seat: Seat) -> NodeConfig | None:
        """One node; None, with errors noted, when it has no usable profile."""
        body = member.body
        speaks_enip, speaks_modbus = member.kind != "modbus", member.kind != "logix"
        self.spoken(member, speaks_enip, speaks_modbus)
        profile, modbus_profile = self.profiles(member)
        if profile is None and modbus_profile is None:
            return None
        noted = self.report.noted
        packed = profile is not None and profile.packed
        found = self.tags.tags(member.name, body, packed, speaks_enip)
        modbus = None
        if speaks_modbus:
            device = modbus_profile or _GENERIC
            bare = not any(body.get(key) for key in _OWN_REGISTERS)
            mapped = device if device.registers and bare and member.units is None else None
            units = self.blocks.units(member, found, Device(device.order, packed, mapped))
            modbus = self.transports.carried(replace(self.modbus(body, device), units=units), body.map("modbus"))
        enip = self.enip(member, profile) if profile is not None else None
        self.sound(member, enip, modbus, self.values(found))
        tags = tuple(tag for tag, _ in found.values())
        speaking = profile or modbus_profile or _GENERIC
        config = NodeConfig(
            member.name,
            member.kind,
            speaking.name,
            seat.address,
            tags,
            enip,
            modbus,
            types=self.types.used(tag.type for tag in tags),
            programs=tuple(name for name, _, _ in self.tags.program_bodies(body)) if speaks_enip else (),
            delay=self.delay(body, speaking),
            interfaces=seat.interfaces,
            outside=self.outside(body, seat, enip, modbus),
            hostname=take(body, "hostname", HOST_NAME, "", self.report),
            code_folder=self.own_code.folder if any(tag.code for tag in tags) else "",
        )
        if self.report.noted == noted:
            self.fitting(config, profile, found, member)
        return config

    def outside(
        self, body: MapNode, seat: Seat, enip: EnipConfig | None, modbus: ModbusConfig | None
    ) -> tuple[tuple[str, str, int], ...]:
        """Where this machine has the node's ports, at the numbers they would have on it."""
        if not seat.outside:
            return ()
        found = [("enip", seat.outside, enip.port)] if enip is not None else []
        if modbus is not None:
            beyond = TLS_BEYOND if modbus.tls is not None else 0
            port = take(body.map("modbus"), "port", PORT, self.modbus_ports.outside + beyond, self.report)
            found.append(("modbus", seat.outside, port))
        return tuple(found)

    def fitting(self, config: NodeConfig, profile: Profile | None, found: Tags, member: Member) -> None:
        """Find tags that the device cannot have, where it is no controller with tags of any name and type."""
        usual = profile is None or profile.symbols
        if usual and all(tag.type in TYPES or tag.type.casefold() in self.types.configs for tag in config.tags):
            return
        for problem in problems(config):
            names = [tag.name for tag in config.tags if f"{problem.path}.".startswith(f"tags.{tag.name}.")]
            what = f"tag '{names[-1]}': " if names else ""
            place = found[names[-1].casefold()][1] if names else member.body.get("profile") or member.place
            self.report.error("F058", place, f"{what}{problem.message}")

    def values(self, tags: Tags) -> int:
        """How many values are in the tags of a node, roughly: a structure counts by its bytes."""
        templates = self.types.templates
        total = 0
        for tag, _ in tags.values():
            own = templates.get(tag.type.casefold())
            total += tag.length * (max(1, own.size // 4) if own is not None else 1)
        return total

    def delay(self, body: MapNode, profile: Profile | ModbusProfile) -> tuple[float, float]:
        """How long each reply waits, at least and at most."""
        delay = take(body, "delay", DELAY, (0.0, 0.0), self.report)
        return profile.response if isinstance(delay, str) else delay

    def spoken(self, member: Member, enip: bool, modbus: bool) -> None:
        """Find keys of a protocol that the node's kind does not speak, unless they come with the defaults."""
        wrong = [] if modbus else list(_MODBUS_ONLY)
        wrong += [] if enip else list(_ENIP_ONLY)
        for key in wrong:
            entry = member.body.entries.get(key)
            if entry is None and key == "units" and member.units is not None:
                entry = next(iter(member.units.entries.values()), None)
            inherited = self.defaults.entries.get(key)
            if entry is None or (member.body.get(key) is None and key != "units"):
                continue
            if inherited is None or inherited[0] is not entry[0]:
                what = "EtherNet/IP" if enip else "Modbus"
                message = f"'{key}' is of no use: kind {member.kind} speaks {what} only"
                self.report.error("F038", entry[0], message, "kind gateway speaks both")

    def profiles(self, member: Member) -> tuple[Profile | None, ModbusProfile | None]:
        """The EtherNet/IP or the Modbus profile of a node."""
        written = member.body.scalar("profile")
        name: str | None = DEFAULT_PROFILES[member.kind]
        if written is not None:
            name = None if written.dollar else read(written, PROFILE_NAME, "'profile'", self.report)
        if name is None:
            return None, None
        wanted = MODBUS_PROFILES if member.kind == "modbus" else PROFILES
        if name not in wanted and written is not None:
            known = ", ".join(list(wanted)[:20])
            self.report.error("F034", written, f"profile {name} is none of kind {member.kind}", f"known: {known}")
            return None, None
        return PROFILES.get(name), MODBUS_PROFILES.get(name)

    def enip(self, member: Member, profile: Profile) -> EnipConfig:
        """The EtherNet/IP face."""
        body = member.body.map("enip")
        onward = take(body, "onward", SUBNET, None, self.report)
        if onward is not None and body is not None:
            onward = self.named.subnet(onward, body.entries["onward"][1])
        route = take(body, "route_path", ROUTE, None if profile.routes else (), self.report)
        return EnipConfig(
            identity=self.identities.identity(member, profile),
            port=take(body, "port", PORT, 44818, self.report),
            route_path=self.named.route(route),
            max_connections=take(body, "max_connections", PEERS, None, self.report),
            max_cip_connections=take(body, "max_cip_connections", PEERS, None, self.report),
            idle_timeout=take(body, "idle_timeout", TIME, 0.0, self.report),
            onward="" if onward is None else str(onward),
            objects=self.objects.objects(member.body, profile.name),
        )

    def modbus(self, body: MapNode, profile: ModbusProfile) -> ModbusConfig:
        """The Modbus face, still without units."""
        face = body.map("modbus")
        texts = dict(profile.device_id)
        given = body.map("device_id") or empty_map(body)
        for index, name in enumerate(DEVICE_ID_OBJECTS):
            text = take(given, name, DEVICE_TEXT, texts.get(index, ""), self.report)
            if text:
                texts[index] = text
        beyond = TLS_BEYOND if face is not None and face.map("tls") is not None else 0
        return ModbusConfig(
            port=take(face, "port", PORT, self.modbus_ports.here + beyond, self.report),
            device_id=tuple(sorted(texts.items())),
            max_connections=take(face, "max_connections", PEERS, 64, self.report),
            idle_timeout=take(face, "idle_timeout", TIME, 0.0, self.report),
            unknown_unit=take(face, "unknown_unit", UNKNOWN, "target-failed", self.report),
        )

    def sound(self, member: Member, enip: EnipConfig | None, modbus: ModbusConfig | None, elements: int) -> None:
        """Find what only the whole node shows: one port for both protocols, one address of two tags, too much."""
        body = member.body
        if enip is not None and modbus is not None and enip.port == modbus.port:
            place = body.get("modbus") or body.get("enip") or member.place
            self.report.error("F013", place, f"port {enip.port} is given to both EtherNet/IP and Modbus")
        if elements > MAX_ELEMENTS:
            message = f"node '{member.name}' has {elements:,} values in its tags; allowed are {MAX_ELEMENTS:,}"
            self.report.error("F037", body.get("tags") or member.place, message)
        addresses: dict[str, Scalar] = {}
        for tags in tag_maps(body):
            for name, _, entry in tags.items():
                written = entry.scalar("address") if isinstance(entry, MapNode) else None
                if written is None:
                    continue
                other = addresses.setdefault(written.text.lstrip("@"), written)
                if other is not written:
                    message = f"address {written.text} of tag '{name}' is taken (line {other.line})"
                    self.report.error("F053", written, message)
