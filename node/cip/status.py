"""General and extended status codes, and the error that carries them.

A fault found anywhere below the Message Router is raised as a `CipError` and becomes a reply in one place; without
that, each object would build its own reply and some would close the session instead (CIP Vol 1, appendix B; Logix
codes from Rockwell 1756-PM020; Connection Manager codes CIP Vol 1, table 3-5.29).
"""

from node.errors import NodeError

SUCCESS = 0x00
CONNECTION_FAILURE = 0x01
RESOURCE_UNAVAILABLE = 0x02
INVALID_PARAMETER_VALUE = 0x03
PATH_SEGMENT_ERROR = 0x04
PATH_DESTINATION_UNKNOWN = 0x05
PARTIAL_TRANSFER = 0x06
CONNECTION_LOST = 0x07
SERVICE_NOT_SUPPORTED = 0x08
INVALID_ATTRIBUTE_VALUE = 0x09
ATTRIBUTE_LIST_ERROR = 0x0A
ALREADY_IN_REQUESTED_MODE = 0x0B
OBJECT_STATE_CONFLICT = 0x0C
OBJECT_ALREADY_EXISTS = 0x0D
ATTRIBUTE_NOT_SETTABLE = 0x0E
PRIVILEGE_VIOLATION = 0x0F
DEVICE_STATE_CONFLICT = 0x10
REPLY_DATA_TOO_LARGE = 0x11
FRAGMENTED_PRIMITIVE = 0x12
NOT_ENOUGH_DATA = 0x13
ATTRIBUTE_NOT_SUPPORTED = 0x14
TOO_MUCH_DATA = 0x15
OBJECT_DOES_NOT_EXIST = 0x16
FRAGMENTATION_NOT_IN_PROGRESS = 0x17
NO_STORED_ATTRIBUTE_DATA = 0x18
STORE_OPERATION_FAILURE = 0x19
REQUEST_TOO_LARGE = 0x1A
RESPONSE_TOO_LARGE = 0x1B
MISSING_ATTRIBUTE_LIST_ENTRY = 0x1C
INVALID_ATTRIBUTE_VALUE_LIST = 0x1D
EMBEDDED_SERVICE_ERROR = 0x1E
VENDOR_SPECIFIC_ERROR = 0x1F
INVALID_PARAMETER = 0x20
WRITE_ONCE_ALREADY_WRITTEN = 0x21
INVALID_REPLY_RECEIVED = 0x22
KEY_FAILURE_IN_PATH = 0x25
PATH_SIZE_INVALID = 0x26
UNEXPECTED_ATTRIBUTE_IN_LIST = 0x27
INVALID_MEMBER_ID = 0x28
MEMBER_NOT_SETTABLE = 0x29
ATTRIBUTE_NOT_GETTABLE = 0x2C
GENERAL_ERROR = 0xFF

GENERAL_STATUS: dict[int, str] = {
    0x00: "success",
    0x01: "connection failure",
    0x02: "resource unavailable",
    0x03: "invalid parameter value",
    0x04: "path segment error",
    0x05: "path destination unknown",
    0x06: "partial transfer",
    0x07: "connection lost",
    0x08: "service not supported",
    0x09: "invalid attribute value",
    0x0A: "attribute list error",
    0x0B: "already in requested mode",
    0x0C: "object state conflict",
    0x0D: "object already exists",
    0x0E: "attribute not settable",
    0x0F: "privilege violation",
    0x10: "device state conflict",
    0x11: "reply data too large",
    0x12: "fragmentation of a primitive value",
    0x13: "not enough data",
    0x14: "attribute not supported",
    0x15: "too much data",
    0x16: "object does not exist",
    0x17: "fragmentation sequence not in progress",
    0x18: "no stored attribute data",
    0x19: "store operation failure",
    0x1A: "routing failure, request too large",
    0x1B: "routing failure, response too large",
    0x1C: "missing attribute list entry",
    0x1D: "invalid attribute value list",
    0x1E: "embedded service error",
    0x1F: "vendor specific error",
    0x20: "invalid parameter",
    0x21: "write-once already written",
    0x22: "invalid reply received",
    0x25: "key failure in path",
    0x26: "path size invalid",
    0x27: "unexpected attribute in list",
    0x28: "invalid member id",
    0x29: "member not settable",
    0x2A: "group 2 only server failure",
    0x2B: "unknown Modbus error",
    0x2C: "attribute not gettable",
    0xFF: "general error",
}

NO_ACCESS = 0x2100
KEYSWITCH_POSITION = 0x2101
WRONG_PASSWORD = 0x2102
NO_PASSWORD = 0x2103
OFFSET_PAST_END = 0x2104
INDEX_PAST_END = 0x2105
DATA_IN_USE = 0x2106
TYPE_MISMATCH = 0x2107
IN_UPLOAD_OR_DOWNLOAD = 0x2108

