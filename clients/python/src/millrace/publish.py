"""A fitted model becomes a version of its model: a file that functions run, and papers that say where it is from."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from millrace.artifact import GOLDEN_FORMAT_VERSION, write_artifact
from millrace.catalog import Catalog
from millrace.command import run_millrace
from millrace.contract import NAN, Converted, ModelInput, ModelOutput
from millrace.convert import convert
from millrace.distributions import Distribution, distribution, golden_rows, usual
from millrace.errors import MillraceError
from millrace.fitted import TOLERANCE, Fitted
from millrace.inputs import find_inputs
from millrace.onnx_file import read_onnx
from millrace.papers import Metrics, final_values, git_commit, library_versions, now, performance, running_script, time_range, user
from millrace.session import Session
from millrace.stored_json import papers_json

# In extra/: what the script was told of its training set.
ATTRS_FILE = "training-set.json"
# So many rows of the training data, evenly spread, are asked of both the fitted model and its file.
COMPARED_ROWS_MAX = 20_000


@dataclass(frozen=True)
class About:
    """What of the papers no model and no data frame knows. What is left out is found, or left out there too."""

    owner: str | None = None
    description: str | None = None
    who: str | None = None
    when: str | None = None
    commit: str | None = None
    source: str | None = None
    licence: str | None = None
    tags: Sequence[str] = ()
    # Input to what stands for a null of it.
    missing: Mapping[str, float | str] = field(default_factory=dict)
    # Of the first output.
    range: tuple[float, float] | None = None
    # File name in extra/ to its bytes, and how to train again in that folder: `{data}` is the training table.
    extra: Mapping[str, bytes] = field(default_factory=dict)
    reproduce: Sequence[str] = ()


def publish(
    fitted: Any,
    name: str,
    *,
    data: pd.DataFrame,
    metrics: Metrics | None = None,
    stage: str = "staging",
    inputs: Sequence[str] | None = None,
    fingerprints: Mapping[str, str] | None = None,
    about: About | None = None,
    why: str = "from Python",
    pipeline_dir: str | Path = ".",
) -> dict[str, Any]:
    """Makes `fitted` the current version of the model `name` in `stage`, and returns what the command says of it: `batchId` and more.

    `fitted`: an estimator or pipeline of scikit-learn, a scikit-learn class of LightGBM or XGBoost, or an ONNX file (bytes or path).
    `data`: what it was trained on, from `millrace.training_set`. `inputs`: columns of it in the model's order, where the fitted model does
    not know their names. `metrics`: `{"auc": 0.71}`, or by slice `{"auc": {"May": 0.73}}`. Golden rows are made from the distributions of the data
    and are nobody's. Raises MillraceError before anything is published where file and fitted model do not say the same.
    """
    about = About() if about is None else about
    attrs = data.attrs
    definitions = Catalog(attrs["pipeline"], attrs["deployment"]).definitions() if "pipeline" in attrs else None
    zipped = make_artifact(
        fitted, name, data=data, metrics=metrics, inputs=inputs, fingerprints=fingerprints, about=about, definitions=definitions
    )
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
        path = Path(folder) / f"{name}.zip"
        path.write_bytes(zipped)
        words = ["model", "publish", str(path), "--to", stage, "--who", about.who or user(), "--why", why]
        if "deployment" in attrs:
            words += ["--stage", attrs["deployment"]]
        return run_millrace(words, Path(pipeline_dir))


def make_artifact(
    fitted: Any,
    name: str,
    *,
    data: pd.DataFrame,
    metrics: Metrics | None = None,
    inputs: Sequence[str] | None = None,
    fingerprints: Mapping[str, str] | None = None,
    about: About | None = None,
    definitions: Mapping[str, Any] | None = None,
) -> bytes:
    """The zip that `publish` publishes. `definitions`: what is deployed, where that is known."""
    about = About() if about is None else about
    found = find_inputs(fitted, name, data, inputs=inputs, fingerprints=fingerprints, definitions=definitions)
    distributions = {each.name: distribution(data[each.name], each.kind) for each in found}
    synthetic = golden_rows(distributions, {each.name: each.kind for each in found}, seed=name)
    converted, model = _converted(fitted, found, distributions, about, synthetic)
    session = Session(converted.onnx, model.inputs, converted.outputs)
    step = max(1, len(data) // COMPARED_ROWS_MAX)
    sample = data.iloc[::step]
    answers = model.answers(sample, session)
    tolerance = _compare(session, sample, answers)
    golden = {
        "formatVersion": GOLDEN_FORMAT_VERSION,
        "synthetic": True,
        "tolerance": max(tolerance, _compare(session, synthetic, expected := model.answers(synthetic, session))),
        "inputs": _cells(synthetic, model.inputs),
        "outputs": _golden_outputs(expected, converted.outputs),
    }
    said: Mapping[str, Any] = next((each for each in (definitions or {}).get("models", []) if each["name"] == name), {})
    who = about.who or user()
    extra, reproduce = _script(about, data)
    papers: dict[str, Any] = {
        "name": name,
        "owner": about.owner or said.get("owner") or who,
        "who": who,
        "when": about.when or now(),
        "description": about.description or said.get("about") or f"{name}: {type(fitted).__name__}, trained by {who}.",
        "commit": about.commit or git_commit(Path.cwd()),
        "hyperparameters": converted.hyperparameters,
        "trainingData": _training_data(data, about),
        "inputs": [_input_papers(each, distributions[each.name]) for each in model.inputs],
        "outputs": [{**each.to_manifest(), **_output_distribution(each, answers)} for each in converted.outputs],
        "performance": performance(metrics),
        "libraries": library_versions(converted.libraries),
        "finalValues": final_values(converted),
        "licence": about.licence,
        "tags": list(about.tags) or None,
        "reproduce": {"command": list(reproduce)} if reproduce else None,
        "changes": converted.changes,
    }
    return write_artifact({key: value for key, value in papers.items() if value is not None}, converted.onnx, golden, extra)


def _converted(
    fitted: Any, found: list[ModelInput], distributions: Mapping[str, Distribution], about: About, synthetic: pd.DataFrame
) -> tuple[Converted, Fitted]:
    """With the missing values that the model takes: NaN where it does, else what is usual."""
    is_file = isinstance(fitted, (bytes, str, Path))
    converted = read_onnx(fitted) if is_file else convert(fitted, found)
    if about.range is not None:
        first = converted.outputs[0]
        converted.outputs[0] = ModelOutput(**{**first.__dict__, "range": about.range})
    inputs = [_with(each, about.missing.get(each.name, NAN if each.kind != "text" else "")) for each in found]
    model = Fitted(None if is_file else fitted, converted.outputs, inputs)
    if model.takes(synthetic, Session(converted.onnx, inputs, converted.outputs)):
        return converted, model
    held = {each.name for each in found if distributions[each.name]["missing"] > 0} - set(about.missing)
    if held:
        raise MillraceError(
            f"The model, or its ONNX file, does not take a missing value, and {', '.join(sorted(held))} has some in the training data",
            code="missing-not-taken",
            next="Fill them before fitting and say what with: about=millrace.About(missing={'name': 0}), or fit a pipeline with an imputer.",
        )
    inputs = [_with(each, about.missing.get(each.name, usual(distributions[each.name]))) for each in found]
    return converted, Fitted(None if is_file else fitted, converted.outputs, inputs)


def _with(each: ModelInput, missing: float | str) -> ModelInput:
    number = {"true": 1.0, "false": 0.0}.get(str(missing), missing) if each.kind == "flag" else missing
    return ModelInput(each.name, each.fingerprint, each.kind, number)


def _compare(session: Session, rows: pd.DataFrame, answers: pd.DataFrame) -> float:
    """The tolerance that their size asks for. Raises MillraceError `converter-differs`."""
    actual, refusals = session.run(rows)
    for row, why in refusals.items():
        raise _differs(f"row {row + 1} is refused: {why}")
    most = TOLERANCE
    for name in answers:
        expected, got = answers[name], actual[name]
        if expected.dtype.kind not in "fc":
            wrong = np.flatnonzero(expected.astype(str).to_numpy() != got.astype(str).to_numpy())
            # Where two classes are equally probable, 32 bits may take the other one.
            if len(wrong) > len(rows) * 1e-3:
                raise _differs(f"{name} is {got.iloc[wrong[0]]} in row {wrong[0] + 1}, and was {expected.iloc[wrong[0]]}")
            continue
        tolerance = TOLERANCE * max(1.0, float(np.abs(expected.to_numpy()).max()))
        difference = np.abs(expected.to_numpy() - got.to_numpy())
        if float(difference.max()) > tolerance:
            row = int(difference.argmax())
            raise _differs(f"{name} is {got.iloc[row]} in row {row + 1}, and was {expected.iloc[row]}")
        most = max(most, tolerance)
    return most


def _differs(what: str) -> MillraceError:
    return MillraceError(
        f"The ONNX file does not say what the fitted model says: {what}",
        code="converter-differs",
        next="Fit it on 32-bit floats (df.astype('float32')), or use an estimator that the converter knows exactly.",
    )


def _cells(rows: pd.DataFrame, inputs: list[ModelInput]) -> list[list[float | str]]:
    """As the manifest's rules have it: what is missing is what stands for it."""
    columns = []
    for each in inputs:
        values = rows[each.name].astype("object")
        number = (lambda value: str(value)) if each.kind == "text" else float
        columns.append([each.missing if pd.isna(value) else number(value) for value in values])
    return [list(row) for row in zip(*columns, strict=True)]


