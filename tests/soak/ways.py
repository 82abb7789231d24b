"""The ways to an engine on another machine, each for real: TLS, ssh, contexts of Docker's own command line, and an
image from a registry. A plant of two nodes goes up by each, is read by real clients there, and goes down to the last
trace."""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.backends.docker_engine import Engine
from farm.backends.docker_recipes import context_files, node_tag
from farm.backends.swarm_images import image_id
from tests.backends import far_engine, swarm_cluster
from tests.backends.far_engine import PASSWORD, REGISTRY, TLS_PORT, USER, DeskFarm, FarMachine
from tests.backends.swarm_farm import LEVEL, ROOT
from tests.soak.swarm import Checked, until

Say = Callable[..., None]

UNCERTIFIED = "10.202.0.31"
"""An address of the far machine that its certificate does not have."""
PULLED = f"{REGISTRY}/plcfarm/node:7"
LOST_SECONDS, BACK_SECONDS = 25.0, 90.0

PLANT = """farm: 1
name: works
backend: swarm
hosts: {{far: {way}}}
{more}
networks: {{cell: {{subnet: 10.66.0.0/24, mtu: 1400}}}}
defaults: {{network: cell}}
nodes:
  plc: {{kind: logix, tags: {{Level: {{type: "DINT[4]", init: {level}}}}}}}
  rtu: {{kind: modbus, holding: {{"@0-7": 7}}}}
"""


CLIENT = """
import sys
from pylogix import PLC
from pymodbus.client import ModbusTcpClient
with PLC(sys.argv[1], port=20001) as plc: print(plc.Read("Level", 4).Value)
with ModbusTcpClient(sys.argv[1], port=20002) as device:
    print(device.read_holding_registers(0, count=8, device_id=1).registers)
"""


