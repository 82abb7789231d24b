"""Tags with code of their own behind a web interface: asked by name they take their time, and hold nobody up."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import overload

import pytest
from flask.testing import FlaskClient

from node.cli.enip import build_config
from node.controller import Controller
from node.memory.attribute import Attribute, Value
from node.web.app import create_app
from node.web.desk import Desk
from node.web.door import door_at

HELD = 30.0


@dataclass
class Far:
    """What is far away: `called` for each question, which waits until `answered` is set."""

    called: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    answered: threading.Event = field(default_factory=threading.Event)


class Slow(Attribute):
    """Waits for what is far away."""

    far = Far()

    @overload
    def __getitem__(self, key: int) -> Value: ...
    @overload
    def __getitem__(self, key: slice) -> list[Value]: ...
    def __getitem__(self, key: int | slice) -> Value | list[Value]:
        self.far.called.release()
        assert self.far.answered.wait(HELD)
        return super().__getitem__(key)


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    """Of a controller with a slow tag and a quick one, without ports."""
    Slow.far = Far()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    config = build_config(["Far=INT[4]", "Near=INT"], "127.0.0.1:0")
    controller = Controller(config, own_class=lambda tag: Slow if tag.name == "Far" else None)
    try:
        yield create_app(Desk(loop, controller.ask_api), door_at("", "127.0.0.1", 80), "title").test_client()
    finally:
        Slow.far.answered.set()
        asyncio.run_coroutine_threadsafe(controller.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_all_tags_are_shown_at_once_and_a_slow_one_is_not_asked(client: FlaskClient) -> None:
    began = time.monotonic()
    tags = client.get("/api/tags").get_json()["data"]["tags"]
    assert time.monotonic() - began < 2.0
    assert tags["Near"]["attribute"].endswith("INT == 0")
    assert "ask for it by name" in tags["Far"]["attribute"]
    assert not Slow.far.called.acquire(blocking=False)


def test_a_slow_tag_is_asked_by_name_while_others_are_answered(client: FlaskClient) -> None:
    answers = []

    def ask() -> None:
        answers.append(client.application.test_client().get("/api/tags/Far").get_json())

    asking = threading.Thread(target=ask)
    asking.start()
    assert Slow.far.called.acquire(timeout=10)
    assert client.get("/api/tags/Near").get_json()["data"]["tags"]["Near"]["attribute"].endswith("== 0")
    assert not answers
    Slow.far.answered.set()
    asking.join(10)
    assert answers[0]["data"]["tags"]["Far"]["attribute"].endswith("INT[4] == [0, 0, 0, 0]")


def test_an_element_of_a_slow_tag_is_written_and_read(client: FlaskClient) -> None:
    Slow.far.answered.set()
    assert client.get("/api/tags/Far/attribute[2]=7").get_json()["command"]["success"]
    assert client.get("/api/tags/Far/attribute[1-3]").get_json()["command"]["message"].endswith("[0, 7, 0]")


def test_one_that_never_answers_has_no_value(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slow, "timeout", 0.2)
    began = time.monotonic()
    answer = client.get("/api/tags/Far/attribute[0]").get_json()
    assert answer["command"]["message"] == "tags.Far.attribute[0]: None"
    assert time.monotonic() - began < 3.0
