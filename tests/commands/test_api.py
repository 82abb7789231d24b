"""The web interface of 2016 over a controller: its paths, wildcards and envelope."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.commands.api import split
from node.controller import Controller
from tests.test_controller import enip, gateway
from tests.test_controller import serving as served
from tests.waiting import eventually

pytestmark = pytest.mark.net


def serving(talk: Callable[[Controller], Awaitable[None]]) -> None:
    served(gateway("127.64.8.41"), talk)


def api(controller: Controller, path: str, value: Any = None) -> dict[str, Any]:
    answer = controller.command(f"api{path}", value)
    assert isinstance(answer, dict)
    assert list(answer) == ["alarm", "command", "data", "since", "until"]
    assert (answer["alarm"], answer["since"]) == ([], None)
    assert isinstance(answer["until"], float)
    return answer


def done(controller: Controller, path: str, value: Any = None) -> str:
    answer = api(controller, path, value)
    assert answer["command"]["success"] is True, answer
    return str(answer["command"]["message"])


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("", ("*", "*", "", None)),
        ("tags", ("tags", "*", "", None)),
        ("tags/SC*", ("tags", "SC*", "", None)),
        ("/options/delay/value/", ("options", "delay", "value", None)),
        ("options/delay/value/0.5", ("options", "delay", "value", "0.5")),
        ("options/delay/value=0.5", ("options", "delay", "value", "0.5")),
        ("tags/SCADA/attribute[3]=4", ("tags", "SCADA", "attribute[3]", "4")),
        ("tags/Name/attribute=a/b=c", ("tags", "Name", "attribute", "a/b=c")),
        ("tags/Name/attribute=", ("tags", "Name", "attribute", "")),
        ("connections/*/eof/true", ("connections", "*", "eof", "true")),
        ("connections/eof/true", ("connections", "*", "eof", "true")),
        ("*/*/error", ("*", "*", "error", None)),
    ],
)
def test_a_path_is_group_match_command_and_value(path: str, parts: tuple[str, str, str, str | None]) -> None:
    assert split(path) == parts


def test_everything_is_there() -> None:
    async def talk(controller: Controller) -> None:
        answer = api(controller, "")
        assert answer["command"] == {}
        data = answer["data"]
        assert list(data) == ["options", "server", "tags"]
        assert data["options"] == {"delay": {"value": 0.0}}
        control = {"disable": False, "done": False, "latency": 0.1, "timeout": 0.2}
        assert data["server"] == {"control": control}
        assert data["tags"]["Count"] == {"attribute": "Count          DINT[10] == [0, 1, 2, 3, 4, 5, ...]", "error": 0}
        assert api(controller, "/*/*")["data"].keys() == data.keys()
        assert list(api(controller, "/tags/c*")["data"]["tags"]) == ["Count"]
        assert api(controller, "/tags/count")["data"]["tags"].keys() == {"Count"}
        for nothing in ("/nope", "/tags/nope", "/connections"):
            assert api(controller, nothing)["data"] == {}

    serving(talk)


def test_the_delay_is_a_value_or_a_range() -> None:
    async def talk(controller: Controller) -> None:
        assert done(controller, "/options/delay/value/0.5") == "options.delay.value='0.5' (0.5)"
        assert controller.delay == (0.5, 0.5)
        assert done(controller, "/options/delay/range=0.1-0.9") == "options.delay.range='0.1-0.9' (0.1-0.9)"
        assert api(controller, "/options")["data"] == {"options": {"delay": {"range": "0.1-0.9"}}}
        assert done(controller, "/options/delay/value", 0.25) == "options.delay.value=0.25 (0.25)"
        assert done(controller, "/options/delay/value") == "options.delay.value: 0.25"
        done(controller, "/options/delay/value", 1e-05)
        assert controller.delay == (1e-05, 1e-05)
        done(controller, "/options/delay/value", 0.25)
        assert controller.delay == (0.25, 0.25)

    serving(talk)


def test_an_error_and_elements_of_a_tag() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip:
            assert done(controller, "/tags/Count/error=8") == "tags.Count.error='8' (8)"
            with pytest.raises(Exception, match="service not supported"):
                await cip.read("Count")
            assert api(controller, "/tags/Count")["data"]["tags"]["Count"]["error"] == 8
            assert done(controller, "/tags/*/error/0").startswith("tags.Level.error='0' (0), ")
            assert done(controller, "/tags/Count/attribute[3]=40") == "tags.Count.attribute[3]='40' (40)"
            assert done(controller, "/tags/Count/attribute[3]") == "tags.Count.attribute[3]: 40"
            assert await cip.read("Count[3]") == [40]
            done(controller, "/tags/Count/attribute[0-1]=[7,8]")
            done(controller, "/tags/Count/attribute", list(range(10, 20)))
            assert await cip.read("Count", 3) == [10, 11, 12]

    serving(talk)


def test_connections_are_shown_and_ended() -> None:
    async def talk(controller: Controller) -> None:
        async with enip(controller) as cip:
            await cip.read("Count")
            ((_, peer),) = controller.connections()
            key = peer.name.replace(".", "_").replace(":", "_")
            row = {"eof": False, "interface": "127.0.0.1", "port": int(peer.name.rpartition(":")[2])}
            row |= {"received": peer.bytes_in, "requests": peer.requests}
            for match in ("", "/*", f"/{key}", f"/{peer.name}", "/127_0_0_1_*"):
                assert api(controller, f"/connections{match}")["data"] == {"connections": {key: row}}
            answer = api(controller, "/connections/*/eof/false")
            assert answer["command"]["success"] is True
            assert answer["data"]["connections"][key]["eof"] is False
            assert len([*controller.connections()]) == 1
            answer = api(controller, f"/connections/{key}/eof/true")
            assert answer["data"]["connections"][key]["eof"] is True
            await eventually(lambda: not [*controller.connections()])
            assert api(controller, "/connections")["data"] == {}
            assert api(controller, "/connections/*/eof/true")["command"]["success"] is False

    serving(talk)


def test_the_server_is_disabled_and_done() -> None:
    async def talk(controller: Controller) -> None:
        assert done(controller, "/server/control/disable/true") == "server.control.disable='true' (True)"
        await controller.server.settled()
        assert not controller.server.listening
        done(controller, "/server/control/disable=false")
        await controller.server.settled()
        assert controller.server.listening
        done(controller, "/server/control/latency=0.5")
        assert api(controller, "/server")["data"]["server"]["control"]["latency"] == 0.5
        done(controller, "/server/control/done/true")
        await controller.server.settled()
        assert not controller.server.listening
        assert api(controller, "/server/control/disable/false")["command"]["success"] is False
        assert api(controller, "/server")["data"]["server"]["control"]["done"] is True

    serving(talk)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/tags/Count/nope=1", "nothing matches tags/Count that has 'nope'"),
        ("/tags/nope/error=1", "nothing matches tags/nope that has 'error'"),
        ("/tags/Count/error=x", "'x' is no status"),
        ("/tags/Count/attribute=5", "Count is an array of 10"),
        ("/tags/Count/attribute[99]=5", "elements are 0 to 9"),
        ("/tags/Count/attribute[0]=x", "does not fit DINT"),
        ("/tags/Count/attribute=[1,", "is no list or map"),
        ("/tags/Name/attribute=x", "may not be written"),
        ("/options/delay/value=x", "'x' is no delay"),
        ("/options/delay/value=-1", "delay"),
        ("/options/delay/range=5", "wanted two times in seconds, as 0.1-0.9"),
        ("/server/control/disable=maybe", "wanted true or false"),
        ("/server/control/timeout=nan", "wanted seconds, 0 to 60"),
    ],
)
def test_what_cannot_be_done_is_said_in_the_envelope(path: str, said: str) -> None:
    async def talk(controller: Controller) -> None:
        command = api(controller, path)["command"]
        assert command["success"] is False
        assert said in command["message"]

    serving(talk)


GROUPS = ("options", "tags", "connections", "*", "?", "[", "")
IDLE = Controller(gateway("127.64.8.41"))
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@given(st.sampled_from(GROUPS), TEXT, TEXT, st.none() | TEXT | st.floats() | st.booleans())
def test_whatever_comes_is_answered(group: str, match: str, command: str, value: Any) -> None:
    async def scene() -> None:
        answer = api(IDLE, f"/{group}/{match}/{command}", value)
        assert set(answer) == {"alarm", "command", "data", "since", "until"}

    asyncio.run(scene())
