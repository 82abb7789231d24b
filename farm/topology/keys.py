"""Every key a plant file may have, once: the loader checks with these tables, `farm schema` prints them as JSON Schema,
and a test holds the reference (docs/topology.md) to them.

A key of a later release is listed too, so that it is refused as such and never taken for a slip.
"""

from dataclasses import replace

from farm.topology.host_keys import HOSTS, IMAGE, PLACEMENT
from farm.topology.scalars import Choice, Number, Seconds, Text, Value, Whole, WholeOr
from farm.topology.shapes import AnyValue, Key, ListOf, MapOf, NotYet, One, Section
from farm.topology.tag_keys import BLOCKS, IDENTIFIER, PROGRAM, RECORDS, REGISTER_MAP, SEED, TAGS, TYPES
from farm.topology.transport_keys import TRANSPORT_KEYS
from farm.topology.vocabulary import (
    FARM_NAME,
    PROFILE_NAME,
    VARIABLE_NAME,
    BackendName,
    DelayText,
    Range,
    Revision,
    RouteText,
)
from farm.topology.wiring_keys import ADDRESSED, GATEWAY, LINKS, NETWORK, SUBNET, WIRED
from node.config.schema import MAX_PRODUCT_NAME, UNKNOWN_UNIT

MAX_NODES = 10_000
MOST_NODES = 100_000

VERSION = Whole(0, 1_000_000)
COUNT = Whole(1, MOST_NODES)
SHARD = WholeOr(Whole(1, 1000), "auto")
BACKEND = BackendName()
FOR_RANGE = Range(-1_000_000, 1_000_000)
TEXT = Text()
NAMED = Text("a name")
NUMBER = Number()
TIME = Seconds()
DELAY = DelayText()
VALUE = Value()
PORT = Whole(1, 65535)
PEERS = Whole(1, 10_000)
WORD = Whole(0, 0xFFFF)
BYTE = Whole(0, 0xFF)
SERIAL = Whole(1, 0xFFFFFFFF)
REVISION = Revision()
ROUTE = RouteText()
PRODUCT_NAME = Text("a product name", longest=MAX_PRODUCT_NAME)
DEVICE_TEXT = Text("a text", longest=245)
UNKNOWN = Choice(tuple(UNKNOWN_UNIT))
UNIT_ID = Whole(0, 255)
UNIT_RANGE = Range(0, 255)
IDENTITY = Section(
    "identity",
    "identity",
    (
        Key("vendor", One(WORD), "vendor id", "the profile's"),
        Key("device_type", One(WORD), "device type", "the profile's"),
        Key("product_code", One(WORD), "product code", "the profile's"),
        Key("revision", One(REVISION), "major.minor", "the profile's"),
        Key("status", One(WORD), "status word", "the profile's"),
        Key("state", One(BYTE), "state", "the profile's"),
        Key("serial", One(SERIAL), "serial number; no two nodes share one", "from farm and node name"),
        Key("product_name", One(PRODUCT_NAME), "product name, at most 32 characters", "the profile's"),
    ),
)

DEVICE_ID_OBJECTS = (
    "vendor_name",
    "product_code",
    "revision",
    "vendor_url",
    "product_name",
    "model_name",
    "user_application_name",
)
"""Object names of Read Device Identification (43/14); the id is the place in this row."""

DEVICE_ID = Section(
    "device_id",
    "device_id",
    tuple(
        Key(name, One(DEVICE_TEXT), f"object {index} of Modbus function 43/14", "the profile's, or none")
        for index, name in enumerate(DEVICE_ID_OBJECTS)
    ),
)

_IDLE = Key("idle_timeout", One(TIME), "closes a connection that is silent this long; 0 never does", "0")

ENIP = Section(
    "enip",
    "enip",
    (
        Key("port", One(PORT), "TCP and UDP port", "44818"),
        Key("route_path", One(ROUTE), "routes it answers: any, none (no route), or one such as 1/0", "the profile's"),
        Key("onward", One(SUBNET), "addresses that a route may name for a message to be sent on to", "none"),
        Key("max_cip_connections", One(PEERS), "connected (class 3) connections at a time", "the profile's"),
        Key("max_connections", One(PEERS), "TCP connections at a time", "the profile's"),
        _IDLE,
    ),
)

MODBUS = Section(
    "modbus",
    "modbus",
    (
        Key("port", One(PORT), "TCP port", "502, or 1502 where not allowed; 300 more with `tls`"),
        Key("max_connections", One(PEERS), "TCP connections at a time", "64"),
        _IDLE,
        Key(
            "unknown_unit",
            One(UNKNOWN),
            "what a unit id gets that no unit has: exception 0B or 0A, or no reply",
            "target-failed",
        ),
        *TRANSPORT_KEYS,
    ),
)

_USE = Key("use", ListOf(NAMED), "templates, later ones win", "none")
_KIND = Key("kind", One(NAMED), "logix, modbus, gateway or one of `kinds`")

