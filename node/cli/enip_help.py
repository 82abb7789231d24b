"""What `enip_server --help` teaches behind its options: examples, types, devices, the configuration file."""

from node.config.object_files import object_file_places
from node.config.tagspec import TYPES
from node.objects.profiles import ADAPTER, DRIVE, LOGIX, MICRO800, PANEL, PCCC, PROFILES, Profile

_EXAMPLES = """\
examples:
  enip_server SCADA=INT[1000] TEXT=SSTRING[100]
      a ControlLogix with two tags, on port 44818 of every interface
  enip_server -p -a 127.0.0.1 Level=REAL Grid=DINT[4,5]
      on one interface only; shows every read and write
  enip_server --profile 1756-L83E Flow@22/1/1=REAL
      another device; the tag is an attribute (class 22, instance 1, attribute 1) too
  enip_server -d 0.1-0.9 -v -l plc.log SCADA=INT[1000]
      replies take 0.1 to 0.9 s; what happens is logged to a file
  enip_server --web :8080 SCADA=INT[1000]
      with a page at http://127.0.0.1:8080/ and an API at /api, as in 2016
  enip_server -d typical --profile 1766-L32BXB N7=INT[100]
      replies take as long as that device's; its tags are its data files
  enip_server -S SCADA=INT[1000]
      a simple device: a client must send no route path (or `--route-path false`)"""

_TAGS = """\
tags:
  NAME[@CLASS/INSTANCE/ATTRIBUTE]=TYPE[[LENGTH[,LENGTH[,LENGTH]]]]
      types in either case: {types}.
      BOOL is a byte here, of which bit 0 counts. Without tags the controller has none."""

_FILES = """\
configuration files (the 2016 simulator's cpppo.cfg):
  [Identity]
  Product Name = 1756-L61/B LOGIX5561
      A section an object, attributes by name, JSON where a value has several parts. All that are there are read, and
      a later one wins: {files}, then --config FILE."""

_EXITS = """\
exit codes:
  0 ended by SIGINT or SIGTERM   1 it could not be done   2 the command line or a configuration file is wrong"""

WIDTH = 96

FAMILIES = {
    LOGIX: "Logix: tags, programs and structures, which clients browse",
    MICRO800: "Micro800: tags, which clients browse",
    PCCC: "SLC and MicroLogix: data files, by PCCC; tags are named as they are (N7=INT[100])",
    DRIVE: "drives: parameters (class 0x93)",
    ADAPTER: "adapters: assemblies",
    PANEL: "operator panels: an identity",
}
"""What a family of devices has."""


def lesson() -> str:
    """The text."""
    types = _wrapped(" ".join(TYPES), 6)
    files = ", ".join(object_file_places({"HOME": "~"}))
    return "\n\n".join([_EXAMPLES, _TAGS.format(types=types), _devices(), _FILES.format(files=files), _EXITS])


def _devices() -> str:
    """Every profile in a line, by family."""
    width = max(map(len, PROFILES))
    lines = ["devices (--profile), with what --delay typical means:"]
    for family, what in FAMILIES.items():
        lines.append(f"  {what}")
        found = (profile for profile in PROFILES.values() if profile.family == family)
        lines += (f"    {profile.name:{width}}  {describe(profile)}" for profile in found)
    return "\n".join(lines)


def describe(profile: Profile) -> str:
    """What it says it is, whether it routes, how long its replies take."""
    low, high = (round(seconds * 1000) for seconds in profile.response)
    routed = "" if profile.routes else ", empty route path only"
    return f"{profile.product_name.strip()}{routed}, {low}-{high} ms"


def _wrapped(text: str, indent: int) -> str:
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) >= WIDTH - indent:
            lines.append(line)
            line = ""
        line += f"{' ' if line else ''}{word}"
    return f"\n{' ' * indent}".join([*lines, line])
