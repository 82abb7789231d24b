"""docs/faults.md has every kind of fault with its parameters, and every status that has an exception of its own."""

import re

from node.config.faults import DISTRIBUTIONS, KINDS, parse_fault
from node.modbus.exceptions import exception_of
from node.modbus.functions import SERVER_DEVICE_FAILURE
from tests.architecture.sources import ROOT
from tests.config.test_faults import TAKEN

PAGE = (ROOT / "docs/faults.md").read_text()


def test_every_kind_is_there_with_its_parameters() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \|(.*)\|$", PAGE, re.M))
    assert set(rows) == set(KINDS)
    for body, _ in TAKEN:
        for key in parse_fault(body).dump():
            assert key in ("kind", "for", "seed") or f"`{key}`" in rows[body["kind"]], (body["kind"], key)
    assert all(f"`{each}`" in rows["slow"] for each in DISTRIBUTIONS if each != "fixed")


def test_every_status_with_an_exception_of_its_own_is_there() -> None:
    rows = re.findall(r"^\| (0x.*) \| ([0-9A-F]{2}) ", PAGE, re.M)
    found = {int(code, 16): int(exception, 16) for codes, exception in rows for code in re.findall(r"0x\w\w", codes)}
    assert found == {code: exception_of(code) for code in range(256) if exception_of(code) != SERVER_DEVICE_FAILURE}
