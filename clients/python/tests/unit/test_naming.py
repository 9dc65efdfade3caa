from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from millrace import MillraceError
from millrace.naming import check_partition_keys, partition_name, place_of_location
from millrace.reserved import refuse_reserved

KEYS = ["year", "country"]


def error_of(call: Callable[[], Any]) -> MillraceError:
    with pytest.raises(MillraceError) as raised:
        call()
    return raised.value


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (["2026", "de"], "year=2026/country=de"),
        ((2026, "de"), "year=2026/country=de"),
        ({"country": "de", "year": 2026}, "year=2026/country=de"),
        ([2026.0, "de"], "year=2026/country=de"),
        ([np.float64(2026), np.str_("de")], "year=2026/country=de"),
        ([np.int64(2026), "de"], "year=2026/country=de"),
        (np.array([2026, 7]), "year=2026/country=7"),
        (["year=2026", "country=de"], "year=2026/country=de"),
        (["year=2026", "de"], "year=2026/country=de"),
        ({"country": "country=de", "year": "year=2026"}, "year=2026/country=de"),
        (["2026", "a=b"], "year=2026/country=a=b"),
        ([-1, "NaN"], "year=-1/country=NaN"),
        ([datetime.date(2026, 6, 30), "de"], "year=2026-06-30/country=de"),
    ],
)
def test_values_are_named_by_their_keys(values: Any, name: str) -> None:
    assert partition_name("team.t", KEYS, values) == name


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, "is None"),
        (pd.NA, "is <NA>"),
        (pd.NaT, "is NaT"),
        (True, "is True"),
        (np.bool_(False), "False"),
        (float("nan"), "is nan"),
        (np.float64("nan"), "is nan"),
        (float("inf"), "is inf"),
        (2016.5, "is 2016.5"),
        (2.0**53, "is 9007199254740992.0"),
        (datetime.datetime(2026, 1, 1), "datetime"),
        ("", "is empty"),
        ("a/b", "has a / or a #"),
        ("a#b", "has a / or a #"),
    ],
)
@pytest.mark.parametrize("keys", [KEYS, None])
def test_what_is_no_value_is_refused_with_and_without_keys(keys: Sequence[str] | None, value: Any, what: str) -> None:
    error = error_of(lambda: partition_name("team.t", keys, [value, "de"]))
    assert error.code == "partition-invalid" and what in error.message and error.next is not None


@pytest.mark.parametrize(
    ("keys", "values"),
    [
        (KEYS, None),
        (KEYS, 2016),
        (KEYS, "2016"),
        (KEYS, []),
        (KEYS, ["2016"]),
        (KEYS, ["2016", "de", "x"]),
        (KEYS, {"year": 2016}),
        (KEYS, {"year": 2016, "land": "de"}),
        (KEYS, ["year=", "de"]),
        (KEYS, ["country=de", "de"]),
        (None, None),
        (None, []),
        (None, {"year": 2016}),
        (None, ["year="]),
    ],
)
def test_other_values_than_those_of_the_keys_are_refused(keys: Sequence[str] | None, values: Any) -> None:
    assert error_of(lambda: partition_name("team.t", keys, values)).code == "partition-invalid"


def test_without_keys_the_values_are_the_name() -> None:
    assert partition_name("team.t", None, ["2016"]) == "2016"
    assert partition_name("team.t", None, ["year=2016", 7]) == "year=2016/7"
    assert error_of(lambda: partition_name("team.t", None, ["\ud800"])).code == "name-invalid"


@pytest.mark.parametrize("keys", ["year", ["Year"], ["year", "year"], ["1st"], [1]])
def test_partition_keys_are_names_that_every_engine_takes(keys: Any) -> None:
    assert error_of(lambda: check_partition_keys(keys)).code == "name-invalid"


@pytest.mark.parametrize("name", ["models.churn", "definitions.shop", "operations.shop", "removals.x", "shop.users", "shop.events"])
def test_tables_of_millrace_itself_are_reserved(name: str) -> None:
    db, table = name.split(".")
    assert error_of(lambda: refuse_reserved(db, table, "shop")).code == "table-reserved"


def test_more_tables_of_the_pipeline_are_reserved_and_the_teams_own_are_not() -> None:
    for table in ("imported_events", "training_default"):
        assert error_of(lambda: refuse_reserved("shop", table, "shop")).code == "table-reserved"
        refuse_reserved("team", table, "shop")
    refuse_reserved("shop", "delays", "shop")
    refuse_reserved("other", "users", "shop")


def test_a_location_says_which_item_its_batch_has() -> None:
    at = "team/t/year=2026/country=de/20260102030405-7h3k9c2m/"
    assert place_of_location(at) == ("team.t", "batch#year=2026/country=de#20260102030405-7h3k9c2m")
    for other in (at[:-1], "team/t/20260102030405-7h3k9c2m/", "glue.symlinks/team/t/x/", ""):
        assert place_of_location(other) is None
