"""Keys that say how the nodes of a plant are wired: networks, interfaces, gateways and links."""

from farm.topology.host_keys import HOSTED
from farm.topology.network_values import LINK_DELAY, LINK_TIME, LOSS, RATE, HostName, Mac, Oui, RuleText, Subnet6
from farm.topology.scalars import Address, Choice, Number, Subnet, Text, Truth, Whole
from farm.topology.shapes import Key, ListOf, MapOf, NotYet, One, Section, ShortOr
from farm.topology.wiring import BRIDGE, MACVLAN

SUBNET = Subnet()
SUBNET6 = Subnet6()
ADDRESS = Address()
MAC = Mac()
OUI = Oui()
HOST_NAME = HostName()
RULE = RuleText()
TRUTH = Truth()
PURDUE = Number()
MTU = Whole(576, 9216)
DRIVER = Choice((BRIDGE, MACVLAN))
UPLINK = Text("the name of a network interface", "(?!\\.{1,2}$)[A-Za-z0-9_.-]{1,15}", code="F016")
REQUIRE = Choice(("kernel",))
NAMED = Text("a name")
PATTERN = Text("a pattern of node names or group:NAME", longest=64)
TEXT = Text("the name of a router, an address, or none", longest=64)

NETWORK = Section(
    "network",
    "network",
    (
        Key("subnet", One(SUBNET), "its addresses, the same in the file for every backend", required=True),
        Key("purdue", One(PURDUE), "its level, for people"),
        Key("internal", One(TRUTH), "true: this machine does not reach it", "false"),
        Key("mtu", One(MTU), "bytes of a packet", "1500"),
        Key("ipv6", One(SUBNET6), "IPv6 too: this subnet, with the IPv4 address as last bits", "none"),
        Key("uplink", One(UPLINK), "a real interface of this machine that is joined to it; netns and docker", "none"),
        Key("driver", One(DRIVER), "how: bridge, or macvlan on the uplink", "bridge"),
        Key("oui", One(OUI), "MAC addresses of this maker; only where it is internal and has no uplink", "none"),
        Key("vlan", NotYet("VLANs"), ""),
        Key("host", NotYet("settings of this machine", "it reaches every network that is not 'internal: true'"), ""),
    ),
)

INTERFACE = Section(
    "interface",
    "interface",
    (
        Key("address", One(ADDRESS), "IPv4 address inside that network", "the next free one, kept in the lock file"),
        Key("mac", One(MAC), "MAC address", "from farm, node and network name"),
    ),
)

GATEWAY = Section(
    "gateway",
    "gateway",
    (
        Key("between", ListOf(NAMED), "the networks it is on, two or more", required=True),
        Key(
            "addresses",
            MapOf(One(ADDRESS), "network"),
            "its addresses on them",
            "the last free ones, kept in the lock file",
        ),
        Key("allow", ListOf(RULE), "what it lets through, answers included", "nothing"),
    ),
)

LINK = Section(
    "link",
    "link",
    (
        Key("delay", One(LINK_DELAY), "one way towards the client, and how much more or less it may be", "0"),
        Key("jitter", One(LINK_TIME), "how much more or less", "0"),
        Key("loss", One(LOSS), "packets that are lost", "0"),
        Key("rate", One(RATE), "most bits a second", "no limit"),
        Key("up", One(TRUTH), "false: the cable is not plugged in", "true"),
        Key("require", One(REQUIRE), "kernel: fail where the node would have to play the delay itself", "none"),
    ),
)

LINKS = MapOf(LINK, "pattern", PATTERN)

WIRED = (
    Key("network", One(NAMED), "the network it is on", "default"),
    Key("interfaces", MapOf(ShortOr(ADDRESS, INTERFACE), "network"), "further networks it is on", "none"),
    Key(
        "gateway",
        One(TEXT),
        "its default gateway: a router's name, an address, or none",
        "the only router of its network",
    ),
    Key("hostname", One(HOST_NAME), "what it calls itself", "its name"),
    HOSTED,
    Key("link", LINK, "how good its link is"),
    Key("latency", One(LINK_DELAY), "short for `delay` of `link`", "0"),
    Key("jitter", One(LINK_TIME), "short for `jitter` of `link`", "0"),
    Key("loss", One(LOSS), "short for `loss` of `link`", "0"),
    Key("rate", One(RATE), "short for `rate` of `link`", "no limit"),
)
"""Keys of a node, and of what nodes inherit."""

ADDRESSED = (
    Key("address", One(ADDRESS), "IPv4 address inside its network", "the next free one, kept in the lock file"),
    Key("mac", One(MAC), "MAC address on its network", "from farm, node and network name"),
)
"""Keys of single nodes and groups only."""
