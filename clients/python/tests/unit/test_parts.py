"""Parts looked at before the commit, over objects in memory."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
import pytest

from millrace import MillraceError
from millrace.objects import Objects, Stat
from millrace.parts import CONTENT_TYPES, Rows, check_parts, put_parts, refuse_other_objects

AT = "team/t/x/20260102030405-7h3k9c2m/"
ROWS = pa.table({"a": [1, 2, 3]})


class MemoryObjects(Objects):
    def __init__(self) -> None:
        super().__init__(None, "memory")
        self.bodies: dict[str, bytes] = {}
        self.rows: dict[str, dict[str, str]] = {}
        self.reads = 0

    def create(self, key: str, body: bytes, content_type: str, metadata: Any = None) -> bool:
        if key in self.bodies:
            return False
        self.bodies[key], self.rows[key] = body, metadata
        return True

    def stat(self, key: str) -> Stat | None:
        if key not in self.bodies:
            return None
        body, metadata = self.bodies[key], self.rows[key]
        return Stat(len(body), hashlib.sha256(body).hexdigest() if metadata else None, metadata)

    def find(self, key: str) -> bytes | None:
        self.reads += 1
        return self.bodies.get(key)

    def keys(self, prefix: str) -> set[str]:
        return {key for key in self.bodies if key.startswith(prefix)}


def code_of(call: Any) -> str:
    with pytest.raises(MillraceError) as raised:
        call()
    return raised.value.code


def put(objects: Objects, kind: str = "parquet", rows: pa.Table = ROWS) -> list[dict[str, Any]]:
    return put_parts(objects, AT, Rows(rows, {"a": "int64"}, kind))


@pytest.mark.parametrize("kind", CONTENT_TYPES)
def test_parts_as_they_were_put_are_believed_without_a_read(kind: str) -> None:
    objects = MemoryObjects()
    (part,) = put(objects, kind)
    assert part["name"] == f"part-00000.{kind}" and part["rows"] == 3
    check_parts(objects, AT, [part])
    assert objects.reads == 0


@pytest.mark.parametrize("kind", CONTENT_TYPES)
def test_parts_that_somebody_put_without_rows_and_hash_are_read(kind: str) -> None:
    objects = MemoryObjects()
    (part,) = put(objects, kind)
    key = AT + part["name"]
    objects.rows[key] = {}
    check_parts(objects, AT, [part])
    assert objects.reads == 1
    whole = objects.bodies[key]
    for body in (whole[:-1], whole[::-1], b""):
        objects.bodies[key] = body
        assert code_of(lambda: check_parts(objects, AT, [part])) == "part-differs"


def test_a_part_of_other_rows_or_that_is_gone_differs() -> None:
    objects = MemoryObjects()
    (part,) = put(objects)
    assert code_of(lambda: check_parts(objects, AT, [{**part, "rows": 4}])) == "part-differs"
    # Nothing is kept, or the hash alone.
    for metadata in ({}, {"other": "1"}):
        objects.rows[AT + part["name"]] = metadata
        check_parts(objects, AT, [part])
        assert code_of(lambda: check_parts(objects, AT, [{**part, "rows": 4}])) == "part-differs"
    objects.bodies.clear()
    assert code_of(lambda: check_parts(objects, AT, [part])) == "part-differs"


def test_the_same_parts_may_be_put_again_and_others_not() -> None:
    objects = MemoryObjects()
    assert put(objects) == put(objects)
    assert code_of(lambda: put(objects, rows=pa.table({"a": [3, 2, 1]}))) == "batch-exists"


def test_what_is_none_of_the_parts_is_refused() -> None:
    objects = MemoryObjects()
    parts = put(objects)
    objects.create(AT + "manifest.json", b"{}", "application/json")
    refuse_other_objects(objects, AT, parts)
    objects.create(AT + "part-00001.parquet", b"", "")
    assert code_of(lambda: refuse_other_objects(objects, AT, parts)) == "batch-exists"
