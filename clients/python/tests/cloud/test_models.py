"""A model goes from a training set into the catalogue by the command, and comes back from there into this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import millrace
from millrace.command import find_command
from millrace.deployment import aws_client
from test_local_cloud import labels

PIPELINE_DIR = os.environ["MILLRACE_PIPELINE_DIR"]
INPUTS = ["spent", "orders7d"]


@pytest.fixture(scope="module")
def df() -> pd.DataFrame:
    return millrace.training_set(labels(), name="churn", pipeline_dir=PIPELINE_DIR)


def fit(df: pd.DataFrame, strength: float = 1.0) -> LogisticRegression:
    return LogisticRegression(C=strength).fit(df[df.attrs["models"]["churn"]], df["label"])


def publish(df: pd.DataFrame, fitted: LogisticRegression, stage: str = "staging") -> str:
    made = millrace.publish(
        fitted, "churn", data=df, metrics={"accuracy": fitted.score(df[INPUTS], df["label"])}, stage=stage, pipeline_dir=PIPELINE_DIR
    )
    return str(made["batchId"])


def test_what_was_fitted_predicts_the_same_once_it_is_published(df: pd.DataFrame) -> None:
    fitted = fit(df)
    batch_id = publish(df, fitted)
    loaded = millrace.load_model("churn", stage="staging", pipeline="shop")
    assert loaded.batch_id == batch_id and loaded.inputs == INPUTS
    expected = fitted.predict_proba(df[INPUTS])[:, 1]
    assert np.abs(loaded.predict(df)["probability"] - expected).max() < 1e-6
    assert loaded.predict(df).index.equals(df.index)
    papers = loaded.manifest
    assert (papers["owner"], papers["description"]) == ("ana", "Who leaves.")
    assert papers["trainingData"]["batchId"] == df.attrs["batch_id"] and papers["trainingData"]["table"] == "shop.training_churn"
    assert {each["name"]: each["fingerprint"] for each in papers["inputs"]} == {name: df.attrs["features"][name] for name in INPUTS}


def test_an_older_version_is_loaded_by_its_batch_id(df: pd.DataFrame) -> None:
    first = publish(df, fit(df, 0.25))
    second = publish(df, fit(df, 4.0))
    assert millrace.load_model("churn", "staging", pipeline="shop").batch_id == second
    older = millrace.load_model("churn", batch_id=first, pipeline="shop")
    assert older.manifest["hyperparameters"]["C"] == 0.25


SCRIPT = """
import pandas as pd, millrace
from sklearn.ensemble import RandomForestClassifier

rows = [("ana", "2026-01-05T00:00:00Z", 1), ("ben", "2026-01-05T00:00:00Z", 0), ("ana", "2026-01-01T12:00:00Z", 0)]
labels = pd.DataFrame(rows, columns=["user", "time", "label"])
df = millrace.training_set(labels.assign(time=pd.to_datetime(labels["time"])), name="kept")
fitted = RandomForestClassifier(5, random_state=0).fit(df[df.attrs["models"]["churn"]], df["label"])
millrace.publish(fitted, "churn", data=df, stage="reproduced")
"""


def test_the_script_is_kept_and_makes_the_same_file_again(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    subprocess.run([sys.executable, str(tmp_path / "train.py")], cwd=PIPELINE_DIR, check=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    words = [*find_command(Path(PIPELINE_DIR)), "model", "reproduce", "churn", "--in", "reproduced", "--yes", "--json"]
    done = subprocess.run(words, cwd=PIPELINE_DIR, env={**os.environ, "PATH": path}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["isSameFile"] is True


def test_what_is_not_there_or_not_right_is_said(df: pd.DataFrame, tmp_path: Path) -> None:
    batch_id = publish(df, fit(df, 2.0))
    loaded = millrace.load_model("churn", "staging", pipeline="shop")
    less = LogisticRegression().fit(df[["spent"]], df["label"])
    for code, wrong in (
        ("model-not-found", lambda: millrace.load_model("churn", "nowhere", pipeline="shop")),
        ("batch-not-found", lambda: millrace.load_model("churn", batch_id="20260101000000-00000000", pipeline="shop")),
        ("pipeline-unknown", lambda: millrace.load_model("churn", pipeline_dir=tmp_path)),
        ("column-missing", lambda: loaded.predict(df.drop(columns="spent"))),
        ("model-contract", lambda: millrace.publish(less, "churn", data=df, pipeline_dir=PIPELINE_DIR)),
    ):
        with pytest.raises(millrace.MillraceError) as raised:
            wrong()
        assert raised.value.code == code
    s3, bucket = aws_client("s3"), "shop-dev-catalog-000000000000"
    key = f"models/churn/staging/{batch_id}/part-model.zip"
    body = bytearray(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    body[len(body) // 2] ^= 1
    s3.put_object(Bucket=bucket, Key=key, Body=bytes(body))
    with pytest.raises(millrace.MillraceError) as raised:
        millrace.load_model("churn", "staging", pipeline="shop")
    assert raised.value.code == "batch-damaged"
