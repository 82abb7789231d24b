"""What a node is told, complete and resolved: the one thing that a farm and a node both know.

Everything here is plain frozen data that survives a trip through JSON (`node.config.load`), compares by value, and
needs no other file: a farm decides from `old == new` whether a running node must be replaced. Lengths are in
elements, ports are TCP and UDP numbers, times are seconds.
"""

from node.record import dataclass

Scalar = bool | int | float | str
Json = bool | int | float | str | None | list["Json"] | dict[str, "Json"]

TABLES = ("coils", "discrete", "input", "holding")
ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
ON_WRITE = ("overwrite", "hold", "refuse")
UNKNOWN_UNIT = {"target-failed": 0x0B, "no-path": 0x0A, "silent": 0}
"""What an id gets that no unit has, to the Modbus exception that it is; 0 is no reply."""
BLOCK_ACCESS = ("read/write", "read only", "write only")
ACCESS = ("read/write", "read only", "none")
FRAMINGS = ("tcp", "rtu", "ascii")
"""Forms of Modbus frames: with the header of Modbus/TCP, or as on a line. A serial line has the last two."""
STATIONS = range(1, 248)
"""What a device on a line may be; 0 is everybody."""
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
DATA_BITS, PARITIES, STOP_BITS = "78", "NEO", "12"
"""What a character of a serial line may be made of, one of each in this order: `8E1`."""


@dataclass(frozen=True, slots=True)
class SignalConfig:
    """A value that moves. `parameters` are (name, value) pairs in the order of the signal's own table
    (`node.signals.waveform.SIGNALS`). `on_write` says what a client's write does: `overwrite` succeeds and the
    signal wins again at the next read, `hold` stops the signal at the written value, `refuse` is an error."""

    kind: str
    parameters: tuple[tuple[str, float], ...] = ()
    seed: int = 0
    on_write: str = "overwrite"


@dataclass(frozen=True, slots=True)
class MemberConfig:
    """A member of a declared structure: `type` as a tag's, `length` elements, 0 for no array."""

    name: str
    type: str
    length: int = 0


@dataclass(frozen=True, slots=True)
class TypeConfig:
    """A structure (UDT) that tags may have: its members in order, or with `string` above 0 a string type of so many
    characters. A member's type may be one declared before it."""

    name: str
    members: tuple[MemberConfig, ...] = ()
    string: int = 0


@dataclass(frozen=True, slots=True)
class PartConfig:
    """What a member or element of a structured tag starts with, or what moves it: `path` is as a person types it,
    behind the tag's name (`Level`, `Pump.Speed`, `[2].History[3]`); an index that is left out before a member means
    every element."""

    path: str
    initial: Scalar | tuple[Scalar, ...] | None = None
    signal: SignalConfig | None = None


@dataclass(frozen=True, slots=True)
class TagConfig:
    """A tag: `type` is a CIP type name (`DINT`, `SSTRING`), a predefined structure (`STRING`, `TIMER`) or one of the
    node's own, `dimensions` none to three lengths. A tag of a program is called `Program:NAME.TAG`.

    `initial` is one value for all elements, or one a (flattened, row-major) element; `parts` are what members of a
    structure start with. `address` makes the tag reachable as class, instance, attribute too. `unit` is the engineering
    unit, for people only. `packed` lays BOOL[n] out as Logix does, 32 to a DWORD. `alias` names what the tag is
    another name of (`Tank1.Level`, `Word.3`, `Table[2]`); type and dimensions are then what it names, and say so.
    `access` is what clients may do, one of `ACCESS`; a `constant` is never written. `code` names a class, as
    `package.module:Class`, whose hooks are called for every access ("" for none).
    """

    name: str
    type: str
    dimensions: tuple[int, ...] = ()
    initial: Scalar | tuple[Scalar, ...] | None = None
    signal: SignalConfig | None = None
    address: tuple[int, int, int] | None = None
    unit: str = ""
    access: str = "read/write"
    constant: bool = False
    packed: bool = False
    alias: str = ""
    parts: tuple[PartConfig, ...] = ()
    code: str = ""

    @property
    def writable(self) -> bool:
        """Whether clients may write it at all."""
        return self.access == ACCESS[0] and not self.constant

    @property
    def length(self) -> int:
        """Elements in all dimensions together; 1 for a scalar."""
        count = 1
        for dimension in self.dimensions:
            count *= dimension
        return count


@dataclass(frozen=True, slots=True)
class RegisterBlock:
    """A run of one Modbus table that shows the tag `tag`, from its first element on.

    `start` is the wire address (0 to 65535) and `count` the number of registers or coils. `order` is the byte order
    of values wider than a register (facts: ABCD is big-endian). A tag of UINT elements is plain registers, one of
    BOOL elements plain coils. `access` is what clients may do with it, one of `BLOCK_ACCESS`. `shown_as` is the type
    that its values have in registers, "" for their own; they are the register times `scale` and `offset`. Writes
    outside `least` to `most` are refused.
    """

    table: str
    start: int
    count: int
    tag: str
    order: str = "ABCD"
    access: str = "read/write"
    shown_as: str = ""
    scale: float = 1.0
    offset: float = 0.0
    least: float | None = None
    most: float | None = None

    @property
    def scaled(self) -> bool:
        """Whether its values are not shown as they are."""
        return bool(self.shown_as) or (self.scale, self.offset, self.least, self.most) != (1.0, 0.0, None, None)


