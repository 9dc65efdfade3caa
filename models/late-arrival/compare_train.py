"""Trains two versions of late-arrival for compare.ts: other months, other hyperparameters, each measured on the month after its own.

python compare_train.py TABLE.parquet FOLDER: writes first.zip and second.zip there. python compare_train.py TABLE.parquet --again first
writes model.onnx here and nothing else, which is how a version is reproduced from its artifact.
"""

import sys
from pathlib import Path

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

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


def train(table: late_arrival.Table, name: str) -> tuple[HistGradientBoostingClassifier, pd.DataFrame]:
    """The version, and the rows that it was trained on."""
    late_arrival.HYPERPARAMETERS.update(VERSIONS[name]["hyperparameters"])
    rows = table.rows[table.rows["time"] < pd.Timestamp(VERSIONS[name]["until"], tz="UTC")]
    return late_arrival.train(rows, table.inputs), rows


def artifact(table: late_arrival.Table, name: str) -> tuple[bytes, str]:
    """The zip, and a line of it."""
    # Training itself needs no client, so that whoever reproduces the model needs only the files of extra/.
    from millrace import About
    from millrace.publish import make_artifact

    classifier, training = train(table, name)
    month = VERSIONS[name]["test"]
    test = table.rows[table.rows["time"].dt.strftime("%Y-%m") == month]
    auc = late_arrival.auc(test, late_arrival.probabilities(classifier, test, table.inputs))
    zipped = make_artifact(
        classifier,
        late_arrival.MODEL_NAME,
        data=training,
        metrics={"auc": {month: auc}},
        inputs=table.inputs,
        fingerprints=table.fingerprints,
        about=About(
            owner="route desk",
            description="Probability that the next flight of a route arrives more than 15 minutes late.",
            who="models/late-arrival/compare_train.py",
            # Of the data and not of the run: the same table gives the same papers.
            when=training["time"].max().strftime("%Y-%m-%dT%H:%M:%SZ"),
            source="vega-datasets 3.2.1 flights-3m.parquet, some routes of 2001, features by millrace",
            **late_arrival.reproducible(table, ["compare_train.py"], ["python3", "compare_train.py", "{data}", "--again", name]),
        ),
    )
    return zipped, f"{name}: {len(training)} rows until {VERSIONS[name]['until']}, auc of {month} {auc:.4f}, {len(zipped)} bytes"


def main(table_path: str, words: list[str]) -> None:
    table = late_arrival.read_table(table_path)
    if words[0] == "--again":
        classifier, _ = train(table, words[1])
        Path("model.onnx").write_bytes(late_arrival.to_onnx_bytes(classifier, table.inputs))
        return
    for name in VERSIONS:
        zipped, line = artifact(table, name)
        (Path(words[0]) / f"{name}.zip").write_bytes(zipped)
        print(line)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
