"""Checks of the cluster that a kubeconfig names: whether it answers, as whom, and whether one may do there what a farm
does."""

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

from farm.cli.checks import BAD, GOOD, Check, Need
from farm.errors import FarmError


def cluster(need: Need) -> Iterator[Check]:
    """Its version, and the rights of this user in its namespace."""
    if importlib.util.find_spec("kubernetes") is None:
        return  # the extra's own check says so
    api: Any = importlib.import_module("farm.backends.kubernetes_api")
    found = api.Cluster()
    try:
        version = found.version()
        yield Check("kubernetes", GOOD, f"{version} as context {found.context or 'of this pod'}")
        missing = found.missing_rights()
    except FarmError as exc:
        yield Check("kubernetes", BAD, str(exc), "kubectl cluster-info")
        return
    finally:
        found.close()
    if missing:
        what = f"may not {', '.join(missing)} in namespace {found.namespace}"
        yield Check("rights", BAD, what, f"kubectl -n {found.namespace} create rolebinding")
    else:
        yield Check("rights", GOOD, f"all that a farm needs, in namespace {found.namespace}")
