"""Models of Spark as ONNX files as they come, each with rows and what Spark's own transform says of them.

Run once, with Java on the machine, in an environment of requirements-spark.txt: `python make_spark.py`, and `biome format --write .` after it. Everything is seeded; the files are kept beside this script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from onnxmltools import convert_sparkml
from onnxmltools.convert.common.data_types import FloatTensorType
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession

HERE = Path(__file__).parent
COLUMNS = ["orders30d", "spend90d", "sinceOrder", "giftShare"]
ROWS = 8

random = np.random.default_rng(7)
X = np.column_stack([random.poisson(3, 400), random.gamma(2, 40, 400), random.integers(0, 90, 400), random.random(400)])
# The file computes in 32 bits: a row is the same number on both sides.
X = X.astype(np.float32).astype(np.float64)
SCORE = 0.6 * X[:, 0] - 0.01 * X[:, 1] - 0.02 * X[:, 2] + X[:, 3] + random.normal(0, 0.5, 400)


def main() -> None:
    spark = SparkSession.builder.master("local[1]").appName("exports").config("spark.ui.enabled", "false").getOrCreate()
    table = pd.DataFrame(X, columns=COLUMNS)
    table["label"] = (SCORE < 0.5).astype(np.float64)
    frame = spark.createDataFrame(table).coalesce(1)
    assembler = VectorAssembler(inputCols=COLUMNS, outputCol="features")
    keep(spark, frame, "spark-logistic", Pipeline(stages=[assembler, LogisticRegression()]), "Logistic regression of Spark behind a VectorAssembler, an input for each column.")
    forest = RandomForestClassifier(numTrees=8, maxDepth=3, seed=1)
    keep(spark, frame, "spark-forest", Pipeline(stages=[assembler, forest]), "Random forest of Spark, 8 trees, behind a VectorAssembler, an input for each column.")
    spark.stop()


def keep(spark: Any, frame: Any, name: str, pipeline: Any, about: str) -> None:
    model = pipeline.fit(frame)
    types = [(column, FloatTensorType([None, 1])) for column in COLUMNS]
    body = convert_sparkml(model, name, types, spark_session=spark, target_opset=15).SerializeToString()
    rows = model.transform(frame.limit(ROWS)).collect()
    said = {
        "about": about,
        "columns": COLUMNS,
        "types": ["number"] * len(COLUMNS),
        "rows": [[row[column] for column in COLUMNS] for row in rows],
        "classes": ["0", "1"],
        "label": [int(row["prediction"]) for row in rows],
        "scores": [row["probability"].toArray().tolist() for row in rows],
    }
    (HERE / f"{name}.onnx").write_bytes(body)
    (HERE / f"{name}.json").write_text(json.dumps(said, indent=1) + "\n")
    print(f"{name:24} {len(body):7} bytes")


if __name__ == "__main__":
    main()
