"""The keys of what a node holds: tags, their members, what moves them, register blocks, and types of one's own."""

from farm.topology.registers import RegisterKey
from farm.topology.scalars import Choice, Number, Seconds, Text, Truth, Value, Whole
from farm.topology.shapes import Key, ListOf, MapOf, One, Section, ShortOr
from farm.topology.structure import StructureShape
from farm.topology.vocabulary import SIGNAL_NAME, BlockText, TagAddress, TypeText
from node.config.schema import (
    ACCESS,
    BLOCK_ACCESS,
    MAX_IDENTIFIER,
    ON_WRITE,
    ORDERS,
    SECONDS,
    SIGNALS,
    TABLES,
    Parameter,
    Signal,
)

SEED = Whole(0, 0xFFFFFFFF)
NUMBER = Number()
TIME = Seconds()
TRUTH = Truth()
VALUE = Value()
TAG_TYPE = TypeText(own=True)
BLOCK_TYPE = TypeText(blocks=True)
TAG_NAME = Text("a tag's name")
TAG_PATH = Text("a tag, or what is within one, such as Tank1.Level or Word.3")
MEMBER_PATH = Text("a member or element such as Speed, Pump.Speed or [3].Speed")
TAG_ADDRESS = TagAddress()
CLASS_NAME = Text(
    "a class such as weather:Weather or plant.hooks:Pump",
    r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*",
)
IDENTIFIER = Text(f"a name as Logix has it, at most {MAX_IDENTIFIER} characters", longest=MAX_IDENTIFIER, code="F016")
ENGINEERING_UNIT = Text("an engineering unit", longest=32)
RIGHTS = Choice(ACCESS)
WRITES = Choice(ON_WRITE)
ORDER = Choice(ORDERS)
DIRECTION = Choice(BLOCK_ACCESS)
NUMBER_TYPE = TypeText(blocks=True)
FILE_NUMBER = Whole(1, 0xFFFF)
QUEUE_ADDRESS = Whole(0, 0xFFFF)
SERVER_ID = Text("a text", longest=249)
REGISTER_MAP = Text("a register map: a CSV file below the plant's folder, or a profile that has registers")
REGISTER_KEYS = {table: RegisterKey(table) for table in TABLES}


def _parameter(parameter: Parameter) -> Key:
    default = "" if parameter.default is None else f"{parameter.default:g}"
    if parameter.unit != SECONDS:
        return Key(parameter.name, One(NUMBER), parameter.meaning, default)
    return Key(parameter.name, One(TIME), parameter.meaning, f"{default}s")


def _signal(signal: Signal) -> Key:
    keys = tuple(_parameter(parameter) for parameter in signal.parameters)
    if signal.seeded:
        keys += (Key("seed", One(SEED), "chance of its own, instead of the one made of plant, node and tag"),)
    return Key(signal.name, Section(f"signal-{signal.name}", f"signal {signal.name}", keys), signal.meaning)


SIGNAL = Section("signal", "signal", tuple(_signal(signal) for signal in SIGNALS.values()))

_INIT = "value at the start: one for all elements, or a list with one each"
_MOVING = (
    Key("signal", ShortOr(SIGNAL_NAME, SIGNAL), "what moves the value; a map of one signal to its parameters", "none"),
    Key("on_write", One(WRITES), "what a client's write does to a tag with a signal", "overwrite"),
)
_SIGNAL_KEYS = (
    *_MOVING,
    Key("writable", One(TRUTH), "false: every write from outside is refused", "true"),
    Key("unit", One(ENGINEERING_UNIT), "engineering unit, for people"),
)

MEMBER = Section("member", "member", (Key("init", ListOf(VALUE), _INIT, "0 or empty"), *_MOVING))

TAG = Section(
    "tag",
    "tag",
    (
        Key(
            "type",
            One(TAG_TYPE),
            "CIP type or one of `types`, alone or with one to three array lengths",
            "must be given, but for an alias",
        ),
        Key("init", ListOf(VALUE), _INIT, "0 or empty"),
        *_SIGNAL_KEYS,
        Key(
            "members",
            MapOf(ShortOr(VALUE, MEMBER, many=True), "member", MEMBER_PATH),
            "member or element to its initial value, or to a map",
            "none",
        ),
        Key("access", One(RIGHTS), "what clients may do with it", "read/write"),
        Key("constant", One(TRUTH), "true: it is never written, as a constant of Logix", "false"),
        Key("alias", One(TAG_PATH), "what it is another name of: a tag, a member, an element or a bit", "none"),
        Key("address", One(TAG_ADDRESS), "class/instance/attribute under which it is reached too", "none"),
        Key(
            "class", One(CLASS_NAME), "code of your own that its reads and writes call, `package.module:Class`", "none"
        ),
    ),
)

TAGS = Key("tags", MapOf(ShortOr(TAG_TYPE, TAG), "tag"), "tag name to type, or to a map", "none")

PROGRAM = Section("program", "program", (TAGS,))

BLOCK = Section(
    "block",
    "register block",
    (
        Key(
            "type",
            One(BLOCK_TYPE),
            "CIP type, or int16, uint16 … float64; a range of registers makes an array of it",
            "UINT or BOOL",
        ),
        Key("name", One(TAG_NAME), "name of the tag behind the block", "HR40001 and the like"),
        Key("tag", One(TAG_PATH), "an existing tag, or what is within one, to show here instead of a new one"),
        Key("order", One(ORDER), "byte order of values wider than a register", "the profile's"),
        Key("direction", One(DIRECTION), "what clients may do with these registers", "read/write"),
        Key("as", One(NUMBER_TYPE), "type that the tag's values have in registers", "the tag's"),
        Key("scale", One(NUMBER), "the value is the register times this, and `offset`", "1"),
        Key("offset", One(NUMBER), "added to the register times `scale`", "0"),
        Key("min", One(NUMBER), "a write of a smaller value is refused", "none"),
        Key("max", One(NUMBER), "a write of a greater value is refused", "none"),
        Key("init", ListOf(VALUE), _INIT, "0"),
        *_SIGNAL_KEYS,
    ),
)

RECORDS = (
    Key(
        "files",
        MapOf(One(TAG_PATH), "file", FILE_NUMBER),
        "file number to the tag whose registers are its records (Modbus functions 20, 21)",
        "none",
    ),
    Key(
        "queues",
        MapOf(One(TAG_PATH), "queue", QUEUE_ADDRESS),
        "wire address to the tag whose registers wait there (function 24, at most 31)",
        "none",
    ),
    Key("server_id", One(SERVER_ID), "what function 17 tells", "the product code"),
    Key("exception_status", One(REGISTER_KEYS["coils"]), "the first of eight coils that function 7 tells", "none set"),
)

BLOCKS = tuple(
    Key(
        table,
        MapOf(ShortOr(BlockText(), BLOCK, many=True), f"{table} block", REGISTER_KEYS[table]),
        meaning,
        "none",
    )
    for table, meaning in (
        ("coils", "coils: bits to read and write"),
        ("discrete", "discrete inputs: bits to read"),
        ("input", "input registers, to read"),
        ("holding", "holding registers, to read and write"),
    )
)

TYPES = MapOf(StructureShape(), "type", IDENTIFIER)
