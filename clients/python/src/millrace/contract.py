"""What goes into a model and comes out of it, as a manifest says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["number", "flag", "text"]
# JSON has no NaN.
NAN = "nan"


@dataclass(frozen=True)
class ModelInput:
    """A feature as the model takes it. `missing`: what stands for a null; `nan` of numbers."""

    name: str
    fingerprint: str
    kind: Kind
    missing: float | str = NAN


@dataclass(frozen=True)
class ModelOutput:
    """A tensor of the file, or a column of it, as a prediction has it."""

    name: str
    tensor: str
    kind: Literal["number", "label", "scores"] = "number"
    column: int = 0
    classes: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    meaning: str | None = None

    def to_manifest(self) -> dict[str, Any]:
        said: dict[str, Any] = {"name": self.name, "kind": self.kind, "tensor": self.tensor}
        if self.kind == "number":
            said["column"] = self.column
        if self.classes:
            said["classes"] = list(self.classes)
        if self.range is not None:
            said["range"] = list(self.range)
        return said if self.meaning is None else {**said, "meaning": self.meaning}


Answers = Mapping[str, list[Any]]


@dataclass
class Converted:
    """A fitted model as a file, and whatever of its papers only the fitted one knows."""

    onnx: bytes
    outputs: list[ModelOutput]
    # Feature names in the order of columns, or none: the file does not say.
    changes: list[str] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    # Name to number, where they are few.
    coefficients: dict[str, float] = field(default_factory=dict)


def model_frame(rows: pd.DataFrame, inputs: list[ModelInput]) -> pd.DataFrame:
    """The inputs in order, as the file is given them: numbers that 32 bits can say, flags as 0 and 1, nothing missing but NaN."""
    return pd.DataFrame({each.name: _model_column(rows[each.name], each) for each in inputs}, index=rows.index)


def _model_column(values: pd.Series[Any], each: ModelInput) -> pd.Series[Any]:
    if each.kind == "text":
        return values.astype("object").where(values.notna(), str(each.missing))
    numbers = pd.to_numeric(values.astype("Float64") if each.kind == "flag" else values).to_numpy(dtype=np.float64, na_value=np.nan)
    missing = np.nan if each.missing == NAN else float(each.missing)
    exact = numbers.astype(np.float32).astype(np.float64)
    return pd.Series(np.where(np.isnan(exact), missing, exact), index=values.index)
