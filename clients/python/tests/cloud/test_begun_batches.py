"""Batches that somebody else has a hand in, at each step of a writer: what is about to be purged, or is yanked, is never made current, and
parts are looked at before the commit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import millrace
from millrace.batch_items import create_item
from millrace.writing import Writer

FRAME = pd.DataFrame({"a": [1, 2, 3]})
NOTE = {"M": {"at": {"N": "1"}, "who": {"S": "sweep"}, "why": {"S": "old"}}}
LONG_AGO_MS = 100_000_000


def store(table: str, df: pd.DataFrame = FRAME, key: str | None = "k", **options: Any) -> millrace.Batch:
    return millrace.store_dataframe(df, "begun", table, ["x"], idempotency_key=key, who="ana", pipeline="shop", **options)


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(millrace.MillraceError) as raised:
        call()
    return raised.value.code


def entries(table: str) -> list[dict[str, Any]]:
    return millrace.Catalog("shop").entries(f"begun.{table}", "x")


def item_of(table: str) -> dict[str, Any]:
    (item,) = millrace.Catalog("shop").query(f"begun.{table}", "batch#x#")
    return item


def update(table: str, sort_key: str, expression: str, values: dict[str, Any]) -> None:
    catalog = millrace.Catalog("shop")
    names = {f"#{name}": name for name in ("state", "at") if f"#{name}" in expression}
    catalog.dynamodb.update_item(
        TableName=catalog.table_name,
        Key={"table": {"S": f"begun.{table}"}, "sk": {"S": sort_key}},
        UpdateExpression=expression,
        ExpressionAttributeValues=values,
        **({"ExpressionAttributeNames": names} if names else {}),
    )


def note(table: str) -> None:
    """The first step of a purge."""
    update(table, str(item_of(table)["sk"]), "SET purged = :note, revision = :one", {":note": NOTE, ":one": {"N": "1"}})


def decide(table: str, revision: int | None) -> bool:
    """The decision of a purge that has seen the item with that revision: a compare-and-set, as the engine's."""
    item, catalog = item_of(table), millrace.Catalog("shop")
    if item.get("revision") != revision:
        return False
    sort_key = str(item["sk"])
    update(table, sort_key, "SET #state = :state, purged = :note", {":state": {"S": "purged"}, ":note": NOTE})
    for key in catalog.keys(item["location"]):
        catalog.objects._s3.delete_object(Bucket=catalog.bucket, Key=key)
    return True


def begin(table: str, monkeypatch: pytest.MonkeyPatch, df: pd.DataFrame = FRAME) -> str:
    """A writer that dies before its log entry; it has begun long ago. Returns the batch ID."""
    with monkeypatch.context() as patched:
        patched.setattr(Writer, "append", die)
        with pytest.raises(KeyboardInterrupt):
            store(table, df)
    (claim,) = millrace.Catalog("shop").query(f"begun.{table}", "claim#x#")
    at = {":at": {"N": str(int(time.time() * 1000) - LONG_AGO_MS)}}
    for sort_key in (claim["sk"], item_of(table)["sk"]):
        update(table, sort_key, "SET #at = :at", at)
    return str(claim["batchId"])


