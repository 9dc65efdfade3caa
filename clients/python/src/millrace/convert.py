"""A fitted model as an ONNX file that Millrace serves: one wide input or one for each feature, no ZipMap, thresholds that 32 bits can say.

The converters are optional (`pip install millrace[models]`), and each is imported only where a model of its kind comes."""

from __future__ import annotations

import copy
import importlib
import math
from types import ModuleType
from typing import Any

import numpy as np

from millrace.contract import Converted, ModelInput, ModelOutput
from millrace.errors import MillraceError

# Operator sets that every ONNX Runtime of the last years reads.
SKLEARN_OPSET = {"": 17, "ai.onnx.ml": 3}
# The newest that onnxmltools writes.
BOOSTED_OPSET = 15
WIDE_INPUT = "features"


def convert(fitted: Any, inputs: list[ModelInput]) -> Converted:
    """Raises MillraceError `model-not-convertible`, `converter-missing`."""
    maker = type(fitted).__module__.split(".")[0]
    if maker not in ("lightgbm", "xgboost"):
        return _from_sklearn(fitted, inputs)
    texts = [each.name for each in inputs if each.kind == "text"]
    if texts:
        raise not_convertible(fitted, f"it takes numbers only, and {texts[0]} is a text", "Encode texts in a scikit-learn pipeline.")
    return _from_boosted(fitted, inputs, maker)


def _from_sklearn(fitted: Any, inputs: list[ModelInput]) -> Converted:
    skl2onnx = imported("skl2onnx", "scikit-learn models")
    types = imported("skl2onnx.common.data_types", "scikit-learn models")
    rounded = with_rounded_thresholds(fitted)
    if _is_named(fitted, inputs):
        initial = [
            (each.name, (types.StringTensorType if each.kind == "text" else types.FloatTensorType)([None, 1])) for each in inputs
        ]
    else:
        initial = [(WIDE_INPUT, types.FloatTensorType([None, len(inputs)]))]
    options = {id(rounded): {"zipmap": False}} if hasattr(rounded, "predict_proba") else None
    try:
        model = skl2onnx.to_onnx(rounded, initial_types=initial, target_opset=SKLEARN_OPSET, options=options)
    except Exception as error:
        # What a converter raises is of any kind, and says more than this could.
        raise not_convertible(fitted, str(error), "Use estimators that skl2onnx knows, or give ONNX bytes of your own.") from error
    return Converted(
        onnx=model.SerializeToString(),
        outputs=outputs_of(fitted, label="label", probabilities="probabilities", number="variable"),
        libraries=["sklearn", "skl2onnx", "onnx", "numpy"],
        hyperparameters=hyperparameters(fitted),
        coefficients=_coefficients(fitted, inputs),
    )


def _from_boosted(fitted: Any, inputs: list[ModelInput], maker: str) -> Converted:
    if type(fitted).__name__ == "Booster":
        raise not_convertible(fitted, "it does not say what its numbers mean", "Use LightGBM's or XGBoost's scikit-learn classes.")
    onnxmltools = imported("onnxmltools", f"{maker} models")
    types = imported("onnxmltools.convert.common.data_types", f"{maker} models")
    arguments: dict[str, Any] = {"initial_types": [(WIDE_INPUT, types.FloatTensorType([None, len(inputs)]))], "target_opset": BOOSTED_OPSET}
    try:
        if maker == "lightgbm":
            model = onnxmltools.convert_lightgbm(_rounded_lightgbm(fitted), zipmap=False, **arguments)
        else:
            model = onnxmltools.convert_xgboost(_nameless_xgboost(fitted), **arguments)
    except Exception as error:
        raise not_convertible(fitted, str(error), "Use its scikit-learn classes, or give ONNX bytes of your own.") from error
    return Converted(
        onnx=model.SerializeToString(),
        outputs=outputs_of(fitted, label="label", probabilities="probabilities", number="variable"),
        libraries=[maker, "onnxmltools", "onnx", "numpy"],
        hyperparameters=hyperparameters(fitted),
    )


def outputs_of(fitted: Any, *, label: str, probabilities: str, number: str) -> list[ModelOutput]:
    """Of two classes the probability of the second; of more the label and a score for each; of a regressor its value."""
    classes = getattr(fitted, "classes_", None)
    if classes is None:
        if not hasattr(fitted, "predict"):
            raise not_convertible(fitted, "it predicts nothing", "Give an estimator or a pipeline that ends with one.")
        return [ModelOutput("value", number)]
    if isinstance(classes, list):
        raise not_convertible(fitted, "it has several labels", "Publish a model for each.")
    names = tuple(str(each) for each in np.asarray(classes).tolist())
    if not hasattr(fitted, "predict_proba"):
        return [ModelOutput("label", label, "label", classes=names)]
    if len(names) == 2:
        return [ModelOutput("probability", probabilities, column=1, range=(0.0, 1.0), meaning=f"The probability of {names[1]}.")]
    scores = ModelOutput("scores", probabilities, "scores", classes=names, range=(0.0, 1.0), meaning="The probability of each class.")
    return [ModelOutput("label", label, "label", classes=names, meaning="The most probable class."), scores]


