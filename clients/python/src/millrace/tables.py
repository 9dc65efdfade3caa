"""Tables of the catalogue as pandas data frames: stored as one batch, loaded as one batch, never a mixture of two."""

from __future__ import annotations

import datetime
import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from millrace.batch_items import hold, refuse_gone
from millrace.batches import Batch
from millrace.catalog import Catalog
from millrace.column_types import arrow_type, to_arrow, to_pandas, type_of
from millrace.errors import MillraceError
from millrace.loading import pipeline_name
from millrace.naming import (
    PartitionValues,
    batch_sort_key,
    check_batch_id,
    check_columns,
    check_partition_keys,
    partition_name,
    place_of_location,
    table_key,
)
from millrace.parts import Rows
from millrace.reason import Reason
from millrace.reserved import refuse_reserved
from millrace.stored_json import plain_properties
from millrace.writing import Writer


def store_dataframe(
    df: pd.DataFrame,
    dest_db: str,
    dest_table: str,
    partitions: PartitionValues,
    *,
    columns: Mapping[str, str] | None = None,
    partition_keys: Sequence[str] | None = None,
    add_columns: bool = False,
    inputs: Sequence[Batch] = (),
    properties: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    who: str | None = None,
    why: str = "from Python",
    pipeline: str | None = None,
    deployment: str = "dev",
    pipeline_dir: str | Path = ".",
) -> Batch:
    """Writes `df` as a new batch and makes it current; what was there before stays in the history.

    `partitions`: the value of each partition key, in order or by key: `["2016"]`. A table that is not there yet is made, of the columns of
    `df` (its index is not stored) and with `partition_keys` if given; one that is there takes more columns with `add_columns`, as a column
    that was added keeps its name and type for ever, and no other type of one.
    `columns`: name to type (`docs/catalog.md`) where the values do not say it. `inputs`: batches that this one was made from.
    `idempotency_key`: the same key is the same batch, stored once, however often a job is run that may have died half way.
    """
    catalog = open_catalog(pipeline, deployment, pipeline_dir)
    table, writer, user = table_key(dest_db, dest_table), Writer(catalog), who or getpass.getuser()
    refuse_reserved(dest_db, dest_table, catalog.pipeline)
    reason, plain = Reason(user, why), plain_properties(properties or {})
    if partition_keys is not None:
        check_partition_keys(partition_keys)
    before = writer.schema(table)
    keys = partition_keys if before is None else before.partition_keys
    partition = partition_name(table, keys, partitions)
    types = _types(df, {**({} if before is None else before.columns), **(columns or {})})
    rows = pa.table({name: to_arrow(name, df[name], kind) for name, kind in types.items()})
    schema = writer.define(table, types, user, partition_keys, add_columns=add_columns)
    # Columns of the table that the frame does not have are null.
    for name, kind in schema.columns.items():
        if name not in types:
            rows = rows.append_column(name, to_arrow(name, pd.Series([None] * len(df), dtype="object"), kind))
    stored = Rows(rows.select(list(schema.columns)), schema.columns, schema.format)
    listed = [{"table": batch.table, "partition": batch.partition, "batchId": batch.batch_id} for batch in inputs]
    batch_id = writer.store(
        table, partition, stored, reason, inputs=listed, properties=plain, idempotency_key=idempotency_key
    )
    return catalog.batch(table, partition, batch_id)


def load_dataframe(
    src_db: str,
    src_table: str,
    partitions: PartitionValues | None = None,
    *,
    batch_id: str | None = None,
    anchor: str | None = None,
    as_of: datetime.datetime | None = None,
    columns: Sequence[str] | None = None,
    pipeline: str | None = None,
    deployment: str = "dev",
    pipeline_dir: str | Path = ".",
) -> pd.DataFrame:
    """The rows of one batch, every byte checked: the current one, or the one that `batch_id`, `anchor` or `as_of` (commit time) names.

    Without `partitions`, the newest partition: of a table by day, the last night's. `attrs` has `table`, `partition`, `batch_id` and `batch`.
    """
    catalog = open_catalog(pipeline, deployment, pipeline_dir)
    table = table_key(src_db, src_table)
    partition, chosen = _choose(catalog, table, partitions, {"batch_id": batch_id, "anchor": anchor, "as_of": as_of})
    batch = catalog.batch(table, partition, chosen)
    unknown = [name for name in columns or () if name not in batch.columns]
    if unknown:
        raise MillraceError(
            f"The batch has no column {', '.join(unknown)}", code="column-missing", next=f"It has {', '.join(batch.columns)}."
        )
    wanted = {name: kind for name, kind in batch.columns.items() if columns is None or name in columns}
    parts = list(catalog.parts(batch, list(wanted)))
    if parts:
        rows = pa.concat_tables(parts)
        df = pd.DataFrame({name: to_pandas(rows.column(name), kind) for name, kind in wanted.items()})
    else:
        df = pd.DataFrame({name: to_pandas(pa.chunked_array([], type=arrow_type(kind)), kind) for name, kind in wanted.items()})
    df = df if columns is None else df[list(columns)]
    df.attrs = {"table": table, "partition": partition, "batch_id": batch.batch_id, "batch": batch}
    return df


