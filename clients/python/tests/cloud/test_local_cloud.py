"""Against DynamoDB, S3 and the command as they are, on the local cloud that test/clients/python.ts has started and filled."""

from __future__ import annotations

import os

import pandas as pd
import pytest

import millrace
from millrace.deployment import aws_client

PIPELINE_DIR = os.environ["MILLRACE_PIPELINE_DIR"]


def labels() -> pd.DataFrame:
    """In no order: before, between and after orders of 10 and 20, the second of which was two days late."""
    rows = [
        ("ana", "2026-01-05T00:00:00Z", 1),
        ("nobody", "2026-01-05T00:00:00Z", 0),
        ("ana", "2026-01-01T12:00:00Z", 0),
        ("ana", "2026-01-02T13:00:00Z", 1),
        ("ben", "2026-01-05T00:00:00Z", 0),
    ]
    df = pd.DataFrame(rows, columns=["user", "time", "label"], index=[50, 40, 30, 20, 10])
    return df.assign(time=pd.to_datetime(df["time"], utc=True))


def test_a_training_set_is_what_was_known_before_each_label() -> None:
    df = millrace.training_set(labels(), who="ana", why="the client's test", pipeline_dir=PIPELINE_DIR)
    assert df["spent"].tolist() == [30, 0, 0, 10, 5.5]
    assert df["orders7d"].tolist() == [2, 0, 0, 1, 1]
    assert df["lastItem"].fillna("none").tolist() == ["late", "none", "none", "first", "only"]
    assert df["items"].tolist()[0] == {"exact": True, "top": [{"key": "first", "value": 1}, {"key": "late", "value": 1}]}
    pd.testing.assert_frame_equal(df[["user", "time", "label"]], labels())
    assert set(df.attrs["features"]) == {"spent", "orders7d", "lastItem", "items"}
    assert df.attrs["counts"]["notArrived"] == 1 and df.attrs["counts"]["usersWithoutEvents"] == 1


def test_known_all_counts_what_came_late() -> None:
    df = millrace.training_set(labels(), ["spent"], "all", "all", pipeline_dir=PIPELINE_DIR)
    assert df["spent"].tolist() == [30, 0, 0, 30, 5.5]
    assert df.attrs["table"] == "shop.training_all" and list(df.columns) == ["user", "time", "label", "spent"]


def test_the_order_of_labels_changes_nothing() -> None:
    df = millrace.training_set(labels(), pipeline_dir=PIPELINE_DIR)
    turned = millrace.training_set(labels().iloc[::-1], pipeline_dir=PIPELINE_DIR)
    pd.testing.assert_frame_equal(turned.iloc[::-1], df)
    assert turned.attrs["labels_sha256"] == df.attrs["labels_sha256"]
    assert turned.attrs["batch_id"] != df.attrs["batch_id"]


def test_the_commands_errors_come_with_code_and_next_step() -> None:
    for arguments, code, hint in (
        ({"features": ["spend"]}, "usage", "Did you mean spent?"),
        ({"name": "A name"}, "training-set-name-invalid", "small letters"),
        ({"stage": "prod"}, None, ""),
    ):
        with pytest.raises(millrace.MillraceError) as raised:
            millrace.training_set(labels(), pipeline_dir=PIPELINE_DIR, **arguments)
        assert raised.value.next and hint in raised.value.next
        assert code is None or raised.value.code == code


def test_a_part_that_was_changed_is_not_believed() -> None:
    df = millrace.training_set(labels(), name="damaged", pipeline_dir=PIPELINE_DIR)
    catalog = millrace.Catalog("shop")
    batch = catalog.batch(df.attrs["table"], df.attrs["partition"], df.attrs["batch_id"])
    assert catalog.load(batch).num_rows == len(df)
    s3, bucket = aws_client("s3"), "shop-dev-catalog-000000000000"
    key = batch.location + batch.manifest["parts"][0]["name"]
    body = bytearray(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    body[len(body) // 2] ^= 1
    s3.put_object(Bucket=bucket, Key=key, Body=bytes(body))
    with pytest.raises(millrace.MillraceError) as raised:
        catalog.load(batch)
    assert raised.value.code == "batch-damaged"
