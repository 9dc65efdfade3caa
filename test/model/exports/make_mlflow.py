"""A folder as MLflow logs it: sklearn-logistic.onnx with a signature, labels and a note.

Run once, with mlflow-skinny 3.17.2, onnx 1.19.1, onnxruntime, pandas: `MLFLOW_ALLOW_FILE_STORE=true python make_mlflow.py`. MLmodel is kept beside this script;
the ONNX file that MLflow writes is the one that it was given, byte for byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlflow
import mlflow.onnx
import numpy as np
import onnx
import pandas as pd
from mlflow.models import infer_signature

HERE = Path(__file__).parent
COLUMNS = ["orders30d", "spend90d", "sinceOrder", "giftShare"]
NOTE = "What the team's note says of run_id: nothing.\nflavors: none"

mlflow.set_tracking_uri("file:///tmp/mlruns")
signature = infer_signature(pd.DataFrame(np.zeros((2, 4), np.float32), columns=COLUMNS), np.zeros(2, np.int64))
with mlflow.start_run():
    model = onnx.load(HERE / "sklearn-logistic.onnx")
    logged = mlflow.onnx.log_model(model, name="churn", signature=signature, metadata={"note": NOTE}, pip_requirements=["onnxruntime"])
    folder = Path(mlflow.artifacts.download_artifacts(logged.model_uri))
shutil.copy(folder / "MLmodel", HERE / "MLmodel")
assert (folder / "model.onnx").read_bytes() == (HERE / "sklearn-logistic.onnx").read_bytes()
