"""Keys of how Modbus reaches a node: framing, datagrams, a serial line, TLS."""

from dataclasses import dataclass

from farm.topology.document import Scalar
from farm.topology.scalars import SUBSTITUTED, BadValueError, Choice, JsonSchema, ScalarShape, Text, Truth, whole
from farm.topology.shapes import Key, One, Section
from node.config.schema import BAUDS, DATA_BITS, FRAMINGS, PARITIES, STOP_BITS


@dataclass(frozen=True)
class Baud(ScalarShape[int]):
    """One of the speeds that lines have."""

    wanted: str = "one of " + ", ".join(map(str, BAUDS))

    def read(self, scalar: Scalar) -> int:
        number = whole(scalar.text) if scalar.plain or scalar.filled else None
        if number is None:
            raise self.bad(scalar)
        if number not in BAUDS:
            raise BadValueError(f"is {number}; wanted {self.wanted}", code="F013")
        return number

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"enum": list(BAUDS)}, SUBSTITUTED]}


FRAMING = Choice(FRAMINGS)
LINE_FRAMING = Choice(FRAMINGS[1:])
BAUD = Baud()
FORMAT = Text("data bits, parity and stop bits as 8E1 or 8N2", f"[{DATA_BITS}][{PARITIES}][{STOP_BITS}]", code="F013")
DEVICE = Text("an absolute path such as /dev/ttyUSB0", "/.+")
FILE = Text("a file, relative to this one")
TRUTH = Truth()

SERIAL = Section(
    "serial",
    "serial",
    (
        Key("device", One(DEVICE), "path of the device; with 'pty', of a link that is made", required=True),
        Key("pty", One(TRUTH), "makes a pseudo terminal, whose other end clients open by the link", "false"),
        Key("baud", One(BAUD), "bits a second", "19200"),
        Key("format", One(FORMAT), "data bits, parity (N, E, O) and stop bits", "8E1, or 7E1 for ascii"),
        Key("framing", One(LINE_FRAMING), "rtu or ascii", "rtu"),
    ),
)

TLS = Section(
    "tls",
    "tls",
    (
        Key("certificate", One(FILE), "the node's certificate, in PEM", required=True),
        Key("key", One(FILE), "its key, in PEM and without a password", required=True),
        Key("ca", One(FILE), "certificate of the authority that clients must show one of", "clients show none"),
    ),
)

TRANSPORT_KEYS = (
    Key("framing", One(FRAMING), "frames in its TCP connections: tcp, or those of a line, rtu or ascii", "tcp"),
    Key("udp", One(TRUTH), "takes datagrams at the port too", "false"),
    Key("serial", SERIAL, "a serial line that it is on too; backend process"),
    Key("tls", TLS, "speaks TLS at its port; backend process"),
)
"""Keys of a node's `modbus`."""
