"""What a table is: its schema items, of which the highest number holds. A column keeps type and spelling for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from millrace.errors import MillraceError
from millrace.parts import CONTENT_TYPES


@dataclass(frozen=True)
class Schema:
    """What a table is, by its newest schema item."""

    number: int
    attributes: dict[str, Any]

    @property
    def columns(self) -> dict[str, str]:
        return {column["name"]: column["type"] for column in self.attributes["columns"]}

    @property
    def format(self) -> str:
        return str(self.attributes["format"])

    @property
    def partition_keys(self) -> list[str] | None:
        keys: list[str] | None = self.attributes.get("partitionKeys")
        return keys


def read_schema(item: Mapping[str, Any]) -> Schema:
    sort_key = str(item["sk"])
    attributes = {name: value for name, value in item.items() if name not in ("table", "sk")}
    return Schema(1 if sort_key == "schema" else int(sort_key.split("#")[1]), attributes)


def refuse_others(table: str, schemas: Sequence[Schema], columns: Mapping[str, str], partition_keys: Sequence[str] | None) -> None:
    """A column that was dropped, and comes back, means what it meant."""
    before = schemas[-1]
    if before.format not in CONTENT_TYPES or not before.columns:
        what = f"{before.format}, which has no rows" if before.columns else "of no columns, so they have no rows"
        raise MillraceError(
            f"The parts of {table} are {what}", code="format-has-no-rows", next="Store into a table of your own, under another name."
        )
    if partition_keys is not None and list(partition_keys) != before.partition_keys:
        raise MillraceError(
            f"The partition keys of {table} are {', '.join(before.partition_keys or ['not declared'])}",
            code="table-differs",
            next="Leave partition_keys out, or give the table a new name.",
        )
    known = {before_name.lower(): (before_name, kind) for schema in schemas for before_name, kind in schema.columns.items()}
    for name, kind in columns.items():
        before_name, before_kind = known.get(name.lower(), (name, kind))
        if before_name != name:
            raise MillraceError(
                f'The column "{before_name}" of {table} is not "{name}" to all engines',
                code="table-differs",
                next="Write it as it is in the table, or give the column another name.",
            )
        if before_kind != kind:
            raise MillraceError(
                f'The column "{name}" of {table} is {before_kind}, not {kind}',
                code="table-differs",
                next="Convert it, or give the column, or the table, a new name.",
            )
