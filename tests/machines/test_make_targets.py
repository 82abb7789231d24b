"""What make calls for each target of machines and boxes, with stand-ins for the tools; what it says without them."""

import subprocess
from itertools import product
from pathlib import Path

import pytest

from tests.machines.stand_ins import Tree

PROVIDERS = {
    "virtualbox": ("virtualbox", ("VBoxManage",), ""),
    "vmware": ("vmware_desktop", ("vmrun", "vagrant-vmware-utility"), "vagrant-vmware-desktop (3.0.4, global)"),
    "libvirt": ("libvirt", ("virsh",), "vagrant-libvirt (0.11.2, system)"),
}
"""Make's name for it: Vagrant's, the tools it takes, and the line of the plugin."""
SYSTEMS = ("debian", "ubuntu")
VERBS = ("up", "ssh", "halt", "destroy", "status")
BOXES = {"qemu": "qemu.debian", "virtualbox": "virtualbox-iso.debian", "vmware": "vmware-iso.debian"}
HYPERVISORS = {"qemu": "qemu-system-x86_64", "virtualbox": "VBoxManage", "vmware": "vmrun", "docker": "docker"}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """With no tool."""
    return Tree(tmp_path)


def equip(tree: Tree, provider: str, plugin: str | None = None) -> None:
    """All that a provider takes; `plugin` instead of its line."""
    _, tools, line = PROVIDERS[provider]
    for tool in tools:
        tree.add(tool)
    listed = line if plugin is None else plugin
    tree.add("vagrant", f'if [ "$1" = plugin ]; then echo "{listed}"; fi')


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_machines_verbs(tree: Tree, provider: str) -> None:
    equip(tree, provider)
    name = PROVIDERS[provider][0]
    for system, verb in product(SYSTEMS, VERBS):
        done = tree.run("make", f"{provider}-{system}-{verb}")
        assert done.returncode == 0, done.stderr
        called = [line for line in tree.called() if " vagrant plugin " not in line]
        words = f"up --provider={name}" if verb == "up" else verb
        assert [line.rstrip() for line in called] == [f"{system} .vagrant-{provider} vagrant {words}"]


def test_arguments_go_on_to_vagrant(tree: Tree) -> None:
    equip(tree, "virtualbox")
    assert tree.run("make", "virtualbox-debian-destroy", "ARGS=--force").returncode == 0
    assert tree.called() == ["debian .vagrant-virtualbox vagrant destroy --force"]


def one_line(done: "subprocess.CompletedProcess[str]") -> str:
    """What a script says that cannot go on: a line, and nothing else."""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("provider", "lost", "says"),
    [
        ("virtualbox", "vagrant", "vagrant is missing: "),
        ("virtualbox", "VBoxManage", "VirtualBox is missing: "),
        ("vmware", "vmrun", "VMware Fusion or Workstation is missing: "),
        ("vmware", "vagrant-vmware-utility", "the Vagrant VMware Utility is missing: "),
        ("libvirt", "virsh", "libvirt is missing: apt-get install "),
    ],
)
def test_a_missing_tool_is_one_line(tree: Tree, provider: str, lost: str, says: str) -> None:
    equip(tree, provider)
    (tree.folder.parent / "tools" / lost).unlink()
    assert one_line(tree.run("vagrant/machine", provider, "debian", "up")).startswith(says)
    made = tree.run("make", f"{provider}-debian-up")
    assert made.returncode == 2
    assert says in made.stderr


@pytest.mark.parametrize(
    ("provider", "plugins", "says"),
    [
        ("vmware", "vagrant-libvirt (0.11.2)", "vagrant plugin install vagrant-vmware-desktop"),
        ("vmware", "vagrant-vmware-desktop (2.1.5, global)", "wants a licence"),
        ("libvirt", "", "vagrant plugin install vagrant-libvirt"),
    ],
)
def test_a_missing_plugin_or_licence_is_one_line(tree: Tree, provider: str, plugins: str, says: str) -> None:
    equip(tree, provider, plugins)
    assert says in one_line(tree.run("vagrant/machine", provider, "debian", "up"))


def test_what_makes_no_sense_is_a_usage(tree: Tree) -> None:
    for words in (["hyperv", "debian", "up"], ["virtualbox", "gentoo", "up"], ["virtualbox", "debian", "fly"], ["up"]):
        tree.add("vagrant")
        done = tree.run("vagrant/machine", *words)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert done.stderr.startswith("machine virtualbox|vmware|libvirt debian|ubuntu ")


