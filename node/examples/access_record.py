"""A record of all accesses: each read and write of any tag is a line of a file, as by the 2016 manual's `historize`.

python -m node.examples.access_record accesses.txt SCADA=INT[1000]

1795747801.250 ["SCADA", [0, 3]] {"write": [0, 1, 2, 3]}
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from node import Attribute, main


class Recorded(Attribute):
    """A tag as it would be without this, which appends to the file `path`. It runs in line, so that lines are in the
    order of what they tell; a file on a slow disk would want `blocking = True`."""

    blocking = False
    path = Path("accesses.txt")

    def __getitem__(self, key: Any) -> Any:
        values = super().__getitem__(key)
        self.record(key, "read", values)
        return values

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.record(key, "write", value)

    def record(self, key: int | slice, what: str, values: Any) -> None:
        """Writes a line; the elements that `key` means are named as the manual does, the last one included."""
        start, stop = self.bounds(key)
        serial = json.dumps([self.name, [start, stop - 1]])
        with self.path.open("a", encoding="utf-8") as file:
            print(f"{time.time():.3f} {serial} {json.dumps({what: values})}", file=file)


if __name__ == "__main__":
    Recorded.path = Path(sys.argv[1])
    sys.exit(main(sys.argv[2:], attribute_class=Recorded))
