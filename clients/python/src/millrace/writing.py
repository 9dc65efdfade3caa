"""A batch of a table, written as the engine writes one: parts, manifest, batch item, and last the log entry that makes it visible.
Each is created if absent under names that nobody else has, so a writer that dies leaves what no reader sees."""

from __future__ import annotations

import datetime
import hashlib
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from millrace.batch_items import create_item, hold, refuse_gone
from millrace.catalog import MANIFEST_FORMAT_VERSION, Catalog
from millrace.errors import MillraceError
from millrace.mirror import Mirror
from millrace.naming import batch_sort_key, log_sort_key, new_batch_id, rfc3339, schema_sort_key
from millrace.parts import MANIFEST_NAME, Rows, check_parts, put_parts, refuse_other_objects, taken
from millrace.reason import REASON_BYTES_MAX, Reason
from millrace.schemas import Schema, read_schema, refuse_others
from millrace.stored_json import is_unicode, stored_json

# Lost rounds of one commit: each is somebody else's commit to the same partition.
ROUNDS_MAX = 50
# The manifest names all; an item of DynamoDB takes 400 KB.
INPUTS_IN_ITEM_MAX = 1_000
# Half of the hour for which a held batch is not purged, as the engine has it: what was begun longer ago is held before it is committed.
HOLD_MS = 1_800_000


@dataclass(frozen=True)
class Begun:
    """A batch of which nothing, something or everything may be written."""

    batch_id: str
    at: int
    # Where a key stands for it: the log has it in a later entry, or not yet.
    after: int | None = None
    is_committed: bool = False
    # Somebody may have written some of it before.
    may_be_begun: bool = False


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

    def define(
        self, table: str, columns: Mapping[str, str], owner: str, partition_keys: Sequence[str] | None, *, add_columns: bool = False
    ) -> Schema:
        """Makes the table, or adds columns to it where that is asked for. Raises MillraceError `table-differs` where a column would change
        its type, `column-not-found`."""
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
                if not add_columns:
                    raise MillraceError(
                        f'The table {table} has no column "{lacking[0]["name"]}"',
                        code="column-not-found",
                        next="Give add_columns=True to add it for ever, or leave it out of the frame.",
                    )
                attributes = {**before.attributes, "columns": [*before.attributes["columns"], *lacking]}
                number = before.number + 1
            if create_item(self._catalog, table, schema_sort_key(number), attributes):
                return Schema(number, attributes)
        raise MillraceError(f"Others keep changing the schema of {table}", code="table-contended", next="Find out who defines it otherwise.")

    def store(
        self,
        table: str,
        partition: str,
        rows: Rows,
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
            self._write(table, partition, rows, reason, begun, inputs=inputs, properties=properties)
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
        rows: Rows,
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
        if begun.may_be_begun:
            refuse_gone(self._catalog, table, partition, batch_id)
        parts = self._put_parts(location, rows, begun)
        check_parts(self._catalog.objects, location, parts)
        manifest = {
            "formatVersion": MANIFEST_FORMAT_VERSION,
            "table": table,
            "partition": partition,
            "batchId": batch_id,
            "createdAt": rfc3339(begun.at),
            "who": reason.who,
            "why": reason.why,
            "format": rows.format,
            "columns": [{"name": name, "type": kind} for name, kind in rows.columns.items()],
            "inputs": list(inputs),
            **({"properties": properties} if properties else {}),
            "parts": parts,
        }
        key = location + MANIFEST_NAME
        body = self._put_manifest(key, manifest)
        record = {
            "batchId": batch_id,
            "location": location,
            "format": rows.format,
            "parts": len(parts),
            "rows": sum(part["rows"] for part in parts),
            "bytes": sum(part["bytes"] for part in parts),
            "manifestKey": key,
            "manifestSha256": hashlib.sha256(body).hexdigest(),
            "inputs": list(inputs)[:INPUTS_IN_ITEM_MAX],
            "state": "hot",
            "at": begun.at,
            "who": reason.who,
        }
        now_ms = int(time.time() * 1000)
        if now_ms - begun.at >= HOLD_MS:
            # What was begun long ago is old enough for a sweep until the log names it.
            record["heldAt"] = now_ms
        sort_key = batch_sort_key(partition, batch_id)
        if not create_item(self._catalog, table, sort_key, record):
            # This very write, repeated by the client, or a writer of this batch that has died since; or a sweep, which has taken what had lain
            # there for a day. It may be old enough for one, which leaves it alone from now on.
            hold(self._catalog, table, sort_key, record["manifestSha256"])

    def _put_parts(self, location: str, rows: Rows, begun: Begun) -> list[dict[str, Any]]:
        objects = self._catalog.objects
        if not begun.may_be_begun:
            return put_parts(objects, location, rows)
        manifest = objects.find(location + MANIFEST_NAME)
        parts = put_parts(objects, location, rows, None if manifest is None else json.loads(manifest)["parts"])
        refuse_other_objects(objects, location, parts)
        return parts

    def _begin(self, table: str, partition: str, reason: Reason, idempotency_key: str | None) -> Begun:
        """A new batch, or the one that the key was claimed for: the claim is made before anything else of it."""
        now_ms = int(time.time() * 1000)
        new = new_batch_id(datetime.datetime.fromtimestamp(now_ms / 1000, datetime.timezone.utc))
        if idempotency_key is None:
            return Begun(new, now_ms)
        key = idempotency_key.encode(errors="surrogatepass")
        if idempotency_key.strip() == "" or not is_unicode(idempotency_key) or len(key) > REASON_BYTES_MAX:
            raise MillraceError(
                f"The idempotency key is empty, not Unicode or longer than {REASON_BYTES_MAX} bytes",
                code="idempotency-key-invalid",
                next="Name what is stored and from what: `orders of 2026-06-30, export 17`.",
            )
        sort_key = f"claim#{partition}#{hashlib.sha256(key).hexdigest()}"
        newest = self._catalog.newest_entry(table, partition)
        after = 0 if newest is None else int(newest["number"])
        if create_item(self._catalog, table, sort_key, {"batchId": new, "after": after, "at": now_ms, "who": reason.who}):
            return Begun(new, now_ms, after)
        claim = self._catalog.item(table, sort_key)
        if claim is None:
            raise MillraceError("Another claims this idempotency key just now", code="catalog-contended", next="Try again.")
        if "together" in claim:
            raise MillraceError(
                f"The idempotency key stands for batches of several partitions of {table}",
                code="idempotency-key-reused",
                next="Take another key.",
            )
        batch_id, after = str(claim["batchId"]), int(claim["after"])
        committed = self._commit_entry(table, partition, batch_id, after)
        return Begun(batch_id, int(claim["at"]), after, is_committed=committed is not None, may_be_begun=True)

    def _commit_entry(self, table: str, partition: str, batch_id: str, after: int) -> dict[str, Any] | None:
        later = (entry for entry in self._catalog.entries(table, partition) if entry["number"] > after)
        return next((entry for entry in later if entry["kind"] == "commit" and entry["batchId"] == batch_id), None)

    def _put_manifest(self, key: str, manifest: Mapping[str, Any]) -> bytes:
        """One of the same parts that is there already is what a writer of this batch left behind: it is taken as it is."""
        body = stored_json(manifest, indent=2)
        objects = self._catalog.objects
        if objects.create(key, body, "application/json"):
            return body
        existing = self._catalog.get_object(key)
        if existing != body and json.loads(existing)["parts"] != manifest["parts"]:
            raise taken(key)
        return existing

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
            is_done = create_item(self._catalog, table, log_sort_key(partition, number), entry)
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
