"""What is refused before anything is written, on DynamoDB and S3 as they are."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd

import millrace
from millrace.command import run_millrace
from millrace.reason import Reason
from team import FRAME, PIPELINE_DIR, code_of, load, store


def test_what_is_not_there_is_said() -> None:
    for partitions in (None, ["2016"]):
        assert code_of(lambda: load("nowhere", partitions)) == "table-not-found"
        assert code_of(lambda: millrace.history("team", "nowhere", partitions, pipeline="shop")) == "table-not-found"
    never = "20260102030405-7h3k9c2m"
    assert code_of(lambda: millrace.rollback("team", "nowhere", ["2016"], never, why="x", pipeline="shop")) == "table-not-found"


def test_tables_of_millrace_itself_are_not_stored_into() -> None:
    for name in ("models.churn", "definitions.shop", "removals.shop", "shop.users", "shop.events", "shop.training_default"):
        db, table = name.split(".")
        before = millrace.Catalog("shop").query(name, "")
        assert code_of(lambda: millrace.store_dataframe(FRAME, db, table, ["x"], pipeline="shop")) == "table-reserved"
        assert millrace.Catalog("shop").query(name, "") == before
    millrace.store_dataframe(FRAME, "shop", "own", ["x"], pipeline="shop")


def test_no_nan_is_stored_as_json_and_numbers_of_numpy_are_numbers() -> None:
    numpy = {"auc": np.float64(0.75), "rows": np.int64(3), "final": np.bool_(True)}
    batch = store(FRAME, "properties", ["x"], properties=numpy)
    assert batch.properties == {"auc": 0.75, "rows": 3, "final": True}
    for wrong in (float("nan"), np.float64("inf"), {"of": [float("nan")]}, datetime.date(2026, 1, 2), "\ud800"):
        assert code_of(lambda: store(FRAME, "properties", ["x"], properties={"auc": wrong})) == "properties-invalid"
    assert code_of(lambda: store(FRAME, "properties", ["x"], why="\ud800")) == "reason-invalid"
    assert code_of(lambda: store(FRAME, "properties", ["x"], idempotency_key="\ud800")) == "idempotency-key-invalid"
    assert len(millrace.history("team", "properties", pipeline="shop")) == 1
    read = run_millrace(["table", "load", "team.properties", "x", "--limit", "0"], PIPELINE_DIR)
    assert read["batchId"] == batch.batch_id


def test_names_reasons_and_frames_that_cannot_be_are_refused() -> None:
    assert code_of(lambda: store(FRAME, "Bad", ["x"])) == "name-invalid"
    assert code_of(lambda: store(FRAME, "bad", ["a b"])) == "name-invalid"
    # No list of its letters.
    text: Any = "2016"
    assert code_of(lambda: store(FRAME, "bad", text)) == "partition-invalid"
    assert code_of(lambda: store(FRAME, "bad", ["x"], why=" ")) == "reason-invalid"
    assert code_of(lambda: store(pd.DataFrame({1: [1]}), "bad", ["x"])) == "column-invalid"
    assert code_of(lambda: store(pd.DataFrame({"a b": [1]}), "bad", ["x"])) == "column-invalid"
    assert code_of(lambda: store(pd.DataFrame({"a": [1], "A": [1]}), "bad", ["x"])) == "column-invalid"
    assert Reason("ana", "why").who == "ana"
