"""The model late-arrival: the table it is trained on, the classifier, and its ONNX twin.

Features are read from the Parquet table that Millrace's own fold wrote and never computed here, so that training and
serving cannot differ. Everything is a function of the table, so that the checks can train on tables that were tampered with.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

MODEL_NAME = "late-arrival"
HYPERPARAMETERS = {
    "learning_rate": 0.08,
    "max_iter": 200,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 200,
    "l2_regularization": 1.0,
    # Stopping is by count, so that no row of the test months or of training is spent on deciding when.
    "early_stopping": False,
    "random_state": 0,
}
# Operator sets that every ONNX Runtime of the last years reads.
TARGET_OPSET = {"": 17, "ai.onnx.ml": 3}


# Beside the scripts in an artifact's extra/: what the table's own file says of features and models, which the parts that the catalogue
# keeps of it do not.
TRAINING_SET = "training-set.json"


@dataclass(frozen=True)
class Table:
    # `attrs` says which batch of the catalogue they are, where they are one.
    rows: pd.DataFrame
    # In the order that the pipeline declares.
    inputs: list[str]
    fingerprints: dict[str, str]


def read_table(path: str) -> Table:
    """Of `features export`, of `training-set --out`, or what the catalogue keeps of the latter: one part, or a folder of parts."""
    files = sorted(Path(path).glob("*.parquet")) if Path(path).is_dir() else [Path(path)]
    metadata = parquet.read_metadata(files[0]).metadata or {}
    said = {key: metadata[f"millrace.{key}".encode()].decode() for key in ("batch", "table", "partition") if f"millrace.{key}".encode() in metadata}
    if b"millrace.features" in metadata:
        fingerprints = json.loads(metadata[b"millrace.features"])
        inputs = json.loads(metadata[b"millrace.models"])[MODEL_NAME]
    else:
        kept = json.loads(Path(TRAINING_SET).read_text())
        fingerprints, inputs = kept["features"], kept["models"][MODEL_NAME]
    rows = pa.concat_tables([parquet.read_table(file) for file in files]).to_pandas()
    if "label_row" in rows.columns:
        # A training set is kept by user; the order of the labels is that of departure, and who trains on other order trains another model.
        rows = rows.sort_values("label_row", ignore_index=True).rename(columns={"user_id": "user"})
    rows = rows[["user", "time", "late", *inputs]]
    # A function feeds 32-bit floats, so training sees them too.
    rows[inputs] = rows[inputs].astype(np.float32)
    rows.attrs = {{"batch": "batch_id"}.get(key, key): value for key, value in said.items()}
    return Table(rows, inputs, {name: fingerprints[name] for name in inputs})


def reproducible(table: Table, scripts: Sequence[str], command: Sequence[str]) -> dict:
    """Of the papers: the files of extra/ that make the model again, and how. Of a table of which the catalogue has a batch, all it takes."""
    here = Path(__file__).parent
    extra = {name: (here / name).read_bytes() for name in (*scripts, "late_arrival.py", "requirements.txt")}
    if "batch_id" in table.rows.attrs:
        kept = {"features": table.fingerprints, "models": {MODEL_NAME: table.inputs}}
        extra[TRAINING_SET] = json.dumps(kept, indent=1).encode()
    return {"extra": extra, "reproduce": list(command)}


def train(rows: pd.DataFrame, inputs: list[str]) -> HistGradientBoostingClassifier:
    classifier = HistGradientBoostingClassifier(**HYPERPARAMETERS)
    classifier.fit(rows[inputs].to_numpy(), rows["late"].to_numpy())
    round_thresholds(classifier)
    return classifier


def round_thresholds(classifier: HistGradientBoostingClassifier) -> None:
    """Makes each threshold the greatest 32-bit float that is not above it.

    For 32-bit inputs that changes no decision, and ONNX, whose thresholds have 32 bits, then decides alike: rounding to the
    nearest could move a threshold past an input.
    """
    for (predictor,) in classifier._predictors:
        thresholds = predictor.nodes["num_threshold"]
        rounded = thresholds.astype(np.float32)
        too_high = rounded.astype(np.float64) > thresholds
        rounded[too_high] = np.nextafter(rounded[too_high], np.float32(-np.inf))
        predictor.nodes["num_threshold"] = rounded.astype(np.float64)


def to_onnx_bytes(classifier: HistGradientBoostingClassifier, inputs: list[str]) -> bytes:
    model = to_onnx(
        classifier,
        initial_types=[("features", FloatTensorType([None, len(inputs)]))],
        target_opset=TARGET_OPSET,
        options={id(classifier): {"zipmap": False}},
    )
    return model.SerializeToString()


def open_session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def onnx_probabilities(session: onnxruntime.InferenceSession, rows: np.ndarray) -> np.ndarray:
    (probabilities,) = session.run(["probabilities"], {"features": rows})
    return probabilities[:, 1]


def auc(rows: pd.DataFrame, scores: np.ndarray) -> float:
    return float(roc_auc_score(rows["late"], scores))


def probabilities(classifier: HistGradientBoostingClassifier, rows: pd.DataFrame, inputs: list[str]) -> np.ndarray:
    return classifier.predict_proba(rows[inputs].to_numpy())[:, 1]
