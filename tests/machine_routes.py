"""Which way this machine would send, asked without sending: an address that no plant answers for may be another's."""

from __future__ import annotations

import json
import subprocess


def leads_into_a_plant(address: str) -> bool:
    """Whether the machine's way to `address` is a link that a farm made."""
    done = subprocess.run(["ip", "-j", "route", "get", address], capture_output=True, text=True, check=False)
    return done.returncode == 0 and str(json.loads(done.stdout)[0]["dev"]).startswith("pf-")
