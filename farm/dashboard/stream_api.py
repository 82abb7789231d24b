"""`/stream`: server-sent events of the farm, for as long as the browser listens."""

import contextlib
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, request

from farm.dashboard.answers import words
from farm.dashboard.limits import STREAM_NODES
from farm.dashboard.node_feed import MOST_TAGS
from farm.dashboard.refusal import Refusal, bad_request
from farm.dashboard.site import Plant, plant
from farm.dashboard.stream import BEGIN, COMMENT, EVENTS, FLEET, HEARTBEAT, Subscriber, entry_message

blueprint = Blueprint("stream", __name__)

RESUMED = 1000
"""Events that are said again at most."""
LOOK_UP = 3.0
"""Seconds without anything to say after which it is seen to whether the browser is still there."""
NODE = "node:"


@blueprint.get("/stream")
def stream() -> Response:
    """Frames (`fleet`), events (`log`), and how single nodes are (`node`), as they come."""
    topics = words("topics", STREAM_NODES + 2) or [FLEET, EVENTS]
    nodes = [topic.removeprefix(NODE) for topic in topics if topic.startswith(NODE)]
    wanted = [topic for topic in topics if topic in (FLEET, EVENTS)]
    if len(nodes) + len(wanted) < len(topics):
        raise bad_request(f"topics={','.join(topics):.80}: wanted {FLEET}, {EVENTS}, {NODE}NAME")
    tags, farm = words("tags", MOST_TAGS), plant()
    for node in nodes:
        farm.rows.check(node)
    last = _last_heard()
    if request.method == "HEAD":
        return _response(iter(()))
    subscriber = farm.hub.subscribe(wanted, last)
    listening = Listening(farm, subscriber, request.environ.get("waitress.client_disconnected", lambda: False))
    try:
        if last and EVENTS in wanted:
            _resume(farm, subscriber, last)
        farm.feed.look(subscriber, nodes, tags)
    except BaseException:
        listening.close()
        raise
    return _response(listening)


class Listening(Iterator[bytes]):
    """What is sent to one browser. `gone` says whether it has hung up, as far as that can be seen without writing;
    waitress closes this when a write fails."""

    def __init__(self, farm: Plant, subscriber: Subscriber, gone: Callable[[], bool]) -> None:
        self._farm = farm
        self._subscriber = subscriber
        self._gone = gone
        self._begun = False

    def __next__(self) -> bytes:
        if not self._begun:
            self._begun = True
            return BEGIN
        for _ in range(int(HEARTBEAT / LOOK_UP)):
            if found := self._subscriber.take(LOOK_UP):
                return found
            if self._gone():
                raise StopIteration
        return COMMENT

    def close(self) -> None:
        """It is over."""
        self._farm.feed.leave(self._subscriber)
        self._farm.hub.leave(self._subscriber)


def _resume(farm: Plant, subscriber: Subscriber, last: int) -> None:
    """Has it hear what came after the event `last`; all there is where that was of another farm, whose numbers went
    further. While the supervisor is away there is nothing to be had, and what it missed comes when it is back."""
    with contextlib.suppress(Refusal):
        found = farm.desk.ask("events", since=last, limit=RESUMED)
        if found["last"] < last:
            subscriber.begin_anew()
            found = farm.desk.ask("events", since=0, limit=RESUMED)
        subscriber.resume((int(entry["id"]), entry_message(entry)) for entry in found["events"])


def _response(body: Iterator[bytes]) -> Response:
    response = Response(body, content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    return response


def _last_heard() -> int:
    """The id of the last event that the browser had; 0 where it says none. Raises `Refusal` 400."""
    text = request.headers.get("Last-Event-ID") or request.args.get("last_event_id") or "0"
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise Refusal(400, f"Last-Event-ID {text:.40}: wanted the id of an event")
    return int(text)
