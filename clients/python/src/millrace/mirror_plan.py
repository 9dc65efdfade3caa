"""What AWS Glue should have of a table, to the byte as the npm package's `mirror-plan.ts` has it: names, types, places. Pure.

docs/glue.md says why the location of a partition is a list of its parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from millrace.column_types import NESTED
from millrace.errors import MillraceError
from millrace.schemas import Schema

CATALOG_PARAMETER = "millrace.catalog"
TABLE_PARAMETER = "millrace.table"
STYLE_PARAMETER = "millrace.partition-values"

# A dot is in no name of a database, so this is beside all of them.
LINKS_PREFIX = "glue.symlinks/"
LINKS_NAME = "parts.txt"

TYPES = {
    "string": "string",
    "int64": "bigint",
    "double": "double",
    "boolean": "boolean",
    "timestamp": "timestamp",
    "json": "string",
}
KEY = re.compile(r"([a-z][a-z0-9_]{0,63})=.")
# JavaScript's own, so that both languages fold a description alike.
WHITE_SPACE = re.compile("[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")
# AWS Glue API reference, "Table".
DESCRIPTION_CHARACTERS_MAX = 500


@dataclass(frozen=True)
class MirrorOptions:
    """Which catalogue is mirrored, and where."""

    # Of every database: `shop_dev__`.
    database_prefix: str
    # Whose tables these are: the name of the catalogue's own table.
    catalog_name: str
    bucket: str


class MirrorName(NamedTuple):
    database: str
    name: str


class PartitionStyle(NamedTuple):
    """How the name of a partition becomes values: by its keys, or the whole name as the value of one."""

    keys: tuple[str, ...]
    is_whole: bool


@dataclass(frozen=True)
class Storage:
    """Where rows are and how they are read."""

    location: str
    # Name and type, as Hive writes it.
    columns: tuple[tuple[str, str], ...]
    input_format: str = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"
    output_format: str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
    serde: str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


@dataclass(frozen=True)
class MirrorTable:
    description: str
    partition_keys: tuple[str, ...]
    storage: Storage
    parameters: Mapping[str, str]

    @property
    def style(self) -> PartitionStyle:
        return PartitionStyle(self.partition_keys, self.parameters.get(STYLE_PARAMETER) == "name")

    def shows(self, planned: MirrorTable) -> bool:
        """Parameters that others have added are no difference."""
        is_same = self.description == planned.description and self.partition_keys == planned.partition_keys
        return is_same and _shows(self, planned)

    def is_keyed_otherwise(self, planned: MirrorTable) -> bool:
        """Glue takes no other partition keys for a table that is there."""
        styles = (self.parameters.get(STYLE_PARAMETER), planned.parameters[STYLE_PARAMETER])
        return self.partition_keys != planned.partition_keys or styles[0] != styles[1]


@dataclass(frozen=True)
class MirrorPartition:
    # One for each partition key, in their order.
    values: tuple[str, ...]
    storage: Storage
    parameters: Mapping[str, str]

    def shows(self, planned: MirrorPartition) -> bool:
        return _shows(self, planned)


def mirror_name(options: MirrorOptions, table: str) -> MirrorName:
    """Of `db.table`: engines want small letters, digits and `_`."""
    db, name = table.split(".")
    return MirrorName(_fold(options.database_prefix + db), _fold(name))


def mirror_type(kind: str) -> str:
    """As Hive, Athena and Spark write it. Raises MillraceError `column-invalid`."""
    nested = NESTED.fullmatch(kind)
    scalar = TYPES.get(kind if nested is None else nested[1] or nested[2])
    if scalar is None:
        raise MillraceError(f"{kind!r} is no type of a column", code="column-invalid", next="Use a newer release of this package.")
    if nested is None:
        return scalar
    return f"array<{scalar}>" if nested[1] else f"map<string,{scalar}>"


def partition_style(schema: Schema, partitions: Sequence[str]) -> PartitionStyle:
    """The declared keys; else those that all partitions are named by (`day=…`); else the whole name as one value."""
    if schema.partition_keys is not None:
        return PartitionStyle(tuple(schema.partition_keys), is_whole=False)
    named = {_keys_in(partition) for partition in partitions}
    if len(named) == 1:
        (keys,) = named
        if keys is not None:
            return PartitionStyle(keys, is_whole=False)
    taken = {name.lower() for name in schema.columns}
    key = "partition"
    while key in taken:
        key += "_name"
    return PartitionStyle((key,), is_whole=True)


def partition_values(style: PartitionStyle, partition: str) -> tuple[str, ...] | None:
    """None: the partition is not named by these keys."""
    if style.is_whole:
        return (partition,)
    if _keys_in(partition) != style.keys:
        return None
    return tuple(segment.split("=", 1)[1] for segment in partition.split("/"))


def planned_table(options: MirrorOptions, table: str, schema: Schema, style: PartitionStyle) -> MirrorTable:
    folded = [(name.lower(), mirror_type(kind)) for name, kind in schema.columns.items()]
    # A column that is called as a key is left to the key: no engine takes both.
    columns = tuple((name, kind) for name, kind in folded if name not in style.keys)
    return MirrorTable(
        description=_description(schema.attributes.get("about") or ""),
        partition_keys=style.keys,
        storage=Storage(f"s3://{options.bucket}/{links_prefix(table)}", columns),
        parameters={
            "EXTERNAL": "TRUE",
            "classification": "parquet",
            CATALOG_PARAMETER: options.catalog_name,
            TABLE_PARAMETER: table,
            STYLE_PARAMETER: "name" if style.is_whole else "keys",
        },
    )


def planned_partition(
    options: MirrorOptions, table: MirrorTable, values: tuple[str, ...], entry: Mapping[str, Any], record: Mapping[str, Any]
) -> MirrorPartition:
    """The columns are the table's, whichever the batch was written with: engines refuse a partition that differs from its table."""
    location = record["location"]
    return MirrorPartition(
        values,
        replace(table.storage, location=f"s3://{options.bucket}/{LINKS_PREFIX}{location}"),
        {
            CATALOG_PARAMETER: options.catalog_name,
            "millrace.batch-id": record["batchId"],
            "millrace.log-number": str(entry["number"]),
            # Of the parts themselves, for engines that read a path.
            "millrace.location": f"s3://{options.bucket}/{location}",
        },
    )


