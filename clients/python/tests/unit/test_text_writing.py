"""What is written as text, by what it says and by what is read back."""

from __future__ import annotations

import gzip
import math
from typing import Any

import pyarrow as pa
import pytest

from millrace import MillraceError
from millrace.column_types import arrow_type
from millrace.text_formats import TEXT_FORMATS, read_text_part
from millrace.text_writing import write_text_part

VALUES: dict[str, tuple[str, list[Any]]] = {
    "s": ("string", ["", " a", 'q"uo,te', "line\nfeed\r", "ü\u2028\ufeff", None]),
    "n": ("int64", [2**63 - 1, -(2**63), 2**53 - 1, -(2**53), 0, None]),
    "x": ("double", [5e-324, 1e300, -0.0, 0.1, 1e16, None]),
    "b": ("boolean", [True, False, True, False, True, None]),
    "at": ("timestamp", [0, -1, 253402300799999, -62135596800000, 1, None]),
    "j": ("json", ['{"z":[1e+300,null,"ü"]}', '"text"', "[]", "1", "1.5", None]),
    "l": ("list<int64>", [[2**60, None], [], [-1], [0], [1, 2], None]),
    "lt": ("list<timestamp>", [[0, None], [], [-1], [0], [1, 2], None]),
    "m": ("map<string,double>", [[("b", -0.0), ("a", None)], [], [('q"', 1.0)], [], [], None]),
    "mj": ("map<string,json>", [[("b", "[1]")], [], [("a", None)], [], [], None]),
    "ls": ("list<string>", [["a\n", None], [], [""], [], [], None]),
}
COLUMNS = {name: kind for name, (kind, _) in VALUES.items()}
TABLE = pa.table({name: pa.array(values, type=arrow_type(kind)) for name, (kind, values) in VALUES.items()})


@pytest.mark.parametrize("kind", TEXT_FORMATS)
def test_what_goes_in_comes_out(kind: str) -> None:
    body = write_text_part(kind, TABLE, COLUMNS)
    back = read_text_part(kind, body, COLUMNS)
    assert back.equals(TABLE)
    # The same rows are the same bytes: gzip would put the time there.
    assert body[4:8] == bytes(4)
    # Equal are both zeros.
    assert math.copysign(1, back.column("x")[2].as_py()) == -1


def test_the_forms_are_those_of_the_formats() -> None:
    columns = {name: COLUMNS[name] for name in ("s", "n", "x", "at", "m")}
    rows = TABLE.select(list(columns)).slice(0, 2)
    assert gzip.decompress(write_text_part("ndjson.gz", rows, columns)).decode() == (
        '{"s":"","n":"9223372036854775807","x":5e-324,"at":"1970-01-01T00:00:00.000Z","m":{"b":-0.0,"a":null}}\n'
        '{"s":" a","n":"-9223372036854775808","x":1e+300,"at":"1969-12-31T23:59:59.999Z","m":{}}\n'
    )
    assert gzip.decompress(write_text_part("csv.gz", rows, columns)).decode() == (
        's,n,x,at,m\n"",9223372036854775807,5e-324,1970-01-01T00:00:00.000Z,"{""b"":-0.0,""a"":null}"\n'
        '" a",-9223372036854775808,1e+300,1969-12-31T23:59:59.999Z,{}\n'
    )


@pytest.mark.parametrize("kind", TEXT_FORMATS)
def test_a_year_that_text_cannot_say_is_refused(kind: str) -> None:
    rows = pa.table({"at": pa.array([253402300800000], type=arrow_type("timestamp"))})
    with pytest.raises(MillraceError) as raised:
        write_text_part(kind, rows, {"at": "timestamp"})
    assert raised.value.code == "row-invalid" and '"at"' in raised.value.message


@pytest.mark.parametrize("kind", TEXT_FORMATS)
def test_rows_of_one_column_of_nulls_stay_rows(kind: str) -> None:
    rows = pa.table({"a": pa.array([None, "", None], type=pa.string())})
    assert read_text_part(kind, write_text_part(kind, rows, {"a": "string"}), {"a": "string"}).equals(rows)
