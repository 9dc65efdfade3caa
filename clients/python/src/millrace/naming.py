"""The names of the catalogue, by the rules of the npm package's `names.ts`, `partition-name.ts`, `batch-id.ts` and `layout.ts`."""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Union

import numpy as np

from millrace.errors import MillraceError

DB_OR_TABLE = re.compile(r"[a-z][a-z0-9_-]{0,63}")
SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9=_.-]{0,127}")
COLUMN = re.compile(r"(?!__proto__$)[A-Za-z_][A-Za-z0-9_]{0,127}")
PARTITION_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
SEGMENTS_MAX = 8
# Beyond, the digits of a float are not those that were meant.
WHOLE_FLOATS_MAX = 2**53
PARTITION_CHARACTERS_MAX = 256
# Crockford's base 32, without letters that are taken for digits.
BATCH_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
BATCH_ID = re.compile(r"\d{14}-[0-9a-hjkmnp-tv-z]{8}")

# In the order of the table's partition keys, or by key.
PartitionValues = Union[Sequence[Union[str, int]], Mapping[str, Union[str, int]]]


def table_key(db: str, table: str) -> str:
    """`db.table`."""
    for what, name in (("database", db), ("table", table)):
        if DB_OR_TABLE.fullmatch(name) is None:
            raise _invalid(f"{name!r} cannot be the name of a {what}", "Use small letters, digits, - and _, a letter first, at most 64.")
    return f"{db}.{table}"


def partition_name(table: str, keys: Sequence[str] | None, values: PartitionValues) -> str:
    """`year=2026/country=de` of a table with partition keys, for values in their order or by key; without keys the values themselves, a
    slash between. A value that is given as `key=value` of its own key is that value. Raises MillraceError `partition-invalid`."""
    given = _values_in_order(table, keys, values)
    segments = []
    for index, value in enumerate(given):
        key = None if keys is None else keys[index]
        text = _value_text(table, value, key, keys)
        segments.append(text if key is None else f"{key}={text}")
    return check_partition("/".join(segments))


def _values_in_order(table: str, keys: Sequence[str] | None, values: PartitionValues) -> list[object]:
    if isinstance(values, str):
        # A text is a sequence of its letters, too.
        raise _partition_invalid(table, keys, "the values are a text", f"Give a list: [{values!r}].")
    if isinstance(values, Mapping):
        if keys is None or set(values) != set(keys):
            raise _partition_invalid(table, keys, f"values of {', '.join(map(str, values)) or 'no key'} were given")
        return [values[key] for key in keys]
    if not isinstance(values, Iterable):
        raise _partition_invalid(table, keys, f"the values are {type(values).__name__}, no list")
    listed: list[object] = list(values)
    if not listed or (keys is not None and len(listed) != len(keys)):
        raise _partition_invalid(table, keys, f"{len(listed)} values were given")
    return listed


def _value_text(table: str, value: object, key: str | None, keys: Sequence[str] | None) -> str:
    """None and NaN would be names that look like a year."""
    what = "a value" if key is None else f'the value of "{key}"'
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < WHOLE_FLOATS_MAX:
        plain = int(plain)
    if type(plain) in (int, datetime.date):
        return str(plain)
    if isinstance(plain, float):
        raise _partition_invalid(table, keys, f"{what} is {plain}, which is no whole number; give text")
    if not isinstance(plain, str):
        raise _partition_invalid(table, keys, f"{what} is {value!r}, not text or a whole number")
    others = [each for each in keys or () if each != key and plain.startswith(f"{each}=")]
    if others:
        raise _partition_invalid(table, keys, f'{what} is {plain!r}, which is of "{others[0]}"')
    text = plain if key is None else plain.removeprefix(f"{key}=")
    if text == "" or (key is None and text.find("=") == len(text) - 1):
        raise _partition_invalid(table, keys, f"{what} is empty")
    if "/" in text or "#" in text:
        raise _partition_invalid(table, keys, f"{what}, {text!r}, has a / or a #")
    return text


