from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from conftest import BATCH_ID, MemoryCloud
from millrace import Catalog, MillraceError
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
