"""Which SLC 500 or MicroLogix processor a product name belongs to: what its diagnostic status says, and how its file
directory lies. Clients choose by the bulletin which directory to ask for. (Type codes and bulletins as AdvancedHMI and
pycomm3 know them.)
"""

import re

from node.cip.slc_directory import MICROLOGIX_1100, MICROLOGIX_1400, SLC, Layout
from node.record import dataclass


@dataclass(frozen=True, slots=True)
class Processor:
    """`catalog` is how its product name begins, `memory` in KB."""

    catalog: str
    bulletin: str
    code: int
    memory: int
    directory: Layout


_PROCESSORS = (
    Processor("1763", "1763-LEC", 0x9C, 8, MICROLOGIX_1100),
    Processor("1766", "1766-LEC", 0x9F, 20, MICROLOGIX_1400),
    Processor("1747-L551", "5/05", 0x78, 16, SLC),
    Processor("1747-L552", "5/05", 0x78, 32, SLC),
)

_SLC_505 = Processor("1747-L553", "5/05", 0x78, 64, SLC)


def processor_of(product_name: str) -> Processor:
    """The processor of a product name; the largest SLC 5/05 for one that is not known."""
    for processor in _PROCESSORS:
        if product_name.startswith(processor.catalog):
            return processor
    return _SLC_505


def series_of(product_name: str) -> tuple[int, int]:
    """Series and firmware release of `1766-L32BXBA A/7.00`, each from 0: (0, 6)."""
    found = re.search(r"\b([A-H])/(\d+)", product_name)
    if found is None:
        return 0, 0
    return ord(found[1]) - ord("A"), min(max(int(found[2]) - 1, 0), 31)
