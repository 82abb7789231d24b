"""What the command line and the supervisor say to each other: JSON, one object a line, over `farm.sock`.

    request   {"op": "apply", ...}                  one a connection
    reply     {"event": ..., ...}                   any number, while it works; ALIVE when there is nothing to say
              {"done": {...}} or {"error": "line"}  the last

A plant travels as JSON too, with its origins. Members of a group share those and most of their tags, so equal ones are
sent once.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from farm.errors import FarmError
from farm.topology.collector import paused_collection
from farm.topology.placement import ANYWHERE, decode_placement, encode_placement
from farm.topology.plant import Origin, Plant, Whereabouts
from farm.topology.wiring import (
    NetworkSpec,
    RouterSpec,
    decode_quality,
    decode_segment,
    encode_quality,
    encode_segment,
)
from node.config import load as node_json
from node.config.shared_tags import SharedTags, fold, unfold
from node.errors import NodeError

LINE_LIMIT = 256 * 1024 * 1024
"""Bytes in one line: a plant of 10,000 nodes with a hundred tags each."""

ALIVE = "alive"
ALIVE_EVERY = 3.0

Body = dict[str, Any]


def pack(body: Mapping[str, Any]) -> bytes:
    """One line, its newline included."""
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def unpack(line: bytes | str) -> Body:
    """The object of one line. Raises `FarmError` when it is none."""
    try:
        with paused_collection():
            body = json.loads(line)
    except ValueError as exc:
        raise FarmError(f"a line that is not JSON: {line[:80]!r}") from exc
    if not isinstance(body, dict):
        raise FarmError(f"a line that is no JSON object: {line[:80]!r}")
    return body


def digest_plant(encoded: bytes) -> str:
    """32 hex digits for a plant as JSON, whatever space is around it."""
    return hashlib.blake2b(encoded.strip(), digest_size=16).hexdigest()


def encode_plant(plant: Plant) -> Body:
    """A plant as plain JSON."""
    with paused_collection():
        return _encode_plant(plant)


def _encode_plant(plant: Plant) -> Body:
    maps, index = _encode_origins(plant)
    shared = SharedTags()
    nodes, tags = fold(node_json.dump(node, shared) for node in plant.nodes)
    return {
        "name": plant.name,
        "file": plant.file,
        "backend": plant.backend,
        "shard": plant.shard,
        "nodes": nodes,
        "tags": tags,
        "origins": maps,
        "origin_of": index,
        "warnings": list(plant.warnings),
        "segments": [encode_segment(segment) for segment in plant.segments],
        "links": {node: encode_quality(quality) for node, quality in plant.links.items()},
        "settings": dict(plant.settings),
        "counts": dict(plant.counts),
        "whereabouts": {
            node: [place.group, list(place.networks), place.subnet, place.level]
            for node, place in plant.whereabouts.items()
        },
        "placement": encode_placement(plant.placement),
    }


def decode_plant(body: Body, checked: bool = False) -> Plant:
    """The plant back; `checked` says that it comes from a supervisor, which has looked at its nodes. Raises `FarmError`
    when something is missing or wrong."""
    try:
        with paused_collection():
            return _decode_plant(body, checked)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, NodeError, FarmError) as exc:
        raise FarmError(f"not a plant: {type(exc).__name__}: {exc}") from exc


def _decode_plant(body: Body, checked: bool) -> Plant:
    segments = [decode_segment(segment) for segment in body["segments"]]
    bodies = unfold(body["nodes"], body["tags"]) if "tags" in body else body["nodes"]
    shared = SharedTags()
    maps = [{path: Origin(*place) for path, place in entry.items()} for entry in body["origins"]]
    return Plant(
        name=body["name"],
        file=body["file"],
        backend=body["backend"],
        shard=body["shard"],
        nodes=tuple([node_json.load(node, "plant", checked, shared) for node in bodies]),
        origins={node: maps[number] for node, number in body["origin_of"].items()},
        warnings=tuple(body["warnings"]),
        networks=tuple(segment for segment in segments if isinstance(segment, NetworkSpec)),
        routers=tuple(segment for segment in segments if isinstance(segment, RouterSpec)),
        links={node: decode_quality(quality) for node, quality in body["links"].items()},
        settings=dict(body["settings"]),
        counts=dict(body["counts"]),
        whereabouts={
            node: Whereabouts(str(group), tuple(networks), str(subnet), level)
            for node, (group, networks, subnet, level) in body.get("whereabouts", {}).items()
        },
        placement=decode_placement(body["placement"]) if "placement" in body else ANYWHERE,
    )


def _encode_origins(plant: Plant) -> tuple[list[dict[str, list[str | int]]], dict[str, int]]:
    """The different origin maps, and for each node which of them is its own."""
    maps: list[dict[str, list[str | int]]] = []
    known: dict[tuple[tuple[str, Origin], ...], int] = {}
    index: dict[str, int] = {}
    last: Mapping[str, Origin] = {}
    number = -1
    for node, places in plant.origins.items():
        if number < 0 or places != last:  # it is those of its neighbour in a group, as a rule
            key = tuple(places.items())
            number = known.setdefault(key, len(maps))
            if number == len(maps):
                maps.append({path: [place.file, place.line, place.column] for path, place in key})
            last = places
        index[node] = number
    return maps, index
