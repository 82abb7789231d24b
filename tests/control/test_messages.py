"""What the two sides say survives the trip, and what is damaged is said to be so."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.control.messages import (
    Pace,
    PidFile,
    ShardFile,
    boot_id,
    decode,
    digest_nodes,
    encode,
    process_stat,
    shard_token,
    start_time,
)
from node.errors import ConfigError, RemoteProtocolError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4), st.text())
def test_a_message_is_one_line_and_comes_back(fields: dict[str, object], kind: str) -> None:
    message = {**fields, "type": kind}
    line = encode(message)
    assert line.count(b"\n") == 1
    assert decode(line) == message


@given(st.binary())
def test_any_bytes_are_a_message_or_a_protocol_error(line: bytes) -> None:
    try:
        assert isinstance(decode(line)["type"], str)
    except RemoteProtocolError as exc:
        assert "control line" in str(exc)


def test_a_shard_file_comes_back() -> None:
    file = ShardFile("plc-1", "run", 12.5, "/run/plc-1.pid", ({"name": "plc-1"},))
    assert ShardFile.decode("x", file.encode()) == file


def test_a_pid_file_comes_back() -> None:
    file = PidFile("plc-1", "run", "boot", 12, 34, "00")
    assert PidFile.decode("x", file.encode()) == file


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"shard": "a"}', b"\xff\xfe", b'{"pid": "x"}'])
def test_a_damaged_file_is_named(data: bytes) -> None:
    with pytest.raises(ConfigError, match=r"plc-1\.json: not a shard file"):
        ShardFile.decode("plc-1.json", data)
    with pytest.raises(ConfigError, match=r"plc-1\.pid: not a pid file"):
        PidFile.decode("plc-1.pid", data)


@pytest.mark.parametrize("keep", range(0, 60, 7))
def test_half_a_file_is_damaged(keep: int) -> None:
    data = PidFile("plc-1", "run", "boot", 12, 34, "00").encode()[:keep]
    with pytest.raises(ConfigError):
        PidFile.decode("half", data)


def test_a_digest_looks_at_content_and_not_at_order() -> None:
    one, two = {"name": "a", "kind": "logix"}, {"name": "b", "kind": "modbus"}
    assert digest_nodes([one, two]) == digest_nodes([{"kind": "modbus", "name": "b"}, one])
    assert digest_nodes([one]) != digest_nodes([two])


def test_each_shard_has_a_token_of_its_own() -> None:
    tokens = {shard_token(secret, shard) for secret in ("s" * 32, "t" * 32) for shard in ("a", "b", "")}
    assert len(tokens) == 6
    assert shard_token("s" * 200, "a") == shard_token("s" * 200, "a")


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_process_is_known_by_its_start_though_its_name_is_odd() -> None:
    renames = "printf 'a) Z 1 (b' > /proc/$BASHPID/comm; read -r"
    copied = subprocess.Popen(["bash", "-c", renames], stdin=subprocess.PIPE)
    try:
        found = process_stat(copied.pid)
        assert found is not None
        assert found[0] in "RSD"
        assert start_time(copied.pid) == found[1] >= start_time(os.getpid()) > 0
    finally:
        copied.communicate()
    assert process_stat(copied.pid) is None
    assert start_time(copied.pid) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_zombie_is_gone() -> None:
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    found = process_stat(child.pid)
    assert found is not None
    assert found[0] == "Z"
    assert start_time(child.pid) == 0
    child.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_boot_has_one_id() -> None:
    assert len(boot_id()) == 36
    assert boot_id() == boot_id()


def test_a_pace_comes_back() -> None:
    pace = Pace(4.0, 1.5)
    assert Pace.decode(decode(encode(pace.encode()))) == pace


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"every": 4},
        {"every": 0, "first": 0},
        {"every": -1, "first": 0},
        {"every": 2, "first": 3},
        {"every": 1e9, "first": 0},
        {"every": "x", "first": 0},
        {"every": None, "first": 0},
        {"every": float("nan"), "first": 0},
        {"every": 2, "first": -1},
    ],
)
def test_a_pace_that_nobody_could_keep_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(RemoteProtocolError, match="pace"):
        Pace.decode({"type": "pace", **fields})
