"""Tables on DynamoDB and S3 as they are, and both ways with the command, which is TypeScript."""

from __future__ import annotations

import datetime
import os
import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest

import millrace
from millrace.batch_items import create_item
from millrace.command import run_millrace
from millrace.writing import Writer
from team import FRAME, PIPELINE_DIR, code_of, load, store

UTC = datetime.timezone.utc


def test_a_frame_comes_back_as_it_was() -> None:
    batch = store(FRAME, "frames", ["2016"], why="a try", properties={"seed": 1})
    df = load("frames", ["2016"])
    pd.testing.assert_frame_equal(df, FRAME, check_dtype=False)
    assert [str(kind) for kind in df.dtypes[:5]] == [str(kind) for kind in FRAME.dtypes[:5]]
    assert df.attrs["batch_id"] == batch.batch_id and df.attrs["table"] == "team.frames" and df.attrs["partition"] == "2016"
    assert batch.properties == {"seed": 1} and batch.manifest["why"] == "a try" and batch.manifest["who"] == "ana"
    pd.testing.assert_frame_equal(load("frames", columns=["spend", "user_id"]), FRAME[["spend", "user_id"]], check_dtype=False)
    assert code_of(lambda: load("frames", columns=["spent"])) == "column-missing"


def test_the_command_reads_what_python_wrote_and_verifies_it() -> None:
    batch = store(FRAME, "for_typescript", ["2016"])
    read = run_millrace(["table", "load", "team.for_typescript", "2016"], PIPELINE_DIR)
    assert read["batchId"] == batch.batch_id and read["total"] == 3
    assert read["rows"] == [
        {
            "user_id": "ana",
            "orders": str(2**60 + 1),
            "spend": 0.1,
            "gift": True,
            "at": 1767323045678,
            "state": {"a": [1, None]},
            "items": ["a", "b"],
        },
        {"user_id": "ü-2", "orders": None, "spend": None, "gift": None, "at": None, "state": None, "items": []},
        {"user_id": None, "orders": -1, "spend": -3, "gift": False, "at": -1000, "state": [1], "items": None},
    ]
    run_millrace(["table", "load", "team.for_typescript", "2016", "--out", str(PIPELINE_DIR / "fetched")], PIPELINE_DIR)
    assert (PIPELINE_DIR / "fetched" / "manifest.json").exists()


def test_python_reads_what_the_command_commits_and_rolls_back() -> None:
    first, second = store(FRAME, "shared", ["2016"]), store(FRAME.head(1), "shared", ["2016"])
    run_millrace(["table", "rollback", "team.shared", "2016", first.batch_id, "--why", "a try"], PIPELINE_DIR)
    assert load("shared", ["2016"]).attrs["batch_id"] == first.batch_id and len(load("shared")) == 3
    entry = millrace.rollback("team", "shared", ["2016"], second.batch_id, why="back again", who="ben", pipeline="shop")
    assert entry["number"] == 4
    entries = millrace.history("team", "shared", ["2016"], pipeline="shop")
    assert entries["batch_id"].tolist() == [second.batch_id, first.batch_id, second.batch_id, first.batch_id]
    assert entries["kind"].tolist() == ["rollback", "rollback", "commit", "commit"] and entries["who"][0] == "ben"
    listed = run_millrace(["table", "history", "team.shared", "2016"], PIPELINE_DIR)
    assert [each["number"] for each in listed["entries"]] == [4, 3, 2, 1]
    assert code_of(lambda: millrace.rollback("team", "shared", ["2016"], second.batch_id, why="x", pipeline="shop")) == "already-current"
    never = "20260102030405-7h3k9c2m"
    assert code_of(lambda: millrace.rollback("team", "shared", ["2016"], never, why="x", pipeline="shop")) == "batch-not-found"