def die(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_a_begun_batch_whose_bytes_are_about_to_go_is_not_made_current(monkeypatch: pytest.MonkeyPatch) -> None:
    begin("noted", monkeypatch)
    note("noted")
    assert code_of(lambda: store("noted")) == "batch-purged" and entries("noted") == []


def test_a_begun_batch_that_is_gone_is_not_made_current(monkeypatch: pytest.MonkeyPatch) -> None:
    begin("gone", monkeypatch)
    assert decide("gone", None)
    assert code_of(lambda: store("gone")) == "batch-purged" and entries("gone") == []
    # Nothing came back where it had been.
    assert millrace.Catalog("shop").keys("begun/gone/x/") == set()


def test_a_begun_batch_that_is_noted_while_its_parts_are_looked_at_is_not_made_current(monkeypatch: pytest.MonkeyPatch) -> None:
    begin("noted_late", monkeypatch)
    monkeypatch.setattr("millrace.writing.check_parts", lambda *_: note("noted_late"))
    assert code_of(lambda: store("noted_late")) == "batch-purged" and entries("noted_late") == []


def test_a_decision_after_the_second_look_fails_once_a_writer_ends_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    batch_id = begin("held", monkeypatch)
    seen = item_of("held").get("revision")
    append, decided = Writer.append, []

    def decide_first(*given: Any, **options: Any) -> Any:
        decided.append(decide("held", seen))
        return append(*given, **options)

    monkeypatch.setattr(Writer, "append", decide_first)
    assert store("held").batch_id == batch_id
    assert decided == [False] and [entry["batchId"] for entry in entries("held")] == [batch_id]
    assert item_of("held")["heldAt"] >= int(time.time() * 1000) - 60_000
    assert len(millrace.load_dataframe("begun", "held", pipeline="shop")) == 3


def test_a_begun_batch_that_was_yanked_is_not_made_current(monkeypatch: pytest.MonkeyPatch) -> None:
    batch_id = begin("yanked", monkeypatch)
    yank = {"batchId": batch_id, "at": 1, "who": "ben", "why": "wrong"}
    assert create_item(millrace.Catalog("shop"), "begun.yanked", f"yank#{batch_id}", yank)
    assert code_of(lambda: store("yanked")) == "batch-yanked" and entries("yanked") == []


def test_a_place_that_a_sweep_has_taken_is_not_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the last look and the batch item."""
    put_manifest = Writer._put_manifest

    def take(writer: Writer, key: str, manifest: Any) -> bytes:
        body = put_manifest(writer, key, manifest)
        taken = {"batchId": manifest["batchId"], "location": key.removesuffix("manifest.json"), "state": "purged", "manifestSha256": "0" * 64}
        assert create_item(millrace.Catalog("shop"), "begun.taken", f"batch#x#{manifest['batchId']}", taken)
        return body

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "_put_manifest", take)
        assert code_of(lambda: store("taken", key=None)) == "batch-purged"
    assert entries("taken") == []


@pytest.mark.parametrize("key", ["k", None])
def test_a_part_that_is_missing_or_torn_right_before_the_commit_stops_it(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    table = f"parts_{key or 'plain'}".lower()
    store(table, key=None)
    put_parts = Writer._put_parts
    for how in ("gone", "torn", "another of its size"):

        def lose(writer: Writer, location: str, *given: Any) -> Any:
            parts = put_parts(writer, location, *given)
            s3, at = writer._catalog.objects._s3, {"Bucket": writer._catalog.bucket, "Key": location + parts[0]["name"]}
            body = writer._catalog.get_object(at["Key"])
            s3.delete_object(**at)
            if how != "gone":
                s3.put_object(**at, Body=body[:-1] if how == "torn" else body[::-1])
            return parts

        with monkeypatch.context() as patched:
            patched.setattr(Writer, "_put_parts", lose)
            assert code_of(lambda: store(table, FRAME.head(1), key=None if key is None else f"{key}{how}")) == "part-differs"
    assert len(entries(table)) == 1 and len(millrace.load_dataframe("begun", table, pipeline="shop")) == 3


def test_the_rows_and_the_hash_of_a_part_are_kept_beside_it() -> None:
    batch = store("beside", key=None)
    (part,) = batch.manifest["parts"]
    stat = millrace.Catalog("shop").objects.stat(batch.location + part["name"])
    assert stat is not None and (stat.bytes, stat.sha256, stat.metadata) == (part["bytes"], part["sha256"], {"rows": "3"})


def test_a_part_that_an_older_writer_left_without_them_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    begin("older", monkeypatch)
    catalog, location = millrace.Catalog("shop"), str(item_of("older")["location"])
    at = {"Bucket": catalog.bucket, "Key": f"{location}part-00000.parquet"}
    body = catalog.get_object(at["Key"])
    catalog.objects._s3.delete_object(**at)
    catalog.objects._s3.put_object(**at, Body=body)
    assert store("older").batch_id == item_of("older")["batchId"]


def test_more_parts_than_were_begun_are_refused_and_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millrace.parts.PART_ROWS_MAX", 2)
    four = pd.DataFrame({"a": [1, 2, 3, 4]})
    begin("more", monkeypatch, four)
    location = str(item_of("more")["location"])
    before = millrace.Catalog("shop").keys(location)
    assert len(before) == 3
    for rows in ([1, 2, 3, 4, 5], [1, 2, 3], [1, 2], [2, 1, 3, 4]):
        assert code_of(lambda: store("more", pd.DataFrame({"a": rows}))) == "idempotency-key-reused"
    assert millrace.Catalog("shop").keys(location) == before and entries("more") == []
    store("more", four)
    assert len(entries("more")) == 1


def test_fewer_parts_than_were_begun_are_refused_as_who_reads_the_folder_would_read_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millrace.parts.PART_ROWS_MAX", 2)
    with monkeypatch.context() as patched:
        patched.setattr(Writer, "_put_manifest", die)
        with pytest.raises(KeyboardInterrupt):
            store("fewer")
    assert code_of(lambda: store("fewer", FRAME.head(2))) == "idempotency-key-reused" and entries("fewer") == []
    store("fewer")
    assert len(millrace.load_dataframe("begun", "fewer", pipeline="shop")) == 3


def test_a_rollback_refuses_what_is_about_to_go_and_a_decision_after_it_fails() -> None:
    first, second = store("rolled", key=None), store("rolled", key=None)
    catalog = millrace.Catalog("shop")
    key = f"batch#x#{first.batch_id}"
    update("rolled", key, "SET purged = :note", {":note": NOTE})
    assert code_of(lambda: millrace.rollback("begun", "rolled", ["x"], first.batch_id, why="a try", pipeline="shop")) == "batch-purged"
    update("rolled", key, "REMOVE purged SET revision = :one", {":one": {"N": "1"}})
    millrace.rollback("begun", "rolled", ["x"], first.batch_id, why="a try", pipeline="shop")
    yank = {"batchId": second.batch_id, "at": 1, "who": "ben", "why": "wrong"}
    assert create_item(catalog, "begun.rolled", f"yank#{second.batch_id}", yank)
    assert code_of(lambda: millrace.rollback("begun", "rolled", ["x"], second.batch_id, why="a try", pipeline="shop")) == "batch-yanked"
    item = catalog.item("begun.rolled", key)
    assert item is not None and item["revision"] == 2 and item["heldAt"] >= item["at"]
    assert second.batch_id in [entry["batchId"] for entry in entries("rolled")]


def test_a_purge_beside_a_load_says_so() -> None:
    store("loading", key=None)
    catalog = millrace.Catalog("shop")
    batch = catalog.batch("begun.loading", "x", str(item_of("loading")["batchId"]))
    item = item_of("loading")
    assert decide("loading", None)
    assert code_of(lambda: catalog.load(batch)) == "batch-purged"
    # The manifest, too, may go between the look at its item and the read.
    assert code_of(lambda: catalog.get_object(item["manifestKey"])) == "batch-purged"
    assert code_of(lambda: catalog.get_object("begun/loading/x/20260102030405-7h3k9c2m/part-00000.parquet")) == "batch-damaged"