def check_partition_keys(keys: Sequence[str]) -> None:
    """Raises MillraceError `name-invalid`: engines fold the names of keys to lower case."""
    if isinstance(keys, str):
        raise _invalid(f"The partition keys are the text {keys!r}", f"Give a list: [{keys!r}].")
    for index, key in enumerate(keys):
        if not isinstance(key, str) or PARTITION_KEY.fullmatch(key) is None or key in keys[:index]:
            raise _invalid(f"{key!r} cannot be a partition key, or comes twice", "Use small letters, digits and _, a letter first, each key once.")


def check_partition(partition: str) -> str:
    segments = partition.split("/")
    if len(segments) > SEGMENTS_MAX or len(partition) > PARTITION_CHARACTERS_MAX:
        raise _invalid(
            f"{partition!r} is too long for the name of a partition",
            f"Use at most {SEGMENTS_MAX} partition keys and {PARTITION_CHARACTERS_MAX} characters.",
        )
    for segment in segments:
        if SEGMENT.fullmatch(segment) is None:
            raise _invalid(
                f"{segment!r} cannot be the name of a partition",
                "Use letters, digits, =, _, . and -, a letter or digit first, at most 128.",
            )
    return partition


def check_columns(names: Sequence[object]) -> None:
    """Raises MillraceError `column-invalid`; engines compare names without case."""
    texts = [name for name in names if isinstance(name, str) and COLUMN.fullmatch(name) is not None]
    wrong = [name for name in names if name not in texts]
    folded = [name.lower() for name in texts]
    twice = [name for name in texts if folded.count(name.lower()) > 1]
    if wrong or twice:
        raise MillraceError(
            f"{(wrong or twice)[0]!r} cannot be the name of a column, or comes twice without case",
            code="column-invalid",
            next="Use letters, digits and _, a letter first, each name once.",
        )


def new_batch_id(at: datetime.datetime) -> str:
    """`YYYYMMDDHHMMSS-` in UTC, and eight random characters."""
    return f"{at.astimezone(datetime.timezone.utc):%Y%m%d%H%M%S}-{''.join(secrets.choice(BATCH_LETTERS) for _ in range(8))}"


def rfc3339(at: int) -> str:
    """`2026-01-02T03:04:05.678Z` of ms since 1970."""
    instant = datetime.datetime.fromtimestamp(at // 1000, datetime.timezone.utc)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


def check_batch_id(batch_id: str) -> str:
    if BATCH_ID.fullmatch(batch_id) is None:
        raise MillraceError(f"{batch_id!r} is no batch ID", code="batch-id-invalid", next="`millrace table history` lists them.")
    return batch_id


def batch_sort_key(partition: str, batch_id: str) -> str:
    return f"batch#{partition}#{batch_id}"


def place_of_location(location: str) -> tuple[str, str] | None:
    """Table and sort key of the item of the batch that was stored there; read from the end, as a partition may look like a batch ID."""
    db, *segments = location.split("/")
    if len(segments) < 4 or segments[-1] != "" or BATCH_ID.fullmatch(segments[-2]) is None:
        return None
    return f"{db}.{segments[0]}", batch_sort_key("/".join(segments[1:-2]), segments[-2])


def log_sort_key(partition: str, number: int) -> str:
    return f"log#{partition}#{number:09}"


def schema_sort_key(number: int) -> str:
    return "schema" if number == 1 else f"schema#{number:09}"


def _partition_invalid(table: str, keys: Sequence[str] | None, what: str, next: str | None = None) -> MillraceError:
    named = "Give the values as a list." if keys is None else f"Give values for {', '.join(keys)}, in this order."
    return MillraceError(
        f"The partition keys of {table} are {'not declared' if keys is None else ', '.join(keys)}: {what}",
        code="partition-invalid",
        next=next or named,
    )


def _invalid(message: str, next: str) -> MillraceError:
    return MillraceError(message, code="name-invalid", next=next)