def _golden_outputs(expected: pd.DataFrame, outputs: list[ModelOutput]) -> dict[str, list[Any]]:
    golden: dict[str, list[Any]] = {}
    for output in outputs:
        if output.kind == "scores":
            columns = {each: expected[f"{output.name}.{each}"].tolist() for each in output.classes}
            golden[output.name] = [{each: values[row] for each, values in columns.items()} for row in range(len(expected))]
        else:
            golden[output.name] = expected[output.name].tolist()
    return golden


def _output_distribution(output: ModelOutput, answers: pd.DataFrame) -> dict[str, Any]:
    """Of scores none: there is one for each class."""
    if output.kind == "scores":
        return {}
    return {"distribution": distribution(answers[output.name], "text" if output.kind == "label" else "number")}


def _input_papers(each: ModelInput, spread: Distribution) -> dict[str, Any]:
    return {"name": each.name, "fingerprint": each.fingerprint, "type": each.kind, "missing": each.missing, "distribution": spread}


def _training_data(data: pd.DataFrame, about: About) -> dict[str, Any]:
    attrs = data.attrs
    where: dict[str, Any] = {str(key): attrs[key] for key in ("table", "partition") if key in attrs}
    batch = {"batchId": attrs["batch_id"]} if "batch_id" in attrs else {}
    source = about.source or where.get("table") or "a data frame"
    return {"source": source, **where, **batch, "rows": len(data), **time_range(data)}


def _script(about: About, data: pd.DataFrame) -> tuple[dict[str, bytes], Sequence[str]]:
    """What was given; else the script that runs, which `millrace.reproduce` runs again on the kept table."""
    if about.extra or about.reproduce:
        return dict(about.extra), about.reproduce
    script = running_script()
    if script is None:
        return {}, ()
    if "batch_id" not in data.attrs:
        return {script.name: script.read_bytes()}, ()
    asked = {key: data.attrs[key] for key in ("features", "types", "models") if key in data.attrs}
    extra = {script.name: script.read_bytes(), ATTRS_FILE: papers_json(asked, indent=1, sort_keys=True)}
    return extra, ["python3", "-m", "millrace.reproduce", script.name, "{data}"]
