"""Checks of the hosts of a plant on backend swarm: do they answer, are they one Swarm, do they hear each other."""

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

from farm.cli.checks import BAD, GOOD, LIMITED, Check, Need


def swarm(need: Need) -> Iterator[Check]:
    """A line for each host, one for all of them together, one for the image."""
    if importlib.util.find_spec("docker") is None:
        return  # which is a check of its own
    doctor: Any = importlib.import_module("farm.backends.swarm_doctor")
    report = doctor.look_at_hosts(need.placement)
    for host in report.hosts:
        yield _host(host)
    if report.error:
        yield Check("swarm", BAD, report.error)
    else:
        managers = [host.name for host in report.hosts if host.manager]
        yield Check("swarm", GOOD, f"{len(report.hosts)} hosts, managed by {', '.join(managers)}")
        yield from _ports(report.hosts)
    yield _image(report, need)


def _host(host: Any) -> Check:
    what = f"host {host.name}"
    if host.error:
        return Check(what, BAD, host.error, "start its engine, or take it out of the plant's hosts")
    if not host.api_suffices:
        return Check(what, BAD, f"Docker {host.version} is too old", "Docker 20.10 or newer")
    role = "a manager" if host.manager else "a worker"
    where = f"{role} at {host.address}" if host.address else "in no Swarm"
    return Check(what, GOOD, f"Docker {host.version}, {where}")


def _ports(hosts: Any) -> Iterator[Check]:
    """Whether hosts hear each other; from here, which says something only where this machine reaches them."""
    deaf = [host.name for host in hosts if host.address and not host.heard]
    if deaf:
        found = f"port 7946 of {', '.join(deaf)} is not reached from here"
        yield Check(
            "overlay ports", LIMITED, found, "between hosts: 7946/tcp, 7946/udp, 4789/udp, and 2377/tcp to managers"
        )
    elif len(hosts) > 1:
        yield Check("overlay ports", GOOD, "7946/tcp of every host is reached from here")


def _image(report: Any, need: Need) -> Check:
    there = [host for host in report.hosts if not host.error]
    having = [host.name for host in there if host.image_there]
    lacking = [host.name for host in there if not host.image_there]
    if not lacking and having:
        return Check("swarm image", GOOD, f"{report.image} is on every host")
    if need.placement.image:
        return Check("swarm image", GOOD, f"{report.image} will be pulled by {', '.join(lacking)}")
    if having:
        return Check("swarm image", GOOD, f"{report.image} will be copied from {having[0]} to {', '.join(lacking)}")
    bases = [host.name for host in there if host.base]
    if bases:
        return Check("swarm image", GOOD, f"{report.image} will be built on {bases[0]}, and copied")
    found = f"{report.image} is on no host, and none has a base to build it on"
    return Check("swarm image", BAD, found, "farm image base, or docker pull python:3.12-slim, on one of them")
