"""The errors of a node, from one root, so that an edge can tell a peer's fault from its own.

A `ProtocolError` is about bytes: `Remote…` when what came is wrong, `Local…` when what we were asked to send is.
Errors that carry the status of a reply stand beside their protocol (`node.cip.status.CipError`,
`node.modbus.pdu.ModbusError`) and derive from `NodeError` as well.
"""


class NodeError(Exception):
    """Whatever this package raises on purpose."""


class ProtocolError(NodeError):
    """Bytes that do not follow the protocol."""


class RemoteProtocolError(ProtocolError):
    """What the peer sent is not what the protocol allows."""


class LocalProtocolError(ProtocolError):
    """What this side was asked to send cannot be sent."""


class ConfigError(NodeError):
    """A configuration that cannot be used.

    `source` names the file or argument, `line` its line counted from 1 (0 where there is none), `message`
    says what was got, what was wanted and what to do.
    """

    def __init__(self, source: str, line: int, message: str) -> None:
        super().__init__(f"{source}:{line}: {message}" if line else f"{source}: {message}")
        self.source = source
        self.line = line
        self.message = message

    @property
    def lines(self) -> tuple[str, ...]:
        """All that is wrong, a line each."""
        return (str(self),)
