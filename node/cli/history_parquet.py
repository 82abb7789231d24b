"""Parquet files of histories, by pyarrow, which nothing else needs."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from node.errors import NodeError

ROWS = 65536
"""Rows of a row group; what is in memory at once."""

_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


def write(out: str, columns: dict[str, type], rows: Iterator[tuple[float, list[Any]]]) -> int:
    """Writes a column `time` (milliseconds, UTC) and `columns`, by name and type; how many rows there were. Raises
    `NodeError` for what Parquet cannot hold, and `OSError`."""
    schema = pa.schema([("time", pa.timestamp("ms", "UTC")), *((name, _TYPES[kind]) for name, kind in columns.items())])
    count = 0
    with pq.ParquetWriter(out, schema) as writer:
        while some := [*islice(rows, ROWS)]:
            cells: list[list[Any]] = [[round(time * 1000) for time, _ in some]]
            for index, kind in enumerate(columns.values()):
                cells.append([_cell(row[index], kind) for _, row in some])
            try:
                arrays = [pa.array(cell, field.type) for cell, field in zip(cells, schema, strict=True)]
            except (pa.ArrowInvalid, OverflowError) as exc:
                raise NodeError(f"{out}: a value that Parquet cannot hold: {exc}") from exc
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(some)
    return count


def _cell(value: Any, kind: type) -> Any:
    if value is None or (kind is not str and kind is not float):
        return value
    return float(value) if kind is float else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
