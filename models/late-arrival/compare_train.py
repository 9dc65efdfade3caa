"""Trains two versions of late-arrival for compare.ts: other months, other hyperparameters, each measured on the month after its own.

python compare_train.py TABLE.parquet FOLDER: writes first.zip and second.zip there.
"""

import hashlib
import importlib.metadata
import json
import sys
import zipfile
from pathlib import Path

import pandas as pd

import late_arrival

VERSIONS = {
    "first": {
        "until": "2001-03-01",
        "test": "2001-03",
        "hyperparameters": {"max_iter": 40, "learning_rate": 0.1, "max_leaf_nodes": 7, "min_samples_leaf": 100},
    },
    "second": {
        "until": "2001-05-01",
        "test": "2001-05",
        "hyperparameters": {"max_iter": 150, "learning_rate": 0.08, "max_leaf_nodes": 31, "min_samples_leaf": 100},
    },
}


def main(table_path: str, folder: Path) -> None:
    table = late_arrival.read_table(table_path)
    for name, version in VERSIONS.items():
        late_arrival.HYPERPARAMETERS.update(version["hyperparameters"])
        until = pd.Timestamp(version["until"], tz="UTC")
        training = table.rows[table.rows["time"] < until]
        test = table.rows[table.rows["time"].dt.strftime("%Y-%m") == version["test"]]
        classifier = late_arrival.train(training, table.inputs)
        auc = late_arrival.auc(test, late_arrival.probabilities(classifier, test, table.inputs))
        model = late_arrival.to_onnx_bytes(classifier, table.inputs)
        papers = manifest(table, training, model, (version["test"], auc))
        write_artifact(folder / f"{name}.zip", papers, model)
        print(f"{name}: {len(training)} rows until {version['until']}, auc of {version['test']} {auc:.4f}, {len(model)} bytes")


def manifest(table: late_arrival.Table, training: pd.DataFrame, model: bytes, measured: tuple[str, float]) -> dict:
    month, auc = measured
    return {
        "formatVersion": 1,
        "name": late_arrival.MODEL_NAME,
        "owner": "route desk",
        "who": "models/late-arrival/compare_train.py",
        # Of the data and not of the run: the same table gives the same papers.
        "when": instant(training["time"].max()),
        "description": "Probability that the next flight of a route arrives more than 15 minutes late.",
        "hyperparameters": dict(late_arrival.HYPERPARAMETERS),
        "trainingData": {
            "source": "vega-datasets 3.2.1 flights-3m.parquet, some routes of 2001, features by millrace",
            "rows": len(training),
            "from": instant(training["time"].min()),
            "to": instant(training["time"].max()),
        },
        "inputs": [
            {"name": name, "fingerprint": table.fingerprints[name], "type": "number", "missing": "nan"}
            for name in table.inputs
        ],
        "outputs": [{"name": "probability", "tensor": "probabilities", "column": 1, "range": [0, 1]}],
        "performance": [{"metric": "auc", "slice": month, "value": auc}],
        "libraries": {name: importlib.metadata.version(name) for name in ("scikit-learn", "skl2onnx", "onnx", "numpy")},
        "sha256": hashlib.sha256(model).hexdigest(),
        "bytes": len(model),
    }


def instant(time_stamp: pd.Timestamp) -> str:
    return time_stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_artifact(path: Path, papers: dict, model: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as artifact:
        artifact.writestr("manifest.json", json.dumps(papers, indent=2))
        artifact.writestr("model.onnx", model)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
