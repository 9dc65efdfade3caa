"""What the answers of DynamoDB mean to who creates or holds an item."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from conftest import MemoryCloud
from millrace import Catalog, MillraceError
from millrace.batch_items import create_item, hold

TABLE, KEY = "team.t", "batch#x#20260102030405-7h3k9c2m"
ITEM = {"batchId": "20260102030405-7h3k9c2m", "state": "hot", "manifestSha256": "a" * 64}


class Refusing(MemoryCloud):
    """Answers every write so."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def put_item(self, **_: Any) -> None:
        raise self.error

    def update_item(self, **_: Any) -> None:
        raise self.error


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Any")


def catalog(error: Exception, monkeypatch: pytest.MonkeyPatch, item: dict[str, Any] | None = None) -> Catalog:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    cloud = Refusing(error)
    if item is not None:
        cloud.items[TABLE, KEY] = item
    return Catalog("shop", dynamodb=cloud, s3=cloud)


def code_of(call: Any) -> str:
    with pytest.raises(MillraceError) as raised:
        call()
    return raised.value.code


@pytest.mark.parametrize("code", ["ConditionalCheckFailedException", "TransactionConflictException"])
def test_who_meets_a_taken_key_or_anothers_transaction_has_lost_the_round(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert create_item(catalog(refusal(code), monkeypatch), TABLE, KEY, {}) is False


@pytest.mark.parametrize("error", [refusal("AccessDeniedException"), EndpointConnectionError(endpoint_url="http://127.0.0.1:1")])
def test_a_catalogue_that_does_not_answer_is_said(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = catalog(error, monkeypatch)
    assert code_of(lambda: create_item(refusing, TABLE, KEY, {})) == "catalog-unavailable"
    assert code_of(lambda: hold(refusing, TABLE, KEY)) == "catalog-unavailable"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (None, "batch-not-found"),
        ({**ITEM, "state": "purged"}, "batch-purged"),
        ({**ITEM, "purged": {"who": "ana", "why": "old"}}, "batch-purged"),
        ({**ITEM, "manifestSha256": "b" * 64}, "batch-exists"),
        # Noted, looked at, withdrawn, and so on without an end.
        (ITEM, "batch-contended"),
    ],
)
def test_why_a_batch_is_not_held_is_said(item: dict[str, Any] | None, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = catalog(refusal("ConditionalCheckFailedException"), monkeypatch, item)
    assert code_of(lambda: hold(refusing, TABLE, KEY, "a" * 64)) == code
