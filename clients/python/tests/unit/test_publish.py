"""Fitted models of many kinds become artifacts that say what the fitted model says; what cannot is refused before anything is published."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.cluster import DBSCAN
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from xgboost import XGBClassifier, XGBRegressor

import millrace
from conftest import BATCH_ID
from millrace.artifact import Artifact, read_artifact
from millrace.loading import Model
from millrace.publish import make_artifact

ROWS = 1_200
NUMBERS = ["orders30d", "spend90d", "sinceOrder"]
WHEN = "2026-01-05T12:00:00Z"


def training_data(missing: bool = False) -> pd.DataFrame:
    r = np.random.default_rng(1)
    df = pd.DataFrame(
        {
            "user": [f"u{row}" for row in range(ROWS)],
            "time": pd.date_range("2025-01-01", periods=ROWS, freq="h", tz="UTC"),
            "orders30d": r.poisson(3, ROWS).astype(float),
            "spend90d": np.round(r.gamma(2, 50, ROWS), 2),
            "sinceOrder": r.exponential(1e5, ROWS),
            "isLoyal": pd.array(r.random(ROWS) < 0.3, dtype="boolean"),
            "lastItem": r.choice(["tea", "cup", "pot"], ROWS, p=[0.6, 0.3, 0.1]),
        }
    )
    score = df["orders30d"] - df["spend90d"] / 50 + 2 * (df["lastItem"] == "tea") + r.normal(size=ROWS)
    df["churned"] = (score < 1).astype(int)
    df["spends"] = df["spend90d"] * 30 + score
    df["tier"] = np.array(["low", "mid", "high"])[np.digitize(score, [0, 3])]
    if missing:
        df.loc[r.random(ROWS) < 0.2, "sinceOrder"] = np.nan
    features = [*NUMBERS, "isLoyal", "lastItem"]
    df.attrs = {
        "batch_id": BATCH_ID,
        "table": "shop.training_default",
        "partition": "all",
        "features": {name: f"{index:064x}" for index, name in enumerate(features)},
        "types": {**dict.fromkeys(NUMBERS, "number"), "isLoyal": "flag", "lastItem": "text"},
    }
    return df


def published(fitted: Any, data: pd.DataFrame, **options: Any) -> Artifact:
    """Read back; and opened as `load_model` opens it, golden rows and all."""
    artifact = read_artifact(make_artifact(fitted, "churn", data=data, **options))
    Model(artifact, BATCH_ID)
    return artifact


def with_text() -> Any:
    columns = ColumnTransformer([("text", OneHotEncoder(handle_unknown="ignore"), ["lastItem"])], remainder="passthrough")
    return make_pipeline(columns, LogisticRegression(max_iter=2_000))


KINDS: dict[str, tuple[Callable[[], Any], str, bool]] = {
    "logistic regression": (lambda: LogisticRegression(max_iter=5_000), "churned", False),
    "three classes": (lambda: make_pipeline(StandardScaler(), LogisticRegression()), "tier", False),
    "scaler and imputer": (lambda: make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), "churned", True),
    "random forest": (lambda: RandomForestClassifier(20, random_state=0), "churned", False),
    "gradient boosting": (lambda: GradientBoostingClassifier(n_estimators=20, random_state=0), "churned", False),
    "histogram gradient boosting": (lambda: HistGradientBoostingClassifier(max_iter=20, random_state=0), "churned", True),
    "histogram gradient boosting, three classes": (lambda: HistGradientBoostingClassifier(max_iter=9, random_state=0), "tier", True),
    "MLP": (lambda: make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=100, random_state=0)), "churned", False),
    "regression": (lambda: LinearRegression(), "spends", False),
    "LightGBM": (lambda: LGBMClassifier(n_estimators=20, verbose=-1), "churned", True),
    "LightGBM, three classes": (lambda: LGBMClassifier(n_estimators=9, verbose=-1), "tier", True),
    "LightGBM regression": (lambda: LGBMRegressor(n_estimators=20, verbose=-1), "spends", True),
    "XGBoost": (lambda: XGBClassifier(n_estimators=20), "churned", True),
    "XGBoost regression": (lambda: XGBRegressor(n_estimators=20), "spends", True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_artifact_says_what_the_fitted_model_says(kind: str) -> None:
    make, label, has_missing = KINDS[kind]
    data = training_data(has_missing)
    rows = data[NUMBERS].astype("float32").astype("float64")
    fitted = make().fit(rows, data[label])
    artifact = published(fitted, data)
    answers = Model(artifact, BATCH_ID).predict(data)
    assert answers.attrs["refused"] == {} and answers.index.equals(data.index)
    if "probability" in answers:
        assert np.abs(answers["probability"] - fitted.predict_proba(rows)[:, 1]).max() < 1e-5
    elif "label" in answers:
        assert (answers["label"] == fitted.predict(rows)).mean() > 0.999
        scores = answers[[f"scores.{each}" for each in fitted.classes_]].to_numpy()
        assert np.abs(scores - fitted.predict_proba(rows)).max() < 1e-5
    else:
        assert np.abs(answers["value"] / fitted.predict(rows) - 1).max() < 1e-5
    assert [each["name"] for each in artifact.manifest["inputs"]] == NUMBERS
    assert [each["missing"] == "nan" for each in artifact.manifest["inputs"]] == [has_missing] * 3


def test_texts_and_flags_are_inputs_of_their_own() -> None:
    data = training_data()
    names = ["orders30d", "lastItem", "isLoyal"]
    fitted = with_text().fit(data[names], data["churned"])
    artifact = published(fitted, data)
    assert [(each["name"], each["type"], each["missing"]) for each in artifact.manifest["inputs"]] == [
        ("orders30d", "number", 3.0),
        ("lastItem", "text", "tea"),
        ("isLoyal", "flag", 0.0),
    ]
    expected = fitted.predict_proba(data[names])[:, 1]
    assert np.abs(Model(artifact, BATCH_ID).predict(data)["probability"] - expected).max() < 1e-5
    one_missing = Model(artifact, BATCH_ID).predict(data.assign(lastItem=None)).to_numpy()
    assert np.array_equal(one_missing, Model(artifact, BATCH_ID).predict(data.assign(lastItem="tea")).to_numpy())


def test_the_papers_fill_themselves() -> None:
    data = training_data()
    fitted = LogisticRegression(C=0.5, max_iter=5_000).fit(data[NUMBERS], data["churned"])
    definitions = {
        "pipeline": "shop",
        "models": [{"name": "churn", "owner": "ana", "about": "Who leaves.", "inputs": [{"name": name} for name in NUMBERS]}],
    }
    artifact = published(fitted, data, metrics={"auc": {"May": 0.7}, "brier": 0.2}, definitions=definitions)
    manifest = artifact.manifest
    assert (manifest["formatVersion"], manifest["name"], manifest["owner"], manifest["description"]) == (2, "churn", "ana", "Who leaves.")
    assert manifest["hyperparameters"]["C"] == 0.5
    assert manifest["trainingData"] == {
        "source": "shop.training_default",
        "table": "shop.training_default",
        "partition": "all",
        "batchId": BATCH_ID,
        "rows": ROWS,
        "from": "2025-01-01T00:00:00Z",
        "to": "2025-02-19T23:00:00Z",
    }
    assert manifest["performance"] == [
        {"metric": "auc", "slice": "May", "value": 0.7},
        {"metric": "brier", "slice": "all", "value": 0.2},
    ]
    orders = manifest["inputs"][0]
    assert orders["fingerprint"] == data.attrs["features"]["orders30d"]
    assert orders["distribution"]["count"] == ROWS and orders["distribution"]["deciles"][4] == data["orders30d"].median()
    assert manifest["outputs"][0]["range"] == [0, 1] and manifest["outputs"][0]["distribution"]["count"] == ROWS
    assert {"scikit-learn", "skl2onnx", "onnx", "numpy", "python"} <= set(manifest["libraries"])
    final = json.loads(zlib.decompress(base64.b64decode(manifest["finalValues"]["zlibJson"])))
    assert final == {"(intercept)": fitted.intercept_[0], **dict(zip(NUMBERS, fitted.coef_[0], strict=True))}


def test_golden_rows_are_nobody_s() -> None:
    data = training_data(missing=True)
    fitted = XGBClassifier(n_estimators=5).fit(data[NUMBERS], data["churned"])
    golden = published(fitted, data).golden
    assert golden is not None and golden["synthetic"] is True and len(golden["inputs"]) == 32
    assert golden["inputs"][1] == ["nan", "nan", "nan"] and any(row[2] == "nan" for row in golden["inputs"][4:])
    real = set(map(tuple, data[NUMBERS].astype("float32").astype("float64").to_numpy()))
    assert real.isdisjoint(map(tuple, golden["inputs"]))
    assert all(float(row[0]).is_integer() for row in golden["inputs"] if row[0] != "nan")


def test_the_same_model_and_papers_are_the_same_bytes() -> None:
    data = training_data()
    about = millrace.About(who="ana", when=WHEN, commit="c", extra={"train.py": b"pass\n"}, reproduce=["python3", "train.py", "{data}"])
    first, second = (
        make_artifact(RandomForestClassifier(5, random_state=0).fit(data[NUMBERS], data["churned"]), "churn", data=data, about=about)
        for _ in range(2)
    )
    assert first == second
    manifest = read_artifact(first).manifest
    assert set(manifest["files"]) == {"golden.json", "extra/train.py"}
    assert manifest["reproduce"]["command"][1] == "train.py" and manifest["finalValues"]["count"] > 100


@pytest.mark.parametrize("as_path", [False, True])
def test_an_onnx_file_comes_as_it_is_but_for_its_zip_map(as_path: bool, tmp_path: Path) -> None:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    data = training_data()
    fitted = LogisticRegression(max_iter=5_000).fit(data[NUMBERS].to_numpy(), data["churned"])
    onnx = to_onnx(fitted, initial_types=[("X", FloatTensorType([None, 3]))], target_opset={"": 17, "ai.onnx.ml": 3}).SerializeToString()
    (tmp_path / "model.onnx").write_bytes(onnx)
    artifact = published(tmp_path / "model.onnx" if as_path else onnx, data, inputs=NUMBERS)
    assert "ZipMap" in artifact.manifest["changes"][0]
    expected = fitted.predict_proba(data[NUMBERS].to_numpy())[:, 1]
    assert np.abs(Model(artifact, BATCH_ID).predict(data)["probability"] - expected).max() < 1e-5


def lying(fitted: Any) -> Any:
    """Does something of which its converter knows nothing."""
    honest = fitted.predict_proba
    fitted.predict_proba = lambda rows: honest(rows) ** 2
    return fitted


def refusals() -> dict[str, tuple[str, Callable[[pd.DataFrame], Any]]]:
    def fit(data: pd.DataFrame, names: list[str] = NUMBERS, estimator: Any = None) -> Any:
        return (estimator or LogisticRegression(max_iter=5_000)).fit(data[names], data["churned"])

    def without(data: pd.DataFrame, key: str) -> pd.DataFrame:
        data.attrs = {name: value for name, value in data.attrs.items() if name != key}
        return data

    def models(*inputs: str) -> dict[str, Any]:
        return {"pipeline": "shop", "models": [{"name": "churn", "inputs": [{"name": name} for name in inputs]}]}

    def make(fitted: Any, data: pd.DataFrame, **options: Any) -> bytes:
        return make_artifact(fitted, options.pop("name", "churn"), data=data, **options)

    return {
        "a column that was dropped": ("column-missing", lambda d: make(fit(d), d.drop(columns="spend90d"))),
        "no fingerprints": ("fingerprint-missing", lambda d: make(fit(d), without(d, "features"))),
        "a column that is no feature": ("fingerprint-missing", lambda d: make(fit(d, [*NUMBERS, "spends"]), d)),
        "an input that is not declared": ("model-contract", lambda d: make(fit(d), d, definitions=models("orders30d", "spend90d"))),
        "an input that is not used": ("model-contract", lambda d: make(fit(d), d, definitions=models(*NUMBERS, "isLoyal"))),
        "a model that is not declared": ("model-undefined", lambda d: make(fit(d), d, name="other", definitions=models(*NUMBERS))),
        "an array without names": ("inputs-unknown", lambda d: make(LogisticRegression().fit(d[NUMBERS[:2]].to_numpy(), d["churned"]), d)),
        "other inputs than fitted": ("inputs-unknown", lambda d: make(fit(d), d, inputs=["isLoyal"])),
        "no time": ("time-missing", lambda d: make(fit(d), d.drop(columns="time"))),
        "a metric that was not measured": ("metrics-invalid", lambda d: make(fit(d), d, metrics={"auc": {"all": float("nan")}})),
        "a metric that is a text": ("metrics-invalid", lambda d: make(fit(d), d, metrics={"auc": "good"})),
        "what predicts nothing": ("model-not-convertible", lambda d: make(DBSCAN().fit(d[NUMBERS]), d)),
        "what skl2onnx does not know": (
            "model-not-convertible",
            lambda d: make(fit(d, estimator=make_pipeline(StandardScaler(), LinearSVC())), d),
        ),
        "a booster": (
            "model-not-convertible",
            lambda d: make(fit(d, estimator=LGBMClassifier(n_estimators=2, verbose=-1)).booster_, d, inputs=NUMBERS),
        ),
        "no ONNX": ("onnx-unreadable", lambda d: make(b"no", d, inputs=NUMBERS)),
        "a file that says something else": ("converter-differs", lambda d: make(lying(fit(d)), d)),
    }


@pytest.mark.parametrize("case", refusals())
def test_refuses(case: str) -> None:
    code, make = refusals()[case]
    with pytest.raises(millrace.MillraceError) as raised:
        make(training_data())
    assert (raised.value.code, bool(raised.value.next)) == (code, True)


def test_a_model_that_takes_no_missing_values_is_not_given_any_that_it_was_not_told_of() -> None:
    data = training_data(missing=True)
    fitted = LogisticRegression(max_iter=5_000).fit(data[NUMBERS].fillna(0), data["churned"])
    with pytest.raises(millrace.MillraceError) as raised:
        make_artifact(fitted, "churn", data=data)
    assert raised.value.code == "missing-not-taken" and "sinceOrder" in str(raised.value)
    artifact = published(fitted, data, about=millrace.About(missing={"sinceOrder": 0}))
    expected = fitted.predict_proba(data[NUMBERS].fillna(0))[:, 1]
    assert np.abs(Model(artifact, BATCH_ID).predict(data)["probability"] - expected).max() < 1e-5


def test_publishes_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "millrace.py"
    script.write_text(
        "import json, pathlib, shutil, sys\n"
        f"shutil.copy(sys.argv[3], {str(tmp_path / 'kept.zip')!r})\n"
        "print(json.dumps({'batchId': '20260102030405-7h3k9c2m', 'words': sys.argv[1:]}))\n"
    )
    monkeypatch.setenv("MILLRACE_COMMAND", f"{sys.executable} {script}")
    data = training_data()
    fitted = LogisticRegression(max_iter=5_000).fit(data[NUMBERS], data["churned"])
    done = millrace.publish(fitted, "churn", data=data, about=millrace.About(who="ana"), why="better", pipeline_dir=tmp_path)
    assert done["words"][:2] == ["model", "publish"]
    assert done["words"][3:] == ["--to", "staging", "--who", "ana", "--why", "better", "--json"]
    assert zipfile.ZipFile(tmp_path / "kept.zip").namelist()[:3] == ["manifest.json", "model.onnx", "golden.json"]


def test_a_script_is_run_again_on_the_kept_table(tmp_path: Path) -> None:
    data = training_data()
    data.rename(columns={"user": "user_id"}).assign(label_row=range(ROWS)).sort_values("spend90d").to_parquet(tmp_path / "table.parquet")
    (tmp_path / "training-set.json").write_text(json.dumps({key: data.attrs[key] for key in ("features", "types")}))
    (tmp_path / "train.py").write_text(
        "import millrace\n"
        "from sklearn.ensemble import RandomForestClassifier\n"
        "df = millrace.training_set(None, name='whatever')\n"
        f"fitted = RandomForestClassifier(5, random_state=0).fit(df[{NUMBERS!r}], df['churned'])\n"
        "millrace.publish(fitted, 'churn', data=df, stage='production')\n"
    )
    command = [sys.executable, "-m", "millrace.reproduce", "train.py", "table.parquet"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    fitted = RandomForestClassifier(5, random_state=0).fit(data[NUMBERS], data["churned"])
    assert (tmp_path / "model.onnx").read_bytes() == published(fitted, data).onnx
