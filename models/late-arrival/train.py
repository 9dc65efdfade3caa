"""Trains late-arrival on January to April, measures it on May and June, writes metrics.json and late-arrival.zip.

python train.py TABLE.parquet FOLDER: the table comes from demo/training-table.ts; train.sh does both. Without the folder it writes
model.onnx here and nothing else, which is how the model is reproduced from its artifact.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

import late_arrival

TEST_MONTHS = {"2001-05": 5, "2001-06": 6}
FIRST_TEST_TIME = pd.Timestamp("2001-05-01", tz="UTC")
ONNX_DIFFERENCE_MAX = 1e-5
TIMED_ROWS = 460  # as many as a batch of 500 arrivals affects


def main(table_path: str, folder: Path | None) -> None:
    table = late_arrival.read_table(table_path)
    rows = table.rows
    training = rows[rows["time"] < FIRST_TEST_TIME]
    started = time.monotonic()
    classifier = late_arrival.train(training, table.inputs)
    seconds = time.monotonic() - started
    model = late_arrival.to_onnx_bytes(classifier, table.inputs)
    if folder is None:
        Path("model.onnx").write_bytes(model)
        return
    tests = {name: rows[rows["time"].dt.month == month] for name, month in TEST_MONTHS.items()}
    performance = measure(classifier, training, tests, table.inputs)
    runtime = check_onnx(classifier, model, pd.concat(tests.values()), table.inputs)
    metrics = {"auc": performance, "trainingRows": len(training), "modelBytes": len(model), **runtime}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    (folder / "late-arrival.zip").write_bytes(artifact(table, training, classifier, performance))
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


def artifact(table: late_arrival.Table, training: pd.DataFrame, classifier, performance: dict) -> bytes:
    """The zip, by the client: distributions, golden rows, versions and the rest of the papers are its work."""
    # Training itself needs no client, so that whoever reproduces the model needs only the files of extra/.
    from millrace import About
    from millrace.publish import make_artifact

    kinds = {"auc": "model", "auc of one rate for all": "globalRate", "auc of the route's rate": "routeRate"}
    return make_artifact(
        classifier,
        late_arrival.MODEL_NAME,
        data=training,
        metrics={metric: {month: values[key] for month, values in performance.items()} for metric, key in kinds.items()},
        inputs=table.inputs,
        fingerprints=table.fingerprints,
        about=About(
            owner="route desk",
            description="Probability that the next flight of a route arrives more than 15 minutes late.",
            who="models/late-arrival/train.py",
            source="vega-datasets 3.2.1 flights-3m.parquet, January to April 2001, features by millrace",
            licence="MIT",
            tags=["worked example"],
            **late_arrival.reproducible(table, ["train.py"], ["python3", "train.py", "{data}"]),
        ),
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)
