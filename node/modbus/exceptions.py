"""Which Modbus exception comes nearest to a CIP status, for a fault of what stands behind both protocols.

    01 illegal function         0x08 service not supported
    02 illegal data address     0x04 path segment, 0x05 path unknown, 0x0E not settable, 0x0F privilege, 0x14 no such
                                attribute, 0x16 no such object, 0x29 member not settable, 0x2C not gettable,
                                0xFF with 0x2100 no access
    03 illegal data value       0x03 and 0x20 invalid parameter
    06 server device busy       0x02 resource unavailable
    0B target did not respond   0x01 connection failure, 0x07 connection lost
    04 server device failure    every other one

A value that a tag's type cannot hold (0x09) is 04: 03 is for the form of a request (Modbus Application Protocol 1.1b3,
7).
"""

from node.cip import status
from node.modbus.functions import (
    GATEWAY_TARGET_FAILED,
    ILLEGAL_DATA_ADDRESS,
    ILLEGAL_DATA_VALUE,
    ILLEGAL_FUNCTION,
    SERVER_DEVICE_BUSY,
    SERVER_DEVICE_FAILURE,
)

_NEAREST: dict[int, int] = {
    status.CONNECTION_FAILURE: GATEWAY_TARGET_FAILED,
    status.RESOURCE_UNAVAILABLE: SERVER_DEVICE_BUSY,
    status.INVALID_PARAMETER_VALUE: ILLEGAL_DATA_VALUE,
    status.PATH_SEGMENT_ERROR: ILLEGAL_DATA_ADDRESS,
    status.PATH_DESTINATION_UNKNOWN: ILLEGAL_DATA_ADDRESS,
    status.CONNECTION_LOST: GATEWAY_TARGET_FAILED,
    status.SERVICE_NOT_SUPPORTED: ILLEGAL_FUNCTION,
    status.ATTRIBUTE_NOT_SETTABLE: ILLEGAL_DATA_ADDRESS,
    status.PRIVILEGE_VIOLATION: ILLEGAL_DATA_ADDRESS,
    status.ATTRIBUTE_NOT_SUPPORTED: ILLEGAL_DATA_ADDRESS,
    status.OBJECT_DOES_NOT_EXIST: ILLEGAL_DATA_ADDRESS,
    status.INVALID_PARAMETER: ILLEGAL_DATA_VALUE,
    status.MEMBER_NOT_SETTABLE: ILLEGAL_DATA_ADDRESS,
    status.ATTRIBUTE_NOT_GETTABLE: ILLEGAL_DATA_ADDRESS,
}


def exception_of(general: int, *extended: int) -> int:
    """The exception code for a general and an extended status; behind status 0, which refuses nothing, it stands."""
    if general == status.SUCCESS and extended:
        return extended[0]
    if general == status.GENERAL_ERROR and extended[:1] == (status.NO_ACCESS,):
        return ILLEGAL_DATA_ADDRESS
    return _NEAREST.get(general, SERVER_DEVICE_FAILURE)