def test_a_batch_is_chosen_by_its_id_by_an_instant_and_by_an_anchor() -> None:
    first, second = store(FRAME, "chosen", ["2016"]), store(FRAME.head(1), "chosen", ["2016"])
    entries = millrace.history("team", "chosen", pipeline="shop")
    assert len(load("chosen", ["2016"], batch_id=first.batch_id)) == 3
    assert len(load("chosen", ["2016"], as_of=entries["at"][1].to_pydatetime())) == 3
    assert load("chosen", ["2016"], as_of=datetime.datetime.now(UTC) + datetime.timedelta(days=1)).attrs["batch_id"] == second.batch_id
    assert code_of(lambda: load("chosen", ["2016"], as_of=datetime.datetime(2020, 1, 1, tzinfo=UTC))) == "partition-empty"
    assert code_of(lambda: load("chosen", ["2016"], as_of=datetime.datetime(2020, 1, 1))) == "usage"
    assert code_of(lambda: load("chosen", ["2016"], as_of="2020-01-01T00:00:00Z")) == "usage"
    assert code_of(lambda: load("chosen", ["2016"], as_of=datetime.datetime.now(UTC), batch_id=first.batch_id)) == "choice-ambiguous"
    assert code_of(lambda: load("chosen", ["2016"], anchor="report")) == "anchor-not-found"


def test_without_a_partition_the_last_one_that_has_it_is_meant() -> None:
    first = store(FRAME, "by_day", ["day=2026-06-29"])
    store(FRAME.head(1), "by_day", ["day=2026-06-30"])
    assert load("by_day").attrs["partition"] == "day=2026-06-30"
    found = load("by_day", batch_id=first.batch_id)
    assert found.attrs["partition"] == "day=2026-06-29" and len(found) == 3
    assert code_of(lambda: load("by_day", batch_id="20260102030405-7h3k9c2m")) == "batch-not-found"


def test_partitions_are_named_by_the_keys_of_their_table() -> None:
    store(FRAME, "keyed", ["2026", "de"], partition_keys=["year", "country"])
    store(FRAME.head(2), "keyed", ["2026", "fr"])
    assert load("keyed", ["2026", "de"]).attrs["partition"] == "year=2026/country=de"
    assert load("keyed").attrs["partition"] == "year=2026/country=fr"
    assert code_of(lambda: store(FRAME, "keyed", ["2026"])) == "partition-invalid"
    assert code_of(lambda: store(FRAME, "keyed", ["2026", "d/e"])) == "partition-invalid"
    assert code_of(lambda: store(FRAME, "keyed", ["2026", "de"], partition_keys=["year"])) == "table-differs"
    assert code_of(lambda: load("keyed", ["2027", "de"])) == "partition-empty"
    # A value as numpy has it, one as the name has it, and values by key.
    store(FRAME.head(1), "keyed", ["year=2026", np.str_("it")])
    assert load("keyed", {"country": "it", "year": np.float64(2026)}).attrs["partition"] == "year=2026/country=it"
    assert code_of(lambda: store(FRAME, "keyed", [None, "de"])) == "partition-invalid"
    assert code_of(lambda: store(FRAME, "keyed", [float("nan"), "de"])) == "partition-invalid"
    assert code_of(lambda: store(FRAME, "keyed", None)) == "partition-invalid"
    assert millrace.Catalog("shop").partitions("team.keyed") == ["year=2026/country=de", "year=2026/country=fr", "year=2026/country=it"]


