"""Columns of the catalogue as Arrow and pandas have them: the types of docs/catalog.md, each with one physical form in Parquet."""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from millrace.errors import MillraceError

SCALARS: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("ms", tz="UTC"),
    # Text: Parquet's own annotation is read in too many ways.
    "json": pa.string(),
}
FLAGS = (bool, np.bool_)
NUMBERS = (int, float, np.integer, np.floating)
LISTS = (list, tuple, np.ndarray)
NESTED = re.compile(r"(?:list<(\w+)>|map<string,(\w+)>)")


def arrow_type(kind: str) -> pa.DataType:
    """Raises MillraceError `column-invalid`."""
    nested = NESTED.fullmatch(kind)
    scalar = SCALARS.get(kind if nested is None else nested[1] or nested[2])
    if scalar is None:
        raise MillraceError(
            f"{kind!r} is no type of a column",
            code="column-invalid",
            next=f"Use {', '.join(SCALARS)}, list<T> or map<string,T> of these.",
        )
    if nested is None:
        return scalar
    return pa.list_(scalar) if nested[1] else pa.map_(pa.string(), scalar)


def type_of(name: str, column: pd.Series[Any]) -> str:
    """What the values are, where nobody has said. Raises MillraceError `column-invalid`."""
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return type_of(name, column.astype(kind.categories.dtype))
    if pd.api.types.is_bool_dtype(kind):
        return "boolean"
    if pd.api.types.is_integer_dtype(kind):
        return "int64"
    if pd.api.types.is_float_dtype(kind):
        return "double"
    if pd.api.types.is_datetime64_any_dtype(kind):
        return "timestamp"
    values = [value for value in column if not is_missing(value)]
    found = _type_of_objects(values)
    if found is not None:
        return found
    kinds = list(dict.fromkeys(type(value).__name__ for value in values))
    several = f"of several types: {', '.join(kinds)}" if len(kinds) > 1 else f"of {kinds[0]}, which no type of a column is for"
    raise MillraceError(
        f'The values of the column "{name}" are {several}',
        code="column-invalid",
        next=HINTS.get(kinds[0], OTHER_HINT).replace("NAME", name),
    )


# By the type of the first value.
HINTS = {
    "Decimal": 'df["NAME"].astype("float64") makes doubles of them, .astype(str) keeps every digit as text.',
    "date": 'df["NAME"].astype(str) makes text of them, pd.to_datetime(df["NAME"], utc=True) instants.',
    "datetime": 'pd.to_datetime(df["NAME"], utc=True) makes a column of instants of them.',
}
OTHER_HINT = 'Convert them: df["NAME"].astype(str) makes text of all; columns={"NAME": "json"} takes what JSON can say.'


def _type_of_objects(values: list[Any]) -> str | None:
    """A column of nulls is text."""
    if all(isinstance(value, str) for value in values):
        return "string"
    if all(isinstance(value, FLAGS) for value in values):
        return "boolean"
    if all(_is_whole(value) for value in values):
        return "int64"
    if all(isinstance(value, NUMBERS) and not isinstance(value, FLAGS) for value in values):
        return "double"
    if all(isinstance(value, LISTS) for value in values):
        inner = _type_of_objects([each for value in values for each in value if not is_missing(each)])
        # Of empty lists nobody knows what would be in them.
        return f"list<{inner}>" if inner in ("string", "boolean", "int64", "double") and any(map(len, values)) else "json"
    return "json" if all(isinstance(value, (dict, *LISTS)) for value in values) else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, FLAGS)


def to_arrow(name: str, column: pd.Series[Any], kind: str) -> pa.Array:
    """NaN and None are null. Raises MillraceError `row-invalid`: a value not of the type, an infinity, a time without a zone."""
    wanted = arrow_type(kind)
    try:
        if kind == "double":
            if not pd.api.types.is_float_dtype(column.dtype):
                return pa.array([None if is_missing(value) else _double(value) for value in column], type=wanted)
            array = pa.array(column.astype("float64").where(column.notna()), type=wanted, from_pandas=True)
            if pc.any(pc.is_inf(array)).as_py():
                raise row_invalid(name, kind, "an infinity is none")
            return array
        if kind == "timestamp":
            return _instants(name, column)
        if kind == "int64" and not pd.api.types.is_integer_dtype(column.dtype):
            return pa.array([None if is_missing(value) else _whole(value) for value in column], type=wanted)
        if kind in ("string", "int64", "boolean"):
            return pa.array(column.astype("object").where(column.notna(), None), type=wanted)
        values = [None if is_missing(value) else value for value in column]
        return pa.array([None if value is None else _nested(value, kind) for value in values], type=wanted)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise row_invalid(name, kind, str(error)) from error


def to_pandas(column: pa.ChunkedArray, kind: str) -> pd.Series[Any]:
    """Numbers with NaN for null, integers and flags that may be null, instants in UTC; lists, maps and JSON as Python has them."""
    if kind == "json":
        return pd.Series([None if text is None else json.loads(text) for text in column.to_pylist()], dtype="object")
    if kind == "int64":
        return pd.Series(column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)).astype("Int64")
    if kind == "boolean":
        return pd.Series(column.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)).astype("boolean")
    if NESTED.fullmatch(kind) is not None:
        return pd.Series([_from_nested(value, kind) for value in column.to_pylist(maps_as_pydicts="strict")], dtype="object")
    return pd.Series(column.to_pandas())


