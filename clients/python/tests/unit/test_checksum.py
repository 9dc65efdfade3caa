from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
from millrace.checksum import values_checksum
from millrace.column_types import arrow_type

COLUMNS = {"x": "double", "n": "int64", "j": "json", "id": "string", "at": "timestamp"}
ROWS: dict[str, list[Any]] = {
    "at": [1000, None],
    "id": ["b", "\\N\t"],
    "j": ['{"b":[1,null],"a":"x"}', '"\\\\N"'],
    "n": [2**60, -1],
    "x": [0.1, -0.0],
}
LINES = [
    "1000\tb\t" + '{"a":"x","b":[3ff0000000000000,\\N]}' + "\t1152921504606846976\t3fb999999999999a",
    "\\N\t\\\\N\\t\t" + '"\\\\N"' + "\t-1\t8000000000000000",
]


def table(order: list[int]) -> pa.Table:
    return pa.table({name: pa.array([ROWS[name][row] for row in order], type=arrow_type(kind)) for name, kind in COLUMNS.items()})


def test_it_is_what_the_document_says_whatever_the_order() -> None:
    expected = hashlib.sha256(("at\tid\tj\tn\tx\n" + "".join(f"{line}\n" for line in sorted(LINES))).encode()).hexdigest()
    assert values_checksum([table([0, 1])], COLUMNS) == expected
    assert values_checksum([table([1]), table([0])], dict(reversed(COLUMNS.items()))) == expected
    assert values_checksum([table([0, 0])], COLUMNS) != expected
    assert values_checksum([], {"b": "string", "a": "string"}) == hashlib.sha256(b"a\tb\n").hexdigest()


def test_lists_and_maps_are_told_from_text_that_looks_like_them() -> None:
    columns = {"l": "list<string>", "m": "map<string,timestamp>", "t": "list<boolean>"}
    rows = pa.table(
        {
            "l": pa.array([["a,b", None, 'q"']], type=arrow_type(columns["l"])),
            "m": pa.array([[("b", 2), ("a", None)]], type=arrow_type(columns["m"])),
            "t": pa.array([[True, False]], type=arrow_type(columns["t"])),
        }
    )
    line = '["a,b",\\N,"q\\""]\t{"a":\\N,"b":2}\t[true,false]\n'
    assert values_checksum([rows], columns) == hashlib.sha256(("l\tm\tt\n" + line).encode()).hexdigest()
