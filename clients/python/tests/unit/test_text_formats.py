"""Parts in text that others have written: the forms that the other languages read, too."""

from __future__ import annotations

import gzip
import math
from typing import Any

import pytest

from millrace.text_formats import read_text_part


def read(text: str, columns: dict[str, str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_text_part("csv.gz", gzip.compress(text.encode()), columns).to_pylist()
    return rows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_ends_as_any_system_ends_it(end: str) -> None:
    columns = {"n": "int64", "s": "string"}
    expected = [{"n": 1, "s": "a"}, {"n": None, "s": None}, {"n": 2, "s": "b\r\nc"}]
    lines = ["n,s", "1,a", ",", '2,"b\r\nc"']
    assert read(end.join(lines), columns) == expected
    assert read(end.join([*lines, ""]), columns) == expected


def test_only_a_text_can_be_empty() -> None:
    columns = {"s": "string", "n": "int64", "x": "double", "b": "boolean", "at": "timestamp", "j": "json", "l": "list<int64>"}
    assert read(",".join(columns) + '\n"","","","","","",""\n', columns) == [{**dict.fromkeys(columns), "s": ""}]


def test_words_and_numbers_are_taken_as_others_write_them() -> None:
    rows = read("b,x,n\nTRUE,-0,007\nFalse,+.5e1,-1\ntrue,1.,9223372036854775807\n", {"b": "boolean", "x": "double", "n": "int64"})
    assert [row["b"] for row in rows] == [True, False, True]
    assert [row["x"] for row in rows] == [0.0, 5.0, 1.0]
    assert math.copysign(1, rows[0]["x"]) == -1
    assert [row["n"] for row in rows] == [7, -1, 2**63 - 1]


@pytest.mark.parametrize(
    ("kind", "field"),
    [("int64", "1.0"), ("int64", "1_0"), ("int64", "٣"), ("double", "nan"), ("double", "1e400"), ("double", "1_0"), ("boolean", "yes")],
)
def test_what_is_not_of_the_type_is_refused(kind: str, field: str) -> None:
    with pytest.raises(ValueError, match=f"is no {kind}"):
        read(f"v\n{field}\n", {"v": kind})


def test_the_year_0_is_a_year() -> None:
    text = "at\n0000-01-01T00:00:00.000Z\n0000-02-29T12:00:00+02:00\n0001-01-01T00:00:00.001Z\n"
    at = read_text_part("csv.gz", gzip.compress(text.encode()), {"at": "timestamp"}).column("at").cast("int64").to_pylist()
    assert at == [-62167219200000, -62162085600000, -62135596799999]


def test_an_integer_as_text_in_json_is_digits_alone() -> None:
    body = gzip.compress(b'{"n":"9007199254740993"}\n')
    assert read_text_part("ndjson.gz", body, {"n": "int64"}).to_pylist() == [{"n": 2**53 + 1}]
    with pytest.raises(ValueError, match="is no int64"):
        read_text_part("ndjson.gz", gzip.compress(b'{"n":"1_0"}\n'), {"n": "int64"})
