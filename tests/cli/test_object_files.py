"""`cpppo.cfg` in the places where it is looked for, and `--config`."""

import asyncio
from pathlib import Path

import pytest

from node.client.aio import AsyncConnector
from tests.cli.lone import ENIP_SERVER, HOST, Start, port_of, ready, run
from tests.cpppo_cfg import EXAMPLE


async def attribute(port: int, path: str) -> bytes:
    async with AsyncConnector(HOST, port) as client:
        return await client.get_attribute_single(path)


def texts(port: int) -> tuple[str, str]:
    """Product name and host name."""
    product = asyncio.run(attribute(port, "@1/1/7"))
    host = asyncio.run(attribute(port, "@0xF5/1/6"))
    return product[1:].decode(), host[2 : 2 + host[0]].decode()


@pytest.mark.net
def test_the_specification_s_example_is_loaded_and_said(start: Start, tmp_path: Path) -> None:
    (tmp_path / "cpppo.cfg").write_text(EXAMPLE)
    process = start(*ENIP_SERVER, "-v", "-a", f"{HOST}:0", cwd=tmp_path, HOME=str(tmp_path / "nowhere"))
    port = port_of(ready(process))
    assert texts(port) == ("1756-L61/B LOGIX5561", "controller")
    assert asyncio.run(attribute(port, "@0xF5/1/5")).startswith(bytes((201, 0, 168, 192, 0, 255, 255, 255)))
    process.terminate()
    assert "Loaded config files: ['cpppo.cfg']\n" in process.communicate(timeout=30)[1]


@pytest.mark.net
def test_later_files_win_and_the_one_on_the_command_line_last(start: Start, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    (home / ".cpppo.cfg").write_text("[Identity]\nProduct Name = home\n[TCPIP]\nHost Name = home\n")
    (folder / "cpppo.cfg").write_text("[Identity]\nProduct Name = here\n")
    (folder / "extra.cfg").write_text("[identity]\nproduct name = extra\n")

    def served(*options: str) -> tuple[tuple[str, str], str]:
        process = start(*ENIP_SERVER, "-v", "-a", f"{HOST}:0", *options, cwd=folder, HOME=str(home))
        found = texts(port_of(ready(process)))
        process.terminate()
        return found, process.communicate(timeout=30)[1]

    found, said = served()
    assert found == ("here", "home")
    assert f"Loaded config files: ['{home}/.cpppo.cfg', 'cpppo.cfg']\n" in said
    found, said = served("--config", "extra.cfg")
    assert found == ("extra", "home")
    assert f"Loaded config files: ['{home}/.cpppo.cfg', 'cpppo.cfg', 'extra.cfg']\n" in said


@pytest.mark.net
def test_nothing_is_said_where_there_is_no_file(start: Start, tmp_path: Path) -> None:
    process = start(*ENIP_SERVER, "-vv", "-a", f"{HOST}:0", cwd=tmp_path, HOME=str(tmp_path))
    ready(process)
    process.terminate()
    assert "config files" not in process.communicate(timeout=30)[1]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (None, 1, "x.cfg: there is no such file"),
        ("Product Name = x\n", 2, "x.cfg:1: "),
        ("\n[Identity]\n\nProduct Colour = x\n", 2, "x.cfg:4: "),
        ("[Identity]\nProduct Name = ok\n[TCPIP]\nInterface Configuration = {\n  'a'\n}\n", 2, "x.cfg:5: "),
        ("[Nonsense]\nA = 1\n", 2, "x.cfg:2: "),
        ("[Identity]\nVendor Number = many\n", 2, "x.cfg:2: "),
        (b"\xff\xfe\x00", 2, "x.cfg: this is no text"),
    ],
)
def test_a_file_that_is_wrong_is_one_line_with_its_place(
    tmp_path: Path, text: str | bytes | None, code: int, said: str
) -> None:
    file = tmp_path / "x.cfg"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    got, out, err = run(*ENIP_SERVER, "-a", f"{HOST}:0", "--config", "x.cfg", "A=INT", cwd=tmp_path, HOME="/")
    assert (got, out) == (code, ""), err
    assert err.startswith(f"enip_server: {said}")
    assert err.count("\n") == 1


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "cpppo.cfg").mkdir()
    code, out, err = run(*ENIP_SERVER, "-a", f"{HOST}:0", "A=INT", cwd=tmp_path, HOME="/")
    assert (code, out) == (1, "")
    assert err == "enip_server: cpppo.cfg: Is a directory\n"
