"""Training sets: labels in, the same rows out with the features that were known just before each."""

from __future__ import annotations

import getpass
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from millrace.batches import Batch
from millrace.catalog import Catalog
from millrace.command import run_millrace
from millrace.errors import MillraceError

# Rows that the command decodes at once.
ROW_GROUP_ROWS = 100_000
# What a feature is, by its column.
KINDS = {"double": "number", "boolean": "flag", "string": "text", "json": "json"}


def training_set(
    labels_df: pd.DataFrame,
    features: Sequence[str] | None = None,
    known: Literal["arrival", "all"] = "arrival",
    name: str = "default",
    *,
    who: str | None = None,
    why: str = "from Python",
    pipeline_dir: str | Path = ".",
    stage: str = "dev",
) -> pd.DataFrame:
    """`labels_df` with a column for each feature, as a GET one millisecond before `time` would have answered.

    `labels_df` has the columns `user` and `time` (with a time zone); whatever else it has is stored with the rows. Rows may be in
    any order, and keep it, their index and their types. `features`: all of the pipeline unless given. `known`: `arrival` counts
    only what had arrived by then, `all` whatever had happened, however late it came.

    The rows are stored as a batch of the table `training_<name>`; `attrs` of the result says which, and what it was made of:
    `batch_id`, `table`, `partition`, `known`, `features` (name to fingerprint), `types` (name to `number`, `flag`, `text` or `json`),
    `labels_sha256`, `inputs`, `counts`, `pipeline`, `deployment`, and `models` (name to the features it takes, as deployed). `millrace.publish` takes all of them into a model's papers.
    """
    words = ["training-set", "--known", known, "--name", name, "--stage", stage]
    words += ["--who", getpass.getuser() if who is None else who, "--why", why]
    if features is not None:
        words += ["--features", ",".join(features)]
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
        path = Path(folder) / "labels.parquet"
        _write_labels(labels_df, path)
        made = run_millrace([*words, "--labels", str(path)], Path(pipeline_dir))
    catalog = Catalog(made["table"].split(".")[0], stage)
    batch = catalog.batch(made["table"], made["partition"], made["batchId"])
    df = _with_features(labels_df, batch, catalog.load(batch))
    definitions = catalog.definitions() or {"models": []}
    models = {model["name"]: [each["name"] for each in model["inputs"]] for model in definitions["models"]}
    df.attrs |= {"pipeline": batch.table.split(".")[0], "deployment": stage, "models": models}
    return df


def _write_labels(labels: pd.DataFrame, path: Path) -> None:
    for column in ("user", "time"):
        if column not in labels.columns:
            raise _invalid(f'The labels have no column "{column}"', "Give each row a user and a time.")
    try:
        table = pa.Table.from_pandas(labels, preserve_index=False)
    except (pa.ArrowException, ValueError) as error:
        raise _invalid(f"The labels cannot be written: {error}", "Keep a column to one type, and give it one name.") from error
    at = table.schema.get_field_index("time")
    kind = table.schema.field(at).type
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise _invalid(
                'The column "time" has no time zone', 'Say which it is: labels["time"].dt.tz_localize("UTC").'
            )
        # To the millisecond before, never after: a row must not know more than its label's time allows.
        millis = pc.cast(pc.floor_temporal(table.column(at), unit="millisecond"), pa.timestamp("ms", tz="UTC"))
        table = table.set_column(at, "time", millis)
    pq.write_table(table, path, compression="snappy", row_group_size=ROW_GROUP_ROWS)


def _with_features(labels: pd.DataFrame, batch: Batch, rows: pa.Table) -> pd.DataFrame:
    in_order = rows.take(pc.sort_indices(rows.column("label_row")))
    if in_order.column("label_row").to_pylist() != list(range(len(labels))):
        raise MillraceError(
            f"The batch {batch.batch_id} has other rows than the labels", code="batch-damaged", next="Report this: it is a defect."
        )
    fingerprints: dict[str, str] = batch.properties["features"]
    columns = {
        name: _values(in_order.column(name), batch.columns[name]).set_axis(labels.index) for name in batch.columns if name in fingerprints
    }
    result = pd.concat([labels, pd.DataFrame(columns, index=labels.index)], axis="columns")
    result.attrs = {
        "batch_id": batch.batch_id,
        "table": batch.table,
        "partition": batch.partition,
        "known": batch.properties["known"],
        "features": fingerprints,
        "types": {name: KINDS[batch.columns[name]] for name in fingerprints},
        "labels_sha256": batch.properties["labels"]["sha256"],
        "inputs": batch.manifest["inputs"],
        "counts": batch.properties["counts"],
    }
    return result


def _values(column: pa.ChunkedArray, kind: str) -> pd.Series[Any]:
    """Numbers with NaN for null, flags as nullable booleans, texts, and lists and objects as Python has them."""
    if kind == "json":
        return pd.Series([None if text is None else json.loads(text) for text in column.to_pylist()], dtype="object")
    if kind == "boolean":
        return pd.Series(column.to_pandas()).astype("boolean")
    return pd.Series(column.to_pandas())


def _invalid(message: str, next: str) -> MillraceError:
    return MillraceError(message, code="labels-invalid", next=next)
