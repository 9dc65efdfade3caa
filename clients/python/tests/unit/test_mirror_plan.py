"""The same cases as test/catalog/mirror-plan.test.ts: both languages plan the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from millrace import MillraceError
from millrace.mirror_plan import (
    MirrorOptions,
    PartitionStyle,
    links_key,
    links_prefix,
    links_text,
    mirror_name,
    mirror_type,
    partition_style,
    partition_values,
    planned_partition,
    planned_table,
    with_parameters,
)
from millrace.schemas import Schema

OPTIONS = MirrorOptions("shop_dev__", "shop-dev-catalog", "shop-dev-catalog-1")
BY_DATE = PartitionStyle(("date",), is_whole=False)
WHOLE = PartitionStyle(("partition",), is_whole=True)
LOCATION = "shop/users/date=2001-06-30/20010630180000-00000000/"


def schema(columns: dict[str, str], **attributes: Any) -> Schema:
    return Schema(1, {"columns": [{"name": name, "type": kind} for name, kind in columns.items()], "format": "parquet", **attributes})


USERS = schema({"userId": "string", "scores": "map<string,double>"}, about="Users\n of the  shop.")
PLAIN = schema({"userId": "string"})
TABLE = planned_table(OPTIONS, "shop.users", USERS, BY_DATE)
PARTITION = planned_partition(
    OPTIONS, TABLE, ("2001-06-30",), {"number": 7}, {"batchId": "20010630180000-00000000", "location": LOCATION}
)


def test_names_are_folded_to_small_letters_digits_and_underscores() -> None:
    assert mirror_name(OPTIONS, "web-shop.late-users") == ("shop_dev__web_shop", "late_users")


def test_types_are_written_as_hive_writes_them() -> None:
    types = {
        "string": "string",
        "int64": "bigint",
        "double": "double",
        "boolean": "boolean",
        "timestamp": "timestamp",
        "json": "string",
        "list<int64>": "array<bigint>",
        "list<json>": "array<string>",
        "map<string,timestamp>": "map<string,timestamp>",
    }
    assert {kind: mirror_type(kind) for kind in types} == types
    for kind in ("decimal", "list<list<int64>>", ""):
        with pytest.raises(MillraceError) as raised:
            mirror_type(kind)
        assert raised.value.code == "column-invalid"


def test_partitions_are_named_by_declared_keys_by_those_of_all_or_by_their_whole_name() -> None:
    assert partition_style(schema({}, partitionKeys=["year", "country"]), []) == (("year", "country"), False)
    assert partition_style(PLAIN, ["day=1", "day=2"]) == (("day",), False)
    assert partition_style(PLAIN, ["year=1/day=2"]) == (("year", "day"), False)
    for names in (["all"], ["day=1", "all"], ["day=1", "hour=1"], ["day=1", "day=1/hour=2"], ["day="], []):
        assert partition_style(PLAIN, names) == WHOLE
    # Twice the same key, and one that no engine takes.
    assert partition_style(PLAIN, ["day=1/day=2"]) == WHOLE
    assert partition_style(PLAIN, ["Day=1"]) == WHOLE
    taken = schema({"Partition": "string", "partition_name": "string"})
    assert partition_style(taken, ["all"]).keys == ("partition_name_name",)


def test_values_are_what_stands_after_the_keys() -> None:
    assert partition_values(BY_DATE, "date=2001-06-30") == ("2001-06-30",)
    assert partition_values(BY_DATE, "date=a=b") == ("a=b",)
    assert partition_values(PartitionStyle(("year", "day"), is_whole=False), "year=1/day=2") == ("1", "2")
    assert partition_values(WHOLE, "date=1/x") == ("date=1/x",)
    for other in ("day=2001-06-30", "all", "date=1/hour=2"):
        assert partition_values(BY_DATE, other) is None


def test_a_table_has_folded_columns_keys_of_text_one_line_about_it_and_says_whose_it_is() -> None:
    assert TABLE.description == "Users of the shop."
    assert TABLE.style == BY_DATE and planned_table(OPTIONS, "shop.users", USERS, WHOLE).style == WHOLE
    assert TABLE.storage.location == "s3://shop-dev-catalog-1/glue.symlinks/shop/users/"
    assert TABLE.storage.columns == (("userid", "string"), ("scores", "map<string,double>"))
    assert dict(TABLE.parameters) == {
        "EXTERNAL": "TRUE",
        "classification": "parquet",
        "millrace.catalog": "shop-dev-catalog",
        "millrace.table": "shop.users",
        "millrace.partition-values": "keys",
    }
    # A column that is called as a key is left to the key.
    keyed = schema({"userId": "string", "scores": "map<string,double>", "Date": "string"})
    assert planned_table(OPTIONS, "shop.users", keyed, BY_DATE).storage.columns == TABLE.storage.columns


def test_a_description_is_folded_and_cut_as_javascript_does_it() -> None:
    def about(text: str) -> str:
        return planned_table(OPTIONS, "shop.users", schema({}, about=text), BY_DATE).description

    # A byte order mark is white space there, and a unit separator is none.
    assert about("a\ufeff\u2028b\x1fc\x85d") == "a b\x1fc\x85d"
    assert about("x" * 501) == "x" * 500
    # 500 units of UTF-16, in the middle of a letter of two.
    assert about("x" * 499 + "😀") == "x" * 499 + "\ud83d"
    assert about("😀" * 251) == "😀" * 250


def test_a_partition_points_to_the_list_of_its_parts_and_says_which_batch_it_is() -> None:
    assert PARTITION.values == ("2001-06-30",)
    assert PARTITION.storage == replace(TABLE.storage, location=f"s3://shop-dev-catalog-1/glue.symlinks/{LOCATION}")
    assert dict(PARTITION.parameters) == {
        "millrace.catalog": "shop-dev-catalog",
        "millrace.batch-id": "20010630180000-00000000",
        "millrace.log-number": "7",
        "millrace.location": f"s3://shop-dev-catalog-1/{LOCATION}",
    }
    assert links_key(LOCATION) == f"glue.symlinks/{LOCATION}parts.txt" and links_key(LOCATION).startswith(links_prefix("shop.users"))
    assert links_text("b", LOCATION, [{"name": "part-0"}, {"name": "part-1"}]) == f"s3://b/{LOCATION}part-0\ns3://b/{LOCATION}part-1\n"
    assert links_text("b", LOCATION, []) == ""


def test_what_others_have_added_is_no_difference_and_stays() -> None:
    noted = replace(PARTITION, parameters={**PARTITION.parameters, "numRows": "3"})
    assert noted.shows(PARTITION)
    # A location may be written without its slash.
    assert replace(noted, storage=replace(noted.storage, location=noted.storage.location[:-1])).shows(PARTITION)
    assert replace(TABLE, parameters={**TABLE.parameters, "EXTRA": "1"}).shows(TABLE)
    moved = replace(PARTITION, parameters={**PARTITION.parameters, "millrace.log-number": "8"})
    assert with_parameters(moved, noted).parameters == {**moved.parameters, "numRows": "3"}
    assert with_parameters(moved, None) == moved


@pytest.mark.parametrize("name", ["location", "columns", "input_format", "output_format", "serde"])
def test_storage_that_differs_is_seen(name: str) -> None:
    changed: Any = (("a", "string"),) if name == "columns" else "other/"
    storage = replace(TABLE.storage, **{name: changed})
    assert not replace(TABLE, storage=storage).shows(TABLE)
    assert not replace(PARTITION, storage=storage).shows(PARTITION)


def test_a_table_or_a_partition_that_differs_otherwise_is_seen() -> None:
    assert not replace(TABLE, description="other").shows(TABLE)
    assert not replace(TABLE, partition_keys=("day",)).shows(TABLE)
    for name in PARTITION.parameters:
        assert not replace(PARTITION, parameters={**PARTITION.parameters, name: "other"}).shows(PARTITION)
        assert not replace(PARTITION, parameters={key: value for key, value in PARTITION.parameters.items() if key != name}).shows(PARTITION)


def test_other_keys_or_another_style_are_for_sync_to_make() -> None:
    other = planned_table(OPTIONS, "shop.users", USERS, PartitionStyle(("day",), is_whole=False))
    whole = planned_table(OPTIONS, "shop.users", USERS, PartitionStyle(("date",), is_whole=True))
    assert other.is_keyed_otherwise(TABLE) and whole.is_keyed_otherwise(TABLE)
    assert replace(TABLE, parameters={}).is_keyed_otherwise(TABLE)
    assert not replace(TABLE, description="other").is_keyed_otherwise(TABLE)
