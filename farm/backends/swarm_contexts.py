"""Contexts of Docker's own command line: where an engine is and by which certificates, as `docker context create` wrote
it into the folder of its user's settings. The SDK finds none of them while that folder has no config.json.

    contexts/meta/ID/meta.json              {"Name": "east", "Endpoints": {"docker": {"Host": "tcp://10.0.0.3:2376"}}}
    contexts/tls/ID/docker/ca.pem           who may have certified the engine; cert.pem and key.pem: who asks

ID is the SHA-256 of the name.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import TLSParameterError
from docker.tls import TLSConfig

from farm.backends.docker_engine import DEFAULT_URL, one_line
from farm.errors import FarmError

DEFAULT = "default"
"""The context that is always there, and in no file."""
ENDPOINT = "docker"


@dataclass(frozen=True, slots=True)
class Context:
    """An engine's address as DOCKER_HOST has it, and what TLS towards it takes, None where it takes none."""

    url: str
    tls: TLSConfig | None = None


def look_up(name: str) -> Context:
    """The context of that name. Raises `FarmError` where there is none, or it cannot be used."""
    if name == DEFAULT:
        return Context(os.environ.get("DOCKER_HOST", "") or DEFAULT_URL)
    folder = _folder()
    mark = hashlib.sha256(name.encode()).hexdigest()
    file = folder / "meta" / mark / "meta.json"
    try:
        endpoint = json.loads(file.read_bytes())["Endpoints"][ENDPOINT]
        url, unverified = str(endpoint.get("Host") or DEFAULT_URL), bool(endpoint.get("SkipTLSVerify"))
    except FileNotFoundError as exc:
        cure = f"`docker context ls` lists those of {folder}"
        raise FarmError(f"there is no Docker context {name}: {cure}") from exc
    except OSError as exc:
        raise FarmError(f"context {name}: cannot read {file}: {exc.strerror}") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        cure = f"`docker context rm {name}`, and create it again"
        raise FarmError(f"context {name}: {file} is no context of an engine: {cure}") from exc
    return Context(url, _tls(name, folder / "tls" / mark / ENDPOINT, unverified))


def _folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "contexts"


def _tls(name: str, folder: Path, unverified: bool) -> TLSConfig | None:
    """TLS where it has any certificate, or is not to look at the engine's, as Docker's command line decides it."""
    ca, cert, key = (_there(folder / file) for file in ("ca.pem", "cert.pem", "key.pem"))
    if not (ca or cert or key or unverified):
        return None
    pair: Any = (cert, key) if cert or key else None  # half a pair it refuses in words of its own
    try:
        return TLSConfig(client_cert=pair, ca_cert=ca, verify=not unverified)
    except TLSParameterError as exc:
        raise FarmError(f"context {name}: {folder}: {one_line(str(exc))}") from exc


def _there(file: Path) -> str | None:
    return str(file) if file.is_file() else None
