"""The parts of a batch: cut, created, and looked at once more right before the commit, as the npm package's `upload-parts.ts` and
`check-parts.ts` do. The number of rows is kept beside each object and S3 keeps its SHA-256, so one HEAD a part answers it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from millrace.errors import MillraceError
from millrace.objects import Objects
from millrace.text_writing import write_text_part

MANIFEST_NAME = "manifest.json"
# As the engine's own: some MB a part.
PART_ROWS_MAX = 100_000
CONTENT_TYPES = {"parquet": "application/vnd.apache.parquet", "ndjson.gz": "application/gzip", "csv.gz": "application/gzip"}
# Of an object's metadata.
ROWS = "rows"


@dataclass(frozen=True)
class Rows:
    """What is to be stored: `format` is a key of CONTENT_TYPES, `columns` name to type."""

    table: pa.Table
    columns: Mapping[str, str]
    format: str


def put_parts(objects: Objects, location: str, rows: Rows, expected: Sequence[Mapping[str, Any]] | None = None) -> list[dict[str, Any]]:
    """What a manifest says of each. `expected`: where one says already which there are, the first that is another one stops it with
    nothing of it written. Raises MillraceError `batch-exists`."""
    parts = []
    for index, start in enumerate(range(0, rows.table.num_rows, PART_ROWS_MAX)):
        part = rows.table.slice(start, PART_ROWS_MAX)
        body = _parquet(part) if rows.format == "parquet" else write_text_part(rows.format, part, rows.columns)
        name = f"part-{index:05}.{rows.format}"
        described = {"name": name, "bytes": len(body), "rows": part.num_rows, "sha256": hashlib.sha256(body).hexdigest()}
        if expected is not None and (index >= len(expected) or expected[index] != described):
            raise taken(location + name)
        is_created = objects.create(location + name, body, CONTENT_TYPES[rows.format], {ROWS: str(part.num_rows)})
        if not is_created and objects.find(location + name) != body:
            raise taken(location + name)
        parts.append(described)
    return parts


def refuse_other_objects(objects: Objects, location: str, parts: Sequence[Mapping[str, Any]]) -> None:
    """Who reads a folder would read them too; only a batch that was begun before can have some. Raises MillraceError `batch-exists`."""
    own = {location + name for name in [MANIFEST_NAME, *(part["name"] for part in parts)]}
    for key in sorted(objects.keys(location) - own):
        raise MillraceError(
            f"{key} is none of the parts of this batch: they were others when it was begun", code="batch-exists", next="Store again."
        )


def check_parts(objects: Objects, location: str, parts: Sequence[Mapping[str, Any]]) -> None:
    """What is missing, torn or of another writer must not become visible. Raises MillraceError `part-differs`."""
    for part in parts:
        key = location + part["name"]
        stat = objects.stat(key)
        if stat is None:
            raise _differs(key, "it is not there")
        rows = stat.metadata.get(ROWS)
        found: dict[str, Any] = {"bytes": stat.bytes, "sha256": stat.sha256, "rows": None if rows is None else int(rows)}
        if stat.bytes == part["bytes"] and (stat.sha256 is None or rows is None):
            # Somebody wrote it without them.
            found = _read(objects, key)
        for member, value in found.items():
            if value is not None and value != part[member]:
                raise _differs(key, f"{member} {value} instead of {part[member]}")


def taken(key: str) -> MillraceError:
    return MillraceError(f"{key} was written by somebody else", code="batch-exists", next="Store again.")


def _read(objects: Objects, key: str) -> dict[str, Any]:
    body = objects.find(key)
    if body is None:
        raise _differs(key, "it is not there")
    if not key.endswith(".parquet"):
        # Who reads text counts while reading.
        return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    try:
        rows: Any = pq.read_metadata(io.BytesIO(body)).num_rows
    except (pa.ArrowException, OSError):
        rows = "unknown"
    return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest(), "rows": rows}


def _parquet(part: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(part, buffer, compression="snappy", row_group_size=PART_ROWS_MAX, store_schema=False)
    return buffer.getvalue()


def _differs(key: str, what: str) -> MillraceError:
    return MillraceError(
        f"{key} is not as its writer said: {what}",
        code="part-differs",
        next="Nothing was committed. Store the batch again, with another idempotency key if it had one.",
    )
