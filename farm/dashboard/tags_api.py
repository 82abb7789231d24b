"""Tags: read, written, forced, released; one or many."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from farm.dashboard.answers import answer, body_of_request
from farm.dashboard.limits import WRITES
from farm.dashboard.nodes_api import check_confirmed
from farm.dashboard.refusal import Refusal, bad_request
from farm.dashboard.site import actor, ask, change, plant

blueprint = Blueprint("tags", __name__)

PATHS = {"write": "tags/{}", "force": "tags/{}/force", "release": "tags/{}/release"}
"""By mode: the command of a node."""
ALL = "release"
"""What stands in a tag's place where all of them are released."""


@blueprint.get("/nodes/<node>/tags")
def tags(node: str) -> Response:
    """Every tag of a node, and what it is now."""
    plant().rows.check(node)
    return answer({"tags": ask("tags", node=node)["tags"]})


@blueprint.get("/nodes/<node>/tags/<path:tag>")
def tag(node: str, tag: str) -> Response:
    """One tag, or some elements of it. What stands behind a `/` is done to a tag, and is not for who only looks."""
    if "/" in tag or tag == "release":
        raise Refusal(404, f"there is no tag {tag!r:.80}", "`PUT` changes one")
    plant().rows.check(node)
    return answer({"value": ask("command", node=node, path=f"tags/{checked_tag(tag)}")["value"]})


@blueprint.put("/nodes/<node>/tags/<path:tag>")
def set_tag(node: str, tag: str) -> Response:
    """Writes it as a client does, forces it (clients write in vain), or releases it."""
    body = body_of_request("value", "mode")
    mode = checked_mode(body)
    plant().rows.check(node)
    change()
    return answer({"value": carry_out(node, tag, mode, body.get("value"))})


@blueprint.post("/tags:batch")
def batch() -> Response:
    """Many of these, each with its own outcome; those that fail keep none from being done."""
    body = body_of_request("writes", "confirm")
    writes = body.get("writes")
    if not isinstance(writes, list) or not 0 < len(writes) <= WRITES:
        raise bad_request(f"`writes` must be a list of 1 to {WRITES} of {{node, tag, value, mode}}")
    modes = [checked_write(write) for write in writes]
    nodes = list(dict.fromkeys(write["node"] for write in writes))
    check_confirmed(nodes, body.get("confirm"), "write")
    change(len(writes))
    return answer({"results": [_one(write, mode) for write, mode in zip(writes, modes, strict=True)]})


def checked_write(write: Any) -> str:
    """The mode of one entry of a batch. Raises `Refusal` 400."""
    if not isinstance(write, dict) or not all(
        isinstance(write.get(key), str) and write[key] for key in ("node", "tag")
    ):
        raise bad_request("each of `writes` must be an object with node, tag, value and mode")
    return checked_mode(write)


def checked_mode(body: Mapping[str, Any]) -> str:
    """What is to be done with a tag. Raises `Refusal` 400 where a value is missing, or the mode is none."""
    mode = body.get("mode", "write")
    if not isinstance(mode, str) or mode not in PATHS:
        raise bad_request(f"mode {mode!r:.40}: it may be {' '.join(PATHS)}")
    if mode != "release" and body.get("value") is None:
        raise bad_request(f"`value` is wanted, to {mode} it")
    return mode


def checked_tag(tag: str) -> str:
    """The tag, which is nothing else that a node can be told: behind a slash there would be what is to be done with
    one, even where somebody only looks. Raises `Refusal` 404."""
    if "/" in tag or tag == ALL:
        raise Refusal(404, f"there is no tag {tag:.80}", "no name of a tag has a slash in it")
    return tag


def carry_out(node: str, tag: str, mode: str, value: Any) -> Any:
    """Has the node do it; what the tag is then. Raises `Refusal`."""
    path = PATHS[mode].format(checked_tag(tag))
    return ask("command", node=node, path=path, value=None if mode == "release" else value, actor=actor())["value"]


def _one(write: Mapping[str, Any], mode: str) -> dict[str, Any]:
    place = {"node": write["node"], "tag": write["tag"]}
    try:
        plant().rows.check(write["node"])
        return {**place, "value": carry_out(write["node"], write["tag"], mode, write.get("value"))}
    except Refusal as exc:
        return {**place, **exc.body}
