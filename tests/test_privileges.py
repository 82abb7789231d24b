"""What a process has left after it gave up what it does not need, as the kernel sees it."""

import os
import subprocess
import sys

import pytest

from tests import ordinary_user
from tests.conftest import ROOT

pytestmark = [pytest.mark.net, pytest.mark.skipif(sys.platform != "linux", reason="Linux has capabilities")]

SHOW = """
import os, resource, sys
from node import privileges
{}
wanted = ("Uid", "Gid", "Groups", "NoNewPrivs", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
found = dict(line.split(":", 1) for line in open("/proc/self/status"))
shown = [name + "=" + ",".join(found[name].split()) for name in wanted]
print(*shown, "environ", len(open("/proc/self/environ").read()) > 0)
print(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))
"""


def shown(statement: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(statement)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("need root, to have something to give up")


@pytest.mark.root
def test_nothing_is_left_of_root() -> None:
    need_root()
    none = "0" * 16
    found = shown("privileges.give_up(1879048192, 1879048193, limits={'nofile': 100, 'core': 0})")
    assert "Uid=1879048192,1879048192,1879048192,1879048192 Gid=1879048193,1879048193," in found
    assert f"Groups= NoNewPrivs=1 CapInh={none} CapPrm={none} CapEff={none} CapBnd={none} CapAmb={none}" in found
    assert found.endswith("environ True\n(100, 100) (0, 0)\n")


@pytest.mark.root
def test_what_is_kept_is_all_that_is_left() -> None:
    need_root()
    found = shown("privileges.give_up(1879048192, 1879048192, keep=[privileges.NET_BIND_SERVICE])")
    assert (
        f"CapInh={'0' * 16} CapPrm=0000000000000400 CapEff=0000000000000400 CapBnd=0000000000000400 CapAmb=0" in found
    )


@pytest.mark.root
def test_what_is_given_up_is_gone() -> None:
    need_root()
    found = shown("privileges.give_up(1879048192, 1879048192)\nos.setuid(0)")
    assert "PermissionError: [Errno 1] Operation not permitted" in found


def test_a_user_without_rights_can_gain_none() -> None:
    need_root()
    environment = {"PYTHONPATH": str(ROOT)}
    code, found = ordinary_user.run([sys.executable, "-c", SHOW.format("privileges.give_up()")], environment)
    assert code == 0, found
    assert f"Uid={','.join([str(ordinary_user.UID)] * 4)}" in found
    assert f"NoNewPrivs=1 CapInh={'0' * 16} CapPrm={'0' * 16} CapEff={'0' * 16}" in found


@pytest.mark.root
def test_what_cannot_be_done_is_said() -> None:
    need_root()
    assert "enter the network namespace /dev/null: Invalid argument" in shown("privileges.enter_network('/dev/null')")
