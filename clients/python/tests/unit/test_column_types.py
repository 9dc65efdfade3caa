from __future__ import annotations

import datetime
import decimal
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from millrace import MillraceError
from millrace.column_types import arrow_type, to_arrow, to_pandas, type_of

UTC = datetime.timezone.utc
BIG = 2**60 + 1


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", None, "ü"], "string"),
        ([None, None], "string"),
        ([1, 2], "int64"),
        (pd.array([BIG, None], dtype="Int64"), "int64"),
        ([1.5, None], "double"),
        ([True, False], "boolean"),
        (pd.array([True, None], dtype="boolean"), "boolean"),
        (np.array([True, None], dtype="object"), "boolean"),
        (pd.to_datetime(pd.Series(["2026-01-01T00:00:00.123Z", None]), utc=True), "timestamp"),
        ([["a"], None, []], "list<string>"),
        ([[1, 2], [BIG]], "list<int64>"),
        ([[1, 2.5, None]], "list<double>"),
        ([[], []], "json"),
        ([[1, "a"]], "json"),
        ([{"a": 1}, None, [1]], "json"),
        (pd.Categorical(["a", "b", "a"]), "string"),
        (np.array([np.int64(1), None], dtype="object"), "int64"),
        (np.array([np.float32(0.5), 1, None], dtype="object"), "double"),
        (np.array([np.bool_(True), None], dtype="object"), "boolean"),
    ],
)
def test_types_follow_from_values_and_come_back(values: Any, kind: str) -> None:
    column = pd.Series(values)
    assert type_of("x", column) == kind
    array = to_arrow("x", column, kind)
    assert array.type == arrow_type(kind)
    back = to_pandas(pa.chunked_array([array]), kind).tolist()
    expected = [None if each is None or each is pd.NA or each is pd.NaT or each != each else each for each in column.tolist()]
    assert [None if each is None or each is pd.NA or each is pd.NaT or each != each else each for each in back] == expected


def test_maps_and_their_json_come_back_when_the_type_is_said() -> None:
    column = pd.Series([{"a": 1.5, "b": None}, {}, None])
    assert to_pandas(pa.chunked_array([to_arrow("x", column, "map<string,double>")]), "map<string,double>").tolist() == column.tolist()
    deep = pd.Series([{"a": {"b": [1]}}])
    assert to_pandas(pa.chunked_array([to_arrow("x", deep, "map<string,json>")]), "map<string,json>").tolist() == deep.tolist()
    lists = pd.Series([[{"a": 1}, None]])
    assert to_pandas(pa.chunked_array([to_arrow("x", lists, "list<json>")]), "list<json>").tolist() == lists.tolist()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5], "int64"),
        ([[1.5]], "list<int64>"),
        ([True], "int64"),
        ([2.0**70], "int64"),
        (["1"], "int64"),
        ([math.inf], "double"),
        (["a"], "double"),
        (["1.5"], "double"),
        ([2**53 + 1], "double"),
        ([[2**53 + 1]], "list<double>"),
        ([True], "double"),
        ([1], "string"),
        (["yes"], "boolean"),
        ([2**63], "int64"),
        (pd.to_datetime(["2026-01-01"]), "timestamp"),
        (pd.to_datetime(["2026-01-01T00:00:00.000001Z"], utc=True), "timestamp"),
        ([["a"]], "list<int64>"),
        ([[math.inf]], "list<double>"),
        ([{"a": -math.inf}], "map<string,double>"),
        ([[datetime.datetime(2026, 1, 1)]], "list<timestamp>"),
        ([[datetime.datetime(2026, 1, 1, 0, 0, 0, 1, datetime.timezone.utc)]], "list<timestamp>"),
        ([["2026-01-01"]], "list<timestamp>"),
        ([{"a": math.nan, "b": object()}], "json"),
        ([math.nan, [math.nan]], "json"),
        ([[1.5]], "map<string,double>"),
        (["a"], "map<string,double>"),
        ([{1: 1.5}], "map<string,double>"),
        ([{b"k": 1.5}], "map<string,double>"),
        (["abc"], "list<string>"),
        ([{"a": "b"}], "list<string>"),
        ([{"a"}], "list<string>"),
        ([{"a": "b"}], "list<json>"),
        ([[np.float64("nan")], {"a": np.array([math.inf])}], "json"),
        ([{"a": np.datetime64("2026-01-01")}], "json"),
        ([{"a": datetime.date(2026, 1, 1)}], "json"),
        ([{"a": "\ud800"}], "json"),
        ([["\ud800"]], "list<string>"),
        ([{"\ud800": "a"}], "map<string,string>"),
    ],
)
def test_what_is_not_of_its_type_is_refused(values: Any, kind: str) -> None:
    with pytest.raises(MillraceError) as raised:
        to_arrow("x", pd.Series(values), kind)
    assert raised.value.code == "row-invalid" and '"x"' in raised.value.message


