"""The catalogue as a reader sees it, believing nothing: a manifest must have the hash that the batch item names, each part the
bytes, the hash and the rows that the manifest names. Laid out as docs/catalog.md says."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from millrace.deployment import Deployment, aws_client, find_deployment
from millrace.errors import MillraceError

MANIFEST_FORMAT_VERSION = 1


@dataclass(frozen=True)
class Batch:
    """One batch of a partition, its manifest checked."""

    batch_id: str
    # Prefix of its objects, with the slash.
    location: str
    manifest: dict[str, Any]

    @property
    def table(self) -> str:
        return str(self.manifest["table"])

    @property
    def partition(self) -> str:
        return str(self.manifest["partition"])

    @property
    def columns(self) -> dict[str, str]:
        """Name to type, in order."""
        return {column["name"]: column["type"] for column in self.manifest["columns"]}

    @property
    def properties(self) -> dict[str, Any]:
        """What its maker said beside."""
        properties: dict[str, Any] = self.manifest.get("properties", {})
        return properties


class Catalog:
    """The catalogue of a deployed pipeline."""

    def __init__(self, pipeline: str, stage: str = "dev", *, dynamodb: Any = None, s3: Any = None) -> None:
        self._deployment: Deployment = find_deployment(pipeline, stage)
        self._dynamodb = dynamodb if dynamodb is not None else aws_client("dynamodb")
        self._s3 = s3 if s3 is not None else aws_client("s3")

    def batch(self, table: str, partition: str, batch_id: str) -> Batch:
        """A batch by its ID; `table` is `db.table`."""
        item = self._item(table, f"batch#{partition}#{batch_id}")
        if item is None:
            raise MillraceError(
                f"There is no batch {batch_id} of {table}, partition {partition}",
                code="batch-not-found",
                next="`millrace table history` lists those that were committed.",
            )
        if item["state"] == "cold":
            raise MillraceError(
                f"The batch {batch_id} was moved to cold storage", code="batch-cold", next="Restore it first."
            )
        body = self._object(item["manifestKey"])
        if _sha256(body) != item["manifestSha256"]:
            raise _damaged(item["manifestKey"], "its SHA-256 is not the one in the catalogue")
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
        found = self._query(table, f"log#{partition}#", is_last_only=True)
        return None if not found else str(found[0]["batchId"])

    def partition_of(self, table: str, batch_id: str) -> str | None:
        """A partition that has this batch; it has the same bytes in all that do."""
        keys = [str(item["sk"]).split("#") for item in self._query(table, "batch#")]
        return next((partition for _, partition, batch in keys if batch == batch_id), None)

    def bodies(self, batch: Batch) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of one part after another, each checked before it is handed out."""
        for part in batch.manifest["parts"]:
            key = batch.location + part["name"]
            body = self._object(key)
            if len(body) != part["bytes"] or _sha256(body) != part["sha256"]:
                raise _damaged(key, "it is not what its manifest says")
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

    def parts(self, batch: Batch) -> Iterator[pa.Table]:
        """One part after another, each checked before it is handed out, with the columns of the batch in order."""
        if batch.manifest["format"] != "parquet":
            raise MillraceError(
                f"The parts of {batch.table} are {batch.manifest['format']}, which has no rows",
                code="format-has-no-rows",
            )
        names = list(batch.columns)
        rows = {part["name"]: part["rows"] for part in batch.manifest["parts"]}
        for name, body in self.bodies(batch):
            table = pq.read_table(io.BytesIO(body), columns=names)
            if table.num_rows != rows[name]:
                raise _damaged(batch.location + name, f"it has {table.num_rows} rows instead of {rows[name]}")
            yield table.select(names)

    def load(self, batch: Batch) -> pa.Table:
        """All rows, in the order in which they are stored."""
        return pa.concat_tables(list(self.parts(batch)))

    def _item(self, table: str, sort_key: str) -> dict[str, Any] | None:
        name = self._deployment.catalog_table
        key = {"table": {"S": table}, "sk": {"S": sort_key}}
        try:
            found = self._dynamodb.get_item(TableName=name, Key=key, ConsistentRead=True).get("Item")
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(f"The catalogue {name}", error) from error
        if found is None:
            return None
        return _plain(found)

    def _query(self, table: str, prefix: str, *, is_last_only: bool = False) -> list[dict[str, Any]]:
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
                page = self._dynamodb.query(**asked)
            except (BotoCoreError, ClientError) as error:
                raise _unavailable(f"The catalogue {self._deployment.catalog_table}", error) from error
            items += [_plain(item) for item in page["Items"]]
            if is_last_only or "LastEvaluatedKey" not in page:
                return items
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _object(self, key: str) -> bytes:
        bucket = self._deployment.catalog_bucket
        try:
            body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey as error:
            raise _damaged(key, "it is not there") from error
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(f"The bucket {bucket}", error) from error
        return body


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    plain = TypeDeserializer()
    return {attribute: plain.deserialize(value) for attribute, value in item.items()}


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _damaged(key: str, what: str) -> MillraceError:
    return MillraceError(
        f"{key} cannot be used: {what}", code="batch-damaged", next="Roll the partition back to another batch."
    )


def _unavailable(what: str, error: Exception) -> MillraceError:
    return MillraceError(
        f"{what} cannot be read: {error}",
        code="catalog-unavailable",
        next="Check AWS_ENDPOINT_URL or the region, the credentials, the pipeline's name and the stage.",
    )
