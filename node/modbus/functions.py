"""Function codes, exception codes, and what everybody says of them. Modbus Application Protocol 1.1b3, 5 and 7."""

from node.errors import NodeError

READ_COILS = 1
READ_DISCRETE_INPUTS = 2
READ_HOLDING_REGISTERS = 3
READ_INPUT_REGISTERS = 4
WRITE_COIL = 5
WRITE_REGISTER = 6
READ_EXCEPTION_STATUS = 7
DIAGNOSTICS = 8
COMM_EVENT_COUNTER = 11
COMM_EVENT_LOG = 12
WRITE_COILS = 15
WRITE_REGISTERS = 16
REPORT_SERVER_ID = 17
READ_FILE_RECORD = 20
WRITE_FILE_RECORD = 21
MASK_WRITE_REGISTER = 22
READ_WRITE_REGISTERS = 23
READ_FIFO_QUEUE = 24
ENCAPSULATED_INTERFACE = 43
READ_DEVICE_IDENTIFICATION = 14
"""The one kind of function 43 (its MEI type) that is known here."""
EXCEPTION = 0x80
"""Added to the function code of a reply that carries an exception."""

FUNCTIONS: dict[int, str] = {
    READ_COILS: "read coils",
    READ_DISCRETE_INPUTS: "read discrete inputs",
    READ_HOLDING_REGISTERS: "read holding registers",
    READ_INPUT_REGISTERS: "read input registers",
    WRITE_COIL: "write coil",
    WRITE_REGISTER: "write register",
    READ_EXCEPTION_STATUS: "read exception status",
    DIAGNOSTICS: "diagnostics",
    COMM_EVENT_COUNTER: "comm event counter",
    COMM_EVENT_LOG: "comm event log",
    WRITE_COILS: "write coils",
    WRITE_REGISTERS: "write registers",
    REPORT_SERVER_ID: "report server id",
    READ_FILE_RECORD: "read file record",
    WRITE_FILE_RECORD: "write file record",
    MASK_WRITE_REGISTER: "mask write register",
    READ_WRITE_REGISTERS: "read and write registers",
    READ_FIFO_QUEUE: "read FIFO queue",
    ENCAPSULATED_INTERFACE: "read device identification",
}

ILLEGAL_FUNCTION = 1
ILLEGAL_DATA_ADDRESS = 2
ILLEGAL_DATA_VALUE = 3
SERVER_DEVICE_FAILURE = 4
SERVER_DEVICE_BUSY = 6
NEGATIVE_ACKNOWLEDGE = 7
GATEWAY_PATH_UNAVAILABLE = 0x0A
GATEWAY_TARGET_FAILED = 0x0B

EXCEPTIONS: dict[int, str] = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    0x0A: "gateway path unavailable",
    0x0B: "gateway target failed to respond",
}


class ModbusError(NodeError):
    """An exception reply: `code` as in `EXCEPTIONS`."""

    def __init__(self, code: int, detail: str = "") -> None:
        name = EXCEPTIONS.get(code, "unknown exception")
        super().__init__(f"Modbus exception {code:02X} ({name})" + (f": {detail}" if detail else ""))
        self.code = code


def need(condition: bool, otherwise: str) -> None:
    """Raises `ModbusError` 03 unless `condition`."""
    if not condition:
        raise ModbusError(ILLEGAL_DATA_VALUE, otherwise)


def encode_exception(function: int, code: int) -> bytes:
    """The PDU of an exception reply."""
    return bytes((function | EXCEPTION, code))
