"""What clients asked a node last, in words, and what they asked for that it does not have.

Decoded when somebody looks: the node keeps raw frames only.
"""

from collections.abc import Callable, Iterable, Mapping

from node.capture.dissect_enip import dissect_enip
from node.capture.dissect_modbus import dissect_modbus
from node.capture.line import Line
from node.config.model import Json
from node.exchange.metrics import Metrics

Dissect = Callable[[bytes, bytes | None], Line]

DISSECTS: Mapping[str, Dissect] = {"enip": dissect_enip, "modbus": dissect_modbus}


def recent(counted: Mapping[str, Metrics], now: float) -> list[Json]:
    """The last requests of all protocols, newest first."""
    rows = [
        (when, protocol, peer, DISSECTS[protocol](frame, reply))
        for protocol, metrics in counted.items()
        for when, frame, reply, peer in reversed(tuple(metrics.ring))
    ]
    rows.sort(key=lambda row: row[0], reverse=True)  # those of one instant stay as they are
    return [
        {
            "age_s": round(max(0.0, now - when), 3),
            "protocol": protocol,
            "peer": peer,
            "request": line.request,
            "reply": line.reply,
            "ok": line.ok,
            "status": line.status,
        }
        for when, protocol, peer, line in rows
    ]


def undefined(counted: Mapping[str, Metrics], now: float) -> list[Json]:
    """What was asked for and is not there, the most wanted first; of requests that were refused, the first
    `node.exchange.metrics.REFUSALS` different ones are known."""
    found: dict[str, tuple[int, float]] = {}
    for protocol, metrics in counted.items():
        for refusal in tuple(metrics.refusals.values()):
            for name in DISSECTS[protocol](refusal.frame, refusal.reply).missing:
                count, last = found.get(name, (0, 0.0))
                found[name] = count + refusal.count, max(last, refusal.last)
    ranked = sorted(found.items(), key=lambda entry: (-entry[1][0], entry[0]))
    return [{"name": name, "count": count, "last_s": round(max(0.0, now - last), 3)} for name, (count, last) in ranked]


def last_of(ring: Iterable[tuple[float, bytes, bytes | None, str]], protocol: str) -> dict[str, str]:
    """The last request of each peer, in words."""
    newest = {peer: (frame, reply) for _, frame, reply, peer in ring}
    return {peer: DISSECTS[protocol](frame, reply).request for peer, (frame, reply) in newest.items()}
