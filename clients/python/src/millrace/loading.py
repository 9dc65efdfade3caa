"""A published model in this process, for who scores a table of users at once: the same bytes that functions serve."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pandas as pd

from millrace.artifact import Artifact, read_artifact
from millrace.catalog import Catalog
from millrace.errors import MillraceError
from millrace.session import Session, check_golden

# Default of the npm package's `serverless.yml`: the service's name is the pipeline's.
SERVICE = re.compile(r"^service:\s*['\"]?([a-z][a-z0-9-]{2,31})['\"]?\s*(?:#.*)?$", re.MULTILINE)


class Model:
    """A version of a model that has given what its golden rows say."""

    def __init__(self, artifact: Artifact, batch_id: str) -> None:
        self.manifest: dict[str, Any] = artifact.manifest
        self.batch_id = batch_id
        self._session = Session(artifact.onnx, artifact.inputs, artifact.outputs, artifact.tensors)
        if artifact.golden is not None:
            check_golden(self._session, artifact.golden)

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def inputs(self) -> list[str]:
        return [each["name"] for each in self.manifest["inputs"]]

    def predict(self, df: pd.DataFrame) -> pd.DataFrame:
        """A row for each row of `df`, with its index; columns are the outputs, of scores one for each class: `risk.high`.

        `df` has a column for each input, by feature name; it may have others. A row whose answer cannot be right (not finite, out of its
        range, no class) is a row of nulls, as nothing of it would be stored; `attrs["refused"]` says which, by place, and why.
        """
        lacking = [name for name in self.inputs if name not in df.columns]
        if lacking:
            raise MillraceError(
                f"The rows have no column {', '.join(lacking)}", code="column-missing", next=f"{self.name} takes {', '.join(self.inputs)}."
            )
        answers, refusals = self._session.run(df)
        if refusals:
            places = list(refusals)
            answers = answers.astype({name: "object" for name in answers if answers[name].dtype.kind in "iu"})
            answers.iloc[places] = None
        answers.attrs = {"model": self.name, "batch_id": self.batch_id, "refused": refusals}
        return answers


def load_model(
    name: str,
    stage: str = "production",
    batch_id: str | None = None,
    *,
    pipeline: str | None = None,
    deployment: str = "dev",
    pipeline_dir: str | Path = ".",
) -> Model:
    """The current version of a stage, or the one with that batch ID, whatever stage it is in: every byte checked, golden rows tried.

    `pipeline`: whose catalogue it is; unless given MILLRACE_PIPELINE, else the service of `serverless.yml` in `pipeline_dir`.
    `deployment`: the stage that the pipeline is deployed at.
    """
    catalog = Catalog(pipeline or pipeline_name(Path(pipeline_dir)), deployment)
    table = f"models.{name}"
    partition = stage if batch_id is None else catalog.partition_of(table, batch_id)
    if partition is None:
        raise MillraceError(
            f"There is no version {batch_id} of {name}", code="batch-not-found", next="`millrace model history` lists those there are."
        )
    batch_id = catalog.current(table, stage) if batch_id is None else batch_id
    if batch_id is None:
        raise MillraceError(
            f"Nothing was ever published as {name} in {stage}", code="model-not-found", next="`millrace model list` shows what was."
        )
    for _, body in catalog.bodies(catalog.batch(table, partition, batch_id)):
        artifact = read_artifact(body)
        if artifact.manifest["name"] != name:
            raise MillraceError(f"The artifact in {table} is one of {artifact.manifest['name']}", code="model-contract")
        return Model(artifact, batch_id)
    raise MillraceError(f"The version {batch_id} of {name} has no artifact", code="artifact-file-missing")


def pipeline_name(folder: Path) -> str:
    """Raises MillraceError `pipeline-unknown`."""
    said = os.environ.get("MILLRACE_PIPELINE", "")
    if said != "":
        return said
    template = folder / "serverless.yml"
    found = SERVICE.search(template.read_text()) if template.exists() else None
    if found is None:
        raise MillraceError(
            "Whose catalogue it is is not known",
            code="pipeline-unknown",
            next="Give pipeline= or set MILLRACE_PIPELINE to its name, or work in the pipeline's folder.",
        )
    return found.group(1)
