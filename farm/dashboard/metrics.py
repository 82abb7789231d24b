"""`/metrics` for Prometheus, and `/healthz` for whoever wants to know whether this server has anything to say."""

import contextlib

from flask import Blueprint, Response

from farm.dashboard.answers import answer, packed
from farm.dashboard.exposition import CONTENT_TYPE, COUNTER, GAUGE, farm_lines, head, node_lines, sample
from farm.dashboard.marks import FREE, marked
from farm.dashboard.refusal import Refusal
from farm.dashboard.site import Plant, site

blueprint = Blueprint("metrics", __name__)

STALE = 10.0
"""Seconds without a frame after which this server has nothing to say."""


@blueprint.get("/metrics")
def metrics() -> Response:
    """Those of the farm, of its nodes, and of this server itself."""
    plant = site().plant
    lines = own_lines(plant)
    if plant is not None:
        frame = plant.snapshot.frame
        lines += farm_lines(frame["farm"]) if frame is not None else []
        with contextlib.suppress(Refusal):  # nothing is known of them; this server's own numbers say so
            lines += node_lines(list(plant.rows.listing().rows.values()))
    return packed("\n".join([*lines, ""]).encode(), kind=CONTENT_TYPE)


def own_lines(plant: Plant | None) -> list[str]:
    """Of this server."""
    lines = head("farm_dashboard_connected", GAUGE, "1 while the supervisor is heard, else 0.")
    age = plant.snapshot.age if plant is not None else None
    lines.append(sample("farm_dashboard_connected", {}, int(age is not None and age < STALE)))
    if plant is None:
        return lines
    if age is not None:
        name = "farm_dashboard_frame_age_seconds"
        lines += [*head(name, GAUGE, "Time since the supervisor's last frame."), sample(name, {}, age)]
    name = "farm_dashboard_streams"
    lines += [*head(name, GAUGE, "Browsers that listen."), sample(name, {}, len(plant.hub))]
    name = "farm_dashboard_streams_refused_total"
    lines += [*head(name, COUNTER, "Streams that were one too many."), sample(name, {}, plant.hub.refused)]
    return lines


@blueprint.get("/healthz")
@marked(FREE)
def healthz() -> Response:
    """200 while the supervisor is heard, or where there is none to be heard; else 503."""
    plant = site().plant
    if plant is None:
        return answer({"status": "no farm", "age_s": None})
    age = plant.snapshot.age
    well = age is not None and age < STALE
    status = "ok" if well else "no word from the supervisor"
    return answer({"status": status, "age_s": None if age is None else round(age, 3)}, 200 if well else 503)
