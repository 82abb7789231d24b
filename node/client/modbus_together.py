"""Several requests under way at once on a TCP connection to a Modbus device, for devices that take them.

The specification lets a device take as many as it likes, from one on (Modbus Messaging on TCP/IP 1.0b, 4.2.1), and it
cannot be asked how many: what it has no room for it loses, without a word. So whoever asks must know.
"""

from collections.abc import Sequence

from node.client.channels import Channel
from node.client.patience import Patience
from node.modbus.adu import HEADER_SIZE, TcpFramer, encode_adu


def ask_together(
    channel: Channel, unit: int, pdus: Sequence[bytes], depth: int, patience: Patience, receive: float
) -> list[bytes]:
    """The PDUs that answer `pdus`, in their order; up to `depth` of them wait for an answer, which may come in any
    order. `receive` is the seconds for each piece of them. What is of another transaction or unit is nobody's.

    Raises `RemoteProtocolError` for bytes that are no frames, `OutOfTime`, and what the channel raises.
    """
    replies = [b""] * len(pdus)
    pending: dict[int, int] = {}
    framer = TcpFramer()
    sent = 0
    while pending or sent < len(pdus):
        frames = []
        while sent < len(pdus) and len(pending) < depth:
            transaction = sent + 1 & 0xFFFF
            pending[transaction] = sent
            frames.append(encode_adu(transaction, unit, pdus[sent]))
            sent += 1
        if frames:
            channel.send(b"".join(frames), patience)
        patience.check()  # for what never stops coming is never waited for
        for frame in framer.feed(channel.receive(patience.within(receive))):
            if frame[HEADER_SIZE - 1] == unit:
                place = pending.pop(int.from_bytes(frame[:2], "big"), None)
                if place is not None:
                    replies[place] = frame[HEADER_SIZE:]
        if framer.fault is not None:
            raise framer.fault
    return replies
