"""Tags that run code of somebody's own (`class: package.module:Class`), and whether they may.

A plant file may come from a stranger, and a name in it would be all it takes to have his code run here. So the code
runs only where the person at the keyboard said so (`--allow-code`); until then every such tag is shown with its line.
"""

from dataclasses import dataclass

from farm.topology.document import MapNode
from farm.topology.problem import Report
from farm.topology.shapes import take
from farm.topology.tag_keys import CLASS_NAME
from farm.topology.territory import KUBERNETES

NO_MODULES = ("docker", "swarm", KUBERNETES)
"""The backends whose nodes see no files of this machine."""


@dataclass(frozen=True, slots=True)
class OwnCode:
    """`folder` is where the plant file lies, and where its modules are. `allowed` says whether the code may run: None
    while nothing is to be started."""

    backend: str
    folder: str
    allowed: bool | None
    report: Report

    def of(self, name: str, entry: MapNode) -> str:
        """The class of the tag `name`, "" for none; notes what stands against it."""
        found = take(entry, "class", CLASS_NAME, "", self.report)
        if not found:
            return ""
        place, what = entry.get("class") or entry, f"tag '{name}' runs code of its own, {found}"
        if self.backend in NO_MODULES:
            message = (
                f"{what}: on backend {self.backend} its module would have to be in the image, which has plcfarm alone"
            )
            self.report.error("F071", place, message, "use backend process or netns")
        elif self.allowed is False:
            self.report.error("F074", place, what, "read that code, then say --allow-code")
        elif self.allowed is None:
            self.report.warning("F074", place, what, "`farm up --allow-code` lets it")
        return found
