"""Service codes and their names (CIP Vol 1, appendix A; Rockwell 1756-PM020 for tags).

Codes from 0x4B up mean different things on different classes: 0x4E is Read Modify Write on a tag and Forward Close on
the Connection Manager. Decide by the path's class; `service_name` does so for printing.
"""

REPLY = 0x80
"""Set in the service byte of every reply."""

GET_ATTRIBUTES_ALL = 0x01
SET_ATTRIBUTES_ALL = 0x02
GET_ATTRIBUTE_LIST = 0x03
SET_ATTRIBUTE_LIST = 0x04
RESET = 0x05
START = 0x06
STOP = 0x07
CREATE = 0x08
DELETE = 0x09
MULTIPLE_SERVICE_PACKET = 0x0A
APPLY_ATTRIBUTES = 0x0D
GET_ATTRIBUTE_SINGLE = 0x0E
SET_ATTRIBUTE_SINGLE = 0x10
FIND_NEXT_OBJECT_INSTANCE = 0x11
RESTORE = 0x15
SAVE = 0x16
NOP = 0x17
GET_MEMBER = 0x18
SET_MEMBER = 0x19
INSERT_MEMBER = 0x1A
REMOVE_MEMBER = 0x1B
GROUP_SYNC = 0x1C

EXECUTE_PCCC = 0x4B
READ_TAG = 0x4C
WRITE_TAG = 0x4D
READ_MODIFY_WRITE = 0x4E
READ_TAG_FRAGMENTED = 0x52
WRITE_TAG_FRAGMENTED = 0x53
GET_INSTANCE_ATTRIBUTE_LIST = 0x55

GET_AND_CLEAR = 0x4C

FORWARD_CLOSE = 0x4E
UNCONNECTED_SEND = 0x52
FORWARD_OPEN = 0x54
GET_CONNECTION_DATA = 0x56
SEARCH_CONNECTION_DATA = 0x57
GET_CONNECTION_OWNER = 0x5A
LARGE_FORWARD_OPEN = 0x5B

IDENTITY_CLASS = 0x01
MESSAGE_ROUTER_CLASS = 0x02
ASSEMBLY_CLASS = 0x04
CONNECTION_MANAGER_CLASS = 0x06
PARAMETER_CLASS = 0x0F
FILE_CLASS = 0x37
PROGRAM_NAME_CLASS = 0x64
PCCC_CLASS = 0x67
SYMBOL_CLASS = 0x6B
TEMPLATE_CLASS = 0x6C
WALL_CLOCK_CLASS = 0x8B
DRIVE_PARAMETER_CLASS = 0x93
TAG_VERSION_CLASS = 0xAC
PORT_CLASS = 0xF4
TCPIP_CLASS = 0xF5
ETHERNET_LINK_CLASS = 0xF6

SERVICES: dict[int, str] = {
    GET_ATTRIBUTES_ALL: "Get Attributes All",
    SET_ATTRIBUTES_ALL: "Set Attributes All",
    GET_ATTRIBUTE_LIST: "Get Attribute List",
    SET_ATTRIBUTE_LIST: "Set Attribute List",
    RESET: "Reset",
    START: "Start",
    STOP: "Stop",
    CREATE: "Create",
    DELETE: "Delete",
    MULTIPLE_SERVICE_PACKET: "Multiple Service Packet",
    APPLY_ATTRIBUTES: "Apply Attributes",
    GET_ATTRIBUTE_SINGLE: "Get Attribute Single",
    SET_ATTRIBUTE_SINGLE: "Set Attribute Single",
    FIND_NEXT_OBJECT_INSTANCE: "Find Next Object Instance",
    RESTORE: "Restore",
    SAVE: "Save",
    NOP: "NOP",
    GET_MEMBER: "Get Member",
    SET_MEMBER: "Set Member",
    INSERT_MEMBER: "Insert Member",
    REMOVE_MEMBER: "Remove Member",
    GROUP_SYNC: "Group Sync",
    EXECUTE_PCCC: "Execute PCCC",
    READ_TAG: "Read Tag",
    WRITE_TAG: "Write Tag",
    READ_MODIFY_WRITE: "Read Modify Write Tag",
    READ_TAG_FRAGMENTED: "Read Tag Fragmented",
    WRITE_TAG_FRAGMENTED: "Write Tag Fragmented",
    GET_INSTANCE_ATTRIBUTE_LIST: "Get Instance Attribute List",
}
"""Names on tags and on any class that gives no other meaning."""

CONNECTION_MANAGER_SERVICES: dict[int, str] = {
    FORWARD_CLOSE: "Forward Close",
    UNCONNECTED_SEND: "Unconnected Send",
    FORWARD_OPEN: "Forward Open",
    GET_CONNECTION_DATA: "Get Connection Data",
    SEARCH_CONNECTION_DATA: "Search Connection Data",
    GET_CONNECTION_OWNER: "Get Connection Owner",
    LARGE_FORWARD_OPEN: "Large Forward Open",
}


def service_name(service: int, class_id: int | None = None) -> str:
    """The name of a request's or reply's service code, for messages; unknown codes give their number."""
    code = service & ~REPLY
    if class_id == CONNECTION_MANAGER_CLASS and code in CONNECTION_MANAGER_SERVICES:
        return CONNECTION_MANAGER_SERVICES[code]
    return SERVICES.get(code) or CONNECTION_MANAGER_SERVICES.get(code) or f"service 0x{code:02X}"
