"""Which file is meant when none is named."""

from pathlib import Path

from farm.errors import TopologyError


def find_plant(folder: Path) -> Path:
    """`plant.yaml` in a folder, else its only `*.farm.yaml`. Raises `TopologyError` when there is none, or several."""
    usual = folder / "plant.yaml"
    if usual.is_file():
        return usual
    others = sorted(path for path in folder.glob("*.farm.yaml") if path.is_file())
    if len(others) == 1:
        return others[0]
    if others:
        names = ", ".join(path.name for path in others)
        raise TopologyError(f"{folder}: several plant files ({names}); name the one you mean")
    raise TopologyError(f"{folder}: no plant.yaml and no *.farm.yaml; name a plant file")
