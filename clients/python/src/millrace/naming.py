"""The names of the catalogue, by the rules of the npm package's `names.ts`, `partition-name.ts`, `batch-id.ts` and `layout.ts`."""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Sequence

from millrace.errors import MillraceError

DB_OR_TABLE = re.compile(r"[a-z][a-z0-9_-]{0,63}")
SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9=_.-]{0,127}")
COLUMN = re.compile(r"(?!__proto__$)[A-Za-z_][A-Za-z0-9_]{0,127}")
SEGMENTS_MAX = 8
PARTITION_CHARACTERS_MAX = 256
# Crockford's base 32, without letters that are taken for digits.
BATCH_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
BATCH_ID = re.compile(r"\d{14}-[0-9a-hjkmnp-tv-z]{8}")


def table_key(db: str, table: str) -> str:
    """`db.table`."""
    for what, name in (("database", db), ("table", table)):
        if DB_OR_TABLE.fullmatch(name) is None:
            raise _invalid(f"{name!r} cannot be the name of a {what}", "Use small letters, digits, - and _, a letter first, at most 64.")
    return f"{db}.{table}"


def partition_name(table: str, keys: Sequence[str] | None, values: Sequence[str | int]) -> str:
    """`year=2026/country=de` of a table with partition keys; without them the values themselves, a slash between."""
    if isinstance(values, str):
        # A text is a sequence of its letters, too.
        raise MillraceError(f"The values of a partition of {table} are a text", code="partition-invalid", next=f"Give a list: [{values!r}].")
    texts = [str(value) for value in values]
    if not texts or (keys is not None and len(texts) != len(keys)):
        expected = "at least one value" if keys is None else " and ".join(keys)
        raise MillraceError(
            f"{len(texts)} values do not name a partition of {table}", code="partition-invalid", next=f"Give {expected}, in this order."
        )
    for text in texts:
        if "/" in text or "#" in text:
            raise _invalid(f"{text!r} cannot be the value of a partition key", "Leave out / and #.")
    segments = texts if keys is None else [f"{key}={text}" for key, text in zip(keys, texts)]
    return check_partition("/".join(segments))


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


def _invalid(message: str, next: str) -> MillraceError:
    return MillraceError(message, code="name-invalid", next=next)
