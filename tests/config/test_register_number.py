"""Registers whose text says the table too; numbers of one table are in tests/farm/topology/test_registers.py."""

import pytest

from node.config.register_number import RegisterNumberError, RegisterSpan, number, parse_register


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("40001", RegisterSpan("holding", 0, None)),
        ("300001", RegisterSpan("input", 0, None)),
        ("00001-00016", RegisterSpan("coils", 0, 16)),
        ("100001", RegisterSpan("discrete", 0, None)),
        ("465536", RegisterSpan("holding", 65535, None)),
        ("99999", RegisterSpan("holding", 59998, None)),
        ("input@2999", RegisterSpan("input", 2999, None)),
        ("Holding @ 0 - 9", RegisterSpan("holding", 0, 10)),
        ("coil@7", RegisterSpan("coils", 7, None)),
    ],
)
def test_the_table_is_said(text: str, wanted: RegisterSpan) -> None:
    assert parse_register(text) == wanted


@pytest.mark.parametrize("table", ["coils", "discrete", "input", "holding"])
@pytest.mark.parametrize("wire", [0, 9997, 9998, 9999, 65535])
def test_a_number_leads_back(table: str, wire: int) -> None:
    assert parse_register(number(table, wire)) == parse_register(f"{table}@{wire}") == RegisterSpan(table, wire, None)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "is no register", "write a register number as 40001"),
        ("@5", "is of no table", "write holding@5 or input@5"),
        (
            "2999",
            "could be a register number or a wire address",
            "write 43000 or holding@2999 for wire address 2999",
        ),
        ("20001", "is no register number of any table", "40001 or 300001"),
        ("holdings@5", "names no table", "did you mean holding@…?"),
        ("MW@5", "names no table", "holding@0 or input@0-9"),
        ("holding40001", "is no register", "write holding@0"),
        ("input@65536", "is beyond wire address 65535", ""),
        ("40010-40001", "runs backwards", "write the lower one first"),
        ("40001-30010", "is no register number of 'holding'", "that is one of 'input'"),
        ("0x9C41", "is no register", "write"),
    ],
)
def test_what_names_none(text: str, message: str, hint: str) -> None:
    with pytest.raises(RegisterNumberError) as caught:
        parse_register(text)
    assert caught.value.message == message
    assert hint in caught.value.hint
