"""Which features a fitted model takes, in which order, and what the definitions said of them when it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from millrace.contract import NAN, Kind, ModelInput
from millrace.errors import MillraceError

KINDS: tuple[Kind, ...] = ("number", "flag", "text")


def find_inputs(
    fitted: Any,
    model: str,
    data: pd.DataFrame,
    *,
    inputs: Sequence[str] | None,
    fingerprints: Mapping[str, str] | None,
    definitions: Mapping[str, Any] | None,
) -> list[ModelInput]:
    """Raises MillraceError: `inputs-unknown`, `column-missing`, `fingerprint-missing`, `input-type`, `model-contract`, `model-undefined`."""
    declared = _declared(model, definitions)
    known = dict(fingerprints if fingerprints is not None else data.attrs.get("features", {}))
    names = _names(fitted, inputs, declared, known)
    lacking = [name for name in names if name not in data.columns]
    if lacking:
        raise MillraceError(
            f"The model takes {', '.join(lacking)}, and the training data has no such column",
            code="column-missing",
            next="Give as data what it was fitted on, with the columns called as the features are.",
        )
    if declared is not None:
        _refuse_others(model, names, declared)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise MillraceError(
            f"Of {', '.join(unknown)} it is not known as which feature it was trained: there is no fingerprint",
            code="fingerprint-missing",
            next="Fit it on columns of millrace.training_set and give that frame as data (a copy by merge may lose its attrs), or give fingerprints=.",
        )
    types = data.attrs.get("types", {})
    return [_input(name, known[name], types.get(name) or _kind(data[name])) for name in names]


def _declared(model: str, definitions: Mapping[str, Any] | None) -> list[str] | None:
    if definitions is None:
        return None
    models = {each["name"]: [one["name"] for one in each["inputs"]] for each in definitions["models"]}
    if model not in models:
        raise MillraceError(
            f"The pipeline {definitions['pipeline']} has no model {model} where it is deployed",
            code="model-undefined",
            next=f"Define it in src/pipeline and deploy that first; there are: {', '.join(models) or 'none'}.",
        )
    return models[model]


def _names(fitted: Any, inputs: Sequence[str] | None, declared: list[str] | None, known: Mapping[str, str]) -> list[str]:
    """As fitted; else as said; else, where their number fits, as declared or as in the training set."""
    own = getattr(fitted, "feature_names_in_", None)
    width = getattr(fitted, "n_features_in_", None)
    # LightGBM calls the columns of an array Column_0, Column_1, …
    if own is not None and not all(str(each) == f"Column_{index}" for index, each in enumerate(own)):
        names = [str(each) for each in own]
        if inputs is not None and list(inputs) != names:
            raise _unknown(f"it was fitted on {', '.join(names)}, not on the inputs that were given", "Leave inputs= out.")
        return names
    for candidate in (list(inputs) if inputs is not None else None, declared, list(known) or None):
        if candidate is not None and (width is None or len(candidate) == width):
            return candidate
        if candidate is not None and inputs is not None:
            raise _unknown(f"it was fitted on {width} columns, and {len(candidate)} inputs were given", "Name each column, in order.")
    raise _unknown("it does not know the names of its columns", "Fit it on a data frame instead of an array, or give inputs=[…] in order.")


def _refuse_others(model: str, names: list[str], declared: list[str]) -> None:
    more = [name for name in names if name not in declared]
    less = [name for name in declared if name not in names]
    said = [f"{', '.join(more)} is not an input of its definition"] if more else []
    said += [f"it was fitted without {', '.join(less)}"] if less else []
    if said:
        raise MillraceError(
            f"{model} does not fit its definition: {'; '.join(said)}",
            code="model-contract",
            next=f"Fit it on df[{declared!r}], or change the model's inputs in src/pipeline and deploy that first.",
        )


def _kind(values: pd.Series[Any]) -> str:
    if pd.api.types.is_bool_dtype(values.dtype):
        return "flag"
    return "number" if pd.api.types.is_numeric_dtype(values.dtype) else "text"


def _input(name: str, fingerprint: str, kind: str) -> ModelInput:
    for each in KINDS:
        if each == kind:
            return ModelInput(name, fingerprint, each, "" if each == "text" else NAN)
    raise MillraceError(
        f"{name} is a list or an object, which no model takes", code="input-type", next="Define a feature of numbers from it, and fit on that."
    )


def _unknown(what: str, next: str) -> MillraceError:
    return MillraceError(f"Which features go into the model is not known: {what}", code="inputs-unknown", next=next)
