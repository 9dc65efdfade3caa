"""Models of public libraries as ONNX files as they come, each with rows and what its maker's own predict says of them.

Run once, in an environment of requirements.txt: `python make_exports.py`, and `biome format --write .` after it. Everything is seeded; the files are kept beside this script.
make_xgboost.R goes before it; make_spark.py and make_mlflow.py are for themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as MlToolsFloat
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

HERE = Path(__file__).parent
COLUMNS = ["orders30d", "spend90d", "sinceOrder", "giftShare"]
ROWS = 8
OPSET = {"": 15, "ai.onnx.ml": 3}

random = np.random.default_rng(7)
X = np.column_stack([random.poisson(3, 400), random.gamma(2, 40, 400), random.integers(0, 90, 400), random.random(400)])
X = X.astype(np.float32)
SCORE = 0.6 * X[:, 0] - 0.01 * X[:, 1] - 0.02 * X[:, 2] + X[:, 3] + random.normal(0, 0.5, 400)
LEFT = (SCORE < 0.5).astype(np.int64)
SEGMENT = np.array(["high", "low", "middle"])[np.digitize(SCORE, [0, 1.5])]


def numbers(values: Any) -> Any:
    return json.loads(json.dumps(np.asarray(values).tolist()).replace("NaN", '"nan"'))


def keep(name: str, onnx: Any, maker: Any, rows: Any, *, about: str, columns: list[str] | None = None, kinds: list[str] | None = None) -> None:
    body = onnx.SerializeToString()
    said: dict[str, Any] = {"about": about, "columns": columns or COLUMNS, "types": kinds or ["number"] * len(columns or COLUMNS)}
    said["rows"] = numbers(rows)
    if hasattr(maker, "classes_"):
        said["classes"] = [str(each) for each in maker.classes_]
        said["label"] = numbers(maker.predict(rows))
        said["scores"] = numbers(maker.predict_proba(rows).astype(np.float64))
    else:
        said["value"] = numbers(np.asarray(maker.predict(rows)).reshape(-1).astype(np.float64))
    (HERE / f"{name}.onnx").write_bytes(body)
    (HERE / f"{name}.json").write_text(json.dumps(said, indent=1) + "\n")
    print(f"{name:24} {len(body):7} bytes")


def sklearn_model(name: str, model: Any, target: Any, about: str, x: Any = X, **options: Any) -> None:
    model.fit(x, target)
    keep(name, to_onnx(model, x[:1], target_opset=OPSET, **options), model, x[:ROWS], about=about)


def sklearn_models() -> None:
    sklearn_model("sklearn-logistic", make_pipeline(StandardScaler(), LogisticRegression()), LEFT, "Logistic regression behind a scaler, with the ZipMap that is the default.")
    forest = RandomForestClassifier(10, max_depth=4, random_state=1)
    sklearn_model("sklearn-forest", forest, LEFT, "Random forest of 10 trees, without a ZipMap.", options={"zipmap": False})
    boosted = GradientBoostingClassifier(n_estimators=20, max_depth=3, random_state=1)
    sklearn_model("sklearn-boosting", boosted, LEFT, "Gradient boosting of 20 trees.")
    mlp = make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=300, random_state=1))
    sklearn_model("sklearn-mlp", mlp, LEFT, "A neural network with 8 hidden units behind a scaler.")
    texts = make_pipeline(StandardScaler(), LogisticRegression())
    sklearn_model("sklearn-string-labels", texts, SEGMENT, "Three classes that are texts.")
    columns = make_pipeline(StandardScaler(), LogisticRegression())
    sklearn_model("sklearn-zipmap-columns", columns, SEGMENT, "Three classes, an output for each.", options={"zipmap": "columns"})
    regression = make_pipeline(StandardScaler(), LinearRegression())
    sklearn_model("sklearn-regression", regression, SCORE, "Linear regression behind a scaler.")
    doubles = make_pipeline(StandardScaler(), LinearRegression())
    sklearn_model("sklearn-double", doubles, SCORE, "Linear regression in 64 bits.", X.astype(np.float64))
    trees = GradientBoostingRegressor(n_estimators=20, max_depth=3, random_state=1)
    sklearn_model("sklearn-boosting-value", trees, SCORE, "Gradient boosting that gives a number.")


def sklearn_special() -> None:
    holes = X.copy()
    holes[::3, 1] = np.nan
    imputing = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())
    sklearn_model("sklearn-imputer", imputing, LEFT, "Missing values filled by an imputer, then scaled.", holes)
    fixed = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, LEFT)
    one = to_onnx(fixed, initial_types=[("X", FloatTensorType([1, 4]))], target_opset=OPSET)
    keep("sklearn-one-row", one, fixed, X[:ROWS], about="Exported for one row at a time.")
    table = pd.DataFrame({"orders30d": X[:, 0].astype(np.int64), "spend90d": X[:, 1].astype(np.float64), "channel": np.where(X[:, 3] > 0.5, "app", "web"), "giftShare": X[:, 3].astype(np.float64)})
    encode = ColumnTransformer([("scale", StandardScaler(), ["orders30d", "spend90d", "giftShare"]), ("encode", OneHotEncoder(handle_unknown="ignore"), ["channel"])])
    named = make_pipeline(encode, LogisticRegression()).fit(table, SEGMENT)
    about = "An input for each column: whole numbers, numbers and a text."
    keep_named("sklearn-named", named, table.head(ROWS), FloatTensorType, about)
    # The encoder's columns are of 32 bits whatever it is given, and the runtime does not put the two beside each other.
    about = "The same with 64-bit numbers, which its exporter joins to 32-bit ones: no runtime loads it."
    keep_named("sklearn-named-double", named, table.head(ROWS), DoubleTensorType, about)


def keep_named(name: str, model: Any, table: pd.DataFrame, number: Any, about: str) -> None:
    types = [
        ("orders30d", Int64TensorType([None, 1])),
        ("spend90d", number([None, 1])),
        ("channel", StringTensorType([None, 1])),
        ("giftShare", number([None, 1])),
    ]
    onnx = to_onnx(model, initial_types=types, target_opset=OPSET)
    rows = [[each.item() if hasattr(each, "item") else each for each in row] for row in table.itertuples(index=False)]
    said = {"rows": rows, "classes": list(model.classes_), "label": list(model.predict(table)), "scores": numbers(model.predict_proba(table))}
    papers = {"about": about, "columns": list(table.columns), "types": ["number", "number", "text", "number"], **said}
    (HERE / f"{name}.onnx").write_bytes(onnx.SerializeToString())
    (HERE / f"{name}.json").write_text(json.dumps(papers, indent=1) + "\n")
    print(f"{name:24} {len(onnx.SerializeToString()):7} bytes")


def boosted() -> None:
    wide = [("features", MlToolsFloat([None, 4]))]
    light = LGBMClassifier(n_estimators=15, num_leaves=7, random_state=1, verbose=-1, n_jobs=1).fit(X, LEFT)
    keep("lightgbm-classifier", convert_lightgbm(light, initial_types=wide, target_opset=15), light, X[:ROWS], about="LightGBM, 15 trees, with the ZipMap that is the default.")
    value = LGBMRegressor(n_estimators=15, num_leaves=7, random_state=1, verbose=-1, n_jobs=1).fit(X, SCORE)
    keep("lightgbm-regressor", convert_lightgbm(value, initial_types=wide, target_opset=15), value, X[:ROWS], about="LightGBM that gives a number.")
    extreme = XGBClassifier(n_estimators=15, max_depth=3, random_state=1, n_jobs=1).fit(X, LEFT)
    keep("xgboost-classifier", convert_xgboost(extreme, initial_types=wide, target_opset=15), extreme, X[:ROWS], about="XGBoost, 15 trees.")
    number = XGBRegressor(n_estimators=15, max_depth=3, random_state=1, n_jobs=1).fit(X, SCORE)
    keep("xgboost-regressor", convert_xgboost(number, initial_types=wide, target_opset=15), number, X[:ROWS], about="XGBoost that gives a number.")


def from_r() -> None:
    """What make_xgboost.R left here, where it was run."""
    file = HERE / "r-xgboost.ubj"
    if not file.exists():
        return
    booster = xgboost.Booster(model_file=file)
    booster.feature_names = None
    body = convert_xgboost(booster, initial_types=[("features", MlToolsFloat([None, 4]))], target_opset=15).SerializeToString()
    table = pd.read_csv(HERE / "r-xgboost.csv")
    second = table["prediction"].to_numpy()
    said = {"rows": numbers(table[COLUMNS].to_numpy()), "classes": ["0", "1"], "label": numbers((second > 0.5).astype(np.int64)), "scores": numbers(np.column_stack([1 - second, second]))}
    papers = {"about": "XGBoost of R, 15 trees, saved there by xgb.save.", "columns": COLUMNS, "types": ["number"] * 4, **said}
    (HERE / "r-xgboost.onnx").write_bytes(body)
    (HERE / "r-xgboost.json").write_text(json.dumps(papers, indent=1) + "\n")
    print(f"{'r-xgboost':24} {len(body):7} bytes")


if __name__ == "__main__":
    sklearn_models()
    sklearn_special()
    boosted()
    from_r()
