"""Keys that say on which machines the nodes of a plant are."""

from farm.topology.placement import ENGINE, STATIC
from farm.topology.scalars import Choice, Text
from farm.topology.shapes import Key, ListOf, One, Section, ShortOr

PLACEMENT = Choice((STATIC, ENGINE))
PORT = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_WORD = r"[^\s/:@-][^\s/:@]*"
"""A user, or a host, which no program takes for an option."""
ENGINE_URL = Text(
    "an engine's address: unix:///PATH, ssh://USER@HOST or tcp://HOST:PORT",
    rf"unix:///\S+|ssh://(?:{_WORD}@)?(?:{_WORD}|\[[0-9a-fA-F:]+\])(?::{PORT})?(?:/\S+)?|tcp://{_WORD}:{PORT}",
    code="F076",
)
CONTEXT = Text("the name of a Docker context", "[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}", code="F076")
FOLDER = Text("a folder")
IMAGE = Text("the name of an image", "[A-Za-z0-9][A-Za-z0-9_./:@-]{0,254}")
HOST_NAMED = Text("the name of a host")

HOST = Section(
    "host",
    "host",
    (
        Key("url", One(ENGINE_URL), "where its engine is: unix:///PATH, ssh://USER@HOST or tcp://HOST:PORT"),
        Key("tls", One(FOLDER), "with tcp: a folder with ca.pem, cert.pem and key.pem, relative to this file", "none"),
        Key("context", One(CONTEXT), "instead of `url`: a context of Docker's own command line", "none"),
    ),
)

HOSTED = Key("host", ListOf(HOST_NAMED), "backend swarm: the host it is on, or a list of those it may be on", "any")
"""A key of a node, and of what nodes inherit."""

HOSTS = ShortOr(ENGINE_URL, HOST)
