"""A model of the catalogue in this process: a row of answers for each row of a data frame, by the same file, the same rules for what is
missing and the same checks of what comes out as in a function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from millrace.contract import NAN, ModelInput, ModelOutput, model_frame
from millrace.convert import imported
from millrace.errors import MillraceError

# Probabilities summed in 32 bits end a little above 1: within this share of the range it is rounding.
ROUNDING_SHARE = 2.0**-20
ROWS_AT_ONCE = 100_000
ELEMENTS: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


class Session:
    """Opened from memory, on one thread as in a function: results must not depend on how work was split."""

    def __init__(self, onnx: bytes, inputs: list[ModelInput], outputs: list[ModelOutput], tensors: dict[str, str] | None = None) -> None:
        """`tensors`: feature to ONNX input, where they are called otherwise. Raises MillraceError `model-unloadable`, `model-contract`."""
        runtime = imported("onnxruntime", "models in this process")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = runtime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise MillraceError(
                f"ONNX Runtime cannot load the model: {error}",
                code="model-unloadable",
                next="Mostly it is an operator set newer than the runtime: export it with an older one.",
            ) from error
        self.inputs, self.outputs = inputs, outputs
        self._tensors = tensors or {}
        self._check()

    def run(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[int, str]]:
        """Answers by output, scores as `output.class`; and rows, by place, with an answer that cannot be right, and why."""
        frame = model_frame(rows, self.inputs)
        tensors = list(dict.fromkeys(output.tensor for output in self.outputs))
        parts, refusals = [], dict[int, str]()
        for start in range(0, max(len(frame), 1), ROWS_AT_ONCE):
            part = frame.iloc[start : start + ROWS_AT_ONCE]
            found = dict(zip(tensors, self._session.run(tensors, self._feeds(part)), strict=True))
            answers, refused = self._answers(found, len(part))
            parts.append(answers)
            refusals |= {start + row: why for row, why in refused.items()}
        return pd.concat(parts).set_axis(rows.index), refusals

    def _check(self) -> None:
        given = {each.name: each for each in self._session.get_inputs()}
        for name, each in given.items():
            if each.type not in ELEMENTS:
                raise contract(f"its input {name} takes {each.type}")
        if self._is_wide():
            (only,) = given.values()
            if isinstance(only.shape[1], int) and only.shape[1] > 0 and only.shape[1] != len(self.inputs):
                raise contract(f"it takes {only.shape[1]} columns, and {len(self.inputs)} inputs were given")
        else:
            wanted = {self._tensors.get(each.name, each.name) for each in self.inputs}
            if wanted != set(given):
                raise contract(f"its inputs are {', '.join(given)}, not {', '.join(sorted(wanted))}")
        known = {each.name: each.type for each in self._session.get_outputs()}
        for output in self.outputs:
            if output.tensor not in known:
                raise contract(f"it has no output {output.tensor}, only {', '.join(known)}")
            if not known[output.tensor].startswith("tensor("):
                raise contract(f"its output {output.tensor} is no tensor")

    def _is_wide(self) -> bool:
        given = self._session.get_inputs()
        return len(given) == 1 and len(given[0].shape) == 2 and not (len(self.inputs) == 1 and self._tensors)

    def _feeds(self, frame: pd.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
        given = {each.name: each for each in self._session.get_inputs()}
        if self._is_wide():
            (only,) = given.values()
            return {only.name: np.ascontiguousarray(frame.to_numpy(), dtype=ELEMENTS[only.type])}
        feeds = {}
        for each in self.inputs:
            tensor = given[self._tensors.get(each.name, each.name)]
            values = frame[each.name].to_numpy().astype(ELEMENTS[tensor.type])
            feeds[tensor.name] = values if len(tensor.shape) == 1 else values.reshape(-1, 1)
        return feeds

    def _answers(self, found: dict[str, np.ndarray[Any, Any]], rows: int) -> tuple[pd.DataFrame, dict[int, str]]:
        answers: dict[str, Any] = {}
        refusals: dict[int, str] = {}
        for output in self.outputs:
            values = found[output.tensor]
            values = values.reshape(rows, -1) if values.size else np.empty((rows, max(len(output.classes), output.column + 1)))
            if output.kind == "scores":
                if values.shape[1] != len(output.classes):
                    raise contract(f"{output.name} came with {values.shape[1]} columns for {len(output.classes)} classes")
                for index, each in enumerate(output.classes):
                    answers[f"{output.name}.{each}"] = _numbers(values[:, index], output, refusals)
                continue
            if output.column >= values.shape[1]:
                raise contract(f"{output.name} is column {output.column} of {values.shape[1]}")
            column = values[:, output.column]
            answers[output.name] = _labels(column, output, refusals) if output.kind == "label" else _numbers(column, output, refusals)
        return pd.DataFrame(answers, index=range(rows)), refusals


def _numbers(values: np.ndarray[Any, Any], output: ModelOutput, refusals: dict[int, str]) -> np.ndarray[Any, Any]:
    """The shortest decimal that is the same 32-bit value, as it is stored and served: 0.2 and not 0.20000000298023224."""
    numbers = values.astype(np.str_).astype(np.float64) if values.dtype == np.float32 else values.astype(np.float64)
    least, most = output.range or (-np.inf, np.inf)
    slack = 0.0 if output.range is None else (most - least) * ROUNDING_SHARE
    with np.errstate(invalid="ignore"):
        wrong = ~np.isfinite(numbers) | (numbers < least - slack) | (numbers > most + slack)
    for row in np.flatnonzero(wrong):
        refusals.setdefault(int(row), f"{output.name} is {numbers[row]}")
    clipped: np.ndarray[Any, Any] = np.clip(numbers, least, most)
    return clipped


def _labels(values: np.ndarray[Any, Any], output: ModelOutput, refusals: dict[int, str]) -> np.ndarray[Any, Any]:
    for row in np.flatnonzero(~np.isin(values.astype(np.str_), output.classes)) if output.classes else ():
        refusals.setdefault(int(row), f"{output.name} is {values[row]}, which is none of its classes")
    return values


def contract(what: str) -> MillraceError:
    return MillraceError(
        f"The model does not fit its papers: {what}", code="model-contract", next="Compare the manifest's inputs and outputs with the file."
    )


def check_golden(session: Session, golden: dict[str, Any]) -> None:
    """Raises MillraceError `golden-differs`."""
    names = [each.name for each in session.inputs]
    rows = pd.DataFrame([[np.nan if cell == NAN else cell for cell in row] for row in golden["inputs"]], columns=names)
    answers, refusals = session.run(rows)
    for row, why in refusals.items():
        raise _differs(f"row {row + 1} is refused: {why}")
    for name, expected in golden["outputs"].items():
        for row, value in enumerate(expected):
            for column, wanted in value.items() if isinstance(value, dict) else ((None, value),):
                actual = answers[name if column is None else f"{name}.{column}"].iloc[row]
                is_text = isinstance(wanted, str) or isinstance(actual, str)
                if actual != wanted if is_text else not abs(float(actual) - wanted) <= golden.get("tolerance", 1e-5):
                    raise _differs(f"{name} of row {row + 1} is {actual}, and was {wanted}")


def _differs(what: str) -> MillraceError:
    return MillraceError(
        f"The model does not give what its golden rows say: {what}",
        code="golden-differs",
        next="Use the release of onnxruntime that the pipeline has, or look what else differs.",
    )
