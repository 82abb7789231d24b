"""What `up` would do, for `farm plan` and `farm up --dry-run`: asked of the farm that runs, else made here.

A farm that does not run has no supervisor, and starting one only to be told the future would change the present.
"""

from farm.backends.observed import Observed
from farm.cli.terminal import say
from farm.plan.reconcile import reconcile
from farm.supervisor.link import Link, run_directory
from farm.supervisor.wire import encode_plant
from farm.topology.plant import Plant


def plan_lines(plant: Plant) -> list[str]:
    """The plan, an operation a line."""
    run = run_directory(plant.name)
    if run.exists():
        done = Link.open(run, plant.backend).ask("apply", plant=encode_plant(plant), dry_run=True)
        return [str(line) for line in done["plan"]]
    return reconcile(plant, Observed()).lines()


def show_plan(plant: Plant) -> None:
    """Prints it."""
    say("\n".join(plan_lines(plant) or ["nothing to do"]))