NETWORKING = """VERSION=1,0
answer VNET_1_HOSTONLY_SUBNET 172.16.134.0
answer VNET_2_HOSTONLY_SUBNET 10.0.1.0
answer VNET_8_HOSTONLY_SUBNET 192.168.222.0
"""
ROUTES = {"own": "10.0.1.0/24 dev vmnet2 src 10.0.1.1", "other": "10.0.1.0/24 dev en3 proto kernel src 10.0.1.7"}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("tool", ["ip", "netstat"])
def test_a_network_of_vmwares_that_collides_is_told_before(tree: Tree, route: str, tool: str) -> None:
    equip(tree, "vmware")
    networking = tree.folder / "the networking"
    networking.write_text(NETWORKING)
    shown = f"default via 192.0.2.1 dev eth0\n{ROUTES[route]}"
    if tool == "netstat":
        shown = f"default 192.0.2.1 UGSc en0\n10.0.1/24 link#9 UCS {'vmnet2' if route == 'own' else 'en3'}"
    tree.add(tool, f"echo '{shown}'")
    done = tree.run("vagrant/machine", "vmware", "debian", "up", VMWARE_NETWORKING=str(networking))
    if route == "own":
        assert (done.returncode, done.stderr) == (0, "")
        return
    said = one_line(done)
    assert said.startswith("VMware's network vmnet2 (10.0.1.0) collides with a route by en3: ")
    assert str(networking) in said
    assert not any("vagrant up" in line for line in tree.called())


@pytest.mark.parametrize("kind", BOXES)
def test_a_box_is_built(tree: Tree, kind: str) -> None:
    tree.add("packer", '[ "$1" != version ] || echo "Packer v1.11.2"')
    tree.add(HYPERVISORS[kind])
    done = tree.run("make", "-C", "packer", f"{kind}-debian64", "DEBIAN=13.7.0", "BOX_VERSION=2.0.0", "ARGS=-debug")
    assert done.returncode == 0, done.stderr
    variables = "-var=box_name=plcfarm/debian64 -var=box_version=2.0.0 -var=debian=13.7.0"
    assert tree.called() == [
        "packer - packer version",
        "packer - packer init plugins",
        f"packer - packer build -force -only={BOXES[kind]} {variables} -debug .",
    ]


def test_urls_are_variables(tree: Tree) -> None:
    tree.add("packer", '[ "$1" != version ] || echo "Packer v1.11.2"')
    tree.add("VBoxManage")
    given = ("ISO_URL=file:///iso", "ISO_CHECKSUM=sha256:00", "BOX_NAME=my/box")
    assert tree.run("make", "-C", "packer", "virtualbox-debian64", *given).returncode == 0
    words = "-var=box_name=my/box -var=box_version=1.0.0 -var=iso_url=file:///iso -var=iso_checksum=sha256:00"
    assert tree.called()[-1] == f"packer - packer build -force -only=virtualbox-iso.debian {words} ."


def test_debians_own_packer_has_its_builders_within(tree: Tree) -> None:
    tree.add("packer", '[ "$1" != version ] || echo "Packer v1.6.6"')
    tree.add(HYPERVISORS["qemu"])
    assert tree.run("make", "-C", "packer", "qemu-debian64", "ACCELERATOR=tcg").returncode == 0
    variables = "-var=box_name=plcfarm/debian64 -var=box_version=1.0.0 -var=accelerator=tcg"
    build = f"packer - packer build -force -only=qemu.debian {variables} ."
    assert tree.called() == ["packer - packer version", build]


@pytest.mark.parametrize("kind", HYPERVISORS)
def test_a_box_without_its_tools_is_one_line(tree: Tree, kind: str) -> None:
    assert one_line(tree.run("packer/box", "build", kind)).startswith("packer is missing: ")
    tree.add("packer", '[ "$1" != version ] || echo "Packer v1.11.2"')
    assert "is missing: " in one_line(tree.run("packer/box", "build", kind))


@pytest.mark.parametrize("kind", BOXES)
def test_a_box_is_added_under_its_name_and_version(tree: Tree, kind: str) -> None:
    provider = {"qemu": "libvirt", "virtualbox": "virtualbox", "vmware": "vmware_desktop"}[kind]
    assert one_line(tree.run("packer/box", "add", kind)).startswith("vagrant is missing: ")
    tree.add("vagrant", "cat $6")
    assert "is not there yet: make " in one_line(tree.run("packer/box", "add", kind))
    box = tree.folder / "packer" / "build" / f"debian64-{kind}.box"
    box.parent.mkdir()
    box.touch()
    done = tree.run("make", "-C", "packer", f"add-{kind}-debian64", "BOX_VERSION=1.2.3")
    assert done.returncode == 0, done.stderr
    assert tree.called() == [f"packer - vagrant box add --force --provider {provider} build/debian64-{kind}.json"]
    written = f'"version": "1.2.3", "providers": [{{"name": "{provider}", "url": "file://{box.resolve()}"}}]'
    assert written in done.stdout


def test_help_lists_everything(tree: Tree) -> None:
    said = tree.run("make", "help").stdout
    for word in ("make images", *(f"make {word}" for word in ("virtualbox-debian-up", "virtualbox-debian-ssh"))):
        assert word in said
    for kind in (*BOXES, "docker"):
        assert f"{kind}-debian64" in said
    for word in ("vmware", "libvirt", "ubuntu", *VERBS, "add-qemu-debian64"):
        assert word in said
