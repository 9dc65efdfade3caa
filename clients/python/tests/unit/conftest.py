"""A catalogue in memory and a command that writes into it, so that the client is tried without a cloud and without Node."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from boto3.dynamodb.types import TypeSerializer

BATCH_ID = "20260102030405-7h3k9c2m"


class NoSuchKey(Exception):
    """As the S3 client has it."""


class MemoryCloud:
    """What boto3's two clients are asked for here."""

    class exceptions:
        NoSuchKey = NoSuchKey

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.objects: dict[str, bytes] = {}

    def get_item(self, TableName: str, Key: dict[str, Any], ConsistentRead: bool) -> dict[str, Any]:
        assert TableName == "shop-dev-catalog" and ConsistentRead
        item = self.items.get((Key["table"]["S"], Key["sk"]["S"]))
        plain = TypeSerializer()
        return {} if item is None else {"Item": {name: plain.serialize(value) for name, value in item.items()}}

    def query(self, **asked: Any) -> dict[str, Any]:
        # Nothing was ever committed here.
        assert asked["ConsistentRead"] and asked["ExpressionAttributeValues"][":table"]["S"].startswith("definitions.")
        return {"Items": []}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == "shop-dev-catalog-000000000000"
        if Key not in self.objects:
            raise NoSuchKey(Key)
        return {"Body": io.BytesIO(self.objects[Key])}

    def store(self, parts: list[pa.Table], types: dict[str, str], properties: dict[str, Any]) -> str:
        """A batch as the engine lays it out; returns its location."""
        location = f"shop/training_default/all/{BATCH_ID}/"
        listed = []
        for index, table in enumerate(parts):
            buffer = io.BytesIO()
            pq.write_table(table, buffer)
            name, body = f"part-{index:05}.parquet", buffer.getvalue()
            self.objects[location + name] = body
            listed.append({"name": name, "bytes": len(body), "rows": table.num_rows, "sha256": sha256(body)})
        manifest = {
            "formatVersion": 1,
            "table": "shop.training_default",
            "partition": "all",
            "batchId": BATCH_ID,
            "format": "parquet",
            "columns": [{"name": name, "type": kind} for name, kind in types.items()],
            "inputs": [],
            "properties": properties,
            "parts": listed,
        }
        self.set_manifest(location, manifest)
        return location

    def set_manifest(self, location: str, manifest: dict[str, Any]) -> None:
        body = json.dumps(manifest).encode()
        self.objects[location + "manifest.json"] = body
        self.items["shop.training_default", f"batch#all#{BATCH_ID}"] = {
            "batchId": BATCH_ID,
            "location": location,
            "manifestKey": location + "manifest.json",
            "manifestSha256": sha256(body),
            "state": "hot",
        }


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> MemoryCloud:
    memory = MemoryCloud()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("millrace.catalog.aws_client", lambda service: memory)
    return memory


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A script that keeps its words and its labels beside it, and then does what `answer.py` says."""
    script = tmp_path / "millrace.py"
    script.write_text(
        "import json, pathlib, shutil, sys\n"
        f"here = pathlib.Path({str(tmp_path)!r})\n"
        "words = sys.argv[1:]\n"
        "(here / 'words.json').write_text(json.dumps(words))\n"
        "shutil.copy(words[words.index('--labels') + 1], here / 'labels.parquet')\n"
        "exec((here / 'answer.py').read_text())\n"
    )
    monkeypatch.setenv("MILLRACE_COMMAND", f"{sys.executable} {script}")
    yield tmp_path
