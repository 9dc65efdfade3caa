"""A batch of a table, written as the engine writes one: parts, manifest, batch item, and last the log entry that makes it visible.
Each is created if absent under names that nobody else has, so a writer that dies leaves what no reader sees."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from millrace.batches import unavailable
from millrace.catalog import MANIFEST_FORMAT_VERSION, Catalog
from millrace.errors import MillraceError
from millrace.mirror import Mirror
from millrace.naming import log_sort_key, new_batch_id, rfc3339, schema_sort_key
from millrace.reason import REASON_BYTES_MAX, Reason
from millrace.schemas import Schema, read_schema, refuse_others

# As the engine's own: some MB a part.
PART_ROWS_MAX = 100_000
# Lost rounds of one commit: each is somebody else's commit to the same partition.
ROUNDS_MAX = 50
# Half an hour: what a writer takes at most between its batch item and its log entry, as the engine has it.
HOLD_MS = 1_800_000


@dataclass(frozen=True)
class Begun:
    """A batch of which nothing, something or everything may be written."""

    batch_id: str
    at: int
    # Where a key stands for it: the log has it in a later entry, or not yet.
    after: int | None = None
    is_committed: bool = False


class Writer:
    """Writes into the catalogue that the reader reads."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog, self._mirror = catalog, Mirror(catalog)

    def schema(self, table: str) -> Schema | None:
        schemas = self._schemas(table)
        return schemas[-1] if schemas else None

    def _schemas(self, table: str) -> list[Schema]:
        """The oldest first."""
        return [read_schema(item) for item in self._catalog.query(table, "schema")]

    def define(self, table: str, columns: Mapping[str, str], owner: str, partition_keys: Sequence[str] | None) -> Schema:
        """Makes the table, or adds columns to it. Raises MillraceError `table-differs` where a column would change its type."""
        for _ in range(ROUNDS_MAX):
            schemas = self._schemas(table)
            before = schemas[-1] if schemas else None
            listed = [{"name": name, "type": kind} for name, kind in columns.items()]
            if before is None:
                keys = {} if partition_keys is None else {"partitionKeys": list(partition_keys)}
                attributes = {"columns": listed, "format": "parquet", "owner": owner, **keys}
                number = 1
            else:
                refuse_others(table, schemas, columns, partition_keys)
                lacking = [column for column in listed if column["name"] not in before.columns]
                if not lacking:
                    return before
                attributes = {**before.attributes, "columns": [*before.attributes["columns"], *lacking]}
                number = before.number + 1
            if self._create_item(table, schema_sort_key(number), attributes):
                return Schema(number, attributes)
        raise MillraceError(f"Others keep changing the schema of {table}", code="table-contended", next="Find out who defines it otherwise.")

    def store(
        self,
        table: str,
        partition: str,
        rows: pa.Table,
        columns: Mapping[str, str],
        reason: Reason,
        *,
        inputs: Sequence[Mapping[str, str]],
        properties: Mapping[str, Any],
        idempotency_key: str | None = None,
    ) -> str:
        """The batch ID of what is current then; of a key that was used before, of the batch that it stands for."""
        begun = self._begin(table, partition, reason, idempotency_key)
        if begun.is_committed:
            return begun.batch_id
        try:
            self._write(table, partition, rows, columns, reason, begun, inputs=inputs, properties=properties)
        except MillraceError as error:
            if idempotency_key is None or error.code != "batch-exists":
                raise
            raise MillraceError(
                f"The idempotency key stands for {begun.batch_id} of {table}, whose bytes are others",
                code="idempotency-key-reused",
                next="Nothing was committed. Take another key for other data, or for data that another version of pyarrow writes.",
            ) from error
        self.append(table, partition, "commit", begun.batch_id, reason, after=begun.after)
        return begun.batch_id

    def _write(
        self,
        table: str,
        partition: str,
        rows: pa.Table,
        columns: Mapping[str, str],
        reason: Reason,
        begun: Begun,
        *,
        inputs: Sequence[Mapping[str, str]],
        properties: Mapping[str, Any],
    ) -> None:
        """Everything of a batch but the log entry."""
        db, name = table.split(".")
        batch_id = begun.batch_id
        location = f"{db}/{name}/{partition}/{batch_id}/"
        parts = [self._put_part(location, index, part) for index, part in enumerate(_parts(rows))]
        manifest = {
            "formatVersion": MANIFEST_FORMAT_VERSION,
            "table": table,
            "partition": partition,
            "batchId": batch_id,
            "createdAt": rfc3339(begun.at),
            "who": reason.who,
            "why": reason.why,
            "format": "parquet",
            "columns": [{"name": name, "type": kind} for name, kind in columns.items()],
            "inputs": list(inputs),
            **({"properties": dict(properties)} if properties else {}),
            "parts": parts,
        }
        key = location + "manifest.json"
        body = self._put_manifest(key, manifest)
        record = {
            "batchId": batch_id,
            "location": location,
            "format": "parquet",
            "parts": len(parts),
            "rows": sum(part["rows"] for part in parts),
            "bytes": sum(part["bytes"] for part in parts),
            "manifestKey": key,
            "manifestSha256": hashlib.sha256(body).hexdigest(),
            "inputs": list(inputs),
            "state": "hot",
            "at": begun.at,
            "who": reason.who,
        }
        now_ms = int(time.time() * 1000)
        if now_ms - begun.at > HOLD_MS:
            # What was begun long ago is old enough for a sweep until the log names it.
            record["heldAt"] = now_ms
        sort_key = f"batch#{partition}#{batch_id}"
        if not self._create_item(table, sort_key, record):
            # This very write, repeated by the client, or a writer of this batch that has died since; or a sweep, which has taken what had lain
            # there for a day.
            taker = self._catalog.item(table, sort_key) or {}
            if taker.get("state") == "purged" or taker.get("manifestSha256") != record["manifestSha256"]:
                raise MillraceError(f"{sort_key} of {table} was taken by somebody else", code="batch-exists", next="Store again.")

    def _begin(self, table: str, partition: str, reason: Reason, idempotency_key: str | None) -> Begun:
        """A new batch, or the one that the key was claimed for: the claim is made before anything else of it."""
        now_ms = int(time.time() * 1000)
        new = new_batch_id(datetime.datetime.fromtimestamp(now_ms / 1000, datetime.timezone.utc))
        if idempotency_key is None:
            return Begun(new, now_ms)
        key = idempotency_key.encode(errors="surrogatepass")
        if idempotency_key.strip() == "" or len(key) > REASON_BYTES_MAX:
            raise MillraceError(
                f"The idempotency key is empty or longer than {REASON_BYTES_MAX} bytes",
                code="idempotency-key-invalid",
                next="Name what is stored and from what: `orders of 2026-06-30, export 17`.",
            )
        sort_key = f"claim#{partition}#{hashlib.sha256(key).hexdigest()}"
        newest = self._catalog.newest_entry(table, partition)
        after = 0 if newest is None else int(newest["number"])
        if self._create_item(table, sort_key, {"batchId": new, "after": after, "at": now_ms, "who": reason.who}):
            return Begun(new, now_ms, after)
        claim = self._catalog.item(table, sort_key) or {}
        if "together" in claim:
            raise MillraceError(
                f"The idempotency key stands for batches of several partitions of {table}",
                code="idempotency-key-reused",
                next="Take another key.",
            )
        batch_id, after = str(claim["batchId"]), int(claim["after"])
        committed = self._commit_entry(table, partition, batch_id, after)
        return Begun(batch_id, int(claim["at"]), after, committed is not None)

    def _commit_entry(self, table: str, partition: str, batch_id: str, after: int) -> dict[str, Any] | None:
        later = (entry for entry in self._catalog.entries(table, partition) if entry["number"] > after)
        return next((entry for entry in later if entry["kind"] == "commit" and entry["batchId"] == batch_id), None)

    def _put_manifest(self, key: str, manifest: Mapping[str, Any]) -> bytes:
        """One of the same parts that is there already is what a writer of this batch left behind: it is taken as it is."""
        body = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
        try:
            self._catalog.create_object(key, body, "application/json")
        except MillraceError as error:
            if error.code != "batch-exists":
                raise
            existing = self._catalog.get_object(key)
            if json.loads(existing)["parts"] != manifest["parts"]:
                raise
            return existing
        return body

    def append(
        self, table: str, partition: str, kind: str, batch_id: str, reason: Reason, *, after: int | None = None
    ) -> dict[str, Any]:
        """One more entry of the partition's log, after the highest one; who finds it taken takes the next.

        With `after`, the batch is committed once: an entry later than it that has done so is the answer.
        """
        token = new_batch_id(datetime.datetime.now(datetime.timezone.utc))
        for round in range(1, ROUNDS_MAX + 1):
            newest = self._catalog.newest_entry(table, partition)
            if after is not None and newest is not None and newest["number"] > after:
                # Every entry until the newest is looked at; the next number is taken only if none has come since.
                committed = self._commit_entry(table, partition, batch_id, after)
                if committed is not None:
                    return committed
            number = 1 if newest is None else newest["number"] + 1
            at = max(int(time.time() * 1000), 0 if newest is None else int(newest["at"]))
            entry = {"kind": kind, "batchId": batch_id, "at": at, "who": reason.who, "why": reason.why, "token": token}
            is_done = self._create_item(table, log_sort_key(partition, number), entry)
            if not is_done:
                # Taken, perhaps by this very write, whose answer was lost and which the client has repeated.
                taker = self._catalog.item(table, log_sort_key(partition, number))
                is_done = taker is not None and taker.get("token") == token
            if is_done:
                self._mirror.move(table, partition)
                return {"number": number, **entry}
            time.sleep(random.uniform(0, min(0.5, 0.01 * 2**round)))
        raise MillraceError(
            f"{ROUNDS_MAX} others committed to {table}, partition {partition}, first", code="log-contended", next="Try again."
        )

    def hold(self, table: str, location: str) -> None:
        """Before a batch becomes current again: from now on a purge of it fails, as this does after one, in the item of where it was stored."""
        _, _, *segments, batch_id, _ = location.split("/")
        key = {"table": {"S": table}, "sk": {"S": f"batch#{'/'.join(segments)}#{batch_id}"}}
        try:
            self._catalog.dynamodb.update_item(
                TableName=self._catalog.table_name,
                Key=key,
                UpdateExpression="SET heldAt = :now, revision = if_not_exists(revision, :none) + :one",
                ConditionExpression="attribute_exists(sk) AND attribute_not_exists(purged) AND #state <> :purged",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":now": {"N": str(int(time.time() * 1000))},
                    ":none": {"N": "0"},
                    ":one": {"N": "1"},
                    ":purged": {"S": "purged"},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise unavailable(f"The catalogue {self._catalog.table_name}", error) from error
            raise MillraceError(
                f"The bytes of {batch_id} are gone or are about to go", code="batch-purged", next="Take another batch of the history."
            ) from error
        except BotoCoreError as error:
            raise unavailable(f"The catalogue {self._catalog.table_name}", error) from error

    def _put_part(self, location: str, index: int, part: pa.Table) -> dict[str, Any]:
        buffer = io.BytesIO()
        pq.write_table(part, buffer, compression="snappy", row_group_size=PART_ROWS_MAX, store_schema=False)
        body, name = buffer.getvalue(), f"part-{index:05}.parquet"
        self._catalog.create_object(location + name, body, "application/vnd.apache.parquet")
        return {"name": name, "bytes": len(body), "rows": part.num_rows, "sha256": hashlib.sha256(body).hexdigest()}

    def _create_item(self, table: str, sort_key: str, attributes: Mapping[str, Any]) -> bool:
        """False where the keys are taken."""
        stored = TypeSerializer()
        item = {name: stored.serialize(value) for name, value in {"table": table, "sk": sort_key, **attributes}.items()}
        name = self._catalog.table_name
        try:
            self._catalog.dynamodb.put_item(TableName=name, Item=item, ConditionExpression="attribute_not_exists(sk)")
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise unavailable(f"The catalogue {name}", error) from error
        except BotoCoreError as error:
            raise unavailable(f"The catalogue {name}", error) from error
        return True


def _parts(rows: pa.Table) -> list[pa.Table]:
    return [rows.slice(start, PART_ROWS_MAX) for start in range(0, rows.num_rows, PART_ROWS_MAX)]
