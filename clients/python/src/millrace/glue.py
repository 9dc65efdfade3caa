"""AWS Glue as the mirror needs it: a table, its partitions, and what each failure of a call means. As the npm package's `glue-catalog.ts`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from millrace.errors import MillraceError
from millrace.mirror_plan import MirrorName, MirrorPartition, MirrorTable, Storage

# AWS Glue API reference: of BatchCreatePartition and BatchUpdatePartition, and of BatchDeletePartition.
WRITES_MAX = 100
DELETES_MAX = 25

NOT_FOUND = "EntityNotFoundException"
EXISTS = "AlreadyExistsException"
# Somebody else updates the same table; who looks again afterwards sees what came of it.
CONCURRENT = "ConcurrentModificationException"


class Glue:
    """Everything raises MillraceError."""

    def __init__(self, client: Any, end: float, clock: Callable[[], float] = time.monotonic) -> None:
        """No call begins after `end`, an instant of the clock."""
        self._client, self._end, self._clock = client, end, clock

    def table(self, at: MirrorName) -> MirrorTable | None:
        answer = self._call("get_table", at, [NOT_FOUND], DatabaseName=at.database, Name=at.name)
        if answer is None:
            return None
        found = answer["Table"]
        return MirrorTable(
            description=found.get("Description", ""),
            partition_keys=tuple(key["Name"] for key in found.get("PartitionKeys", [])),
            storage=_storage(found.get("StorageDescriptor", {})),
            parameters=found.get("Parameters", {}),
        )

    def create_table(self, at: MirrorName, table: MirrorTable) -> None:
        """Its database too, where there is none. Of a table that is there already nothing changes."""
        asked = {"DatabaseName": at.database, "TableInput": _table_input(at, table)}
        if self._call("create_table", at, [EXISTS, NOT_FOUND], **asked) is not None:
            return
        database = {"Name": at.database, "Description": "Mirror of a catalogue of Millrace"}
        self._call("create_database", at, [EXISTS], DatabaseInput=database)
        self._call("create_table", at, [EXISTS], **asked)

    def update_table(self, at: MirrorName, table: MirrorTable) -> None:
        # Every move of a column would otherwise keep the whole table once more, for ever.
        asked = {"DatabaseName": at.database, "TableInput": _table_input(at, table), "SkipArchive": True}
        self._call("update_table", at, [CONCURRENT], **asked)

    def partition(self, at: MirrorName, values: Sequence[str]) -> MirrorPartition | None:
        asked = {"DatabaseName": at.database, "TableName": at.name, "PartitionValues": list(values)}
        answer = self._call("get_partition", at, [NOT_FOUND], **asked)
        return None if answer is None else _partition(answer["Partition"])

    def partitions(self, at: MirrorName) -> Iterator[MirrorPartition]:
        """All of the table, in any order."""
        asked = {"DatabaseName": at.database, "TableName": at.name}
        while True:
            page = self._call("get_partitions", at, [NOT_FOUND], **asked) or {}
            yield from map(_partition, page.get("Partitions", []))
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]

    def put_partitions(self, at: MirrorName, partitions: Sequence[MirrorPartition]) -> None:
        """One that is there is updated: Glue has no call that does either."""
        target = {"DatabaseName": at.database, "TableName": at.name}
        for group in _groups(partitions, WRITES_MAX):
            inputs = [_partition_input(each) for each in group]
            created = self._call("batch_create_partition", at, **target, PartitionInputList=inputs) or {}
            refused = {tuple(error.get("PartitionValues", [])) for error in _failures(at, created, [EXISTS])}
            entries = [
                {"PartitionValueList": each["Values"], "PartitionInput": each} for each in inputs if tuple(each["Values"]) in refused
            ]
            if entries:
                updated = self._call("batch_update_partition", at, **target, Entries=entries) or {}
                _failures(at, updated, [NOT_FOUND])

    def drop_partitions(self, at: MirrorName, values: Sequence[Sequence[str]]) -> None:
        """Also where there is none."""
        for group in _groups(values, DELETES_MAX):
            listed = [{"Values": list(each)} for each in group]
            asked = {"DatabaseName": at.database, "TableName": at.name, "PartitionsToDelete": listed}
            _failures(at, self._call("batch_delete_partition", at, [NOT_FOUND], **asked) or {}, [NOT_FOUND])

    def _call(self, method: str, at: MirrorName, allowed: Sequence[str] = (), **asked: Any) -> dict[str, Any] | None:
        """None: one of the allowed failures."""
        if self._clock() >= self._end:
            raise took_too_long()
        try:
            answer: dict[str, Any] = getattr(self._client, method)(**asked)
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            if code in allowed:
                return None
            raise _refused(f"AWS Glue answered {code} for {at.database}.{at.name}: {error}") from error
        except BotoCoreError as error:
            raise MillraceError(
                f"AWS Glue cannot be reached for {at.database}.{at.name}: {error}",
                code="mirror-unavailable",
                next="Run `millrace table sync` later.",
            ) from error
        return answer


def took_too_long() -> MillraceError:
    return MillraceError("AWS Glue took too long", code="deadline-near", next="Run `millrace table sync` later.")


def _failures(at: MirrorName, answer: Mapping[str, Any], allowed: Sequence[str]) -> list[dict[str, Any]]:
    """Partitions that were refused for one of the allowed reasons; raises for any other."""
    failures: list[dict[str, Any]] = answer.get("Errors", [])
    for failure in failures:
        detail = failure.get("ErrorDetail", {})
        if detail.get("ErrorCode") not in allowed:
            what = f"{detail.get('ErrorCode')}: {detail.get('ErrorMessage')}"
            raise _refused(f"AWS Glue refused a partition of {at.database}.{at.name}, {what}")
    return failures


def _refused(message: str) -> MillraceError:
    return MillraceError(message, code="mirror-refused", next="It is a missing permission, or a request that AWS Glue does not accept.")


def _table_input(at: MirrorName, table: MirrorTable) -> dict[str, Any]:
    return {
        "Name": at.name,
        "Description": table.description,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": dict(table.parameters),
        # What stands in a path has no other type.
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.partition_keys],
        "StorageDescriptor": _descriptor(table.storage),
    }


def _partition_input(partition: MirrorPartition) -> dict[str, Any]:
    return {
        "Values": list(partition.values),
        "Parameters": dict(partition.parameters),
        "StorageDescriptor": _descriptor(partition.storage),
    }


def _descriptor(storage: Storage) -> dict[str, Any]:
    return {
        "Location": storage.location,
        "Columns": [{"Name": name, "Type": kind} for name, kind in storage.columns],
        "InputFormat": storage.input_format,
        "OutputFormat": storage.output_format,
        "SerdeInfo": {"SerializationLibrary": storage.serde, "Parameters": {"serialization.format": "1"}},
    }


def _partition(found: Mapping[str, Any]) -> MirrorPartition:
    return MirrorPartition(tuple(found.get("Values", [])), _storage(found.get("StorageDescriptor", {})), found.get("Parameters", {}))


def _storage(descriptor: Mapping[str, Any]) -> Storage:
    return Storage(
        location=descriptor.get("Location", ""),
        columns=tuple((column.get("Name", ""), column.get("Type", "")) for column in descriptor.get("Columns", [])),
        input_format=descriptor.get("InputFormat", ""),
        output_format=descriptor.get("OutputFormat", ""),
        serde=descriptor.get("SerdeInfo", {}).get("SerializationLibrary", ""),
    )


Item = TypeVar("Item")


def _groups(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    return (items[start : start + most] for start in range(0, len(items), most))