def test_a_table_takes_more_columns_and_no_other_type_of_one() -> None:
    first = store(pd.DataFrame({"a": [1, 2]}), "evolving", ["x"])
    # A misspelt one would stay for ever.
    assert code_of(lambda: store(pd.DataFrame({"b": ["y"]}), "evolving", ["x"])) == "column-not-found"
    assert len(millrace.history("team", "evolving", pipeline="shop")) == 1 and list(load("evolving").columns) == ["a"]
    store(pd.DataFrame({"b": ["y"]}), "evolving", ["x"], add_columns=True)
    df = load("evolving", ["x"])
    assert list(df.columns) == ["a", "b"] and df["a"].isna().tolist() == [True] and df["b"].tolist() == ["y"]
    assert list(load("evolving", ["x"], batch_id=first.batch_id).columns) == ["a"]
    # The type of the table holds: these are integers to it.
    assert code_of(lambda: store(pd.DataFrame({"a": [1.5]}), "evolving", ["x"])) == "row-invalid"
    assert code_of(lambda: store(pd.DataFrame({"A": [1.5]}), "evolving", ["x"])) == "table-differs"
    assert code_of(lambda: store(pd.DataFrame({"a": ["z"]}), "evolving", ["x"], columns={"a": "string"})) == "table-differs"


def test_a_column_keeps_its_spelling_and_one_that_comes_back_its_type() -> None:
    store(pd.DataFrame({"a": [1], "b": ["y"]}), "kept", ["x"])
    assert code_of(lambda: store(pd.DataFrame({"A": [1]}), "kept", ["x"])) == "table-differs"
    writer = Writer(millrace.Catalog("shop"))
    schema = writer.schema("team.kept")
    assert schema is not None
    columns = [column for column in schema.attributes["columns"] if column["name"] != "b"]
    assert create_item(writer._catalog, "team.kept", "schema#000000002", {**schema.attributes, "columns": columns})
    assert code_of(lambda: store(pd.DataFrame({"b": [1.5]}), "kept", ["x"])) == "table-differs"
    store(pd.DataFrame({"b": ["z"]}), "kept", ["x"], add_columns=True)
    assert load("kept")["b"].tolist() == ["z"]


def test_a_batch_that_is_being_purged_is_not_made_current_and_one_that_is_stays_for_an_hour() -> None:
    first, second = store(FRAME, "held", ["x"]), store(FRAME, "held", ["x"])
    catalog = millrace.Catalog("shop")
    millrace.rollback("team", "held", ["x"], first.batch_id, why="a try", pipeline="shop")
    item = catalog.item("team.held", f"batch#x#{first.batch_id}")
    assert item is not None and item["revision"] == 1 and item["heldAt"] >= item["at"]
    catalog.dynamodb.update_item(
        TableName=catalog.table_name,
        Key={"table": {"S": "team.held"}, "sk": {"S": f"batch#x#{second.batch_id}"}},
        UpdateExpression="SET purged = :note",
        ExpressionAttributeValues={":note": {"M": {"at": {"N": "1"}, "who": {"S": "ana"}, "why": {"S": "a try"}}}},
    )
    assert code_of(lambda: millrace.rollback("team", "held", ["x"], second.batch_id, why="a try", pipeline="shop")) == "batch-purged"
    assert load("held").attrs["batch_id"] == first.batch_id


def test_writers_at_once_are_all_kept_in_one_order() -> None:
    store(FRAME, "contended", ["x"])
    errors: list[BaseException] = []

    def write(index: int) -> None:
        try:
            store(FRAME.assign(spend=float(index)), "contended", ["x"])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    entries = millrace.history("team", "contended", pipeline="shop")
    assert entries["number"].tolist() == list(range(9, 0, -1)) and entries["batch_id"].is_unique
    assert entries["at"].is_monotonic_decreasing
    assert load("contended").attrs["batch_id"] == entries["batch_id"][0]


def test_a_writer_that_dies_before_the_log_entry_is_seen_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    store(FRAME, "dying", ["x"])

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "append", die)
        with pytest.raises(KeyboardInterrupt):
            store(FRAME.head(1), "dying", ["x"])
    assert len(load("dying")) == 3 and len(millrace.history("team", "dying", pipeline="shop")) == 1
    store(FRAME.head(2), "dying", ["x"])
    assert len(load("dying")) == 2