def with_rounded_thresholds(fitted: Any) -> Any:
    """A copy in which each threshold of histogram gradient boosting is the greatest 32-bit float that is not above it.

    For 32-bit inputs that changes no decision, and ONNX, whose thresholds have 32 bits, then decides alike: rounding to the nearest
    could move a threshold past an input. Of other trees skl2onnx does the same itself.
    """
    copied = copy.deepcopy(fitted)
    for estimator in _estimators(copied):
        for predictors in getattr(estimator, "_predictors", []):
            for predictor in predictors:
                nodes = predictor.nodes
                nodes["num_threshold"] = rounded_down(nodes["num_threshold"])
    return copied


def rounded_down(thresholds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)
        too_high = rounded.astype(np.float64) > thresholds
        rounded[too_high] = np.nextafter(rounded[too_high], np.float32(-np.inf))
    return rounded.astype(np.float64)


def _rounded_lightgbm(fitted: Any) -> Any:
    """As above; LightGBM's model is a text whose lines `threshold=` have 64-bit numbers, and which loads as it was saved."""
    lightgbm = imported("lightgbm", "LightGBM models")
    lines = []
    for line in fitted.booster_.model_to_string().split("\n"):
        if line.startswith("threshold="):
            numbers = rounded_down(np.array([float(each) for each in line.removeprefix("threshold=").split()]))
            line = "threshold=" + " ".join(repr(float(each)) for each in numbers)
        # Sizes of trees in bytes, which would no longer hold; without them they are read one after the other.
        if not line.startswith("tree_sizes="):
            lines.append(line)
    copied = copy.deepcopy(fitted)
    copied._Booster = lightgbm.Booster(model_str="\n".join(lines))
    return copied


def _nameless_xgboost(fitted: Any) -> Any:
    """The converter wants features called f0, f1, …; without names they are."""
    copied = copy.deepcopy(fitted)
    copied.get_booster().feature_names = None
    copied.get_booster().feature_types = None
    return copied


def _is_named(fitted: Any, inputs: list[ModelInput]) -> bool:
    """Whoever picks columns by name, or takes texts, needs an input for each."""
    return any(each.kind == "text" for each in inputs) or any(hasattr(each, "transformers") for each in _estimators(fitted))


def _estimators(fitted: Any) -> list[Any]:
    """Itself and those within."""
    within = [step for _, step, *_ in [*getattr(fitted, "steps", []), *getattr(fitted, "transformers_", [])]]
    within += [getattr(fitted, name) for name in ("estimator_", "best_estimator_", "final_estimator_", "regressor_") if hasattr(fitted, name)]
    listed = getattr(fitted, "estimators_", [])
    within += [each for each in listed if not isinstance(each, str)] if isinstance(listed, list) else []
    return [fitted, *(deeper for each in within for deeper in _estimators(each))]


def _coefficients(fitted: Any, inputs: list[ModelInput]) -> dict[str, float]:
    """Of a linear model; behind a pipeline by the names of what goes in there."""
    last = fitted.steps[-1][1] if hasattr(fitted, "steps") else fitted
    values = np.asarray(getattr(last, "coef_", []), dtype=np.float64)
    if values.size == 0 or (values.ndim > 1 and values.shape[0] != 1):
        return {}
    names = [each.name for each in inputs]
    if last is not fitted and len(fitted.steps) > 1:
        try:
            names = [str(each) for each in fitted[:-1].get_feature_names_out(names if not hasattr(fitted, "feature_names_in_") else None)]
        except (AttributeError, ValueError, TypeError):
            return {}
    intercept = np.ravel(np.asarray(getattr(last, "intercept_", 0.0), dtype=np.float64))
    flat = values.ravel()
    return {"(intercept)": float(intercept[0]), **dict(zip(names, map(float, flat), strict=True))} if len(names) == flat.size else {}


def hyperparameters(fitted: Any) -> dict[str, Any]:
    """As the model itself says them; what JSON cannot say as text, estimators within as the name of their class."""
    return {str(name): plain(value) for name, value in sorted(fitted.get_params(deep=True).items())}


def plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    return getattr(value, "__name__", type(value).__name__)


def imported(name: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MillraceError(
            f"{name.split('.')[0]} is not installed, which {what} need: {error}",
            code="converter-missing",
            next="Run pip install 'millrace[models]'.",
        ) from error


def not_convertible(fitted: Any, why: str, next: str) -> MillraceError:
    return MillraceError(f"{type(fitted).__name__} cannot become an ONNX file: {why[:500]}", code="model-not-convertible", next=next)
