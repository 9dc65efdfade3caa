"""Items of the catalogue: created if absent, and of a batch's item the one change that a writer makes, which a purge cannot overlook:
of two that cannot both be true one fails. As the npm package's `change-batch.ts` and `store-batch.ts` have it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from millrace.batches import purged, unavailable
from millrace.catalog import Catalog
from millrace.errors import MillraceError
from millrace.naming import batch_sort_key

CONDITION_FAILED = "ConditionalCheckFailedException"
# Another's transaction is under way on the same keys: whoever meets it has lost this round.
CONFLICT = "TransactionConflictException"
# Each lost round means that somebody else changed this very item in between.
ROUNDS_MAX = 20


def create_item(catalog: Catalog, table: str, sort_key: str, attributes: Mapping[str, Any]) -> bool:
    """False where the keys are taken."""
    stored = TypeSerializer()
    item = {name: stored.serialize(value) for name, value in {"table": table, "sk": sort_key, **attributes}.items()}
    try:
        catalog.dynamodb.put_item(TableName=catalog.table_name, Item=item, ConditionExpression="attribute_not_exists(sk)")
    except ClientError as error:
        if error.response["Error"]["Code"] in (CONDITION_FAILED, CONFLICT):
            return False
        raise unavailable(f"The catalogue {catalog.table_name}", error) from error
    except BotoCoreError as error:
        raise unavailable(f"The catalogue {catalog.table_name}", error) from error
    return True


def refuse_gone(catalog: Catalog, table: str, partition: str, batch_id: str) -> None:
    """Of a batch that may be begun. Raises MillraceError `batch-yanked`, and `batch-purged` of what a sweep has taken, or is about to."""
    catalog.refuse_yanked(table, batch_id)
    item = catalog.item(table, batch_sort_key(partition, batch_id))
    if item is not None:
        refuse_purged(item)


def refuse_purged(item: Mapping[str, Any]) -> None:
    """Raises MillraceError `batch-purged`, of one that is about to be as well."""
    if item["state"] == "purged" or "purged" in item:
        raise purged(item)


def hold(catalog: Catalog, table: str, sort_key: str, manifest_sha256: str | None = None) -> None:
    """Before a batch becomes current: from now on a purge of it fails, as this does after one. The item is that of where it was stored.

    `manifest_sha256`: that it must be of. Raises MillraceError `batch-purged`, `batch-exists`, `batch-not-found`.
    """
    for _ in range(ROUNDS_MAX):
        if _mark_held(catalog, table, sort_key, manifest_sha256):
            return
        item = catalog.item(table, sort_key)
        if item is None:
            raise MillraceError(
                f"There is no {sort_key} of {table}", code="batch-not-found", next="`millrace table history` lists those that were committed."
            )
        refuse_purged(item)
        if manifest_sha256 not in (None, item["manifestSha256"]):
            raise MillraceError(f"{sort_key} of {table} was taken by somebody else", code="batch-exists", next="Store again.")
    raise MillraceError(f"Others keep changing {sort_key} of {table}", code="batch-contended", next="Try again.")


def _mark_held(catalog: Catalog, table: str, sort_key: str, manifest_sha256: str | None) -> bool:
    condition = "attribute_exists(sk) AND attribute_not_exists(purged) AND #state <> :purged"
    values = {":now": {"N": str(int(time.time() * 1000))}, ":none": {"N": "0"}, ":one": {"N": "1"}, ":purged": {"S": "purged"}}
    if manifest_sha256 is not None:
        condition, values = f"{condition} AND manifestSha256 = :sha256", {**values, ":sha256": {"S": manifest_sha256}}
    try:
        catalog.dynamodb.update_item(
            TableName=catalog.table_name,
            Key={"table": {"S": table}, "sk": {"S": sort_key}},
            UpdateExpression="SET heldAt = :now, revision = if_not_exists(revision, :none) + :one",
            ConditionExpression=condition,
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=values,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == CONDITION_FAILED:
            return False
        raise unavailable(f"The catalogue {catalog.table_name}", error) from error
    except BotoCoreError as error:
        raise unavailable(f"The catalogue {catalog.table_name}", error) from error
    return True
