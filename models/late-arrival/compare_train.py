"""Trains two versions of late-arrival for compare.ts: other months, other hyperparameters, each measured on the month after its own.

python compare_train.py TABLE.parquet FOLDER: writes first.zip and second.zip there.
"""

import sys
from pathlib import Path

import pandas as pd
from millrace import About
from millrace.publish import make_artifact

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
        papers = make_artifact(
            classifier,
            late_arrival.MODEL_NAME,
            data=training,
            metrics={"auc": {version["test"]: auc}},
            inputs=table.inputs,
            fingerprints=table.fingerprints,
            about=About(
                owner="route desk",
                description="Probability that the next flight of a route arrives more than 15 minutes late.",
                who="models/late-arrival/compare_train.py",
                # Of the data and not of the run: the same table gives the same papers.
                when=training["time"].max().strftime("%Y-%m-%dT%H:%M:%SZ"),
                source="vega-datasets 3.2.1 flights-3m.parquet, some routes of 2001, features by millrace",
            ),
        )
        (folder / f"{name}.zip").write_bytes(papers)
        print(f"{name}: {len(training)} rows until {version['until']}, auc of {version['test']} {auc:.4f}, {len(papers)} bytes")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
