"""A controller that can be browsed: tags of both scopes, structures, aliases, and the objects that tell of them."""

from node.cip import types
from node.cip.epath import Element, Symbolic
from node.cip.predefined import STRING, TIMER
from node.cip.template import Declared, lay_out
from node.cip.text import SSTRING
from node.memory.attribute import Instant
from node.memory.place import follow
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute
from node.objects.program_name import program_name_object
from node.objects.router import Router
from node.objects.symbol import SymbolObject
from node.objects.tag_version import tag_version_object
from node.objects.template import TemplateObject

PUMP = lay_out(
    "Pump",
    0x100,
    (
        Declared("Speed", types.REAL),
        Declared("On", types.BOOL),
        Declared("Off", types.BOOL),
        Declared("Hist", types.INT, 3),
        Declared("Name", STRING),
    ),
)

PLANT = lay_out("Plant", 0x101, (Declared("Total", types.DINT), Declared("Pumps", PUMP, 2)))


def build_tags() -> TagTable:
    """Controller: 1 Count, 2 Bits, 3 Program:Main, 4 Cube, 5 P, 6 Plants, 7 Name, 8 Text, 9 Delay, 10 Fixed, 11 Secret,
    12 Program:Idle, 13 Speed, 14 Bit, 15 Row, 16 Old.Level. Main: 1 Level, 2 P, 3 All."""
    tags = TagTable()
    tags.add("Count", count := create_attribute(types.DINT, (), 0x0A0B0C0D))
    tags.add("Bits", create_attribute(types.BOOL, (96,), packed=True))
    tags.add("Program:Main.Level", create_attribute(types.INT, (), 7))
    tags.add("Cube", cube := create_attribute(types.INT, (2, 3, 4), range(24)))
    tags.add("P", pump := create_attribute(PUMP))
    tags.add("Plants", create_attribute(PLANT, (2,)))
    tags.add("Name", create_attribute(STRING, (), "ready"))
    tags.add("Text", create_attribute(SSTRING, (), "short"))
    tags.add("Delay", create_attribute(TIMER))
    tags.add("Fixed", create_attribute(types.REAL, writable=False))
    tags.add("Secret", secret := create_attribute(types.LINT))
    tags.add("Program:Main.P", create_attribute(PUMP, (3,)))
    tags.add_program("Idle")
    tags.add_alias("Speed", follow(pump, [Symbolic("speed")]))
    tags.add_alias("Bit", follow(count, [Symbolic("10")]))
    tags.add_alias("Row", follow(cube, [Element(1), Element(2), Element(3)]))
    tags.add_alias("Program:Main.All", follow(cube, []))
    tags.add("Old.Level", create_attribute(types.SINT, (), 3))
    secret.readable = False
    return tags


def build(tags: TagTable | None = None) -> Router:
    """A router with the objects that browsing needs."""
    table = tags if tags is not None else build_tags()
    router = Router(table, Instant())
    for item in (
        SymbolObject(table),
        TemplateObject((PUMP, PLANT)),
        program_name_object("plc"),
        tag_version_object(table, (PUMP, PLANT)),
    ):
        router.add(item)
    return router


def ask(router: Router, message: bytes, limit: int = 504) -> str:
    """The reply in hex; asked twice, for the second answer may be prepared."""
    first = router.request(message, limit=limit)
    if message[0] in (0x01, 0x03, 0x0E, 0x4C, 0x52, 0x55):
        assert router.request(message, limit=limit) == first
    return first.hex()
