"""Where every node of a plant is: its addresses as the file has them, on the backend, and outside on this machine."""

from collections.abc import Sequence

from farm.cli.terminal import table
from farm.topology.plant import Plant

Row = dict[str, str]


def address_rows(plant: Plant) -> list[Row]:
    """For each address of a node or router, in the order of the plant: `node`, `network`, `written`, `address` (""
    where the backend gives a node its first one only) and `outside`."""
    rows: list[Row] = []
    for node in plant.nodes:
        here = {interface.network: interface.address for interface in node.interfaces}
        outside = ",".join(dict.fromkeys(address for _, address, _ in node.outside))
        for number, (network, written) in enumerate(plant.written.get(node.name, {}).items()):
            address = here.get(network, "") if here else node.address if not number else ""
            rows.append(_row(node.name, network, written, address, "" if number else outside))
    for router in plant.routers:
        written_on = plant.written.get(router.name, {})
        for each in router.interfaces:
            rows.append(_row(router.name, each.network, written_on.get(each.network, ""), each.address, ""))
    return rows


def address_table(backend: str, rows: Sequence[Row]) -> str:
    """One line an address; what is outside only where anything is."""
    keys = ["node", "network", "written", "address"]
    headings = ["NODE", "NETWORK", "IN THE FILE", f"ON {backend.upper()}"]
    if any(row["outside"] for row in rows):
        keys, headings = [*keys, "outside"], [*headings, "ON THIS MACHINE"]
    return table(headings, [[row[key] or "-" for key in keys] for row in rows])


def _row(node: str, network: str, written: str, address: str, outside: str) -> Row:
    return {"node": node, "network": network, "written": written, "address": address, "outside": outside}
