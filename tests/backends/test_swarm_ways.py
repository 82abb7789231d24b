"""The ways to engines of backend swarm, as far as they need no engine: contexts as Docker's own command line writes
them, what ssh is called with, what TLS refuses, a relay's pipe over TLS. With engines: `make soak ARGS=ways`."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends.relay_link import ExecPipe
from farm.backends.swarm_contexts import look_up
from farm.backends.swarm_engines import HostEngine
from farm.backends.swarm_tunnel import Tunnel
from farm.errors import BackendError, FarmError
from farm.topology.placement import HostSpec
from tests.certificates import Certificates, make_certificates

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of an engine at HOST, and of who may ask it."""
    return make_certificates(tmp_path_factory.mktemp("tls"), HOST)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of Docker's settings that has nothing in it, not even config.json."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return tmp_path / "docker"


def create(name: str, *options: str) -> None:
    """Docker's own command line makes a context."""
    if shutil.which("docker") is None:
        pytest.skip("no Docker daemon: docker not installed")
    command = ["docker", "context", "create", name, "--docker", ",".join(options)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def test_contexts_are_read_as_dockers_own_command_line_writes_them(docker: Path, made: Certificates) -> None:
    create("far-ssh", "host=ssh://root@Plant-3:2222")
    pems = [f"ca={made.certificate('authority')}", f"cert={made.certificate('client')}", f"key={made.key('client')}"]
    create("far-tls", "host=tcp://10.0.0.3:2376", *pems)
    create("far-ca", "host=tcp://10.0.0.3:2376", pems[0])
    create("far-careless", "host=tcp://10.0.0.3:2376", "skip-tls-verify=true")
    create("far-bare", "host=tcp://10.0.0.3:2375")
    assert not (docker / "config.json").exists()
    assert look_up("far-ssh").url == "ssh://root@Plant-3:2222"
    assert look_up("far-ssh").tls is None
    assert look_up("far-bare").tls is None
    assert look_up("default").url == "unix:///var/run/docker.sock"
    tls, ca, careless = (look_up(name).tls for name in ("far-tls", "far-ca", "far-careless"))
    assert tls is not None and tls.cert is not None and tls.ca_cert is not None and tls.verify is True
    kept = [Path(name).read_bytes() for name in (tls.ca_cert, *tls.cert)]
    assert kept == [Path(part.partition("=")[2]).read_bytes() for part in pems]
    assert ca is not None and (ca.cert, ca.verify) == (None, True)
    assert careless is not None and careless.verify is False


def test_a_context_that_cannot_be_used_is_one_line(docker: Path, tmp_path: Path) -> None:
    create("far", "host=tcp://10.0.0.3:2376")
    (meta,) = docker.glob("contexts/meta/*/meta.json")
    for text in ("{", "[]", "{}", '{"Endpoints": {"kubernetes": {}}}', '{"Endpoints": {"docker": 5}}'):
        meta.write_text(text)
        with pytest.raises(
            FarmError, match=r"context far: .*meta\.json is no context of an engine: `docker context rm"
        ):
            look_up("far")
        with pytest.raises(BackendError, match="north: reach: context far: "):
            HostEngine(HostSpec("north", context="far"), tmp_path).reach()


def test_a_context_of_this_machines_socket_is_here(docker: Path, tmp_path: Path) -> None:
    create("near", f"host=unix://{tmp_path}/sock")
    create("far", "host=ssh://root@10.0.0.3")
    assert HostEngine(HostSpec("a", context="near"), tmp_path).here
    assert not HostEngine(HostSpec("a", context="far"), tmp_path).here
    assert not HostEngine(HostSpec("a", context="nobody"), tmp_path).here
    with pytest.raises(BackendError, match=rf"no engine answers at context near \(unix://{tmp_path}/sock\)"):
        HostEngine(HostSpec("a", context="near"), tmp_path).reach()


@pytest.mark.parametrize(
    ("url", "where", "far"),
    [
        ("ssh://Plant-3", ["Plant-3"], "/var/run/docker.sock"),
        ("ssh://root@10.0.0.2:2222", ["root@10.0.0.2", "2222"], "/var/run/docker.sock"),
        ("ssh://me@host/run/user/1000/docker.sock", ["me@host"], "/run/user/1000/docker.sock"),
        ("ssh://root@[fd00::2]:22", ["root@fd00::2", "22"], "/var/run/docker.sock"),
    ],
)
def test_ssh_is_called_as_its_user_would(tmp_path: Path, url: str, where: list[str], far: str) -> None:
    command = Tunnel("host", url, tmp_path).command()
    assert command[-3:] == ["--", where[0], "cat"]
    assert command[command.index("-L") + 1].endswith(f":{far}")
    assert [command[at + 1] for at, word in enumerate(command) if word == "-p"] == where[1:]
    near = command[command.index("-L") + 1].partition(":")[0]
    assert len(near) <= len(str(tmp_path / "dashboard" / "sock")), "what a run's folder is checked for"


def test_ssh_that_complains_for_long_does_not_wait_for_anybody_to_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    ssh = programs / "ssh"
    ssh.write_text(
        '#!/bin/sh\nfor word; do case $word in *:/var/run/docker.sock) : >"${word%%:*}";; esac; done\n'
        "yes 'channel 2: open failed' | head -n 20000 >&2\necho done >>" + f"{tmp_path}/done\nexec cat\n"
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    tunnel = Tunnel("far", "ssh://root@far", tmp_path)
    try:
        assert tunnel.open().startswith("unix://")
        for _ in range(200):
            if (tmp_path / "done").exists():
                break
            threading.Event().wait(0.05)
        assert (tmp_path / "done").exists(), "it waits for its words to be taken"
        assert tunnel.said == "channel 2: open failed"
        assert tunnel.stands
    finally:
        tunnel.close()
    assert not list(tmp_path.glob("ssh-*"))


@contextlib.contextmanager
def tls_server(made: Certificates) -> Iterator[str]:
    """Takes connections of those who have a certificate of the authority, and says nothing; its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate("server"), made.key("server"))
    context.load_verify_locations(made.certificate("authority"))
    context.verify_mode = ssl.CERT_REQUIRED

    def serve(door: socket.socket) -> None:
        while True:
            try:
                sock = door.accept()[0]
            except OSError:
                return
            with sock, contextlib.suppress(OSError), context.wrap_socket(sock, server_side=True) as safe:
                safe.recv(100)

    with socket.create_server((HOST, 0)) as door:
        thread = threading.Thread(target=serve, args=(door,), daemon=True)
        thread.start()
        yield f"tcp://{HOST}:{door.getsockname()[1]}"
        door.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_what_tls_refuses_is_told_and_not_taken_for_silence(
    made: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", made.certificate("stranger"))  # which is for others
    mine = {"ca.pem": made.certificate("authority"), "cert.pem": made.certificate("client")}
    for name, source in {**mine, "key.pem": made.key("client")}.items():
        shutil.copyfile(source, tmp_path / name)
    with tls_server(made) as url:
        engine = HostEngine(HostSpec("far", url, tls=str(tmp_path)), tmp_path)
        shutil.copyfile(made.certificate("stranger"), tmp_path / "ca.pem")
        with pytest.raises(BackendError, match=rf"far: reach: no TLS with {url}: (self-signed|unable to get local)"):
            engine.reach()
        shutil.copyfile(made.certificate("authority"), tmp_path / "ca.pem")
        by_name = url.replace(HOST, "localhost")
        with pytest.raises(BackendError, match=f"no TLS with {by_name}: Hostname mismatch"):
            HostEngine(HostSpec("far", by_name, tls=str(tmp_path)), tmp_path).reach()
        for name, source in {"cert.pem": made.certificate("stranger"), "key.pem": made.key("stranger")}.items():
            shutil.copyfile(source, tmp_path / name)
        # an alert, or a connection that is gone before it came
        with pytest.raises(BackendError, match=f"no TLS with {url}: .*alert|{url} hangs up: .* certificate"):
            HostEngine(HostSpec("far", url, tls=str(tmp_path)), tmp_path).reach()
        (tmp_path / "key.pem").write_text("nothing")
        with pytest.raises(BackendError, match=f"no TLS with {url}: "):
            HostEngine(HostSpec("far", url, tls=str(tmp_path)), tmp_path).reach()


def test_a_pipe_over_tls_is_read_and_written_at_once(made: Certificates) -> None:
    near, far = socket.socketpair()
    size, record = 1 << 20, bytes([1, 0, 0, 0]) + (1 << 14).to_bytes(4, "big") + b"x" * (1 << 14)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(made.certificate("server"), made.key("server"))
    ours = ssl.create_default_context(cafile=made.certificate("authority"))
    got: list[int] = []

    def engine() -> None:
        with theirs.wrap_socket(far, server_side=True) as sock:
            writer = threading.Thread(target=sock.sendall, args=(record * (size >> 14),))
            taken = len(sock.recv(1 << 16))  # the other end writes first, while nothing is read of it
            writer.start()
            while taken < size:
                taken += len(sock.recv(1 << 16))
            writer.join()
            got.append(taken)

    thread = threading.Thread(target=engine, daemon=True)
    thread.start()
    pipe = ExecPipe(ours.wrap_socket(near, server_hostname=HOST))
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.extend(iter(pipe.read, b"")), daemon=True)
    reader.start()
    pipe.write(b"y" * size)
    thread.join(30)
    reader.join(30)
    pipe.close()
    assert got == [size]
    assert b"".join(read) == b"x" * size