@dataclass
class Bench:
    """The far machine, a farm at the desk, and what was looked at."""

    machine: FarMachine
    farm: DeskFarm
    checked: Checked
    clean: set[str]

    @property
    def by_tls(self) -> str:
        return f'{{url: "tcp://{self.machine.address}:{TLS_PORT}", tls: {self.machine.tls}}}'

    def write(self, way: str, more: str = "") -> str:
        """A plant file whose only host is reached so; its path."""
        return str(self.farm.write(PLANT.format(way=way, more=more, level=LEVEL)))

    def states(self) -> set[str]:
        return {str(row["state"]) for row in self.farm.rows().values()}

    def up(self, what: str, way: str, more: str = "", **environ: Any) -> None:
        """It goes up that way, its nodes are read there, and its farm hears of that."""
        path = self.write(way, more)
        doctor = self.farm.farm("doctor", path, **environ).stdout
        began = time.monotonic()
        self.farm.farm("up", path, **environ)
        took = time.monotonic() - began
        rows = self.farm.rows()
        good = {row["state"] for row in rows.values()} == {"up"} and {row["host"] for row in rows.values()} == {"far"}
        self.checked.check(f"{what}: up in {took:.1f} s", good, "" if good else rows)
        self.checked.check(f"{what}: doctor", "a manager at" in doctor, _line(doctor, "host far"))
        self.read(what)

    def read(self, what: str) -> None:
        """pylogix and pymodbus, in a container there; what they asked is in the farm's telemetry, which comes by the
        same way."""
        before = self.requests()
        asked = [(row["name"], row["kind"], row["address"]) for row in self.farm.rows().values()]
        found = self.farm.ask(self.machine.host, "cell", asked)
        self.checked.check(f"{what}: read by pylogix and pymodbus", found == {"plc": LEVEL, "rtu": [7] * 8}, found)
        heard = until(lambda: all(now > then for now, then in zip(self.requests(), before, strict=True)), 10)
        self.checked.check(f"{what}: requests that the farm was told of", heard, self.requests())

    def requests(self) -> list[int]:
        return [int(row["requests"] or 0) for _, row in sorted(self.farm.rows().items())]

    def relayed(self, what: str) -> None:
        """A relay on the far machine, with the file that the desk's farm writes, leads there from the desk."""
        address, file = self.machine.address, self.machine.folder / "relay.json"
        file.write_text(self.farm.farm("hosts", "--relay", f"{address}:20001").stdout)
        command = ["nsenter", f"--net=/run/netns/{self.machine.host.netns}", sys.executable, "-m", "node", "relay"]
        with subprocess.Popen([*command, str(file)], cwd=ROOT, stderr=subprocess.PIPE, text=True) as relay:
            assert relay.stderr is not None
            served = next((line for line in relay.stderr if "forwards: " in line), "nothing")
            asking = [sys.executable, "-W", "ignore", "-c", CLIENT, address]
            done = self.machine.desk.run(asking, capture_output=True, timeout=60)
            relay.send_signal(signal.SIGINT)
            relay.communicate(timeout=10)
        found = done.stdout.splitlines()
        good = "3 served" in served and found == [str(LEVEL), str([7] * 8)]
        self.checked.check(
            f"{what}: read by a relay on the far machine", good, found if good else [served, done.stderr]
        )

    def lost(self, what: str, words: str) -> None:
        """Its nodes are shown as down, with the reason."""
        began = time.monotonic()
        shown = until(lambda: all(words in str(row["error"]) for row in self.farm.rows().values()), LOST_SECONDS)
        rows = self.farm.rows()
        self.checked.check(f"{what} is shown after {time.monotonic() - began:.1f} s", shown, rows["plc"]["error"])
        until(lambda: self.states() == {"down"}, LOST_SECONDS)

    def back(self, what: str) -> None:
        """All are up again, and the farm hears of them."""
        began = time.monotonic()
        up = until(lambda: self.states() == {"up"}, BACK_SECONDS)
        self.checked.check(f"{what}: all are back {time.monotonic() - began:.1f} s after it", up, self.states())
        self.read(what)

    def down(self, what: str) -> None:
        """Nothing is left there, nor here of the way to it."""
        said = self.farm.farm("logs", "plc").stdout
        began = time.monotonic()
        self.farm.farm("down", "works")
        took = time.monotonic() - began
        left = self.machine.host.things() - self.clean
        self.checked.check(f"{what}: down in {took:.1f} s, nothing left on the engine", not left, left or "")
        gone = until(lambda: not self.tunnels(), 5)
        self.checked.check(f"{what}: nothing left at the desk", gone and not self.folder.exists(), self.tunnels() or "")
        self.checked.check(f"{what}: logs without a traceback", "Traceback" not in said)

    def refused(self, what: str, way: str, words: str, more: str = "", **environ: Any) -> None:
        """It does not go up, and one line says why, in one of these `words`, with bars between them."""
        began = time.monotonic()
        said = self.farm.farm("up", self.write(way, more), fails=True, **environ).stderr
        errors = [line for line in said.splitlines() if line.startswith("error:")]
        good = len(errors) == 1 and any(each in errors[0] for each in words.split("|")) and "Traceback" not in said
        self.checked.check(f"{what}, after {time.monotonic() - began:.1f} s", good, errors[0] if good else said)

    @property
    def folder(self) -> Path:
        return self.farm.folder / "works"

    def tunnels(self) -> list[str]:
        """Whatever ssh there is of the desk's, also one that is shared."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                name, words = (process / "comm").read_text().strip(), (process / "cmdline").read_bytes()
            except OSError:
                continue
            mine = any(os.fsencode(folder) in words for folder in (self.farm.folder, self.machine.folder))
            if name == "ssh" and mine:
                found.append(words.replace(b"\0", b" ").decode(errors="replace").strip())
        return found


def run(say: Say) -> int:
    """How much was not as it should be."""
    reason = swarm_cluster.missing()
    lacking = far_engine.missing()
    if reason or lacking:
        say(f"ways: not tried: {reason or f'apt-get install {lacking}'}")
        return 0
    machine = FarMachine()
    with tempfile.TemporaryDirectory(prefix="pf-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        farm = DeskFarm(machine.cluster, Path(folder), machine=machine)
        try:
            machine.start()
            bench = Bench(machine, farm, Checked(say), machine.host.things())
            for part in (tls, ssh, contexts, registry):
                part(bench)
            return bench.checked.broken
        finally:
            if (Path(folder) / "works").exists():
                farm.run([sys.executable, "-m", "farm", "down", "works"], env={"PLCFARM_RUN": folder}, check=False)
            machine.remove()


def tls(bench: Bench) -> None:
    """By certificates; a cable that is pulled takes the farm's link with it, and that comes back."""
    machine = bench.machine
    url = f"tcp://{machine.address}:{TLS_PORT}"
    pems = {name: machine.tls / name for name in ("ca.pem", "cert.pem", "key.pem")}
    other = machine.certificates("other-ca", {**pems, "ca.pem": machine.folder / "stranger.pem"})
    stranger = {"cert.pem": machine.folder / "stranger.pem", "key.pem": machine.folder / "stranger.key"}
    nobody = machine.certificates("nobody", {**pems, **stranger})
    bench.refused("TLS with another authority", f'{{url: "{url}", tls: {other}}}', f"no TLS with {url}: ")
    bench.refused("TLS as a stranger", f'{{url: "{url}", tls: {nobody}}}', f"no TLS with {url}: |{url} hangs up")
    bench.refused("no TLS", f'{{url: "{url}"}}', f"{url} wants TLS: say `tls: FOLDER`")
    machine.host.run(["ip", "address", "add", f"{UNCERTIFIED}/24", "dev", "eth0"], check=True)
    elsewhere = f"tcp://{UNCERTIFIED}:{TLS_PORT}"
    bench.refused(
        "TLS at an address of nobody's", f'{{url: "{elsewhere}", tls: {machine.tls}}}', f"no TLS with {elsewhere}: "
    )
    bench.up("TLS", bench.by_tls, REQUESTS_CA_BUNDLE=str(other / "ca.pem"))
    bench.relayed("TLS")
    for what, lose, give in (
        ("whose cable is pulled", machine.host.cut, machine.host.mend),
        ("that loses its power", machine.lose_power, machine.power_up),
    ):
        lose()
        bench.lost(f"TLS: a host {what}", f"host far: no engine answers at {url}")
        give()
        bench.back(f"TLS: a host {what}")
    bench.down("TLS")


