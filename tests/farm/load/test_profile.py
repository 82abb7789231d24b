"""What is asked of a load test: options, the file, and lines that say what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest

from farm.cli.load_options import profile_of
from farm.cli.usage import UsageError
from farm.errors import FarmError
from farm.load.profile import READERS, Profile, ProfileError, complete, load_profile, parse_mix, parse_rate, parse_tags
from farm.topology.problem import TopologyProblems

FILE = """
rate: 2/s
duration: 10m
ramp: 30s
clients: 3
tags: [LIT_Level, "SCADA[0-9]"]
mix: {read: 9, write: 1}
connected: true
allow-errors: 0.5%
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "load.yaml"
    path.write_text(text)
    return path


def test_a_file_says_it_all(tmp_path: Path) -> None:
    assert load_profile(written(tmp_path, FILE)) == Profile(
        clients=3,
        rate=2.0,
        duration=600.0,
        ramp=30.0,
        tags=("LIT_Level", "SCADA[0-9]"),
        mix={"read": 9.0, "write": 1.0},
        connected=True,
        allow_errors=0.005,
    )


def test_options_win_over_the_file(tmp_path: Path) -> None:
    profile = profile_of(written(tmp_path, FILE), {"rate": "max", "clients": None, "tags": ["A,B[1,2]", "C"]})
    assert profile.flat_out
    assert (profile.clients, profile.tags) == (3, ("A", "B[1,2]", "C"))


def test_a_rate_of_all_takes_the_place_of_one_of_each(tmp_path: Path) -> None:
    profile = profile_of(written(tmp_path, FILE), {"rate_in_all": "500", "clients_in_all": 50})
    assert (profile.rate, profile.rate_in_all, profile.clients_in_all) == (0.0, 500.0, 50)
    assert not profile.flat_out


def test_every_field_has_a_key() -> None:
    assert set(READERS) == set(Profile.__dataclass_fields__)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("rate: fast", ":1: rate: rate fast: wanted beats a second, as 10 or 0.5, or max"),
        ("\nclients: -1", ":2: clients: -1: wanted a whole number from 0 on"),
        ("durations: 5m", ":1: durations is no key of a load"),
        ("mix: {read: 0}", "nothing is left to do"),
        ("mix: {delete: 1}", "wanted reads and writes by weight"),
        ("ramp: 2m\nduration: 1m", "a ramp of 120 s: the whole test has 60 s"),
        ("depth: 0", "depth 0: wanted 1 to 1000"),
        ("protocol: s7", "protocol s7: there is enip, modbus"),
        ("connection: 9", "connection 9: wanted a size of 64 to 4002 bytes"),
        ("connected: yes", "yes: wanted true or false"),
        ("rate: 1\nrate-in-all: 5", "rate and rate-in-all: give one of them"),
        ("tags: {a: [1]}", ":1: tags is a map; wanted a single value"),
        ("allow-errors: 200%", "wanted per cent from 0 to 100"),
    ],
)
def test_what_cannot_be_is_one_line_with_its_place(tmp_path: Path, text: str, error: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    assert str(caught.value).startswith(str(path))
    assert error in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_yaml(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", written(tmp_path, "a: [")):
        with pytest.raises(TopologyProblems):
            load_profile(path)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"rate": "0"}, "--rate 0: wanted beats a second"),
        ({"duration": "soon"}, "--duration soon: wanted a time"),
        ({"duration": "0"}, "--duration 0: wanted a time"),
        ({"mix": "read=x"}, "--mix read=x: wanted reads and writes"),
        ({"clients": 1, "clients_in_all": 2}, "--clients and clients-in-all: give one"),
        ({"allow_errors": "lots"}, "--allow-errors lots: wanted per cent"),
    ],
)
def test_an_option_that_cannot_be_is_wrong_usage(given: dict[str, Any], error: str) -> None:
    with pytest.raises(UsageError) as caught:
        profile_of(None, given)
    assert str(caught.value).startswith(error)


def test_words_of_options() -> None:
    assert [parse_rate(text) for text in ("10", "0.5Hz", "3/s", "max")] == [10, 0.5, 3, 0]
    assert parse_mix("read,write=2") == {"read": 1, "write": 2}
    assert parse_tags("SCADA, Grid[1,2] ,A.B") == ("SCADA", "Grid[1,2]", "A.B")
    with pytest.raises(FarmError):
        complete(Profile(), {"timeout": 0.0})
