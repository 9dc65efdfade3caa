from __future__ import annotations

import datetime
import json
import math
from typing import Any

import numpy as np
import pytest

from millrace import MillraceError
from millrace.stored_json import papers_json, plain_properties, stored_json


def test_numbers_and_flags_of_numpy_are_numbers_and_flags() -> None:
    given = {"n": np.int64(2**60), "x": np.float64(0.5), "f": np.float32(0.5), "b": np.bool_(True), "deep": [{"t": (np.int8(1), None, "ü")}]}
    plain = plain_properties(given)
    assert plain == {"n": 2**60, "x": 0.5, "f": 0.5, "b": True, "deep": [{"t": [1, None, "ü"]}]}
    assert type(plain["n"]) is int and type(plain["x"]) is float and plain["b"] is True
    assert json.loads(stored_json(plain)) == plain


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (math.nan, "['x']"),
        (-math.inf, "['x']"),
        (np.float64("nan"), "['x']"),
        ([1, {"y": np.float32("inf")}], "['x'][1]['y']"),
        ("\ud800", "['x']"),
        ({1: 2}, "['x']"),
        ({"\udfff": 2}, "['x']"),
        (datetime.date(2026, 1, 2), "date"),
        (np.datetime64("2026-01-02"), "date"),
        (np.array([1]), "ndarray"),
        (b"x", "bytes"),
        ({1}, "set"),
    ],
)
def test_what_json_cannot_say_is_refused_with_its_place(value: Any, where: str) -> None:
    with pytest.raises(MillraceError) as raised:
        plain_properties({"x": value})
    assert raised.value.code == "properties-invalid" and raised.value.next is not None
    assert where in raised.value.message and "['x']" in raised.value.message


def test_papers_that_json_cannot_say_are_refused() -> None:
    assert papers_json({"b": 1, "a": [0.5]}, sort_keys=True, separators=(",", ":")) == b'{"a":[0.5],"b":1}'
    for value in (math.nan, object()):
        with pytest.raises(MillraceError) as raised:
            papers_json({"x": value})
        assert raised.value.code == "papers-invalid"


def test_nothing_else_is_stored_as_json_by_mistake() -> None:
    with pytest.raises(ValueError):
        stored_json({"x": math.nan})