def as_stored(name: str, column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """As the column is declared, of a file that any writer may have made. Raises MillraceError `parquet-differs`."""
    wanted = arrow_type(kind)
    if column.type == wanted:
        return column
    if _is_alike(column.type, wanted):
        try:
            # Other writers use finer units; a reader of milliseconds has the rest cut off.
            return pc.cast(column, options=pc.CastOptions(wanted, allow_time_truncate=True))
        except pa.ArrowException as error:
            raise _parquet_differs(f'The column "{name}" is not {kind}: {error}') from error
    raise _parquet_differs(f'The column "{name}" is {column.type} instead of {kind}')


def missing_in_parquet(name: str, kind: str) -> MillraceError:
    return _parquet_differs(f'The column "{name}" is not there instead of {kind}')


def _is_alike(found: pa.DataType, wanted: pa.DataType) -> bool:
    """That a cast changes no meaning: a number is no text."""
    if isinstance(found, pa.BaseExtensionType):
        return _is_alike(found.storage_type, wanted)
    if pa.types.is_dictionary(found):
        return _is_alike(found.value_type, wanted)
    kinds = pa.types
    if kinds.is_null(found):
        return True
    if kinds.is_list(wanted):
        return (kinds.is_list(found) or kinds.is_large_list(found)) and _is_alike(found.value_type, wanted.value_type)
    if kinds.is_map(wanted):
        return kinds.is_map(found) and _is_alike(found.key_type, wanted.key_type) and _is_alike(found.item_type, wanted.item_type)
    tests = (kinds.is_integer, kinds.is_floating, kinds.is_timestamp, kinds.is_boolean)
    if kinds.is_string(wanted):
        return bool(kinds.is_string(found) or kinds.is_large_string(found))
    # An integer that is called nothing else is milliseconds, as the npm package reads it.
    return found == pa.int64() and kinds.is_timestamp(wanted) or any(is_one(found) and is_one(wanted) for is_one in tests)


def is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _instants(name: str, column: pd.Series[Any]) -> pa.Array:
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        if column.isna().all():
            # Of no instant pandas makes one without a zone.
            return pa.nulls(len(column), SCALARS["timestamp"])
        column = pd.Series(pd.to_datetime(column), index=column.index)
    if column.dt.tz is None:
        raise row_invalid(name, "timestamp", f'no time zone: df["{name}"].dt.tz_localize("UTC") says which')
    instants = pa.array(column.dt.tz_convert("UTC"), from_pandas=True)
    # Finer than a millisecond is refused, never cut: two that were apart would be one.
    return pc.cast(instants, SCALARS["timestamp"], safe=True)


def _nested(value: Any, kind: str) -> Any:
    if kind == "json":
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_of_numpy)
    inner = NESTED.fullmatch(kind)
    scalar = "" if inner is None else inner[1] or inner[2]
    if kind.startswith("list"):
        # A text, a dict and a set would give some list, too.
        if not isinstance(value, LISTS):
            raise ValueError(f"{value!r} is no list")
        return [_member(each, scalar) for each in value]
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{value!r} is no dict with texts as keys")
    return [(key, _member(member, scalar)) for key, member in value.items()]


def _of_numpy(value: Any) -> Any:
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise ValueError(f"{value!r} is nothing that JSON can say")


def _member(value: Any, kind: str) -> Any:
    if is_missing(value):
        return None
    if kind == "int64":
        return _whole(value)
    if kind == "double":
        return _double(value)
    if kind == "timestamp":
        return _instant(value)
    return _nested(value, kind) if kind == "json" else value


def _double(value: Any) -> float:
    """An integer that no double holds would come back as another one."""
    if isinstance(value, FLAGS) or not isinstance(value, NUMBERS):
        raise ValueError(f"{value!r} is no number")
    number = float(value)
    if math.isinf(number) or (isinstance(value, (int, np.integer)) and int(number) != int(value)):
        raise ValueError("an infinity is none" if math.isinf(number) else f"{value!r} is no double")
    return number


def _instant(value: Any) -> datetime.datetime:
    """Arrow would take a time without a zone for UTC, and cut what is finer than a millisecond."""
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        raise ValueError(f"{value!r} is no time with a zone")
    if value.microsecond % 1000 != 0 or getattr(value, "nanosecond", 0) != 0:
        raise ValueError(f"{value} is finer than a millisecond")
    return value


def _whole(value: Any) -> int:
    """pandas has integers with a missing one among them as floats; Arrow would cut a fraction off."""
    if isinstance(value, FLAGS) or not isinstance(value, NUMBERS) or value != int(value):
        raise ValueError(f"{value!r} is no integer")
    return int(value)


def _from_nested(value: Any, kind: str) -> Any:
    if value is None or "json" not in kind:
        return value
    if isinstance(value, list):
        return [None if text is None else json.loads(text) for text in value]
    return {key: None if text is None else json.loads(text) for key, text in value.items()}


def row_invalid(name: str, kind: str, why: str) -> MillraceError:
    return MillraceError(
        f'The column "{name}" is not {kind}: {why}', code="row-invalid", next="Give the column its type; what is missing is None."
    )


def _parquet_differs(message: str) -> MillraceError:
    return MillraceError(message, code="parquet-differs", next="Read it with the schema that it was written with.")
