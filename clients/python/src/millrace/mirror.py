"""The catalogue's mirror in AWS Glue, moved after each commit by whoever made it. A commit never fails for it: what was missed then,
`millrace table sync` repairs. What is compared, and how it is repaired, is as in the npm package's `compare-mirror.ts` and `sync-mirror.ts`."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from millrace.catalog import Catalog
from millrace.deployment import aws_client
from millrace.errors import MillraceError
from millrace.glue import Glue, took_too_long
from millrace.mirror_plan import (
    CATALOG_PARAMETER,
    TABLE_PARAMETER,
    MirrorOptions,
    MirrorPartition,
    MirrorTable,
    links_key,
    links_prefix,
    links_text,
    mirror_name,
    partition_style,
    partition_values,
    planned_partition,
    planned_table,
    with_parameters,
)
from millrace.schemas import Schema, read_schema

# The same for functions, the command line and here. Empty: there is no mirror.
PREFIX_VARIABLE = "MILLRACE_GLUE_DATABASE_PREFIX"
PREFIX = re.compile(r"[a-z][a-z0-9_]{0,100}")
# A committer waits no longer for a metastore.
MOVE_SECONDS_MAX = 20.0
# As the npm package has them, and within that.
CALL = {"connect_timeout": 1, "read_timeout": 5, "retries": {"total_max_attempts": 3, "mode": "standard"}}
# Each further one means that somebody else committed, or wrote to Glue, in between.
ROUNDS_MAX = 5
# Batch items, manifests and lists of parts, beside one another.
CALLS_MAX = 8
# Only Parquet has columns.
FORMAT = "parquet"

LOG = logging.getLogger("millrace")

Given = TypeVar("Given")
Result = TypeVar("Result")


class Mirror:
    """Of a deployed catalogue, where the environment names one."""

    def __init__(self, catalog: Catalog, env: Mapping[str, str] = os.environ) -> None:
        """Raises MillraceError `environment-invalid`; nothing is called yet."""
        self._catalog, self._env = catalog, env
        prefix = _database_prefix(env.get(PREFIX_VARIABLE, ""))
        self._options = None if prefix is None else MirrorOptions(prefix, catalog.table_name, catalog.bucket)

    def move(self, table: str, partition: str) -> None:
        """After a commit to it, which has happened: nothing is raised, and what went wrong is a warning of the logger `millrace`."""
        options = self._options
        if options is None:
            return
        try:
            if _newest_schema(self._catalog, table).attributes["format"] != FORMAT:
                return
            glue = Glue(_glue_client(self._env), time.monotonic() + MOVE_SECONDS_MAX)
            mover = Mover(self._catalog, glue, options, table)
            _in_time(lambda: mover.move(partition), MOVE_SECONDS_MAX)
        except Exception as error:
            text = error.message if isinstance(error, MillraceError) else str(error)
            LOG.warning(
                "The commit to %s, partition %s, is done; its mirror in AWS Glue was not moved: %s\nIt is done by `millrace table sync`.",
                table,
                partition,
                text,
            )


@dataclass(frozen=True)
class Put:
    """A partition that is to be created, or put in the place of what Glue has."""

    partition: str
    batch_id: str
    location: str
    planned: MirrorPartition
    actual: MirrorPartition | None


@dataclass(frozen=True)
class Repairs:
    puts: list[Put]
    drops: list[tuple[str, ...]]
    # Planned, and what Glue has; None: the table is right.
    table: tuple[MirrorTable, MirrorTable | None] | None = None


class Mover:
    """Makes Glue say of a table what the catalogue says."""

    def __init__(self, catalog: Catalog, glue: Glue, options: MirrorOptions, table: str) -> None:
        self._catalog, self._glue, self._options, self._table = catalog, glue, options, table
        self._at = mirror_name(options, table)

    def move(self, partition: str) -> None:
        """Looks again until nothing differs: of two committers at once the slower one may have written the older place last.

        Raises MillraceError `mirror-name-taken`, `mirror-keys-differ`, `mirror-contended`.
        """
        for round in range(ROUNDS_MAX + 1):
            repairs = self._compare(partition)
            if repairs.table is None and not repairs.puts and not repairs.drops:
                return
            if round < ROUNDS_MAX:
                self._repair(repairs)
        raise MillraceError(
            f"The mirror of {self._table}, partition {partition}, keeps changing",
            code="mirror-contended",
            next="Run `millrace table sync`; if it stays, find out who else writes to the table of the mirror.",
        )

    def _compare(self, only: str) -> Repairs:
        """Of one partition alone, where the table itself is right. Glue is read before the log, so that what it has is never the newer."""
        schema = _newest_schema(self._catalog, self._table)
        actual = self._glue.table(self._at)
        if actual is not None:
            self._refuse_foreign(actual)
            style = actual.style if schema.partition_keys is None else partition_style(schema, [])
            values, planned = partition_values(style, only), planned_table(self._options, self._table, schema, style)
            if values is not None and actual.shows(planned):
                found = self._glue.partition(self._at, values)
                entry = self._catalog.newest_entry(self._table, only)
                return self._compare_partitions(planned, [] if found is None else [found], {} if entry is None else {only: entry})
        there = [] if actual is None else list(self._glue.partitions(self._at))
        current = self._catalog.newest_entries(self._table)
        planned = planned_table(self._options, self._table, schema, partition_style(schema, list(current)))
        listed = self._catalog.keys(links_prefix(self._table))
        if actual is not None and actual.is_keyed_otherwise(planned):
            raise MillraceError(
                f"The table {self._table} has other partition keys in the mirror",
                code="mirror-keys-differ",
                next="Run `millrace table sync`: it drops the table from the mirror and makes it anew.",
            )
        repairs = self._compare_partitions(planned, there, current, listed)
        is_right = actual is not None and actual.shows(planned)
        return repairs if is_right else replace(repairs, table=(planned, actual))

    def _compare_partitions(
        self,
        planned: MirrorTable,
        there: Sequence[MirrorPartition],
        current: Mapping[str, dict[str, Any]],
        listed: set[str] | None = None,
    ) -> Repairs:
        """`there` is what Glue has. `listed` are the lists of parts that are there; None: they are not looked at."""
        left, puts = {each.values: each for each in there}, list[Put]()
        records = _beside(lambda each: self._record(*each), current.items())
        for (partition, entry), record in zip(current.items(), records, strict=True):
            values = partition_values(planned.style, partition)
            # Nobody can read what is cold or purged; an engine must not try.
            if values is None or record["state"] != "hot" or "purged" in record:
                continue
            wanted, actual = planned_partition(self._options, planned, values, entry, record), left.pop(values, None)
            is_listed = listed is None or links_key(record["location"]) in listed
            if actual is None or not actual.shows(wanted) or not is_listed:
                puts.append(Put(partition, record["batchId"], record["location"], wanted, actual))
        return Repairs(puts, list(left))

    def _record(self, partition: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        batch_id = entry["batchId"]
        record = self._catalog.item(self._table, f"batch#{partition}#{batch_id}")
        if record is not None:
            return record
        raise MillraceError(
            f"The log of {self._table} names {batch_id}, which has no batch item",
            code="batch-not-found",
            next="Roll back to a batch that is there.",
        )

    def _repair(self, repairs: Repairs) -> None:
        """Partitions before the table: whoever dies in between leaves a table that still differs, which the next commit sees."""
        planned, actual = repairs.table or (None, None)
        if planned is not None and actual is None:
            self._glue.create_table(self._at, planned)
        _beside(self._list_parts, repairs.puts)
        if repairs.drops:
            self._glue.drop_partitions(self._at, repairs.drops)
        if repairs.puts:
            self._glue.put_partitions(self._at, [with_parameters(put.planned, put.actual) for put in repairs.puts])
        if planned is not None and actual is not None:
            self._glue.update_table(self._at, with_parameters(planned, actual))

    def _list_parts(self, put: Put) -> None:
        """The object that engines follow to the parts; of a batch that has one already nothing changes."""
        batch = self._catalog.batch(self._table, put.partition, put.batch_id)
        text = links_text(self._options.bucket, put.location, batch.manifest["parts"])
        self._catalog.create_if_absent(links_key(put.location), text.encode(), "text/plain")

    def _refuse_foreign(self, actual: MirrorTable) -> None:
        owner, table = actual.parameters.get(CATALOG_PARAMETER), actual.parameters.get(TABLE_PARAMETER)
        if (owner, table) == (self._options.catalog_name, self._table):
            return
        whose = "of somebody else" if owner is None or table is None else f"{table} of {owner}"
        raise MillraceError(
            f"The table {self._at.database}.{self._at.name} of the mirror is {whose}",
            code="mirror-name-taken",
            next="Give the mirror another database prefix, or drop that table if nobody needs it.",
        )


def _newest_schema(catalog: Catalog, table: str) -> Schema:
    items = catalog.query(table, "schema")
    if items:
        return read_schema(items[-1])
    raise MillraceError(f"There is no table {table}", code="table-not-found", next="Check its name.")


def _database_prefix(text: str) -> str | None:
    if text == "":
        return None
    if PREFIX.fullmatch(text) is None:
        raise MillraceError(
            f'{PREFIX_VARIABLE} is "{text}", which no database of Glue can begin with',
            code="environment-invalid",
            next="Use small letters, digits and _, a letter first: shop_dev__",
        )
    return text


def _glue_client(env: Mapping[str, str]) -> Any:
    """At AWS_ENDPOINT_URL_GLUE where another cloud than the other services' is meant."""
    endpoint = env.get("AWS_ENDPOINT_URL_GLUE") or env.get("AWS_ENDPOINT_URL", "")
    return aws_client("glue", {**env, "AWS_ENDPOINT_URL": endpoint}, **CALL)


def _in_time(work: Callable[[], None], seconds: float) -> None:
    """Raises what the work raises, or `deadline-near`: then it is not waited for, and ends with its next call."""
    ended: list[Exception | None] = []

    def run() -> None:
        try:
            work()
            ended.append(None)
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True, name="millrace-mirror")
    thread.start()
    thread.join(seconds)
    error = ended[0] if ended else took_too_long()
    if error is not None:
        raise error


def _beside(call: Callable[[Given], Result], each: Iterable[Given]) -> list[Result]:
    """Some of them at a time; in their order."""
    with ThreadPoolExecutor(CALLS_MAX) as pool:
        return list(pool.map(call, each))