def links_prefix(table: str) -> str:
    """Of all lists of parts of the table."""
    return f"{LINKS_PREFIX}{table.replace('.', '/')}/"


def links_key(location: str) -> str:
    """The object that lists the parts of a batch."""
    return f"{LINKS_PREFIX}{location}{LINKS_NAME}"


def links_text(bucket: str, location: str, parts: Iterable[Mapping[str, Any]]) -> str:
    """One address of a part a line."""
    return "".join(f"s3://{bucket}/{location}{part['name']}\n" for part in parts)


Mirrored = TypeVar("Mirrored", MirrorTable, MirrorPartition)


def with_parameters(planned: Mirrored, actual: Mirrored | None) -> Mirrored:
    """What others have added stays: statistics, notes of a crawler."""
    return planned if actual is None else replace(planned, parameters={**actual.parameters, **planned.parameters})


def _shows(actual: Mirrored, planned: Mirrored) -> bool:
    location = actual.storage.location
    storage = replace(actual.storage, location=location if location == "" or location.endswith("/") else f"{location}/")
    return storage == planned.storage and planned.parameters.items() <= actual.parameters.items()


def _fold(name: str) -> str:
    return re.sub("[^a-z0-9_]", "_", name.lower())


def _keys_in(partition: str) -> tuple[str, ...] | None:
    found = [KEY.match(segment) for segment in partition.split("/")]
    keys = tuple(key[1] for key in found if key is not None)
    return keys if len(keys) == len(found) and len(set(keys)) == len(keys) else None


def _description(about: str) -> str:
    """One line, cut where JavaScript cuts it: by units of UTF-16."""
    units = WHITE_SPACE.sub(" ", about).encode("utf-16-le", "surrogatepass")
    return units[: 2 * DESCRIPTION_CHARACTERS_MAX].decode("utf-16-le", "surrogatepass")
