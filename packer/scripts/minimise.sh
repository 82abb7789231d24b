#!/bin/sh
# Makes a box small: what can be fetched again goes, and what is free on the disk becomes zeros, which pack to nothing.
set -eu

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/installer /tmp/plcfarm* /root/.cache
find /var/log -type f -exec truncate -s 0 {} +
if [ "${PACKER_BUILDER_TYPE:-}" = docker ]; then
    exit 0 # no disk of its own
fi
# A machine that is made of this box shall make an identity of its own.
truncate -s 0 /etc/machine-id
rm -f /var/lib/dbus/machine-id

dd if=/dev/zero of=/zeros bs=1M 2>/dev/null || true # until the disk is full
sync # to the device, before the file goes: else the zeros may never get there
rm -f /zeros
sync
