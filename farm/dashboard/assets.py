"""The page's own files, read once: the process that serves them may not be able to read any later."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, request

from farm.dashboard.marks import FREE, marked
from farm.dashboard.refusal import Refusal

INDEX = "index.html"

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".woff2": "font/woff2",
}
"""Of what is served. Anything else is text."""
OTHER = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    body: bytes
    kind: str
    etag: str


def read_assets(folder: Path) -> dict[str, Asset]:
    """Every file below `folder` by its path there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            body = path.read_bytes()
            etag = hashlib.blake2b(body, digest_size=12).hexdigest()
            found[path.relative_to(folder).as_posix()] = Asset(body, KINDS.get(path.suffix, OTHER), etag)
    return found


def routes(folder: Path) -> Blueprint:
    """`/` and `/static/...`: no more than these files, whatever a path looks like."""
    assets = read_assets(folder)
    blueprint = Blueprint("assets", __name__)

    @blueprint.get("/")
    @marked(FREE)
    def index() -> Response:
        return _served(assets[INDEX])

    @blueprint.get("/static/<path:name>")
    @marked(FREE)
    def static(name: str) -> Response:
        if name not in assets:
            raise Refusal(404, f"there is no {name:.80}")
        return _served(assets[name])

    return blueprint


def _served(asset: Asset) -> Response:
    """Kept by browsers, and asked for again each time: after an update nobody sees an old page."""
    response = Response(asset.body, content_type=asset.kind)
    response.set_etag(asset.etag)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
