"""The rows of all nodes, each put together when it is asked for.

What does not move of a node is kept for as long as it is so, what moves comes anew with each frame: putting the two
together for all of five hundred nodes once a second, to show fifty of them or one, was most of what the server
allocated, and what it gave back lay too scattered for the next to fit in, so that it grew for hours.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from farm.dashboard.desk import Body


class Table(Mapping[str, Body]):
    """Rows by name, in the order of `fixed`: a body a node, what does not move, its name among it. `moving` is a list
    of values for each, in the order of `fields`. `index` is the place of each name in both, found when None.

    Raises `ValueError` where there are not as many of one as of the other, as `zip` does.
    """

    def __init__(
        self,
        fixed: Sequence[Body] = (),
        fields: Sequence[str] = (),
        moving: Sequence[Sequence[Any]] = (),
        index: dict[str, int] | None = None,
    ) -> None:
        if len(fixed) != len(moving):
            raise ValueError(f"{len(fixed)} nodes of which something stays, {len(moving)} of which something moves")
        self._fixed = fixed
        self._fields = fields
        self._moving = moving
        self.index = {body["name"]: at for at, body in enumerate(fixed)} if index is None else index

    def __getitem__(self, name: str) -> Body:
        at = self.index[name]
        return self._fixed[at] | dict(zip(self._fields, self._moving[at], strict=True))

    def __iter__(self) -> Iterator[str]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)

    def __contains__(self, name: object) -> bool:
        return name in self.index
