"""Parts of tables in text, `ndjson.gz` and `csv.gz`, as Arrow: the forms of docs/catalog.md of the npm package, "Formats"."""

from __future__ import annotations

import datetime
import gzip
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from millrace.column_types import NESTED, arrow_type

TEXT_FORMATS = ("ndjson.gz", "csv.gz")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
# A quoted field, or one without quotes; what ends it is a comma, a line break of any kind or the end.
FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|\Z)')
INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# Python's years begin with 1, those of the formats with 0, and the calendar repeats.
CALENDAR = datetime.timedelta(days=146_097)


def read_text_part(kind: str, body: bytes, columns: Mapping[str, str]) -> pa.Table:
    """Raises ValueError where the text is not what the columns say."""
    text = gzip.decompress(body).decode()
    rows = list(_ndjson(text, columns) if kind == "ndjson.gz" else _csv(text, columns))
    return pa.table({name: pa.array([row[name] for row in rows], type=arrow_type(of)) for name, of in columns.items()})


def _ndjson(text: str, columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for line in text.split("\n"):
        if line != "":
            members = json.loads(line)
            yield {name: _value(members.get(name), of) for name, of in columns.items()}


def _csv(text: str, columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    lines = _lines(text)
    header = [name for name in next(lines, []) if name is not None]
    places = {name: header.index(name) for name in columns}
    for fields in lines:
        if len(fields) != len(header):
            raise ValueError(f"a line has {len(fields)} fields instead of {len(header)}")
        yield {name: _of_text(fields[places[name]], of) for name, of in columns.items()}


def _lines(text: str) -> Iterator[list[str | None]]:
    """Fields; None is an empty one without quotes, which is null."""
    fields: list[str | None] = []
    at = 0
    while at < len(text):
        found = FIELD.match(text, at)
        if found is None:
            raise ValueError(f"quotes do not close at character {at}")
        quoted, bare, end = found.groups()
        fields.append(bare or None if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if end != ",":
            yield fields
            fields = []
        elif at == len(text):
            fields.append(None)
    if fields:
        yield fields


def _of_text(field: str | None, kind: str) -> Any:
    """The value of a CSV field: lists, maps and JSON are JSON text in it, anything else is bare."""
    if field is None or kind == "string":
        return field
    if field == "":
        return None
    if kind in BARE:
        return BARE[kind](field)
    return _value(json.loads(field), kind)


def _whole_of_text(field: str) -> int:
    if INTEGER.fullmatch(field) is None:
        raise ValueError(f"{field!r} is no int64")
    return int(field)


def _number_of_text(field: str) -> float:
    value = float(field) if NUMBER.fullmatch(field) else math.inf
    if math.isinf(value):
        raise ValueError(f"{field!r} is no double")
    return value


def _flag_of_text(field: str) -> bool:
    word = field.lower()
    if word not in ("true", "false"):
        raise ValueError(f"{field!r} is no boolean")
    return word == "true"


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    nested = NESTED.fullmatch(kind)
    if nested is None:
        return SCALARS[kind](value)
    of = SCALARS[nested[1] or nested[2]]
    if nested[1]:
        return [None if each is None else of(each) for each in value]
    return [(key, None if member is None else of(member)) for key, member in value.items()]


def _whole(value: Any) -> int:
    if isinstance(value, str):
        return _whole_of_text(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is no int64")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is no double")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is no boolean")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no string")
    return value


def _millis(value: Any) -> int:
    text = _text(value)
    is_before = text.startswith("0000")
    instant = datetime.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", "0400" + text[4:] if is_before else text))
    return (instant - EPOCH - (CALENDAR if is_before else datetime.timedelta())) // datetime.timedelta(milliseconds=1)


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


SCALARS: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "int64": _whole,
    "double": _number,
    "boolean": _flag,
    "timestamp": _millis,
    "json": _json_text,
}
# Of a field of CSV; a number keeps the sign of its zero, which JSON would take from it.
BARE: dict[str, Callable[[str], Any]] = {
    "int64": _whole_of_text,
    "double": _number_of_text,
    "boolean": _flag_of_text,
    "timestamp": _millis,
}
