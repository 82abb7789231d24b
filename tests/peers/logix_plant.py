"""One Logix node a profile, alike but for the device: structures, programs, texts, arrays of all dimensions."""

from __future__ import annotations

from node.config.schema import PROFILES

LOGIX = ("1756-L61", "1756-L73", "1756-L83E", "1769-L18ER", "1769-L24ER", "1769-L36ERM", "5069-L320ER")
MICRO800 = "2080-LC50"

ADDRESSES = {profile: f"127.64.232.{index}" for index, profile in enumerate((*LOGIX, MICRO800), 1)}

_TAGS = """
      Flag: BOOL
      Tiny: SINT
      Word: INT
      Count: DINT
      Long: LINT
      Speed: REAL
      Precise: LREAL
      Name: {type: STRING, init: ready}
      Names: "STRING[4]"
      Short: STR20
      Bits: "BOOL[96]"
      Table: "DINT[6]"
      Square: "INT[3,4]"
      Cube: "DINT[2,3,4]"
      Large: "DINT[5000]"
      Delay: TIMER
      Parts: COUNTER
      U: {type: Recipe, members: {d: {init: 7}, s: {init: flour}, "arr[1]": {init: -3}, "in.on": {init: true}}}
      UA: "Recipe[3]"
      Fixed: {type: DINT, init: 42, access: read only}
      Secret: {type: DINT, access: none}
      Constant: {type: REAL, init: 2.5, constant: true}
"""

_LOGIX_ONLY = """
      Other: {alias: U.arr}
      Bit: {alias: Word.3}
    programs:
      MainProgram:
        tags:
          P1: {type: DINT, init: 11}
          Local: {type: Recipe, members: {r: {init: 0.5}}}
          List: "REAL[10]"
      Idle: {}
"""

_HEAD = """farm: 1
name: logix
types:
  Inner: {x: INT, y: INT, on: BOOL}
  Recipe:
    d: DINT
    b0: BOOL
    b1: BOOL
    s: STRING
    arr: "INT[3]"
    flags: "BOOL[32]"
    in: Inner
    ins: "Inner[2]"
    r: REAL
    tiny: SINT
    off: BOOL
    l: LINT
    short: STR20
  STR20: {string: 20}
nodes:
"""


def node(profile: str) -> str:
    """The name of the node of a profile."""
    return "n" + profile.replace(".", "-")


def _node(profile: str) -> str:
    head = f"  {node(profile)}:\n    kind: logix\n    profile: {profile}\n    address: {ADDRESSES[profile]}\n    tags:"
    return head + _TAGS.rstrip("\n") + (_LOGIX_ONLY if PROFILES[profile].routes else "\n")


PLANT = _HEAD + "".join(_node(profile) for profile in ADDRESSES)
