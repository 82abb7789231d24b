"""`--web` as it is typed: where it listens, and what is said where it cannot."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from node.cli.modbus import build_config
from node.cli.web import place
from node.commands.api import Answer
from node.config.load import dump
from node.config.model import Json
from node.errors import ConfigError
from node.web.desk import Desk
from node.web.door import door_at
from node.web.refusal import Refusal
from tests.cli.lone import NODE, ROOT, run
from tests.web.simulator import ENIP, HOST, MODBUS, end, started

WITHOUT_FLASK = "import sys; sys.modules['flask'] = None; from node.__main__ import enip_server; enip_server()"


@pytest.mark.parametrize(
    ("text", "address", "expected"),
    [
        (".", ":44818", ("127.0.0.1", 80)),
        ("", "", ("127.0.0.1", 80)),
        (":12345", ":44818", ("127.0.0.1", 12345)),
        (".", "10.0.0.1:44818", ("10.0.0.1", 80)),
        (":8080", "10.0.0.1", ("10.0.0.1", 8080)),
        (":8080", "0.0.0.0:44818", ("0.0.0.0", 8080)),
        ("127.0.0.2", "10.0.0.1:44818", ("127.0.0.2", 80)),
        ("0.0.0.0:8080", "127.0.0.1", ("0.0.0.0", 8080)),
    ],
)
def test_missing_parts_are_those_of_the_address(text: str, address: str, expected: tuple[str, int]) -> None:
    assert place(text, address) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [("8080", "a port is typed as :8080"), (":http", "'http' is no port"), ("a b", "is no interface")],
)
def test_what_is_typed_wrong_is_a_line_that_names_the_option(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"^--web: ") as caught:
        place(text, "")
    assert said in str(caught.value)


def test_which_names_it_answers_to() -> None:
    here = socket.gethostname().lower()
    assert door_at("", "127.0.0.1", 1).names == {"127.0.0.1", "localhost", "[::1]", here}
    assert door_at("Plc.local", "10.0.0.1", 1).names == {"plc.local", "10.0.0.1", here}
    assert not door_at("", "10.0.0.1", 1).any_address
    assert door_at("0.0.0.0", "", 1).any_address


@pytest.mark.net
def test_a_port_that_is_taken_is_one_line_and_exit_1() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        code, out, err = run(*ENIP, "-a", f"{HOST}:0", "--web", f":{port}", "A=INT")
    assert (code, out) == (1, "")
    assert err.startswith(f"enip_server: --web: {HOST}:{port}: address in use")
    assert err.count("\n") == 1


@pytest.mark.net
@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="as an ordinary user: need root to become one")
def test_without_a_right_to_the_port_one_line_says_so() -> None:
    from tests.ordinary_user import run as run_as_nobody

    command = [sys.executable, *ENIP, "-a", f"{HOST}:44818", "-w", ".", "A=INT"]
    code, output = run_as_nobody(command, {"PYTHONPATH": str(ROOT)})
    assert code == 1
    assert output.startswith(f"enip_server: --web: {HOST}:80: permission denied: use a port from 1024 up")
    assert output.count("\n") == 1


def test_without_flask_one_line_says_what_to_install() -> None:
    code, out, err = run("-c", WITHOUT_FLASK, "--web", ":0", "A=INT")
    assert (code, out) == (1, "")
    assert err == "enip_server: flask is missing, --web stands on it: pip install 'plcfarm[web]'\n"


@pytest.mark.net
def test_a_simulator_without_it_imports_nothing_of_it() -> None:
    script = (
        "import signal, sys, threading, os\n"
        "from node.__main__ import modbus_sim\n"
        "import node.cli.modbus, node.cli.serve\n"
        "node.cli.serve._show = lambda line: os.kill(os.getpid(), signal.SIGTERM)\n"
        "try: modbus_sim()\n"
        "finally: print([name for name in sys.modules if name.startswith(('flask', 'waitress', 'node.web'))])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "-a", f"{HOST}:0", "40001"], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.net
def test_a_script_still_finds_the_port_in_the_first_line() -> None:
    served = started("-a", f"{HOST}:0", "-w", ":0", "40001", command=MODBUS)
    try:
        assert served.get("/options")["data"] == {"options": {"delay": {"value": 0.0}}}
    finally:
        end(served.process)


@pytest.mark.net
def test_a_node_of_a_file_has_one_too(tmp_path: Path) -> None:
    file = tmp_path / "node.json"
    file.write_text(json.dumps({**dump(build_config(["40001"], f"{HOST}:0")), "name": "sim"}))
    served = started("run", str(file), "--web", ":0", command=NODE)
    try:
        assert list(served.get("")["data"]) == ["options", "server", "tags"]
    finally:
        end(served.process)


def test_a_simulator_that_is_busy_is_told_in_time_and_does_not_do_it_later() -> None:
    done: list[str] = []

    async def answer(path: str, value: Json) -> Answer:
        done.append(path)
        return Answer({}, True, True)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        desk = Desk(loop, answer, seconds=1.0)
        desk.ask("first")
        loop.call_soon_threadsafe(time.sleep, 4.0)
        began = time.monotonic()
        with pytest.raises(Refusal) as caught:
            desk.ask("second")
        assert time.monotonic() - began < 3.8
        assert caught.value.status == 504
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(10)  # it is free again
        desk.ask("third")
        assert done == ["first", "third"]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    with pytest.raises(Refusal) as caught:
        desk.ask("fourth")
    assert caught.value.status == 503
