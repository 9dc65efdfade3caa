"""Parts of tables in text, `ndjson.gz` and `csv.gz`, written: the forms of docs/catalog.md of the npm package, "Formats". What goes in
comes out, to the last bit."""

from __future__ import annotations

import datetime
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from millrace.checksum import stored_values
from millrace.column_types import NESTED, row_invalid
from millrace.text_formats import EPOCH

# What a double holds: beyond, an integer in JSON is its digits as text.
EXACT_MAX = 2**53 - 1
# A field that would not be read back as it is without quotes.
QUOTED = re.compile(r'\A\Z|[",\r\n]|\A[\s\ufeff]|[\s\ufeff]\Z')


def write_text_part(kind: str, rows: pa.Table, columns: Mapping[str, str]) -> bytes:
    """The same rows are the same bytes. Raises MillraceError `row-invalid`: a time that RFC 3339 has no year for."""
    text = "".join(_ndjson(rows, columns) if kind == "ndjson.gz" else _csv(rows, columns))
    return gzip.compress(text.encode(), mtime=0)


def _ndjson(rows: pa.Table, columns: Mapping[str, str]) -> Iterator[str]:
    names = [json.dumps(name) for name in columns]
    for values in _rows(rows, columns):
        cells = ("null" if value is None else _json(value, kind, name) for value, (name, kind) in zip(values, columns.items()))
        yield "{" + ",".join(f"{name}:{cell}" for name, cell in zip(names, cells)) + "}\n"


def _csv(rows: pa.Table, columns: Mapping[str, str]) -> Iterator[str]:
    yield ",".join(columns) + "\n"
    for values in _rows(rows, columns):
        yield ",".join("" if value is None else _field(value, kind, name) for value, (name, kind) in zip(values, columns.items())) + "\n"


def _rows(rows: pa.Table, columns: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(stored_values(rows.column(name), kind) for name, kind in columns.items()))


def _field(value: Any, kind: str, name: str) -> str:
    """Lists, maps and JSON are JSON text, anything else is bare."""
    if kind == "string":
        text = str(value)
    elif kind == "int64":
        text = str(value)
    elif kind == "timestamp":
        text = _instant(value, name)
    else:
        text = _json(value, kind, name)
    return '"' + text.replace('"', '""') + '"' if QUOTED.search(text) else text


def _json(value: Any, kind: str, name: str) -> str:
    nested = NESTED.fullmatch(kind)
    if nested is None:
        return _scalar(value, kind, name)
    if nested[1]:
        return "[" + ",".join("null" if each is None else _scalar(each, nested[1], name) for each in value) + "]"
    members = ((key, "null" if member is None else _scalar(member, nested[2], name)) for key, member in value.items())
    return "{" + ",".join(f"{_quoted(key)}:{member}" for key, member in members) + "}"


def _scalar(value: Any, kind: str, name: str) -> str:
    if kind == "string":
        return _quoted(value)
    if kind == "int64":
        return str(value) if abs(value) <= EXACT_MAX else f'"{value}"'
    if kind == "timestamp":
        return f'"{_instant(value, name)}"'
    if kind == "boolean":
        return "true" if value else "false"
    # JSON is text already; of a double the shortest that reads back as the same, its sign too.
    return repr(float(value)) if kind == "double" else str(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _instant(millis: int, name: str) -> str:
    try:
        instant = EPOCH + datetime.timedelta(milliseconds=millis)
    except OverflowError as error:
        raise row_invalid(name, "timestamp", f"{millis} ms since 1970 is in no year from 1 to 9999") from error
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
