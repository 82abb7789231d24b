#!/bin/sh
# Makes a Debian or Ubuntu machine one that plants run on. Run as root, as often as one likes: what is there is left alone,
# what changed is done again. Vagrant and Packer both run it, and so may anybody on a machine of their own.
#
#   provision.sh [SOURCE]        SOURCE, a checkout, is $PLCFARM_CHECKOUT or else /src/plcfarm when nothing is said
#
# packages   Docker, Python with environments, mmdebstrap for a base image, what `make` needs
# Docker     started, now and at each boot; user vagrant may use it
# farm       in an environment of its own in /opt/plcfarm, its commands in /usr/local/bin
# images     a base of the distribution's packages, and node, scada, modbus and farm on it
# way in     what comes from the private network (PLCFARM_NETWORK, 192.168.56.0/24) may go on to the plants' networks
#
# Where there is no checkout (in Packer) farm and images are left for later; where no Docker daemon runs, images are.
set -eu

SOURCE=${1:-${PLCFARM_CHECKOUT:-/src/plcfarm}}
NETWORK=${PLCFARM_NETWORK:-192.168.56.0/24}
HOME_OF_FARM=/opt/plcfarm
COMMANDS="farm enip_server enip_client modbus_sim modbus_poll"
PACKAGES="ca-certificates docker.io iptables iproute2 make mmdebstrap procps python3 python3-venv"
export DEBIAN_FRONTEND=noninteractive

say() { echo "provision: $*"; }
fail() { echo "provision: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "run it as root: sudo $0"
command -v apt-get >/dev/null || fail "there is no apt-get: this is for Debian and Ubuntu"

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

packages() {
    missing=
    for package in $PACKAGES; do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || { say "packages: all there"; return; }
    say "packages: installing$missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of names
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

docker_runs() { docker info >/dev/null 2>&1; }

docker_daemon() {
    if [ -d /run/systemd/system ]; then
        systemctl enable --quiet --now docker
    fi
    if id vagrant >/dev/null 2>&1 && ! id -nG vagrant | grep -qw docker; then
        usermod -aG docker vagrant
    fi
    if docker_runs; then say "Docker: runs"; else say "Docker: does not run here, so there will be no images"; fi
}

# All of a checkout that an installation is made of, changed or not, as one number.
digest() {
    (cd "$SOURCE" && find pyproject.toml README.md LICENSE farm node images topologies -type f \
        ! -path '*/__pycache__/*' -exec sha256sum {} + | sort -k 2 | sha256sum | cut -c 1-16)
}

farm() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python is $(python3 -V), wanted 3.11 or newer: take Debian 12, Ubuntu 24.04, or newer"
    if [ "$(cat $HOME_OF_FARM/.source 2>/dev/null)" = "$1" ] && [ -x $HOME_OF_FARM/bin/farm ]; then
        say "farm: $($HOME_OF_FARM/bin/farm version), as in $SOURCE"
        return
    fi
    say "farm: installing what is in $SOURCE"
    [ -x $HOME_OF_FARM/bin/python ] || python3 -m venv $HOME_OF_FARM
    # A copy: an installation writes beside what it installs, and the folder may belong to somebody else's machine.
    copy=$(mktemp -d)
    (cd "$SOURCE" && cp -R pyproject.toml README.md LICENSE farm node images topologies "$copy")
    pip="$HOME_OF_FARM/bin/python -m pip --disable-pip-version-check"
    # What is there has the same version, and pip would leave it as it is.
    $pip uninstall --quiet --yes plcfarm 2>/dev/null || true
    $pip install --quiet "${copy}[all]" || { rm -rf "$copy"; fail "pip cannot install it: see above"; }
    rm -rf "$copy"
    for command in $COMMANDS; do
        ln -sf "$HOME_OF_FARM/bin/$command" "/usr/local/bin/$command"
    done
    echo "$1" >$HOME_OF_FARM/.source
    say "farm: $($HOME_OF_FARM/bin/farm version)"
}

images() {
    docker_runs || return 0
    if [ "$(cat $HOME_OF_FARM/.images 2>/dev/null)" = "$1" ] && [ -n "$(docker images -q plcfarm/farm)" ]; then
        say "images: as in $SOURCE"
        return
    fi
    if [ -z "$(docker images -q plcfarm/base)$(docker images -q python:3.12-slim)" ]; then
        say "images: making a base of this distribution's packages"
        $HOME_OF_FARM/bin/farm image base >/dev/null
    fi
    say "images: building"
    $HOME_OF_FARM/bin/farm image build node scada modbus farm 2>/dev/null | sed 's/^/provision: images: /'
    [ -n "$(docker images -q plcfarm/farm)" ] || fail "images: they were not built: farm image build farm"
    echo "$1" >$HOME_OF_FARM/.images
}

# The plants' networks are behind this machine: it passes on what comes from the private network, under its own address,
# which nodes can answer. Docker drops what it did not expect, unless its chain for others says otherwise.
way_in() {
    cat >/etc/sysctl.d/60-plcfarm.conf <<END
net.ipv4.ip_forward = 1
END
    mkdir -p /usr/local/lib/plcfarm
    cat >/usr/local/lib/plcfarm/way-in <<END
#!/bin/sh
# Lets what comes from $NETWORK on to the plants' networks. Written by provision.sh.
set -eu
[ "\$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo 1 >/proc/sys/net/ipv4/ip_forward
rule() { table=\$1 place=\$2; shift 2
    iptables -w -t "\$table" -C "\$place" "\$@" 2>/dev/null || iptables -w -t "\$table" -I "\$place" "\$@"; }
chain=FORWARD
! iptables -w -n -L DOCKER-USER >/dev/null 2>&1 || chain=DOCKER-USER
rule nat POSTROUTING -s $NETWORK ! -d $NETWORK -j MASQUERADE
rule filter "\$chain" -s $NETWORK ! -d $NETWORK -j ACCEPT
rule filter "\$chain" -d $NETWORK -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
END
    chmod 755 /usr/local/lib/plcfarm/way-in
    cat >/etc/systemd/system/plcfarm-way-in.service <<END
[Unit]
Description=Way from the private network to the plants' networks
After=network-online.target docker.service
Wants=network-online.target
PartOf=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/plcfarm/way-in

[Install]
WantedBy=multi-user.target docker.service
END
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl enable --quiet plcfarm-way-in
        systemctl restart plcfarm-way-in
        say "way in: from $NETWORK"
    else
        say "way in: from $NETWORK, once systemd runs; until then run /usr/local/lib/plcfarm/way-in"
    fi
}

packages
docker_daemon
if [ -f "$SOURCE/pyproject.toml" ]; then
    source=$(digest)
    farm "$source"
    images "$source"
else
    say "farm: there is no checkout in $SOURCE, so it comes when there is"
fi
way_in
say "done"
