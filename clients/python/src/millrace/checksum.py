"""One SHA-256 of the values of rows, that every language comes to: docs/catalog.md of the npm package, "Checksum of values"."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from millrace.column_types import NESTED

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
NULL = "\\N"


def values_checksum(tables: Iterable[pa.Table], columns: Mapping[str, str]) -> str:
    """`columns`: name to type. Neither the order of rows nor that of columns changes it."""
    names = sorted(columns, key=_code_points)
    lines: list[bytes] = []
    for table in tables:
        texts = [[_cell(value, columns[name]) for value in stored_values(table.column(name), columns[name])] for name in names]
        lines += ["\t".join(cells).encode() for cells in zip(*texts)]
    digest = hashlib.sha256()
    for line in ["\t".join(names).encode(), *sorted(lines)]:
        digest.update(line + b"\n")
    return digest.hexdigest()


def stored_values(column: pa.ChunkedArray, kind: str) -> list[Any]:
    """Instants as ms since 1970, JSON as its text."""
    if "timestamp" in kind:
        nested = NESTED.fullmatch(kind)
        whole = pa.int64() if nested is None else pa.list_(pa.int64()) if nested[1] else pa.map_(pa.string(), pa.int64())
        column = column.cast(whole)
    values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
    return values


def _cell(value: Any, kind: str) -> str:
    """Text of the type `string` stands bare; inside of anything else it is quoted."""
    if value is None:
        return NULL
    if kind == "string":
        return str(value).translate(ESCAPES)
    nested = NESTED.fullmatch(kind)
    if nested is None:
        return _inner(value, kind)
    if nested[1]:
        return "[" + ",".join(_inner(each, nested[1]) for each in value) + "]"
    return "{" + ",".join(f"{_quoted(key)}:{_inner(value[key], nested[2])}" for key in sorted(value, key=_code_points)) + "}"


def _inner(value: Any, kind: str) -> str:
    if value is None:
        return NULL
    if kind == "string":
        return _quoted(value)
    if kind in ("int64", "timestamp"):
        return str(value)
    if kind == "double":
        return _double(value)
    if kind == "boolean":
        return "true" if value else "false"
    # Numbers are doubles, -0 too.
    return _json(json.loads(value, parse_int=float))


def _json(value: Any) -> str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _double(float(value))
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return "{" + ",".join(f"{_quoted(key)}:{_json(value[key])}" for key in sorted(value, key=_code_points)) + "}"


def _double(value: float) -> str:
    return struct.pack(">d", value).hex()


def _quoted(text: str) -> str:
    return '"' + text.translate(ESCAPES).replace('"', '\\"') + '"'


def _code_points(text: str) -> list[int]:
    return list(map(ord, text))