def test_the_manifest_names_all_inputs_and_the_item_as_many_as_it_has_room_for() -> None:
    source = store(FRAME, "source", ["x"])
    batch = store(FRAME, "of_many", ["x"], inputs=[source] * 3_000)
    item = millrace.Catalog("shop").item("team.of_many", f"batch#x#{batch.batch_id}")
    assert item is not None and len(item["inputs"]) == 1_000 and len(batch.manifest["inputs"]) == 3_000


def test_a_frame_without_rows_is_a_batch_too() -> None:
    store(FRAME.head(0), "empty", ["x"], columns={"state": "json"})
    df = load("empty")
    assert len(df) == 0 and list(df.columns) == list(FRAME.columns)
    assert [str(kind) for kind in df.dtypes[:5]] == [str(kind) for kind in FRAME.dtypes[:5]]


@pytest.mark.parametrize("kind", ["parquet", "ndjson", "csv"])
def test_what_typescript_stored_has_the_checksum_that_typescript_came_to(kind: str) -> None:
    catalog = millrace.Catalog("shop")
    df = load(f"of_typescript_{kind}")
    assert catalog.values_checksum(df.attrs["batch"]) == os.environ["MILLRACE_VALUES_CHECKSUM"]
    # And still, once it went through pandas and back.
    batch = store(df, f"of_python_{kind}", ["x"], columns=df.attrs["batch"].columns)
    assert catalog.values_checksum(batch) == os.environ["MILLRACE_VALUES_CHECKSUM"]


@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_a_table_of_text_stays_one_and_typescript_comes_to_the_same_checksum(kind: str) -> None:
    table = f"of_typescript_{kind}"
    df = load(table)
    batch = store(df, table, ["from_python"], idempotency_key="once")
    assert batch.manifest["format"] == f"{kind}.gz" and [part["name"] for part in batch.manifest["parts"]] == [f"part-00000.{kind}.gz"]
    read = run_millrace(["table", "load", f"team.{table}", "from_python", "--checksum"], PIPELINE_DIR)
    assert read["batchId"] == batch.batch_id and os.environ["MILLRACE_VALUES_CHECKSUM"] in str(read)
    assert millrace.Catalog("shop").values_checksum(batch) == os.environ["MILLRACE_VALUES_CHECKSUM"]
    run_millrace(["table", "verify", f"team.{table}", "from_python"], PIPELINE_DIR)
    # The same rows are the same bytes.
    assert store(df, table, ["from_python"], idempotency_key="twice").manifest["parts"] == batch.manifest["parts"]


def test_the_same_key_is_the_same_batch_stored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = store(FRAME, "keys", ["x"], idempotency_key="export 17")
    assert store(FRAME, "keys", ["x"], idempotency_key="export 17").batch_id == first.batch_id
    assert len(millrace.history("team", "keys", pipeline="shop")) == 1
    assert store(FRAME, "keys", ["x"], idempotency_key="export 18").batch_id != first.batch_id
    # Also after it was superseded.
    assert store(FRAME, "keys", ["x"], idempotency_key="export 17").batch_id == first.batch_id
    assert code_of(lambda: store(FRAME, "keys", ["x"], idempotency_key=" ")) == "idempotency-key-invalid"

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for step in ("_put_parts", "_put_manifest", "append"):
        with monkeypatch.context() as patched:
            patched.setattr(Writer, step, die)
            with pytest.raises(KeyboardInterrupt):
                store(FRAME, "keys", ["x"], idempotency_key=step)
        if step == "append":
            assert code_of(lambda: store(FRAME.head(1), "keys", ["x"], idempotency_key=step)) == "idempotency-key-reused"
        ended = store(FRAME, "keys", ["x"], idempotency_key=step, why="once more")
        assert load("keys").attrs["batch_id"] == ended.batch_id
        assert store(FRAME, "keys", ["x"], idempotency_key=step).batch_id == ended.batch_id
    assert len(millrace.history("team", "keys", pipeline="shop")) == 5
    read = run_millrace(["table", "load", "team.keys", "x", "--limit", "0"], PIPELINE_DIR)
    assert read["batchId"] == load("keys").attrs["batch_id"]
