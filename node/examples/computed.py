"""A computed tag: `Mean` is the mean of what `Level` holds at the moment, and a write to it levels all of them.

python -m node.examples.computed -a 127.0.0.1:44818
"""

import sys
from typing import Any

from node import Attribute, main


class Mean(Attribute):
    """It needs nothing but other tags, so it runs in line."""

    blocking = False

    def __getitem__(self, key: Any) -> Any:
        levels: list[Any] = [*self.tags["Level"][:]]
        mean = sum(levels) / len(levels)
        return [mean] if isinstance(key, slice) else mean

    def __setitem__(self, key: Any, value: Any) -> None:
        levels = self.tags["Level"]
        levels[:] = [value] * len(levels)


if __name__ == "__main__":
    sys.exit(main(["Level=REAL[4]", "Mean=REAL", *sys.argv[1:]], attribute_class={"Mean": Mean}))