@dataclass(frozen=True, slots=True)
class UnitConfig:
    """One Modbus unit id and the blocks it answers for. `files` are (number, registers of a tag from record 0 on),
    `queues` (address of the pointer, registers of a tag). `server_id` is what function 17 tells, "" for the product
    code; `exception_status` the first of eight coils that function 7 tells, -1 for none set."""

    unit_id: int
    blocks: tuple[RegisterBlock, ...] = ()
    files: tuple[tuple[int, RegisterBlock], ...] = ()
    queues: tuple[tuple[int, RegisterBlock], ...] = ()
    server_id: str = ""
    exception_status: int = -1


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    """The CIP Identity object, attributes 1 to 8 (CIP Vol 1, 5-2)."""

    vendor: int
    device_type: int
    product_code: int
    revision: tuple[int, int]
    status: int
    serial: int
    product_name: str
    state: int = 3


@dataclass(frozen=True, slots=True)
class ObjectSetting:
    """An attribute of a CIP object that differs from the profile's: `section` the object's name (`TCPIP`), `name` the
    attribute's (`Host Name`), `value` in JSON."""

    section: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class EnipConfig:
    """The EtherNet/IP face. `route_path` None takes any route, () only an empty one (a simple device), and a
    tuple of (port, link) hops exactly that route. `onward` is the subnet (`127.64.0.0/10`) whose addresses a route may
    name for a message to be sent on to, "" for none. `max_connections` caps TCP peers, `max_cip_connections` class 3
    connections; None is the profile's. `idle_timeout` 0 never closes an idle session."""

    identity: IdentityConfig
    port: int = 44818
    route_path: tuple[tuple[int, int | str], ...] | None = None
    onward: str = ""
    max_connections: int | None = None
    max_cip_connections: int | None = None
    idle_timeout: float = 0.0
    objects: tuple[ObjectSetting, ...] = ()


@dataclass(frozen=True, slots=True)
class SerialConfig:
    """A serial line: `device` is its path. With `pty` it is a pseudo terminal that the node makes, and `device` the
    path of a link to it, "" for none. `format` is data bits, parity (N, E or O) and stop bits."""

    device: str = ""
    baud: int = 19200
    format: str = "8E1"
    framing: str = "rtu"
    pty: bool = False


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Files in PEM: the node's certificate and key, and the authority that clients' certificates must come from, ""
    for taking clients without one."""

    certificate: str
    key: str
    ca: str = ""


@dataclass(frozen=True, slots=True)
class ModbusConfig:
    """The Modbus face: TCP at `port` where it is `tcp`, UDP there where it is `udp`, and a `serial` line. `framing` is
    that of the TCP connections, which speak TLS where there is `tls`. `device_id` holds the objects of function 43/14
    as (object id, text) pairs. `unknown_unit` is what a unit id that nobody has gets, as in `UNKNOWN_UNIT`; on a line
    and in its framings it gets nothing."""

    port: int = 502
    units: tuple[UnitConfig, ...] = ()
    device_id: tuple[tuple[int, str], ...] = ()
    max_connections: int = 64
    idle_timeout: float = 0.0
    unknown_unit: str = "target-failed"
    tcp: bool = True
    udp: bool = False
    framing: str = "tcp"
    serial: SerialConfig | None = None
    tls: TlsConfig | None = None


@dataclass(frozen=True, slots=True)
class InterfaceConfig:
    """A network interface of a node that has a network of its own: the plant's network, address and prefix length, MAC
    as `02:fa:00:00:00:01`, MTU in bytes, `gateway` the next hop of all that is elsewhere ("" for none), `ipv6` as
    `fd00::1/64` or "", `routes` as (subnet, next hop)."""

    network: str
    address: str
    prefix: int
    mac: str
    mtu: int = 1500
    gateway: str = ""
    ipv6: str = ""
    routes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One controller: `kind` is the built-in kind (`logix`, `modbus`, `gateway`), `profile` the device it imitates,
    `address` the one IP address all its ports bind ("" is every interface, for a lone simulator only). `types` are the
    structures its tags use, each after those it is made of. `programs` are the programs it has, with tags or without.
    `delay` is the least and the greatest time in seconds that each reply waits. `interfaces` are those of its own
    network namespace or container, the first of them with `address`; none where it shares the machine's. `outside` are
    (protocol, address, port) of the machine at which it is served as well. `hostname` is what it calls itself, "" for
    its name. `code_folder` is where the modules of its tags' classes are sought before where Python looks, "" for no
    folder of one's own."""

    name: str
    kind: str
    profile: str
    address: str
    tags: tuple[TagConfig, ...] = ()
    enip: EnipConfig | None = None
    modbus: ModbusConfig | None = None
    types: tuple[TypeConfig, ...] = ()
    programs: tuple[str, ...] = ()
    delay: tuple[float, float] = (0.0, 0.0)
    interfaces: tuple[InterfaceConfig, ...] = ()
    outside: tuple[tuple[str, str, int], ...] = ()
    hostname: str = ""
    code_folder: str = ""

    @property
    def has_code(self) -> bool:
        """Whether tags of it run code of somebody's own."""
        return any(tag.code for tag in self.tags)

    @property
    def ports(self) -> dict[str, int]:
        """Protocol name to port, for the protocols this node speaks."""
        ports = {}
        if self.enip is not None:
            ports["enip"] = self.enip.port
        if self.modbus is not None:
            ports["modbus"] = self.modbus.port
        return ports
