"""Where a dashboard listens, and what a request may call it."""

import socket

import pytest

from farm.cli.dashboard_address import FIRST_PORT, LAST_PORT, Listening, listen, parse_listen, url_of
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
    "text", ["", "everywhere", "10.0.0.300", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "[::1]9"]
)
def test_addresses_that_are_none(text: str) -> None:
    if text in ("127.0.0.1:", "[::1]9"):
        assert parse_listen(text)[0] in ("127.0.0.1", "::1")
        return
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
        with pytest.raises(FarmError, match="cannot listen on 127.0.0.1"):
            listen(f"127.0.0.1:{first.addresses[0][1]}")
    finally:
        first.close()


@pytest.mark.net
def test_all_ports_taken_is_said_in_one_line() -> None:
    held = []
    try:
        for port in range(FIRST_PORT, LAST_PORT + 1):
            try:
                held.append(socket.create_server(("127.0.0.3", port)))
            except OSError:
                pass
        with pytest.raises(FarmError, match="ports 8080 to 8099 of 127.0.0.3 are all taken"):
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
