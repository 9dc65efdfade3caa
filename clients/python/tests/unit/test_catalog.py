from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from conftest import BATCH_ID, MemoryCloud, sha256
from millrace import Catalog, MillraceError
from millrace.column_types import arrow_type
from millrace.command import find_command
from millrace.deployment import find_deployment

TABLE = "shop.training_default"
TYPES = {"label_row": "int64", "spend90d": "double"}
PART = pa.table({"spend90d": [1.5, None], "label_row": [0, 1]})


def code_of(cloud: MemoryCloud) -> str:
    catalog = Catalog("shop")
    with pytest.raises(MillraceError) as raised:
        catalog.load(catalog.batch(TABLE, "all", BATCH_ID))
    return raised.value.code


def test_reads_every_part_with_the_columns_in_order(cloud: MemoryCloud) -> None:
    cloud.store([PART, PART], TYPES, {"known": "all"})
    catalog = Catalog("shop")
    batch = catalog.batch(TABLE, "all", BATCH_ID)
    table = catalog.load(batch)
    assert table.to_pydict() == {"label_row": [0, 1, 0, 1], "spend90d": [1.5, None, 1.5, None]}
    assert (batch.table, batch.partition, batch.columns, batch.properties) == (TABLE, "all", TYPES, {"known": "all"})


def test_believes_no_byte_that_was_changed(cloud: MemoryCloud) -> None:
    location = cloud.store([PART], TYPES, {})
    part, manifest = f"{location}part-00000.parquet", f"{location}manifest.json"
    for key in (part, manifest):
        whole = cloud.objects[key]
        for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-1], whole + b" "):
            cloud.objects[key] = damaged
            assert code_of(cloud) == "batch-damaged"
        del cloud.objects[key]
        assert code_of(cloud) == "batch-damaged"
        cloud.objects[key] = whole


def test_refuses_what_its_manifest_does_not_say(cloud: MemoryCloud) -> None:
    location = cloud.store([PART], TYPES, {})
    manifest = json.loads(cloud.objects[f"{location}manifest.json"])
    for changes, code in (
        ({"parts": [{**manifest["parts"][0], "rows": 3}]}, "batch-damaged"),
        ({"formatVersion": 2}, "manifest-invalid"),
        ({"format": "zip"}, "format-has-no-rows"),
        ({"format": "ndjson.gz"}, "batch-damaged"),
    ):
        cloud.set_manifest(location, {**manifest, **changes})
        assert code_of(cloud) == code


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        (pa.array([1, 2]), "string"),
        (pa.array([1, 2]), "json"),
        (pa.array(["1", "2"]), "int64"),
        (pa.array(["1", "2"]), "timestamp"),
        (pa.array([1.0, 2.0]), "int64"),
        (pa.array([1, 2]), "boolean"),
        (pa.array([1, 2]), "list<int64>"),
        (pa.array([[1], [2]]), "list<string>"),
        (pa.array([[1], [2]]), "map<string,int64>"),
        (pa.array([2**64 - 1, 1], type=pa.uint64()), "int64"),
        (None, "int64"),
    ],
)
def test_refuses_parquet_whose_columns_are_not_those_of_the_table(cloud: MemoryCloud, stored: pa.Array | None, kind: str) -> None:
    other = {} if stored is None else {"a": stored}
    cloud.store([pa.table({**other, "b": [1, 2]})], {"a": kind, "b": "int64"}, {})
    assert code_of(cloud) == "parquet-differs"


@pytest.mark.parametrize(
    ("stored", "kind", "expected"),
    [
        (pa.array([1, None], type=pa.int32()), "int64", [1, None]),
        (pa.array([0.5, None], type=pa.float32()), "double", [0.5, None]),
        (pa.array(["a", "b"], type=pa.large_string()), "string", ["a", "b"]),
        (pa.array(["a", "a"]).dictionary_encode(), "string", ["a", "a"]),
        (pa.array([[1], []], type=pa.large_list(pa.int32())), "list<int64>", [[1], []]),
        (pa.array([[("k", 1)], None], type=pa.map_(pa.string(), pa.int32())), "map<string,int64>", [[("k", 1)], None]),
    ],
)
def test_reads_parquet_of_other_writers_that_means_the_same(cloud: MemoryCloud, stored: pa.Array, kind: str, expected: object) -> None:
    cloud.store([pa.table({"a": stored})], {"a": kind}, {})
    catalog = Catalog("shop")
    column = catalog.load(catalog.batch(TABLE, "all", BATCH_ID)).column("a")
    assert column.type == arrow_type(kind) and column.to_pylist() == expected


