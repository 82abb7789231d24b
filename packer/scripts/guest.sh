#!/bin/sh
# What a machine of Vagrant's has beside Debian: the key that every box has (Vagrant puts its own in its place), and what
# the hypervisor wants within. Packer says in PACKER_BUILDER_TYPE which one it is.
set -eu
export DEBIAN_FRONTEND=noninteractive
# The public half of a key that everybody has: https://github.com/hashicorp/vagrant/tree/main/keys
KEY='ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oXevct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4O7PtixWKn5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYSdETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ== vagrant insecure public key'

if id vagrant >/dev/null 2>&1; then
    home=$(getent passwd vagrant | cut -d : -f 6)
    install -d -m 700 -o vagrant -g vagrant "$home/.ssh"
    echo "$KEY" >"$home/.ssh/authorized_keys"
    chown vagrant:vagrant "$home/.ssh/authorized_keys"
    chmod 600 "$home/.ssh/authorized_keys"
fi

case ${PACKER_BUILDER_TYPE:-} in
virtualbox-iso)
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends bzip2 gcc make perl "linux-headers-$(uname -r)" >/dev/null
    mkdir -p /mnt/additions
    mount -o loop,ro /tmp/VBoxGuestAdditions.iso /mnt/additions
    # It ends with 2 where there are no windows to integrate with; whether its module was built is what counts.
    sh /mnt/additions/VBoxLinuxAdditions.run --nox11 || true
    umount /mnt/additions
    rm -f /tmp/VBoxGuestAdditions.iso
    modinfo vboxsf >/dev/null || { echo "guest: the guest additions were not built" >&2; exit 1; }
    ;;
vmware-iso)
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends open-vm-tools >/dev/null
    ;;
qemu)
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends qemu-guest-agent rsync >/dev/null
    ;;
esac
