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

from millrace.catalog import MANIFEST_FORMAT_VERSION, Catalog, unavailable
from millrace.errors import MillraceError
from millrace.naming import log_sort_key, new_batch_id, schema_sort_key

# As the engine's own: some MB a part.
PART_ROWS_MAX = 100_000
# Lost rounds of one commit: each is somebody else's commit to the same partition.
ROUNDS_MAX = 50
REASON_BYTES_MAX = 1_024


@dataclass(frozen=True)
class Reason:
    """Who and why are asked of everybody who changes what others read."""

    who: str
    why: str

    def __post_init__(self) -> None:
        for name, text in (("who", self.who), ("why", self.why)):
            if text.strip() == "" or len(text.encode(errors="surrogatepass")) > REASON_BYTES_MAX:
                raise MillraceError(
                    f'"{name}" is empty or longer than {REASON_BYTES_MAX} bytes', code="reason-invalid", next="Say who and why in a sentence."
                )


@dataclass(frozen=True)
class Schema:
    """What a table is, by its newest schema item."""

    number: int
    attributes: dict[str, Any]

    @property
    def columns(self) -> dict[str, str]:
        return {column["name"]: column["type"] for column in self.attributes["columns"]}

    @property
    def partition_keys(self) -> list[str] | None:
        keys: list[str] | None = self.attributes.get("partitionKeys")
        return keys


class Writer:
    """Writes into the catalogue that the reader reads."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def schema(self, table: str) -> Schema | None:
        items = self._catalog.query(table, "schema")
        if not items:
            return None
        newest = items[-1]
        sort_key = str(newest.pop("sk"))
        newest.pop("table")
        return Schema(1 if sort_key == "schema" else int(sort_key.split("#")[1]), newest)

    def define(self, table: str, columns: Mapping[str, str], owner: str, partition_keys: Sequence[str] | None) -> Schema:
        """Makes the table, or adds columns to it. Raises MillraceError `table-differs` where a column would change its type."""
        for _ in range(ROUNDS_MAX):
            before = self.schema(table)
            listed = [{"name": name, "type": kind} for name, kind in columns.items()]
            if before is None:
                keys = {} if partition_keys is None else {"partitionKeys": list(partition_keys)}
                attributes = {"columns": listed, "format": "parquet", "owner": owner, **keys}
                number = 1
            else:
                _refuse_others(table, before, columns, partition_keys)
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
    ) -> str:
        """The batch ID of what is current then."""
        begun = datetime.datetime.now(datetime.timezone.utc)
        batch_id = new_batch_id(begun)
        db, name = table.split(".")
        location = f"{db}/{name}/{partition}/{batch_id}/"
        parts = [self._put_part(location, index, part) for index, part in enumerate(_parts(rows))]
        manifest = {
            "formatVersion": MANIFEST_FORMAT_VERSION,
            "table": table,
            "partition": partition,
            "batchId": batch_id,
            "createdAt": f"{begun:%Y-%m-%dT%H:%M:%S}.{begun.microsecond // 1000:03}Z",
            "who": reason.who,
            "why": reason.why,
            "format": "parquet",
            "columns": [{"name": name, "type": kind} for name, kind in columns.items()],
            "inputs": list(inputs),
            **({"properties": dict(properties)} if properties else {}),
            "parts": parts,
        }
        key = location + "manifest.json"
        body = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
        self._catalog.create_object(key, body, "application/json")
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
            "at": int(begun.timestamp() * 1000),
            "who": reason.who,
        }
        self._create_item(table, f"batch#{partition}#{batch_id}", record)
        self.append(table, partition, "commit", batch_id, reason)
        return batch_id

    def append(self, table: str, partition: str, kind: str, batch_id: str, reason: Reason) -> dict[str, Any]:
        """One more entry of the partition's log, after the highest one; who finds it taken takes the next."""
        token = new_batch_id(datetime.datetime.now(datetime.timezone.utc))
        for round in range(1, ROUNDS_MAX + 1):
            newest = self._catalog.newest_entry(table, partition)
            number = 1 if newest is None else newest["number"] + 1
            at = max(int(time.time() * 1000), 0 if newest is None else int(newest["at"]))
            entry = {"kind": kind, "batchId": batch_id, "at": at, "who": reason.who, "why": reason.why, "token": token}
            if self._create_item(table, log_sort_key(partition, number), entry):
                return {"number": number, **entry}
            # Taken, perhaps by this very write, whose answer was lost and which the client has repeated.
            taker = self._catalog.item(table, log_sort_key(partition, number))
            if taker is not None and taker.get("token") == token:
                return {"number": number, **entry}
            time.sleep(random.uniform(0, min(0.5, 0.01 * 2**round)))
        raise MillraceError(
            f"{ROUNDS_MAX} others committed to {table}, partition {partition}, first", code="log-contended", next="Try again."
        )

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


def _refuse_others(table: str, before: Schema, columns: Mapping[str, str], partition_keys: Sequence[str] | None) -> None:
    if before.attributes["format"] != "parquet":
        raise MillraceError(f"The parts of {table} are {before.attributes['format']}, which has no rows here", code="format-has-no-rows")
    if partition_keys is not None and list(partition_keys) != before.partition_keys:
        raise MillraceError(
            f"The partition keys of {table} are {', '.join(before.partition_keys or ['not declared'])}",
            code="table-differs",
            next="Leave partition_keys out, or give the table a new name.",
        )
    types = {name.lower(): kind for name, kind in before.columns.items()}
    for name, kind in columns.items():
        if types.get(name.lower(), kind) != kind:
            raise MillraceError(
                f'The column "{name}" of {table} is {types[name.lower()]}, not {kind}',
                code="table-differs",
                next="Convert it, or give the column, or the table, a new name.",
            )
