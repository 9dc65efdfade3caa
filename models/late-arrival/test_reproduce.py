"""Both versions of compare_train.py are made again from their artifacts and the batch of the catalogue that their papers name, and what is
not the same model is not said to be.

pytest test_reproduce.py, by reproduce.sh: a local cloud has the training set, LATE_ARRIVAL_FOLDER has first.zip and second.zip.
"""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from millrace.artifact import read_artifact, write_artifact
from millrace.session import Session

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ["LATE_ARRIVAL_FOLDER"])


def millrace(*words: str) -> tuple[int, dict]:
    # The script in the artifact is run by `python3`: this one, with its packages.
    env = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    done = subprocess.run(["node", "bin/millrace.mjs", *words, "--json"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    error = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("{")), "{}")
    return done.returncode, {**json.loads(done.stdout or "{}"), **json.loads(error)}


def reproduced(tmp_path: Path, zipped: bytes) -> tuple[int, dict]:
    path = tmp_path / "late-arrival.zip"
    path.write_bytes(zipped)
    exit_code, published = millrace("model", "publish", str(path), "--to", "staging", "--why", "to be made again")
    assert exit_code == 0, published
    return millrace("model", "reproduce", "late-arrival", published["batchId"], "--yes")


def changed(change: Callable[[dict, dict, dict], bytes | None]) -> bytes:
    """The first version with other papers: `change` gets manifest, golden rows and extra/, and returns another file if it likes."""
    body = (FOLDER / "first.zip").read_bytes()
    artifact = read_artifact(body)
    with zipfile.ZipFile(io.BytesIO(body)) as files:
        extra = {name.removeprefix("extra/"): files.read(name) for name in files.namelist() if name.startswith("extra/")}
    papers = {key: value for key, value in artifact.manifest.items() if key not in ("formatVersion", "sha256", "bytes", "files")}
    model = change(papers, artifact.golden, extra)
    return write_artifact(papers, artifact.onnx if model is None else model, artifact.golden, extra)


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_version_is_made_again_from_the_batch_that_its_papers_name(tmp_path: Path, name: str) -> None:
    zipped = (FOLDER / f"{name}.zip").read_bytes()
    data = read_artifact(zipped).manifest["trainingData"]
    assert (data["table"], data["partition"]) == ("flights.training_late-arrival", "all")
    assert data["batchId"] != os.environ["OTHER_BATCH"]
    exit_code, said = reproduced(tmp_path, zipped)
    assert exit_code == 0, said
    assert (said["holds"], said["isSameFile"], said["largestDifference"], said["rows"]) == (True, True, 0, 32)


def test_a_model_with_another_coefficient_is_not(tmp_path: Path) -> None:
    """Its golden rows are its own, so that nothing but training it again can tell."""

    def change(papers: dict, golden: dict, extra: dict) -> bytes:
        artifact = read_artifact((FOLDER / "first.zip").read_bytes())
        model = onnx.load_model_from_string(artifact.onnx)
        (leaves,) = [each.floats for node in model.graph.node for each in node.attribute if each.name == "target_weights"] or [
            each.floats for node in model.graph.node for each in node.attribute if each.name == "class_weights"
        ]
        # Of one tree of 40 whichever leaf a row is in.
        for index in range(7):
            leaves[index] += 0.05
        rows = pd.DataFrame(golden["inputs"], columns=[each.name for each in artifact.inputs])
        answers, refused = Session(model.SerializeToString(), artifact.inputs, artifact.outputs).run(rows.replace("nan", np.nan).astype(float))
        assert refused == {}
        golden["outputs"] = {name: answers[name].tolist() for name in answers}
        return model.SerializeToString()

    exit_code, said = reproduced(tmp_path, changed(change))
    assert (exit_code, said["error"]["code"], said["holds"]) == (1, "reproduce-differs", False)
    assert 1e-4 < said["largestDifference"] < 0.02


def test_a_model_of_another_batch_is_not(tmp_path: Path) -> None:
    def change(papers: dict, golden: dict, extra: dict) -> None:
        papers["trainingData"]["batchId"] = os.environ["OTHER_BATCH"]

    exit_code, said = reproduced(tmp_path, changed(change))
    assert (exit_code, said["error"]["code"], said["holds"], said["isSameFile"]) == (1, "reproduce-differs", False, False)


def test_a_model_of_other_hyperparameters_is_not(tmp_path: Path) -> None:
    def change(papers: dict, golden: dict, extra: dict) -> None:
        script = extra["compare_train.py"]
        extra["compare_train.py"] = script.replace(b'"max_iter": 40', b'"max_iter": 41')
        assert extra["compare_train.py"] != script

    exit_code, said = reproduced(tmp_path, changed(change))
    assert (exit_code, said["error"]["code"], said["holds"]) == (1, "reproduce-differs", False)


def test_a_batch_that_is_not_there_is_named(tmp_path: Path) -> None:
    def change(papers: dict, golden: dict, extra: dict) -> None:
        papers["trainingData"]["batchId"] = "20010101000000-00000000"

    exit_code, said = reproduced(tmp_path, changed(change))
    assert exit_code == 1
    assert "20010101000000-00000000" in said["error"]["message"]