def ssh(bench: Bench) -> None:
    """By the desk's own settings of ssh, a name of theirs and all; what dies of it is noticed, and ends with a farm."""
    machine, farm, checked = bench.machine, bench.farm, bench.checked
    config = machine.folder / "ssh_config"
    good = config.read_text()
    config.write_text(good.replace("/known_hosts", "/nobody_known"))
    bench.refused("ssh to a host that nobody knows", "ssh://root@Far", "far: reach: Host key verification failed")
    config.write_text(good.replace(f"{machine.folder}/id\n", f"{machine.folder}/stranger_id\n"))
    bench.refused("ssh as a stranger", "ssh://root@Far", "Permission denied (publickey")
    config.write_text(good)
    bench.refused(
        "ssh to no socket",
        "ssh://root@Far/run/nobody.sock",
        "no engine answers at ssh://root@Far/run/nobody.sock; ssh: ",
    )
    bench.up("ssh", "ssh://root@Far")
    checked.check(
        "ssh: its near end is the user's alone",
        {each.stat().st_mode & 0o077 for each in bench.folder.glob("ssh-*")} == {0},
    )
    machine.ssh.kill()
    bench.lost("ssh: a host whose sshd dies", "host far: ")
    machine.ssh.start(machine.address, 22)
    bench.back("ssh: a host whose sshd dies")
    farm.kill_supervisor()
    gone = until(lambda: not bench.tunnels(), 10)
    checked.check("ssh: ends with a supervisor that is killed", gone, bench.tunnels() or "")
    farm.farm("ps")
    back = until(lambda: bench.states() == {"up"}, BACK_SECONDS)
    checked.check("ssh: the next supervisor takes all as it is", back, bench.states())
    bench.read("ssh again")
    bench.down("ssh")


def contexts(bench: Bench) -> None:
    """As Docker's own command line writes them, without a config.json beside them."""
    machine, checked = bench.machine, bench.checked
    settings = {"DOCKER_CONFIG": str(machine.docker)}
    pems = [f"{key}={machine.tls}/{key}.pem" for key in ("ca", "cert", "key")]
    machine.context("far-tls", f"host=tcp://{machine.address}:{TLS_PORT}", *pems)
    machine.context("far-ssh", "host=ssh://root@Far")
    machine.context("far-bare", f"host=tcp://{machine.address}:{TLS_PORT}")
    checked.check("contexts: no config.json", not (machine.docker / "config.json").exists())
    bench.refused("a context without certificates", "{context: far-bare}", "wants TLS: create it with ca=", **settings)
    bench.refused("a context that is not there", "{context: nobody}", "there is no Docker context nobody", **settings)
    for name in ("far-tls", "far-ssh"):
        bench.up(f"context {name}", f"{{context: {name}}}", **settings)
        bench.down(f"context {name}")


def registry(bench: Bench) -> None:
    """From a registry that wants a name and a password, which are the desk's."""
    machine, checked = bench.machine, bench.checked
    login = {"username": USER, "password": PASSWORD}
    engine = Engine(machine.host.url)
    try:
        own = node_tag(context_files())
        identity = image_id(engine, own)
        engine.api.tag(own, PULLED)
        for line in engine.api.push(PULLED, auth_config=login, stream=True, decode=True):
            assert "error" not in line, line
        for name in (own, PULLED):
            engine.api.remove_image(name, force=True)
        bench.refused("a registry without a login", bench.by_tls, "far: pull: ", f"image: {PULLED}")
        settings = machine.folder / "login"
        settings.mkdir()
        auth = {"auths": {REGISTRY: {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}}
        (settings / "config.json").write_text(json.dumps(auth))
        environ = {"DOCKER_CONFIG": str(settings)}
        bench.farm.image = PULLED
        bench.up("registry", bench.by_tls, f"image: {PULLED}", **environ)
        checked.check("registry: the image", image_id(engine, PULLED) == identity)
        bench.down("registry")
        untagged = PULLED.rpartition(":")[0]
        bench.refused("a tag that is not there", bench.by_tls, "far: pull: ", f"image: {untagged}", **environ)
    finally:
        engine.close()


def _line(text: str, start: str) -> str:
    return next((line.strip() for line in text.splitlines() if start in line), text)
