"""Trains late-arrival on January to April, measures it on May and June, writes metrics.json and late-arrival.zip.

python train.py TABLE.parquet [FOLDER]: the table comes from demo/training-table.ts; train.sh does both.
"""

import hashlib
import importlib.metadata
import json
import sys
import time
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd

import late_arrival

TEST_MONTHS = {"2001-05": 5, "2001-06": 6}
FIRST_TEST_TIME = pd.Timestamp("2001-05-01", tz="UTC")
ONNX_DIFFERENCE_MAX = 1e-5
TIMED_ROWS = 460  # as many as a batch of 500 arrivals affects


def main(table_path: str, folder: Path) -> None:
    table = late_arrival.read_table(table_path)
    rows = table.rows
    training = rows[rows["time"] < FIRST_TEST_TIME]
    tests = {name: rows[rows["time"].dt.month == month] for name, month in TEST_MONTHS.items()}
    started = time.monotonic()
    classifier = late_arrival.train(training, table.inputs)
    seconds = time.monotonic() - started
    model = late_arrival.to_onnx_bytes(classifier, table.inputs)
    performance = measure(classifier, training, tests, table.inputs)
    runtime = check_onnx(classifier, model, pd.concat(tests.values()), table.inputs)
    metrics = {"auc": performance, "trainingRows": len(training), "modelBytes": len(model), **runtime}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    manifest = make_manifest(table, training, model, performance)
    write_artifact(folder / "late-arrival.zip", manifest, model)
    print(json.dumps({**metrics, "trainingSeconds": round(seconds)}, indent=2))


def measure(classifier, training: pd.DataFrame, tests: dict[str, pd.DataFrame], inputs: list[str]) -> dict:
    """AUC of the model beside what costs nothing: one rate for all, and each route's own rate in training."""
    global_rate = training["late"].mean()
    route_rates = training.groupby("user")["late"].mean()
    return {
        month: {
            "model": late_arrival.auc(test, late_arrival.probabilities(classifier, test, inputs)),
            "globalRate": late_arrival.auc(test, np.full(len(test), global_rate)),
            "routeRate": late_arrival.auc(test, test["user"].map(route_rates).fillna(global_rate)),
            "lateShare": float(test["late"].mean()),
            "rows": len(test),
        }
        for month, test in tests.items()
    }


def check_onnx(classifier, model: bytes, test: pd.DataFrame, inputs: list[str]) -> dict:
    session = late_arrival.open_session(model)
    values = test[inputs].to_numpy()
    expected = classifier.predict_proba(values)[:, 1]
    difference = float(np.abs(late_arrival.onnx_probabilities(session, values) - expected).max())
    if difference > ONNX_DIFFERENCE_MAX:
        raise SystemExit(f"ONNX and scikit-learn differ by {difference}, over {ONNX_DIFFERENCE_MAX}")
    batch = np.ascontiguousarray(values[:TIMED_ROWS])
    times = []
    for _ in range(200):
        started = time.perf_counter()
        late_arrival.onnx_probabilities(session, batch)
        times.append(time.perf_counter() - started)
    return {
        "onnxDifferenceMax": difference,
        "microsecondsPerRow": round(float(np.median(times)) / TIMED_ROWS * 1e6, 2),
    }


def make_manifest(table: late_arrival.Table, training: pd.DataFrame, model: bytes, performance: dict) -> dict:
    measured = [
        {"metric": metric, "slice": month, "value": values[key]}
        for month, values in performance.items()
        for metric, key in (("auc", "model"), ("auc of one rate for all", "globalRate"), ("auc of the route's rate", "routeRate"))
    ]
    return {
        "formatVersion": 1,
        "name": late_arrival.MODEL_NAME,
        "owner": "route desk",
        "who": "models/late-arrival/train.py",
        "when": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "description": "Probability that the next flight of a route arrives more than 15 minutes late.",
        "hyperparameters": late_arrival.HYPERPARAMETERS,
        "trainingData": {
            "source": "vega-datasets 3.2.1 flights-3m.parquet, January to April 2001, features by millrace",
            "rows": len(training),
            "from": instant(training["time"].min()),
            "to": instant(training["time"].max()),
        },
        "inputs": [
            {"name": name, "fingerprint": table.fingerprints[name], "type": "number", "missing": "nan"}
            for name in table.inputs
        ],
        "outputs": [{"name": "probability", "tensor": "probabilities", "column": 1, "range": [0, 1]}],
        "performance": measured,
        "libraries": {name: importlib.metadata.version(name) for name in ("scikit-learn", "skl2onnx", "onnx", "numpy")},
        "sha256": hashlib.sha256(model).hexdigest(),
        "bytes": len(model),
    }


def instant(time_stamp: pd.Timestamp) -> str:
    return time_stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_artifact(path: Path, manifest: dict, model: bytes) -> None:
    """Entries carry no time of their own: the same model and papers are the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as artifact:
        for name, data in (("manifest.json", json.dumps(manifest, indent=2).encode()), ("model.onnx", model)):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            artifact.writestr(entry, data)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent))
