"""Where a dashboard listens, and what a request may call it."""

import contextlib
import socket
from pathlib import Path

import pytest

from farm.cli.dashboard_address import FIRST_PORT, LAST_PORT, Listening, listen, parse_listen, url_of
from farm.cli.machine_names import machine_names
from farm.cli.usage import UsageError
from farm.errors import FarmError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1", ("127.0.0.1", None)),
        ("127.0.0.1:9000", ("127.0.0.1", 9000)),
        ("localhost:9000", ("127.0.0.1", 9000)),
        ("0.0.0.0", ("0.0.0.0", None)),
        ("::1", ("::1", None)),
        ("[::1]:9000", ("::1", 9000)),
        ("[::]", ("::", None)),
    ],
)
def test_addresses_as_they_are_typed(text: str, found: tuple[str, int | None]) -> None:
    assert parse_listen(text) == found


@pytest.mark.parametrize(
    "text", ["", "everywhere", "10.0.0.300", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "[::1]9", "[::1]:"]
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_listen(text)


@pytest.mark.net
def test_the_next_port_is_taken_when_one_is_not_free() -> None:
    first, _ = listen(None)
    try:
        second, taken = listen(None)
        second.close()
        assert taken
        assert second.addresses[0][1] > first.addresses[0][1]
        assert first.loopback
        assert first.names == ("127.0.0.1", "[::1]", "localhost")
        with pytest.raises(FarmError, match=r"cannot listen on 127\.0\.0\.1"):
            listen(f"127.0.0.1:{first.addresses[0][1]}")
    finally:
        first.close()


@pytest.mark.net
def test_all_ports_taken_is_said_in_one_line() -> None:
    held = []
    try:
        for port in range(FIRST_PORT, LAST_PORT + 1):
            with contextlib.suppress(OSError):  # somebody else has it
                held.append(socket.create_server(("127.0.0.3", port)))
        with pytest.raises(FarmError, match=r"ports 8080 to 8099 of 127\.0\.0\.3 are all taken"):
            listen("127.0.0.3")
    finally:
        for each in held:
            each.close()


def test_what_it_is_called() -> None:
    everywhere = Listening((), (("0.0.0.0", 8080),))
    assert not everywhere.loopback
    assert everywhere.any_address
    assert socket.gethostname().lower() in everywhere.names
    assert "0.0.0.0" not in everywhere.names
    assert url_of(everywhere.addresses) == f"http://{socket.gethostname()}:8080/"
    assert url_of((("::1", 8081),)) == "http://[::1]:8081/"
    assert Listening((), (("10.1.2.3", 80),)).names[1] == "127.0.0.1"


def test_a_name_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> None:
        raise AssertionError("a name was looked up")

    for look_up in ("getfqdn", "gethostbyaddr", "gethostbyname", "gethostbyname_ex", "getaddrinfo", "getnameinfo"):
        monkeypatch.setattr(socket, look_up, ask)
    monkeypatch.setattr(socket, "gethostname", lambda: "Desk")
    listening, _ = listen("0.0.0.0")
    with contextlib.closing(listening):
        assert {"desk", "desk.local", "localhost"} <= set(listening.names)


def test_what_its_own_files_call_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts, resolver = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text(
        "127.0.0.1 localhost\n127.0.1.1\tDesk.works.example desk hmi # the desk\n\n"
        "10.1.2.3 plant-desk\n10.1.2.4 other other.works.example\n0.0.0.0 advert.example\n"
    )
    resolver.write_text("domain old.example\nnameserver 192.0.2.1\nsearch site.example. lan ; two\n")
    monkeypatch.setattr(socket, "gethostname", lambda: "desk")
    by_name = {"desk", "desk.local", "desk.site.example", "desk.lan", "desk.works.example", "hmi"}
    assert machine_names((), hosts, resolver) == by_name
    assert machine_names({"10.1.2.3"}, hosts, resolver) == by_name | {"plant-desk"}
    monkeypatch.setattr(socket, "gethostname", lambda: "desk.works.example")
    none = tmp_path / "none"
    assert machine_names((), none, none) == {"desk.works.example", "desk", "desk.local"}
    assert machine_names((), hosts, none) == {"desk.works.example", "desk", "desk.local", "hmi"}