CONNECTION_IN_USE = 0x0100
TRANSPORT_NOT_SUPPORTED = 0x0103
OWNERSHIP_CONFLICT = 0x0106
CONNECTION_NOT_FOUND = 0x0107
INVALID_NETWORK_PARAMETER = 0x0108
INVALID_CONNECTION_SIZE = 0x0109
TARGET_NOT_CONFIGURED = 0x0110
RPI_NOT_SUPPORTED = 0x0111
RPI_NOT_ACCEPTABLE = 0x0112
OUT_OF_CONNECTIONS = 0x0113
VENDOR_OR_PRODUCT_MISMATCH = 0x0114
DEVICE_TYPE_MISMATCH = 0x0115
REVISION_MISMATCH = 0x0116
INVALID_APPLICATION_PATH = 0x0117
INVALID_CONFIGURATION_PATH = 0x0118
TARGET_OUT_OF_CONNECTIONS = 0x011A
TRANSPORT_CLASS_NOT_SUPPORTED = 0x011C
TRIGGER_NOT_SUPPORTED = 0x011D
DIRECTION_NOT_SUPPORTED = 0x011E
INVALID_O_T_TYPE = 0x0123
INVALID_T_O_TYPE = 0x0124
INVALID_CONFIGURATION_SIZE = 0x0126
INVALID_O_T_SIZE = 0x0127
INVALID_T_O_SIZE = 0x0128
INVALID_CONFIGURATION_APPLICATION = 0x0129
INVALID_CONSUMING_APPLICATION = 0x012A
INVALID_PRODUCING_APPLICATION = 0x012B
CONNECTION_TIMED_OUT = 0x0203
UNCONNECTED_TIMED_OUT = 0x0204
UNCONNECTED_PARAMETER_ERROR = 0x0205
UNCONNECTED_TOO_LARGE = 0x0206
NO_BUFFER_MEMORY = 0x0301
INVALID_PORT = 0x0311
INVALID_NODE_ADDRESS = 0x0312
INVALID_SEGMENT = 0x0315
MODULE_ALREADY_CONNECTED = 0x031B

EXTENDED_STATUS: dict[tuple[int, int], str] = {
    (0x04, 0x0000): "symbol not found or bad path",
    (0x05, 0x0000): "instance or element unknown",
    (0xFF, 0x2100): "no access",
    (0xFF, 0x2101): "keyswitch position",
    (0xFF, 0x2102): "wrong password",
    (0xFF, 0x2103): "no password was given",
    (0xFF, 0x2104): "offset past the end of the requested data",
    (0xFF, 0x2105): "count or index past the end of the tag",
    (0xFF, 0x2106): "data in use",
    (0xFF, 0x2107): "data type does not match the tag's",
    (0xFF, 0x2108): "controller in upload or download",
    (0x10, 0x2101): "keyswitch position",
    (0x10, 0x2802): "safety status",
    (0x01, 0x0100): "connection in use or duplicate Forward Open",
    (0x01, 0x0103): "transport class or trigger not supported",
    (0x01, 0x0106): "ownership conflict",
    (0x01, 0x0107): "target connection not found",
    (0x01, 0x0108): "invalid network connection parameter",
    (0x01, 0x0109): "invalid connection size",
    (0x01, 0x0110): "target not configured",
    (0x01, 0x0111): "RPI not supported",
    (0x01, 0x0112): "RPI not acceptable",
    (0x01, 0x0113): "out of connections",
    (0x01, 0x0114): "vendor or product code mismatch",
    (0x01, 0x0115): "device type mismatch",
    (0x01, 0x0116): "revision mismatch",
    (0x01, 0x0117): "invalid produced or consumed application path",
    (0x01, 0x0118): "invalid configuration path",
    (0x01, 0x0119): "non-listen-only connection not open",
    (0x01, 0x011A): "target object out of connections",
    (0x01, 0x011C): "transport class not supported",
    (0x01, 0x011D): "transport trigger not supported",
    (0x01, 0x011E): "transport direction not supported",
    (0x01, 0x0123): "invalid O->T connection type",
    (0x01, 0x0124): "invalid T->O connection type",
    (0x01, 0x0126): "invalid configuration size",
    (0x01, 0x0127): "invalid O->T size",
    (0x01, 0x0128): "invalid T->O size",
    (0x01, 0x0129): "invalid configuration application path",
    (0x01, 0x012A): "invalid consuming application path",
    (0x01, 0x012B): "invalid producing application path",
    (0x01, 0x0203): "connection timed out",
    (0x01, 0x0204): "unconnected request timed out",
    (0x01, 0x0205): "parameter error in unconnected request",
    (0x01, 0x0206): "message too large for unconnected",
    (0x01, 0x0301): "no buffer memory",
    (0x01, 0x0311): "invalid port in path",
    (0x01, 0x0312): "invalid node address in path",
    (0x01, 0x0315): "invalid segment in path",
    (0x01, 0x031B): "module already connected",
}
"""(general, extended) → meaning: the same extended word means different things under different general codes."""


class CipError(NodeError):
    """A fault that a CIP reply carries.

    `general` is the general status, `extended` the 16-bit words after it, `data` what follows them in the reply
    (a Forward Open's failure names its connection there).
    """

    def __init__(self, general: int, extended: tuple[int, ...] = (), data: bytes = b"") -> None:
        super().__init__(general, extended, data)
        self.general = general
        self.extended = extended
        self.data = data

    def __str__(self) -> str:
        return describe(self.general, self.extended)


def describe(general: int, extended: tuple[int, ...] = ()) -> str:
    """A status in words with its codes, for messages: `general error (0xFF), offset past the … (0x2104)`."""
    text = f"{GENERAL_STATUS.get(general, 'unknown status')} (0x{general:02X})"
    for index, word in enumerate(extended):
        meaning = EXTENDED_STATUS.get((general, word)) if index == 0 else None
        text += f", {meaning} (0x{word:04X})" if meaning else f", 0x{word:04X}"
    return text
