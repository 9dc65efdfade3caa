"""The catalogue as a reader sees it, believing nothing: a manifest must have the hash that the batch item names, each part the
bytes, the hash and the rows that the manifest names. Laid out as docs/catalog.md says."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from millrace.batches import Batch, damaged, purged, unavailable
from millrace.checksum import values_checksum
from millrace.column_types import as_stored, missing_in_parquet
from millrace.deployment import Deployment, aws_client, find_deployment
from millrace.errors import MillraceError
from millrace.naming import batch_sort_key, check_batch_id, place_of_location
from millrace.objects import Objects
from millrace.text_formats import TEXT_FORMATS, read_text_part

MANIFEST_FORMAT_VERSION = 1


class Catalog:
    """The catalogue of a deployed pipeline."""

    def __init__(self, pipeline: str, stage: str = "dev", *, dynamodb: Any = None, s3: Any = None) -> None:
        self._deployment: Deployment = find_deployment(pipeline, stage)
        self.dynamodb = dynamodb if dynamodb is not None else aws_client("dynamodb")
        self.objects = Objects(s3 if s3 is not None else aws_client("s3"), self.bucket)

    @property
    def pipeline(self) -> str:
        return self._deployment.pipeline

    @property
    def table_name(self) -> str:
        return self._deployment.catalog_table

    @property
    def bucket(self) -> str:
        return self._deployment.catalog_bucket

    def batch(self, table: str, partition: str, batch_id: str) -> Batch:
        """A batch by its ID; `table` is `db.table`."""
        item = self.item(table, batch_sort_key(partition, batch_id))
        if item is None:
            raise MillraceError(
                f"There is no batch {batch_id} of {table}, partition {partition}",
                code="batch-not-found",
                next="`millrace table history` lists those that were committed.",
            )
        if item["state"] == "purged":
            raise purged(item)
        if item["state"] == "cold":
            raise MillraceError(
                f"The batch {batch_id} was moved to cold storage", code="batch-cold", next="Restore it first."
            )
        body = self.get_object(item["manifestKey"])
        if _sha256(body) != item["manifestSha256"]:
            raise damaged(item["manifestKey"], "its SHA-256 is not the one in the catalogue")
        manifest = json.loads(body)
        if manifest["formatVersion"] != MANIFEST_FORMAT_VERSION:
            raise MillraceError(
                f"The manifest {item['manifestKey']} is of format version {manifest['formatVersion']}",
                code="manifest-invalid",
                next="Read it with a newer release of this package.",
            )
        return Batch(batch_id=batch_id, location=item["location"], manifest=manifest)

    def current(self, table: str, partition: str) -> str | None:
        """ID of the batch that is current there: that of the highest log entry."""
        entry = self.newest_entry(table, partition)
        return None if entry is None else str(entry["batchId"])

    def newest_entry(self, table: str, partition: str) -> dict[str, Any] | None:
        found = self.query(table, f"log#{partition}#", is_last_only=True)
        return None if not found else _numbered(found[0])

    def entries(self, table: str, partition: str) -> list[dict[str, Any]]:
        """The log of a partition, the newest first."""
        return [_numbered(entry) for entry in reversed(self.query(table, f"log#{partition}#"))]

    def partitions(self, table: str) -> list[str]:
        """All that something was ever committed to, in order."""
        return sorted(self.newest_entries(table))

    def newest_entries(self, table: str) -> dict[str, dict[str, Any]]:
        """By partition, of all that something was ever committed to."""
        # Those of a partition come in the order of their numbers: the last one stays.
        return {str(item["sk"])[len("log#") :].rsplit("#", 1)[0]: _numbered(item) for item in self.query(table, "log#")}

    def choose(
        self,
        table: str,
        partition: str,
        *,
        batch_id: str | None = None,
        anchor: str | None = None,
        as_of: datetime.datetime | None = None,
    ) -> str:
        """ID of the batch that is meant: current, unless one of the three says another."""
        if sum(given is not None for given in (batch_id, anchor, as_of)) > 1:
            raise MillraceError(
                f"More than one of batch ID, anchor and time says which batch of {table} is meant",
                code="choice-ambiguous",
                next="Give one of them.",
            )
        if batch_id is not None:
            check_batch_id(batch_id)
            # One that no entry names was never visible.
            if not any(entry["batchId"] == batch_id for entry in self.entries(table, partition)):
                raise MillraceError(
                    f"No batch {batch_id} was ever committed to {table}, partition {partition}",
                    code="batch-not-found",
                    next="`millrace table history` lists those that were.",
                )
            return batch_id
        if anchor is not None:
            return self._anchored(table, partition, anchor)
        if as_of is None:
            found = self.current(table, partition)
        else:
            if not isinstance(as_of, datetime.datetime) or as_of.tzinfo is None:
                raise MillraceError("The time as_of is no datetime with a time zone", code="usage", next="Give one: datetime(…, tzinfo=timezone.utc).")
            until = as_of.timestamp() * 1000
            found = next((str(entry["batchId"]) for entry in self.entries(table, partition) if entry["at"] <= until), None)
        if found is None:
            raise MillraceError(
                f"Nothing was committed to {table}, partition {partition}{'' if as_of is None else ', until then'}",
                code="partition-empty",
                next="Check the names of table and partition, or store a batch.",
            )
        return found

    def refuse_yanked(self, table: str, batch_id: str) -> None:
        yank = self.item(table, f"yank#{batch_id}")
        if yank is not None:
            raise MillraceError(
                f"{batch_id} was yanked by {yank['who']}: {yank['why']}", code="batch-yanked", next="Use another batch."
            )

    def create_if_absent(self, key: str, body: bytes, content_type: str) -> bool:
        """False where there is one of this name: it stays."""
        return self.objects.create(key, body, content_type)

    def _anchored(self, table: str, partition: str, anchor: str) -> str:
        for item in reversed(self.query(table, f"batch#{partition}#")):
            if anchor in item.get("anchors", {}):
                return str(item["batchId"])
        raise MillraceError(
            f"No batch of {table}, partition {partition}, is anchored by {anchor}",
            code="anchor-not-found",
            next="Anchor one first: `millrace table anchor`.",
        )

    def partition_of(self, table: str, batch_id: str) -> str | None:
        """A partition that has this batch; it has the same bytes in all that do."""
        keys = [str(item["sk"]).split("#") for item in self.query(table, "batch#")]
        return next((partition for _, partition, batch in keys if batch == batch_id), None)

    def bodies(self, batch: Batch) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of one part after another, each checked before it is handed out."""
        for part in batch.manifest["parts"]:
            key = batch.location + part["name"]
            body = self.get_object(key)
            if len(body) != part["bytes"] or _sha256(body) != part["sha256"]:
                raise damaged(key, "it is not what its manifest says")
            yield part["name"], body

    def definitions(self) -> dict[str, Any] | None:
        """What is deployed, as the last deploy has recorded it; None where none has."""
        table, partition = f"definitions.{self._deployment.pipeline}", self._deployment.stage
        batch_id = self.current(table, partition)
        if batch_id is None:
            return None
        for _, body in self.bodies(self.batch(table, partition, batch_id)):
            definitions: dict[str, Any] = json.loads(body)["definitions"]
            return definitions
        return None

    def parts(self, batch: Batch, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """One part after another, each checked before it is handed out, with the columns of the batch, or those given, in order."""
        kind = str(batch.manifest["format"])
        if kind != "parquet" and kind not in TEXT_FORMATS:
            raise MillraceError(
                f"The parts of {batch.table} are {kind}, which has no rows",
                code="format-has-no-rows",
            )
        names = list(batch.columns) if columns is None else columns
        rows = {part["name"]: part["rows"] for part in batch.manifest["parts"]}
        for name, body in self.bodies(batch):
            table = _read_parquet(name, body, batch, names) if kind == "parquet" else _read_text(kind, name, body, batch)
            if table.num_rows != rows[name]:
                raise damaged(batch.location + name, f"it has {table.num_rows} rows instead of {rows[name]}")
            yield table.select(names)

    def values_checksum(self, batch: Batch) -> str:
        """The same in every language: docs/catalog.md, "Checksum of values"."""
        return values_checksum(self.parts(batch), batch.columns)

    def load(self, batch: Batch) -> pa.Table:
        """All rows, in the order in which they are stored."""
        return pa.concat_tables(list(self.parts(batch)))

    def item(self, table: str, sort_key: str) -> dict[str, Any] | None:
        name = self._deployment.catalog_table
        key = {"table": {"S": table}, "sk": {"S": sort_key}}
        try:
            found = self.dynamodb.get_item(TableName=name, Key=key, ConsistentRead=True).get("Item")
        except (BotoCoreError, ClientError) as error:
            raise unavailable(f"The catalogue {name}", error) from error
        if found is None:
            return None
        return _plain(found)

    def query(self, table: str, prefix: str, *, is_last_only: bool = False) -> list[dict[str, Any]]:
        """Items whose sort key begins so, in order; or the last of them."""
        asked: dict[str, Any] = {
            "TableName": self._deployment.catalog_table,
            "KeyConditionExpression": "#table = :table AND begins_with(sk, :prefix)",
            "ExpressionAttributeNames": {"#table": "table"},
            "ExpressionAttributeValues": {":table": {"S": table}, ":prefix": {"S": prefix}},
            "ConsistentRead": True,
        }
        if is_last_only:
            asked |= {"ScanIndexForward": False, "Limit": 1}
        items: list[dict[str, Any]] = []
        while True:
            try:
                page = self.dynamodb.query(**asked)
            except (BotoCoreError, ClientError) as error:
                raise unavailable(f"The catalogue {self._deployment.catalog_table}", error) from error
            items += [_plain(item) for item in page["Items"]]
            if is_last_only or "LastEvaluatedKey" not in page:
                return items
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def get_object(self, key: str) -> bytes:
        """Of a batch. What is gone may have been purged since the reader began: then nothing is damaged."""
        body = self.objects.find(key)
        if body is not None:
            return body
        place = place_of_location(key[: key.rindex("/") + 1])
        item = None if place is None else self.item(*place)
        if item is not None and item["state"] == "purged":
            raise purged(item)
        raise damaged(key, "it is not there")

    def keys(self, prefix: str) -> set[str]:
        """Of all objects that begin so."""
        return self.objects.keys(prefix)


def _read_parquet(name: str, body: bytes, batch: Batch, columns: list[str]) -> pa.Table:
    try:
        table = pq.ParquetFile(io.BytesIO(body)).read(columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise damaged(batch.location + name, f"it cannot be read as parquet: {error}") from error
    for column in columns:
        if column not in table.column_names:
            raise missing_in_parquet(column, batch.columns[column])
    # Of no column the file says how many rows there are.
    if not columns:
        return table
    return pa.table({column: as_stored(column, table.column(column), batch.columns[column]) for column in columns})


def _read_text(kind: str, name: str, body: bytes, batch: Batch) -> pa.Table:
    try:
        return read_text_part(kind, body, batch.columns)
    except (ValueError, KeyError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise damaged(batch.location + name, f"it cannot be read as {kind}: {error}") from error


def _numbered(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "number": int(str(entry["sk"]).rsplit("#", 1)[1])}


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    plain = TypeDeserializer()
    return {attribute: plain.deserialize(value) for attribute, value in item.items()}


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