def test_half_of_a_character_is_refused() -> None:
    with pytest.raises(MillraceError) as raised:
        to_arrow("x", pd.Series(["\ud800"], dtype="object"), "string")
    assert raised.value.code == "row-invalid"


def test_integers_that_a_double_holds_may_go_into_a_column_of_doubles() -> None:
    assert to_arrow("x", pd.Series([1, 2**53, None], dtype="object"), "double").to_pylist() == [1.0, 2.0**53, None]


def test_integers_with_one_missing_may_come_as_floats() -> None:
    array = to_arrow("x", pd.Series([1, None, 3]), "int64")
    assert array.to_pylist() == [1, None, 3]


@pytest.mark.parametrize(
    ("values", "what", "hint"),
    [
        ([decimal.Decimal("1.5"), None], "of Decimal, which no type", 'df["x"].astype("float64")'),
        ([datetime.date(2026, 1, 1)], "of date, which no type", 'df["x"].astype(str)'),
        ([datetime.datetime(2026, 1, 1)], "of datetime, which no type", "pd.to_datetime"),
        ([b"a"], "of bytes, which no type", "astype(str)"),
        ([1, "a", None], "of several types: int, str", "astype(str)"),
    ],
)
def test_values_that_no_column_is_for_are_called_by_their_name(values: list[Any], what: str, hint: str) -> None:
    with pytest.raises(MillraceError) as raised:
        type_of("x", pd.Series(values, dtype="object"))
    assert raised.value.code == "column-invalid" and what in raised.value.message and hint in str(raised.value.next)


def test_arrays_of_numpy_are_lists_and_numbers_of_numpy_are_json() -> None:
    column = pd.Series([np.array([1, 2]), np.array([], dtype="int64"), None], dtype="object")
    assert type_of("x", column) == "list<int64>" and to_arrow("x", column, "list<int64>").to_pylist() == [[1, 2], [], None]
    deep = pd.Series([{"a": np.int64(1), "b": np.array([0.5])}], dtype="object")
    assert to_arrow("x", deep, "json").to_pylist() == ['{"a":1,"b":[0.5]}']


def test_what_is_several_types_or_none_is_refused() -> None:
    with pytest.raises(MillraceError) as raised:
        type_of("x", pd.Series([1, "a"], dtype="object"))
    assert raised.value.code == "column-invalid"
    for kind in ("text", "list<list<string>>", "map<int64,string>", "list<>"):
        with pytest.raises(MillraceError) as raised:
            arrow_type(kind)
        assert raised.value.code == "column-invalid"


def test_a_column_of_no_instant_needs_no_zone() -> None:
    for values in ([], [None, None]):
        column = pd.Series(values, dtype="object")
        assert to_arrow("at", column, "timestamp").equals(pa.nulls(len(values), pa.timestamp("ms", tz="UTC")))
    with pytest.raises(MillraceError):
        to_arrow("at", pd.Series([None, "2026-01-02T03:04:05"], dtype="object"), "timestamp")
