from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import millrace
from conftest import BATCH_ID, MemoryCloud

TYPES = {
    "user_id": "string",
    "time": "timestamp",
    "label_row": "int64",
    "label": "boolean",
    "spend90d": "double",
    "lastItem": "string",
    "isLoyal": "boolean",
    "top": "json",
}
PROPERTIES = {
    "known": "arrival",
    "labels": {"sha256": "ab", "rows": 3},
    "features": {"spend90d": "f1", "lastItem": "f2", "isLoyal": "f3", "top": "f4"},
    "counts": {"rows": 3},
}
DONE = f"print(json.dumps({{'table': 'shop.training_default', 'partition': 'all', 'batchId': '{BATCH_ID}'}}))"


def labels() -> pd.DataFrame:
    times = ["2026-01-02T03:04:05.678912Z", "2026-01-01T00:00:00+02:00", "2025-12-31T00:00:00Z"]
    return pd.DataFrame(
        {"user": ["ana", "ben", "ana"], "time": pd.to_datetime(times, utc=True, format="ISO8601"), "label": [True, False, True]},
        index=["x", "y", "z"],
    )


def stored(*rows: tuple[int, float | None, str | None, bool | None, str]) -> pa.Table:
    given = list(zip(*rows, strict=True))
    features = dict(zip(["label_row", "spend90d", "lastItem", "isLoyal", "top"], map(list, given), strict=True))
    count = len(rows)
    table = pa.table({"user_id": ["-"] * count, "time": [0] * count, "label": [None] * count, **features})
    return table.select(list(TYPES))


@pytest.fixture
def two_parts(cloud: MemoryCloud) -> None:
    first = stored((2, None, None, None, "[]"), (0, 1.5, "a", True, '{"b": [1]}'))
    cloud.store([first, stored((1, -2.0, "c", False, "[2]"))], TYPES, PROPERTIES)


@pytest.mark.usefixtures("two_parts")
def test_brings_features_in_the_order_the_index_and_the_types_of_the_labels(command: Path) -> None:
    (command / "answer.py").write_text(DONE)
    given = labels()
    df = millrace.training_set(given, pipeline_dir=command)
    pd.testing.assert_frame_equal(df[["user", "time", "label"]], given)
    assert list(df.columns) == ["user", "time", "label", "spend90d", "lastItem", "isLoyal", "top"]
    assert df["spend90d"].fillna(-1).tolist() == [1.5, -2, -1] and df["spend90d"].dtype == "float64"
    assert df["lastItem"].fillna("none").tolist() == ["a", "c", "none"]
    assert df["isLoyal"].tolist() == [True, False, pd.NA] and df["isLoyal"].dtype == "boolean"
    assert df["top"].tolist() == [{"b": [1]}, [2], []]
    assert df.attrs["batch_id"] == BATCH_ID and df.attrs["features"] == PROPERTIES["features"]
    assert given.attrs == {}


@pytest.mark.usefixtures("two_parts")
def test_asks_the_command_for_what_was_asked(command: Path) -> None:
    (command / "answer.py").write_text(DONE)
    asked = {"features": ["spend90d", "top"], "known": "all", "name": "churn", "who": "ana", "why": "a try", "stage": "dev"}
    millrace.training_set(labels(), pipeline_dir=command, **asked)  # type: ignore[arg-type]
    words = json.loads((command / "words.json").read_text())
    assert words[0] == "training-set" and words[-1] == "--json"
    options = dict(zip(words[1:-1:2], words[2:-1:2], strict=True))
    del options["--labels"]
    assert options == {
        "--known": "all",
        "--name": "churn",
        "--stage": "dev",
        "--who": "ana",
        "--why": "a try",
        "--features": "spend90d,top",
    }


@pytest.mark.usefixtures("two_parts")
def test_writes_times_to_the_millisecond_before_and_nulls_as_nulls(command: Path) -> None:
    (command / "answer.py").write_text(DONE)
    given = labels().assign(weight=[0.5, float("nan"), 2])
    millrace.training_set(given, pipeline_dir=command)
    table = pq.read_table(command / "labels.parquet")
    assert table.schema.field("time").type == pa.timestamp("ms", tz="UTC")
    assert [at.isoformat() for at in table["time"].to_pylist()] == [
        "2026-01-02T03:04:05.678000+00:00",
        "2025-12-31T22:00:00+00:00",
        "2025-12-31T00:00:00+00:00",
    ]
    assert table["weight"].to_pylist() == [0.5, None, 2]
    assert table.schema.names == ["user", "time", "label", "weight"]


@pytest.mark.parametrize(
    "broken",
    [
        labels().drop(columns="user"),
        labels().drop(columns="time"),
        labels().assign(time=pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"])),
        labels().assign(label=[1, "two", 3]),
        pd.concat([labels(), labels()[["label"]]], axis="columns"),
    ],
    ids=["no user", "no time", "no zone", "mixed types", "a name twice"],
)
def test_refuses_labels_that_cannot_be_meant(broken: pd.DataFrame, command: Path) -> None:
    with pytest.raises(millrace.MillraceError) as raised:
        millrace.training_set(broken, pipeline_dir=command)
    assert raised.value.code == "labels-invalid" and raised.value.next
    assert not (command / "words.json").exists()


def test_raises_the_commands_own_error(command: Path) -> None:
    error = {"error": {"code": "usage", "message": "There is no feature", "next": "Did you mean spend90d?"}}
    (command / "answer.py").write_text(
        f"print('(node:1) Warning', file=sys.stderr)\nprint({json.dumps(error)!r}, file=sys.stderr)\nsys.exit(2)"
    )
    with pytest.raises(millrace.MillraceError, match="There is no feature") as raised:
        millrace.training_set(labels(), pipeline_dir=command)
    assert (raised.value.code, raised.value.next) == ("usage", "Did you mean spend90d?")


def test_says_what_a_command_said_that_has_no_error_of_its_own(command: Path) -> None:
    (command / "answer.py").write_text("print('Segmentation fault', file=sys.stderr)\nsys.exit(139)")
    with pytest.raises(millrace.MillraceError, match="139.*Segmentation fault") as raised:
        millrace.training_set(labels(), pipeline_dir=command)
    assert raised.value.code == "command-failed"


def test_says_where_a_command_or_a_folder_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_COMMAND", str(tmp_path / "nothing"))
    with pytest.raises(millrace.MillraceError) as raised:
        millrace.training_set(labels(), pipeline_dir=tmp_path)
    assert raised.value.code == "command-missing"
    with pytest.raises(millrace.MillraceError) as raised:
        millrace.training_set(labels(), pipeline_dir=tmp_path / "nowhere")
    assert raised.value.code == "pipeline-missing"


def test_refuses_a_batch_of_other_rows(cloud: MemoryCloud, command: Path) -> None:
    (command / "answer.py").write_text(DONE)
    cloud.store([stored((0, 1.0, "a", True, "[]"), (0, 1.0, "a", True, "[]"), (1, 1.0, "a", True, "[]"))], TYPES, PROPERTIES)
    with pytest.raises(millrace.MillraceError) as raised:
        millrace.training_set(labels(), pipeline_dir=command)
    assert raised.value.code == "batch-damaged"
