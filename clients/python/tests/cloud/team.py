"""Tables of a team, as the tests of tables store and load them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import millrace

PIPELINE_DIR = Path(os.environ["MILLRACE_PIPELINE_DIR"])
FRAME = pd.DataFrame(
    {
        "user_id": ["ana", "ü-2", None],
        "orders": pd.array([2**60 + 1, None, -1], dtype="Int64"),
        "spend": [0.1, None, -3.0],
        "gift": pd.array([True, None, False], dtype="boolean"),
        "at": pd.to_datetime(pd.Series(["2026-01-02T03:04:05.678Z", None, "1969-12-31T23:59:59.000Z"]), utc=True).astype("datetime64[ms, UTC]"),
        "state": [{"a": [1, None]}, None, [1]],
        "items": [["a", "b"], [], None],
    }
)


def store(df: pd.DataFrame, table: str, partitions: Any, **options: Any) -> millrace.Batch:
    return millrace.store_dataframe(df, "team", table, partitions, who="ana", pipeline="shop", **options)


def load(table: str, partitions: Any = None, **options: Any) -> pd.DataFrame:
    return millrace.load_dataframe("team", table, partitions, pipeline="shop", **options)


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(millrace.MillraceError) as raised:
        call()
    return raised.value.code
