"""From a member's merged body to the `NodeConfig` that a backend starts."""

from dataclasses import dataclass, field

from farm.topology.addresses import Given
from farm.topology.blocks import BlockBuilder
from farm.topology.document import MapNode, Node, Scalar
from farm.topology.groups import Member
from farm.topology.inherit import empty_map
from farm.topology.keys import (
    BYTE,
    DEVICE_ID_OBJECTS,
    DEVICE_TEXT,
    PEERS,
    PORT,
    PRODUCT_NAME,
    REVISION,
    ROUTE,
    SERIAL,
    TIME,
    WORD,
)
from farm.topology.problem import Report
from farm.topology.shapes import read, take
from farm.topology.tags import TagBuilder
from farm.topology.vocabulary import PROFILE_NAME
from node.config.model import EnipConfig, IdentityConfig, ModbusConfig, NodeConfig
from node.config.schema import (
    DEFAULT_PROFILES,
    MAX_ELEMENTS,
    MODBUS_PROFILES,
    PROFILES,
    TABLES,
    ModbusProfile,
    Profile,
    identity,
    stable_serial,
)

_MODBUS_ONLY = (*TABLES, "units", "unit", "device_id", "modbus")
_ENIP_ONLY = ("identity", "enip")
_GENERIC = MODBUS_PROFILES["generic"]


@dataclass(slots=True)
class NodeBuilder:
    """Builds the nodes of one plant. `defaults` is the file's section of that name: what stands there may be of no
    use to some kinds."""

    farm: str
    seed: int
    modbus_port: int
    defaults: MapNode
    report: Report
    tags: TagBuilder = field(init=False)
    blocks: BlockBuilder = field(init=False)
    _serials: dict[int, tuple[str, Node | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tags = TagBuilder(self.seed, self.report)
        self.blocks = BlockBuilder(self.tags, self.report)

    def nodes(self, members: list[Member], addresses: dict[str, Given]) -> list[NodeConfig]:
        """A configuration for each member that has an address."""
        self.take_serials(members)
        built: list[NodeConfig] = []
        for member in members:
            self.report.subject = member.name
            given = addresses.get(member.name)
            node = self.node(member, given.address if given is not None else "")
            if node is not None:
                built.append(node)
        self.report.subject = ""
        return built

    def traced(self, member: Member) -> dict[str, Node]:
        """Path in the node's configuration (`tags.Level`, `modbus.units.1.blocks.0`) to what it is made of."""
        scratch = NodeBuilder(self.farm, self.seed, self.modbus_port, self.defaults, Report())
        scratch.blocks.trace = {}
        scratch.node(member, "")
        tags = member.body.map("tags")
        found = {f"tags.{name}": entry for name, _, entry in tags.items()} if tags is not None else {}
        return {**scratch.blocks.trace, **found}

    def node(self, member: Member, address: str) -> NodeConfig | None:
        """One node; None, with errors noted, when it has no usable profile."""
        body = member.body
        speaks_enip, speaks_modbus = member.kind != "modbus", member.kind != "logix"
        self.spoken(member, speaks_enip, speaks_modbus)
        profile, modbus_profile = self.profiles(member)
        if profile is None and modbus_profile is None:
            return None
        tags = self.tags.tags(member.name, body)
        modbus = None
        if speaks_modbus:
            device = modbus_profile or _GENERIC
            modbus = self.modbus(body, device)
            modbus = ModbusConfig(
                modbus.port,
                self.blocks.units(member, tags, device.order),
                modbus.device_id,
                modbus.max_connections,
                modbus.idle_timeout,
            )
        enip = self.enip(member, profile) if profile is not None else None
        self.sound(member, enip, modbus, sum(tag.length for tag, _ in tags.values()))
        name = profile.name if profile is not None else (modbus_profile or _GENERIC).name
        return NodeConfig(member.name, member.kind, name, address, tuple(tag for tag, _ in tags.values()), enip, modbus)

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
        return EnipConfig(
            identity=self.identity(member, profile),
            port=take(body, "port", PORT, 44818, self.report),
            route_path=take(body, "route_path", ROUTE, None if profile.routes else (), self.report),
            max_connections=take(body, "max_connections", PEERS, None, self.report),
            max_cip_connections=take(body, "max_cip_connections", PEERS, None, self.report),
            idle_timeout=take(body, "idle_timeout", TIME, 0.0, self.report),
        )

    def identity(self, member: Member, profile: Profile) -> IdentityConfig:
        """The Identity object: the profile's, where the file says nothing else."""
        body = member.body.map("identity")
        same = identity(profile.name, self.serial(member, body))
        if body is None:
            return same
        return IdentityConfig(
            vendor=take(body, "vendor", WORD, same.vendor, self.report),
            device_type=take(body, "device_type", WORD, same.device_type, self.report),
            product_code=take(body, "product_code", WORD, same.product_code, self.report),
            revision=take(body, "revision", REVISION, same.revision, self.report),
            status=take(body, "status", WORD, same.status, self.report),
            serial=same.serial,
            product_name=take(body, "product_name", PRODUCT_NAME, same.product_name, self.report),
            state=take(body, "state", BYTE, same.state, self.report),
        )

    def take_serials(self, members: list[Member]) -> None:
        """Note the serial numbers that the file gives, before any is made up; no two nodes share one."""
        for member in members:
            body = member.body.map("identity")
            written = body.get("serial") if body is not None else None
            serial = take(body, "serial", SERIAL, 0, self.report)
            if written is None or not serial:
                continue
            self.report.subject = member.name
            other = self._serials.setdefault(serial, (member.name, written))
            if other[0] != member.name:
                message = f"serial number {serial} of '{member.name}' is already that of '{other[0]}'"
                self.report.error("F064", written, message, "leave it out: each node gets its own")

    def serial(self, member: Member, body: MapNode | None) -> int:
        """A node's serial number: the file's, else one made of the names of farm and node."""
        written = take(body, "serial", SERIAL, 0, self.report)
        if written:
            return written
        serial, turn = stable_serial(self.farm, member.name), 0
        while self._serials.setdefault(serial, (member.name, None))[0] != member.name:
            turn += 1
            serial = stable_serial(self.farm, member.name, str(turn))
        return serial

    def modbus(self, body: MapNode, profile: ModbusProfile) -> ModbusConfig:
        """The Modbus face, still without units."""
        face = body.map("modbus")
        texts = dict(profile.device_id)
        given = body.map("device_id") or empty_map(body)
        for index, name in enumerate(DEVICE_ID_OBJECTS):
            text = take(given, name, DEVICE_TEXT, texts.get(index, ""), self.report)
            if text:
                texts[index] = text
        return ModbusConfig(
            port=take(face, "port", PORT, self.modbus_port, self.report),
            device_id=tuple(sorted(texts.items())),
            max_connections=take(face, "max_connections", PEERS, 64, self.report),
            idle_timeout=take(face, "idle_timeout", TIME, 0.0, self.report),
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
        tags = body.map("tags")
        for name, _, entry in tags.items() if tags is not None else ():
            written = entry.scalar("address") if isinstance(entry, MapNode) else None
            if written is not None:
                other = addresses.setdefault(written.text.lstrip("@"), written)
                if other is not written:
                    message = f"address {written.text} of tag '{name}' is taken (line {other.line})"
                    self.report.error("F053", written, message)