_REGISTERS = Key(
    "registers",
    One(REGISTER_MAP),
    "its register map: a CSV file, relative to this one, or a profile that has registers",
    "the profile's, unless blocks or units are given",
)

UNIT = Section("unit", "unit", (_USE, *BLOCKS, replace(_REGISTERS, default="none"), *RECORDS))

_BODY = (
    Key("profile", One(PROFILE_NAME), "the device it imitates", "1756-L61, or generic"),
    *WIRED,
    TAGS,
    Key("programs", MapOf(PROGRAM, "program", IDENTIFIER), "program name to its tags", "none"),
    *BLOCKS,
    _REGISTERS,
    *RECORDS,
    Key("unit", One(UNIT_ID), "Modbus unit id of the blocks above", "1"),
    Key("units", MapOf(UNIT, "unit", UNIT_RANGE), "more Modbus units: an id or a range to its blocks", "none"),
    Key("identity", IDENTITY, "CIP Identity object, where it differs from the profile"),
    Key("device_id", DEVICE_ID, "Modbus device identification, where it differs from the profile"),
    Key(
        "objects",
        MapOf(MapOf(AnyValue(), "attribute"), "object"),
        "CIP object to its attributes, where they differ from the profile",
        "none",
    ),
    Key("enip", ENIP, "EtherNet/IP port and limits"),
    Key("modbus", MODBUS, "Modbus port and limits"),
    Key("delay", One(DELAY), "how long each reply waits: a time, a range of times, or typical for the profile", "0"),
    Key("restart", NotYet("restart policies"), ""),
    Key("slots", NotYet("backplane slots"), ""),
    Key("pool", NotYet("pools apart from networks", "without 'address' a node gets a free one of 'network'"), ""),
)

DEFAULTS = Section("defaults", "defaults", (_KIND, *_BODY))
TEMPLATE = Section("template", "template", _BODY)
KIND = Section("kind", "kind", (Key("extends", One(NAMED), "the kind it builds on", required=True), *_BODY))
NODE = Section(
    "node", "node", (_KIND, _USE, *ADDRESSED, *_BODY, Key("external", NotYet("devices outside the farm"), ""))
)
GROUP = Section(
    "group",
    "group",
    (
        Key("count", One(COUNT), "how many members; ${i} counts them from 1"),
        Key(
            "for",
            MapOf(ListOf(VALUE), "variable", VARIABLE_NAME),
            "variable to range (1..20) or list; a member for each combination, the last variable fastest",
        ),
        Key("name", One(VALUE), "name of a member, made with ${…}", "GROUP-${i}"),
        _KIND,
        _USE,
        *ADDRESSED,
        *_BODY,
    ),
)

PLANT = Section(
    "plant",
    "plant file",
    (
        Key("farm", One(VERSION), "version of this format: 1", required=True),
        Key("name", One(FARM_NAME), "the farm's name", required=True),
        Key("include", ListOf(TEXT), "files to merge in, relative to this one, with * and ?; this file wins", "none"),
        Key("vars", MapOf(One(VALUE), "variable", VARIABLE_NAME), "variables for ${NAME}", "none"),
        Key("seed", One(SEED), "changes every signal with chance in it", "0"),
        Key("max_nodes", One(COUNT), "most nodes this file may make", f"{MAX_NODES}"),
        Key("backend", One(BACKEND), "what runs the nodes", "process"),
        Key("shard", One(SHARD), "nodes a worker process, or auto", "1"),
        Key(
            "networks",
            MapOf(NETWORK, "network", FARM_NAME),
            "network name to subnet and the rest",
            "default: 127.64.0.0/10",
        ),
        Key("hosts", MapOf(HOSTS, "host", FARM_NAME), "backend swarm: machines with an engine, by name", "none"),
        Key("placement", One(PLACEMENT), "who says which host a node is on: static (this file), or engine", "static"),
        Key("image", One(IMAGE), "what hosts pull from a registry for nodes", "built, and copied to them"),
        Key("types", TYPES, "structures (UDTs) and strings of your own, for tags", "none"),
        Key("defaults", DEFAULTS, "what every node inherits"),
        Key("kinds", MapOf(KIND, "kind", FARM_NAME), "kinds of your own", "none"),
        Key("templates", MapOf(TEMPLATE, "template", FARM_NAME), "pieces of nodes, for `use`", "none"),
        Key("groups", MapOf(GROUP, "group", FARM_NAME), "many nodes alike", "none"),
        Key("nodes", MapOf(NODE, "node"), "single nodes, and overrides of group members", "none"),
        Key("gateways", MapOf(GATEWAY, "gateway", FARM_NAME), "routers between networks; backend netns", "none"),
        Key("links", LINKS, "node names, with * and ?, or group:NAME, to how good their links are", "none"),
        Key("faults", NotYet("faults"), ""),
        Key("expect", NotYet("expectations"), ""),
        Key("dashboard", NotYet("dashboard settings"), ""),
        Key("external", NotYet("devices outside the farm"), ""),
    ),
)