def test_a_finer_instant_is_read_to_the_millisecond(cloud: MemoryCloud) -> None:
    cloud.store([pa.table({"a": pa.array([1_234_567, -1], type=pa.timestamp("us"))})], {"a": "timestamp"}, {})
    catalog = Catalog("shop")
    table = catalog.load(catalog.batch(TABLE, "all", BATCH_ID))
    assert table.column("a").cast(pa.int64()).to_pylist() == [1234, 0]


def test_what_is_no_parquet_is_damaged(cloud: MemoryCloud) -> None:
    location = cloud.store([PART], TYPES, {})
    manifest = json.loads(cloud.objects[f"{location}manifest.json"])
    body = b"no parquet"
    cloud.objects[f"{location}part-00000.parquet"] = body
    cloud.set_manifest(location, {**manifest, "parts": [{**manifest["parts"][0], "bytes": len(body), "sha256": sha256(body)}]})
    assert code_of(cloud) == "batch-damaged"


def test_says_of_what_was_purged_since_that_it_was(cloud: MemoryCloud) -> None:
    location = cloud.store([PART], TYPES, {})
    item = cloud.items[TABLE, f"batch#all#{BATCH_ID}"]
    catalog = Catalog("shop")
    batch = catalog.batch(TABLE, "all", BATCH_ID)
    for name in ("part-00000.parquet", "manifest.json"):
        del cloud.objects[location + name]
    assert code_of(cloud) == "batch-damaged"
    cloud.items[TABLE, f"batch#all#{BATCH_ID}"] = {**item, "state": "purged", "purged": {"at": 1, "who": "ana", "why": "old"}}
    with pytest.raises(MillraceError) as raised:
        catalog.load(batch)
    assert raised.value.code == "batch-purged" and "ana: old" in raised.value.message
    assert raised.value.next is not None and raised.value.next.startswith("Read or store another batch")
    # Somebody was forgotten, and another batch has the other rows.
    cloud.items[TABLE, f"batch#all#{BATCH_ID}"]["successor"] = "20260401000000-aaaaaaaa"
    with pytest.raises(MillraceError) as raised:
        catalog.batch(TABLE, "all", BATCH_ID)
    assert raised.value.next == "Read its successor 20260401000000-aaaaaaaa, which has its other rows."


def test_says_that_a_batch_is_not_there_or_cold(cloud: MemoryCloud) -> None:
    assert code_of(cloud) == "batch-not-found"
    cloud.store([PART], TYPES, {})
    cloud.items[TABLE, f"batch#all#{BATCH_ID}"]["state"] = "cold"
    assert code_of(cloud) == "batch-cold"


def test_names_resources_as_the_engine_does() -> None:
    deployed = find_deployment("shop", "prod", {"AWS_ACCOUNT_ID": "123456789012"})
    assert (deployed.catalog_table, deployed.catalog_bucket) == ("shop-prod-catalog", "shop-prod-catalog-123456789012")
    for env in ({}, {"AWS_ACCOUNT_ID": "12"}, {"AWS_ENDPOINT_URL": ""}):
        with pytest.raises(MillraceError) as raised:
            find_deployment("shop", "prod", env)
        assert raised.value.code == "account-unknown"


def test_finds_the_command(tmp_path: Path) -> None:
    assert find_command(tmp_path, {}) == ["npx", "--no", "millrace"]
    installed = tmp_path / "node_modules" / ".bin" / "millrace"
    installed.parent.mkdir(parents=True)
    installed.touch()
    assert find_command(tmp_path, {}) == [str(installed)]
    assert find_command(tmp_path, {"MILLRACE_COMMAND": "node 'my bin.mjs'"}) == ["node", "my bin.mjs"]
