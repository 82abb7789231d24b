"""Message Router, class 0x02: what objects there are, and the Multiple Service Packet (CIP Vol 1, 5-3 and A-4.10).

1 object list: count u16, class u16 each | 2 connections supported u16 | 3 connections active u16 |
4 their ids u16 each
service 0x0A: several requests in one; 0x1E over all when one failed, with the replies of the others in place
"""

from struct import Struct

from node.cip.multiple import decode_multiple, encode_multiple
from node.cip.services import MESSAGE_ROUTER_CLASS, MULTIPLE_SERVICE_PACKET
from node.cip.status import EMBEDDED_SERVICE_ERROR, NOT_ENOUGH_DATA, PARTIAL_TRANSFER, REPLY_DATA_TOO_LARGE, CipError
from node.objects.attribute_access import READ_SERVICES
from node.objects.connections import Connections
from node.objects.object import AttributeRow, Call, Handler, Object, Plan, constant, optional_lists, success
from node.objects.plans import MultiplePlan
from node.objects.router import Router

_U16 = Struct("<H")
_HEAD = 4
_ERROR = 6
"""Bytes kept free for each reply still to come: an error with one word of extended status."""


def message_router_object(router: Router, connections: Connections, multiple: bool = True) -> Object:
    """The Message Router of `router`; without `multiple` it knows no Multiple Service Packet."""
    rows = [
        AttributeRow(1, "object list", lambda: _object_list(router)),
        constant(2, "connections supported", _U16.pack(min(connections.limit, 0xFFFF))),
        AttributeRow(3, "connections active", lambda: _U16.pack(len(connections))),
        AttributeRow(4, "active connections", lambda: _active(connections)),
    ]
    services: dict[int, Handler] = dict(READ_SERVICES)
    if multiple:
        services[MULTIPLE_SERVICE_PACKET] = multiple_service_packet
    optional = optional_lists(tuple(row.id for row in rows), (MULTIPLE_SERVICE_PACKET,) if multiple else ())
    return Object(
        MESSAGE_ROUTER_CLASS,
        "Message Router",
        {1: rows},
        services,
        class_attributes=optional,
        class_listed=(1, 4, 5, 6, 7),
    )


def multiple_service_packet(call: Call) -> bytes:
    """Runs the requests in order; a reply without room is an error 0x11, or part of the values with 0x06. Raises
    `HookWaits` before it has run any."""
    messages = decode_multiple(call.data)
    room = call.limit - _HEAD - 2 - 2 * len(messages)
    if not all(messages):
        raise CipError(NOT_ENOUGH_DATA)
    if room < _ERROR * len(messages):
        raise CipError(REPLY_DATA_TOO_LARGE)
    call.router.enter(messages)
    replies = []
    failed = False
    for index, message in enumerate(messages):
        limit = room - _ERROR * (len(messages) - index - 1)
        reply = call.router.request(message, call.trace, origin=call.origin, limit=limit, depth=call.depth + 1)
        room -= len(reply)
        failed = failed or reply[2] not in (0, PARTIAL_TRANSFER)
        replies.append(reply)
    if not failed and call.trace is None:
        _plan(call, messages, replies)
    return success(call.service, encode_multiple(replies), EMBEDDED_SERVICE_ERROR if failed else 0)


def _plan(call: Call, messages: list[bytes], replies: list[bytes]) -> None:
    """The packet has a plan when all its messages have one, none is a packet itself, and their replies are those the
    plans would give."""
    plans: list[Plan] = []
    for message, reply in zip(messages, replies, strict=True):
        plan = call.router.plan_of(message)
        if plan is None or plan.size != len(reply) or isinstance(plan, MultiplePlan):
            return
        plans.append(plan)
    packet = success(call.service, encode_multiple(replies))
    call.router.keep(call.message, MultiplePlan(packet[: _HEAD + 2 + 2 * len(messages)], plans))


def _object_list(router: Router) -> bytes:
    classes = sorted(router.objects)
    return b"".join([_U16.pack(number) for number in (len(classes), *classes)])


def _active(connections: Connections) -> bytes:
    return b"".join([_U16.pack(connection.o_t_id & 0xFFFF) for connection in connections])