def history(
    db: str,
    table: str,
    partitions: PartitionValues | None = None,
    *,
    pipeline: str | None = None,
    deployment: str = "dev",
    pipeline_dir: str | Path = ".",
) -> pd.DataFrame:
    """Every commit, rollback and promotion of a partition, the newest first: the first row is current."""
    catalog = open_catalog(pipeline, deployment, pipeline_dir)
    name = table_key(db, table)
    entries = catalog.entries(name, _partition(catalog, name, partitions))
    df = pd.DataFrame(entries, columns=["number", "at", "kind", "batchId", "who", "why"]).rename(columns={"batchId": "batch_id"})
    return df.assign(at=pd.to_datetime(df["at"].astype("int64"), unit="ms", utc=True), number=df["number"].astype("int64"))


def rollback(
    db: str,
    table: str,
    partitions: PartitionValues,
    to: str,
    *,
    why: str,
    who: str | None = None,
    pipeline: str | None = None,
    deployment: str = "dev",
    pipeline_dir: str | Path = ".",
) -> dict[str, Any]:
    """Makes an earlier batch current by a new log entry, which it returns; no byte moves, and it can itself be rolled back."""
    catalog = open_catalog(pipeline, deployment, pipeline_dir)
    name, reason = table_key(db, table), Reason(who or getpass.getuser(), why)
    partition = _partition(catalog, name, partitions)
    check_batch_id(to)
    entries = catalog.entries(name, partition)
    if to not in [entry["batchId"] for entry in entries]:
        raise MillraceError(
            f"No batch {to} was ever committed to {name}, partition {partition}",
            code="batch-not-found",
            next="`millrace.history` lists those that were.",
        )
    if entries[0]["batchId"] == to:
        raise MillraceError(f"{to} is current already", code="already-current")
    refuse_gone(catalog, name, partition, to)
    item = catalog.item(name, batch_sort_key(partition, to))
    place = None if item is None else place_of_location(str(item["location"]))
    if place is None:
        raise MillraceError(f"The log of {name} names {to}, which has no batch item", code="batch-not-found", next="Roll back to another batch.")
    hold(catalog, *place)
    return Writer(catalog).append(name, partition, "rollback", to, reason)


def open_catalog(pipeline: str | None, deployment: str, pipeline_dir: str | Path) -> Catalog:
    return Catalog(pipeline or pipeline_name(Path(pipeline_dir)), deployment)


def _partition(catalog: Catalog, table: str, values: PartitionValues | None) -> str:
    """The newest by name unless given: names that begin with a date sort by it. Raises MillraceError `table-not-found`."""
    schema = Writer(catalog).schema(table)
    if schema is None:
        raise MillraceError(f"There is no table {table}", code="table-not-found", next="Check the name; the first store makes a table.")
    if values is not None:
        return partition_name(table, schema.partition_keys, values)
    partitions = catalog.partitions(table)
    if not partitions:
        raise MillraceError(
            f"Nothing was ever committed to {table}", code="partition-empty", next="Check the name of the table, or store a batch."
        )
    return partitions[-1]


# Of partitions that have nothing of the choice the next one is asked.
ELSEWHERE = ("partition-empty", "anchor-not-found", "batch-not-found")


def _choose(catalog: Catalog, table: str, values: PartitionValues | None, choice: Mapping[str, Any]) -> tuple[str, str]:
    """Partition and batch ID: where no partition is named, the last by name that has what is asked for."""
    if values is not None:
        partition = _partition(catalog, table, values)
        return partition, catalog.choose(table, partition, **choice)
    newest = _partition(catalog, table, None)
    for partition in reversed(catalog.partitions(table)):
        try:
            return partition, catalog.choose(table, partition, **choice)
        except MillraceError as error:
            if error.code not in ELSEWHERE:
                raise
    return newest, catalog.choose(table, newest, **choice)


def _types(df: pd.DataFrame, known: Mapping[str, str]) -> dict[str, str]:
    check_columns(list(df.columns))
    return {name: known[name] if name in known else type_of(name, df[name]) for name in map(str, df.columns)}
