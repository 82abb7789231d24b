"""Commands that change something are events, and read well."""

from typing import Any

import pytest

from farm.supervisor.command_events import change_text, changes


@pytest.mark.parametrize(
    ("path", "value", "kind", "text"),
    [
        ("tags", None, "", ""),
        ("tags/Level", None, "", ""),
        ("server", None, "", ""),
        ("watch", {"tags": []}, "", ""),
        ("capture/read", None, "", ""),
        ("tags/Level", 3.5, "write", "Level = 3.5"),
        ("tags/Name", "abc", "write", "Name = 'abc'"),
        ("tags/Level/force", 3.5, "write", "Level = 3.5 (forced)"),
        ("tags/Level/release", None, "write", "Level released"),
        ("tags/release", None, "write", "every tag released"),
        ("tags/Level/error", 8, "write", "Level answers with status 8"),
        ("tags/Level/error", 0, "write", "Level answers again"),
        ("connections/10.0.0.5:4711/eof", None, "client", "10.0.0.5:4711 was disconnected"),
        ("server/stop", None, "command", "told to stop serving"),
        ("server/start", None, "command", "told to serve again"),
        ("options/delay", 0.5, "command", "options/delay = 0.5"),
        ("faults/clear", None, "fault", "faults/clear"),
        ("api/tags/*", None, "", ""),
        ("api/tags/Level/value=3", None, "write", "api/tags/Level/value=3"),
        ("api/tags/Level/attribute/3", None, "write", "api/tags/Level/attribute/3"),
        ("api/connections/eof/true", None, "client", "api/connections/eof/true"),
        ("api/tags/Level/attribute", None, "", ""),
        ("api/tags/Level/attribute", 3, "write", "api/tags/Level/attribute = 3"),
        ("api/server/stop", None, "", ""),
        ("api/options/delay/value=0.5", None, "command", "api/options/delay/value=0.5"),
    ],
)
def test_what_is_an_event_and_how_it_reads(path: str, value: Any, kind: str, text: str) -> None:
    assert changes(path, value) == kind
    if kind:
        assert change_text(path, value) == text


def test_a_long_value_is_cut() -> None:
    assert len(change_text("tags/Name", "x" * 5000)) < 300
    assert len(change_text("tags/Name", list(range(5000)))) < 300
