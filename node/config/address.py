"""Where to listen, as a person types it: `[interface][:port]`."""

from node.errors import ConfigError

_WANTED = "wanted [INTERFACE][:PORT], as 127.0.0.1, :44818, plc.local:44818 or [::1]:44818"


def parse_address(text: str, default_port: int) -> tuple[str, int]:
    """(host, port) of `text`; a missing host is "" (every interface), a missing port `default_port`, port 0 any free
    one. A host with colons stands in brackets. Raises `ConfigError` that quotes `text`."""
    source = f"address {text!r}"
    host, port_text = _split(text.strip(), source)
    if any(character.isspace() or character in "/,[]" for character in host):
        raise ConfigError(source, 0, f"{host!r} is no interface; {_WANTED}")
    if port_text is None:
        return host, default_port
    if not (port_text.isascii() and port_text.isdigit()) or int(port_text) > 0xFFFF:
        raise ConfigError(source, 0, f"{port_text!r} is no port (0 to 65535); {_WANTED}")
    return host, int(port_text)


def _split(text: str, source: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ConfigError(source, 0, f"a bracket that does not close; {_WANTED}")
        return host, rest[1:] if rest else None
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, None
    if ":" in host:
        raise ConfigError(source, 0, f"{host!r} has colons: put it in brackets; {_WANTED}")
    return host, port
