"""That a commit never fails for its mirror, and ends in time, over a Glue in memory; test/glue has it against moto's."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from conftest import MemoryCloud
from millrace import Catalog, MillraceError
from millrace.glue import Glue
from millrace.mirror import PREFIX_VARIABLE, Mirror
from millrace.mirror_plan import MirrorName, MirrorPartition, MirrorTable, Storage

AT = MirrorName("shop_dev__shop", "users")
BATCH = {"batchId": "b1", "location": "shop/users/day=1/b1/", "state": "hot"}


class FakeGlue:
    """Takes and gives whole inputs; `answers` stand in the place of what it would say, one a call."""

    def __init__(self) -> None:
        self.tables: dict[str, Any] = {}
        self.calls: list[str] = []
        self.answers: dict[str, Any] = {}
        self.partitions: dict[tuple[str, ...], Any] = {}

    def __getattr__(self, method: str) -> Any:
        def call(**asked: Any) -> Any:
            self.calls.append(method)
            answer = self.answers.get(method)
            if isinstance(answer, Exception):
                raise answer
            return answer(asked) if callable(answer) else answer if answer is not None else getattr(self, f"_{method}")(asked)

        if method.startswith("_"):
            raise AttributeError(method)
        return call

    def _get_table(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Table": self._there(self.tables, asked["Name"])}

    def _create_table(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.tables[asked["TableInput"]["Name"]] = asked["TableInput"]
        return {}

    def _get_partition(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Partition": self._there(self.partitions, tuple(asked["PartitionValues"]))}

    def _batch_create_partition(self, asked: dict[str, Any]) -> dict[str, Any]:
        listed = [(tuple(each["Values"]), each) for each in asked["PartitionInputList"]]
        taken = [values for values, _ in listed if values in self.partitions]
        self.partitions |= {values: each for values, each in listed if values not in taken}
        return {"Errors": [{"PartitionValues": list(values), "ErrorDetail": {"ErrorCode": "AlreadyExistsException"}} for values in taken]}

    def _batch_update_partition(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.partitions |= {tuple(each["PartitionValueList"]): each["PartitionInput"] for each in asked["Entries"]}
        return {}

    def _there(self, found: dict[Any, Any], key: Any) -> Any:
        if key not in found:
            raise refusal("EntityNotFoundException")
        return found[key]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Any")


class MirroredCatalog(Catalog):
    """Of one table with one batch in its one partition; lists of parts go nowhere."""

    number = 1

    format = "parquet"

    def query(self, table: str, prefix: str, *, is_last_only: bool = False) -> list[dict[str, Any]]:
        if prefix == "schema":
            return [{"sk": "schema", "format": self.format, "columns": [{"name": "userId", "type": "string"}]}]
        return [{"sk": f"log#day=1#{self.number:09}", "batchId": "b1"}]

    def item(self, table: str, sort_key: str) -> dict[str, Any] | None:
        assert (table, sort_key) == ("shop.users", "batch#day=1#b1")
        return BATCH

    def batch(self, table: str, partition: str, batch_id: str) -> Any:
        return type("Batch", (), {"manifest": {"parts": [{"name": "part-0"}]}})

    def create_if_absent(self, key: str, body: bytes, content_type: str) -> bool:
        assert key == "glue.symlinks/shop/users/day=1/b1/parts.txt"
        assert (body, content_type) == (b"s3://shop-dev-catalog-000000000000/shop/users/day=1/b1/part-0\n", "text/plain")
        return False

    def keys(self, prefix: str) -> set[str]:
        return set()


@pytest.fixture
def glue(cloud: MemoryCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGlue]:
    fake = FakeGlue()
    monkeypatch.setattr("millrace.mirror.aws_client", lambda service, env, **settings: fake)
    yield fake


def mirror(prefix: str = "shop_dev__", catalog: Catalog | None = None) -> Mirror:
    return Mirror(catalog or MirroredCatalog("shop"), {PREFIX_VARIABLE: prefix})


def move(caplog: pytest.LogCaptureFixture, catalog: Catalog | None = None) -> str:
    """What it warned of."""
    caplog.clear()
    mirror(catalog=catalog).move("shop.users", "day=1")
    assert all(record.levelno == logging.WARNING and record.name == "millrace" for record in caplog.records)
    return caplog.text


def test_makes_what_is_not_there_and_then_moves_the_partition_alone(glue: FakeGlue, caplog: pytest.LogCaptureFixture) -> None:
    catalog = MirroredCatalog("shop")
    assert move(caplog, catalog) == ""
    assert glue.partitions["1",]["Parameters"]["millrace.log-number"] == "1"
    glue.calls.clear()
    catalog.number = 2
    assert move(caplog, catalog) == ""
    assert glue.partitions["1",]["Parameters"]["millrace.log-number"] == "2"
    assert glue.calls == ["get_table", "get_partition", "batch_create_partition", "batch_update_partition", "get_table", "get_partition"]


def test_without_a_prefix_nothing_is_called_and_a_wrong_one_is_refused(glue: FakeGlue) -> None:
    mirror("").move("shop.users", "day=1")
    assert glue.calls == []
    for prefix in ("Shop", "1shop", "shop-dev", " ", "s" * 102):
        with pytest.raises(MillraceError) as raised:
            mirror(prefix)
        assert raised.value.code == "environment-invalid"


@pytest.mark.parametrize(
    ("method", "answer", "text"),
    [
        ("get_table", refusal("AccessDeniedException"), "AWS Glue answered AccessDeniedException for shop_dev__shop.users"),
        ("get_table", EndpointConnectionError(endpoint_url="http://x"), "cannot be reached for shop_dev__shop.users"),
        ("get_table", ValueError("anything else"), "anything else"),
        ("create_table", refusal("InvalidInputException"), "answered InvalidInputException"),
        ("get_table", {"Table": {"Parameters": {"owner": "x"}}}, "shop_dev__shop.users of the mirror is of somebody else"),
        (
            "get_table",
            {"Table": {"Parameters": {"millrace.catalog": "other", "millrace.table": "shop.users"}}},
            "of the mirror is shop.users of other",
        ),
        (
            "batch_create_partition",
            {"Errors": [{"PartitionValues": ["1"], "ErrorDetail": {"ErrorCode": "InternalServiceException", "ErrorMessage": "later"}}]},
            "refused a partition of shop_dev__shop.users, InternalServiceException: later",
        ),
        # Somebody writes the older place after each of ours.
        ("get_partition", {"Partition": {"Values": ["1"], "Parameters": {}}}, "The mirror of shop.users, partition day=1, keeps changing"),
    ],
)
def test_what_goes_wrong_is_a_warning(glue: FakeGlue, caplog: pytest.LogCaptureFixture, method: str, answer: Any, text: str) -> None:
    glue.answers[method] = answer
    warned = move(caplog)
    assert text in warned and "The commit to shop.users, partition day=1, is done" in warned
    assert "It is done by `millrace table sync`." in warned and len(caplog.records) == 1


def test_a_catalogue_that_is_gone_after_the_commit_is_a_warning_too(
    glue: FakeGlue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MirroredCatalog, "item", lambda *_: None)
    assert "names b1, which has no batch item" in move(caplog)
    monkeypatch.setattr(MirroredCatalog, "query", lambda *_, **__: [])
    assert "There is no table shop.users" in move(caplog)


def test_a_table_of_another_format_has_no_mirror(glue: FakeGlue, caplog: pytest.LogCaptureFixture) -> None:
    catalog = MirroredCatalog("shop")
    catalog.format = "ndjson.gz"
    assert move(caplog, catalog) == "" and glue.calls == []


def test_glue_is_where_the_environment_says(cloud: MemoryCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def client(service: str, env: dict[str, str], **settings: Any) -> Any:
        asked.append(env["AWS_ENDPOINT_URL"])
        return FakeGlue()

    monkeypatch.setattr("millrace.mirror.aws_client", client)
    own, others = {"AWS_ENDPOINT_URL_GLUE": "http://own"}, {"AWS_ENDPOINT_URL": "http://others"}
    for env in ({**own, **others}, own, others, {"AWS_ENDPOINT_URL_GLUE": "", **others}, {}):
        Mirror(MirroredCatalog("shop"), {PREFIX_VARIABLE: "shop_dev__", **env}).move("shop.users", "day=1")
    assert asked == ["http://own", "http://own", "http://others", "http://others", ""]


def test_the_database_is_made_where_there_is_none(glue: FakeGlue, caplog: pytest.LogCaptureFixture) -> None:
    def create_table(asked: dict[str, Any]) -> dict[str, Any]:
        if glue.calls.count("create_database") == 0:
            raise refusal("EntityNotFoundException")
        return glue._create_table(asked)

    glue.answers |= {"create_table": create_table, "create_database": {"ResponseMetadata": {}}}
    assert move(caplog) == ""
    assert glue.calls.count("create_table") == 2 and ("1",) in glue.partitions


def test_a_changed_table_keeps_no_older_version(glue: FakeGlue) -> None:
    asked: dict[str, Any] = {}
    glue.answers["update_table"] = lambda given: asked.update(given) or {}
    table = MirrorTable("", ("day",), Storage("s3://b/", ()), {})
    Glue(glue, time.monotonic() + 60).update_table(AT, table)
    assert asked["SkipArchive"] is True and asked["TableInput"]["TableType"] == "EXTERNAL_TABLE"
    # Somebody else has changed it at once: the next look sees what came of it.
    glue.answers["update_table"] = refusal("ConcurrentModificationException")
    Glue(glue, time.monotonic() + 60).update_table(AT, table)


def test_what_is_cold_or_purged_is_in_no_mirror(glue: FakeGlue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    for record in ({**BATCH, "state": "cold"}, {**BATCH, "purged": {}}):
        monkeypatch.setattr(MirroredCatalog, "item", lambda *_, record=record: record)
        assert move(caplog) == ""
        assert "users" in glue.tables and glue.partitions == {}


def test_a_glue_that_does_not_answer_is_not_waited_for(
    glue: FakeGlue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("millrace.mirror.MOVE_SECONDS_MAX", 0.05)
    answered = threading.Event()
    glue.answers["get_table"] = lambda _: answered.wait() and {"Table": {}}
    assert "AWS Glue took too long" in move(caplog)
    answered.set()


def test_no_call_begins_after_the_end() -> None:
    fake, now = FakeGlue(), [1.0]
    glue = Glue(fake, 2.0, lambda: now[0])
    assert glue.partition(AT, ["1"]) is None
    now[0] = 2.0
    with pytest.raises(MillraceError) as raised:
        glue.partition(AT, ["1"])
    assert raised.value.code == "deadline-near" and fake.calls == ["get_partition"]


def test_partitions_come_by_pages_and_go_in_groups() -> None:
    fake = FakeGlue()
    glue = Glue(fake, time.monotonic() + 60)
    pages = {None: {"Partitions": [{"Values": ["1"]}], "NextToken": "t"}, "t": {"Partitions": [{"Values": ["2"]}], "NextToken": ""}}
    fake.answers["get_partitions"] = lambda asked: pages[asked.get("NextToken")]
    assert [each.values for each in glue.partitions(AT)] == [("1",), ("2",)]
    many = [MirrorPartition((str(index),), Storage("s3://b/", ()), {}) for index in range(101)]
    glue.put_partitions(AT, many)
    glue.put_partitions(AT, many[:1])
    assert len(fake.partitions) == 101
    dropped: list[int] = []

    def drop(asked: dict[str, Any]) -> dict[str, Any]:
        dropped.append(len(asked["PartitionsToDelete"]))
        return {}

    fake.answers["batch_delete_partition"] = drop
    glue.drop_partitions(AT, [each.values for each in many[:26]])
    assert dropped == [25, 1]
    assert fake.calls.count("batch_create_partition") == 3 and fake.calls.count("batch_update_partition") == 1
