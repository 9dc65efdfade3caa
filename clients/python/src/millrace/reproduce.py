"""`python3 -m millrace.reproduce SCRIPT TABLE`: runs a training script again as it was, on the table that was kept.

Run beside the files of the artifact's extra/. `millrace.training_set` then gives that table's rows, whatever it is asked, and
`millrace.publish` writes `model.onnx` here and publishes nothing."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import millrace
from millrace.artifact import read_artifact
from millrace.publish import ATTRS_FILE, make_artifact


def main(script: str, table: str) -> None:
    kept = read_rows(Path(table))
    attrs = json.loads(Path(ATTRS_FILE).read_text())

    def training_set(*_: Any, **__: Any) -> pd.DataFrame:
        df = kept.copy()
        df.attrs = dict(attrs)
        return df

    def publish(fitted: Any, name: str, *, data: pd.DataFrame, inputs: Any = None, about: Any = None, **_: Any) -> dict[str, Any]:
        zipped = make_artifact(fitted, name, data=data, inputs=inputs, about=about)
        Path("model.onnx").write_bytes(read_artifact(zipped).onnx)
        return {"name": name, "reproduced": True}

    millrace.training_set = training_set
    millrace.publish = publish
    sys.argv = [script]
    runpy.run_path(script, run_name="__main__")
    if not Path("model.onnx").exists():
        raise SystemExit(f"{script} has published no model")


def read_rows(path: Path) -> pd.DataFrame:
    """One Parquet file, or a folder of parts; in the order of the labels that they were made for."""
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    rows: pd.DataFrame = pa.concat_tables([pq.read_table(file) for file in files]).to_pandas()
    if "label_row" in rows.columns:
        rows = rows.sort_values("label_row", ignore_index=True).drop(columns="label_row")
    return rows.rename(columns={"user_id": "user"})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("python3 -m millrace.reproduce SCRIPT TABLE")
    main(sys.argv[1], sys.argv[2])
