"""What `node.client` gives by name is that thing, whatever was imported before it."""

import importlib
import subprocess
import sys

import pytest

import node.client
from node.client import Client, NoAnswer
from node.client.connector import _line
from node.client.dotted import dotdict

pytestmark = pytest.mark.net


@pytest.mark.parametrize("name", node.client.__all__)
def test_a_name_is_no_module_once_its_module_was_imported(name: str) -> None:
    importlib.import_module(f"node.client.{node.client._MODULES[name]}")
    code = f"import node.client.{node.client._MODULES[name]}; from node.client import {name}; print(callable({name}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize("udp", [False, True])
def test_a_host_that_is_no_name(udp: bool) -> None:
    with pytest.raises(NoAnswer) as raised:
        Client("a..b", udp=udp, timeout=1)
    assert str(raised.value) == "a..b:44818: no such host"


def test_a_text_is_shown_as_it_is_whatever_it_says() -> None:
    line = _line("Single Read  Tag  TEXT[0-0]", dotdict(), ["Pump: OK"], 0)
    assert line.endswith("['Pump: OK']: 'OK'")
