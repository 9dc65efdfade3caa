"""An ONNX file that somebody else made: what comes out of it, without the ZipMap that onnxruntime-node cannot return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from millrace.contract import Converted, ModelOutput
from millrace.convert import imported
from millrace.errors import MillraceError


def read_onnx(given: bytes | str | Path) -> Converted:
    """Raises MillraceError `onnx-unreadable`, `model-not-convertible`."""
    onnx = imported("onnx", "ONNX files")
    try:
        model = onnx.load_model_from_string(given if isinstance(given, bytes) else Path(given).read_bytes())
    except Exception as error:
        raise MillraceError(
            f"The ONNX file cannot be read: {error}", code="onnx-unreadable", next="Give the bytes or the path of one self-contained file."
        ) from error
    changes, classes = _without_zip_map(onnx, model)
    return Converted(onnx=model.SerializeToString(), outputs=_outputs(onnx, model, classes), changes=changes, libraries=["onnx"])


def _without_zip_map(onnx: Any, model: Any) -> tuple[list[str], tuple[str, ...]]:
    """The tensor that the ZipMap takes becomes the output, under the name that its result had."""
    graph = model.graph
    for node in list(graph.node):
        if node.op_type != "ZipMap":
            continue
        lists = [each for attribute in node.attribute for each in (*attribute.strings, *attribute.ints)]
        classes = tuple(each.decode() if isinstance(each, bytes) else str(each) for each in lists)
        graph.node.remove(node)
        source, name = node.input[0], node.output[0]
        graph.node.append(onnx.helper.make_node("Identity", [source], [name]))
        at = [output.name for output in graph.output].index(name)
        graph.output[at].CopyFrom(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, len(classes)]))
        if all(each.domain != "" for each in model.opset_import):
            model.opset_import.append(onnx.helper.make_opsetid("", 13))
        return [f"Took out the ZipMap behind {name}: its columns are {', '.join(classes)}"], classes
    return [], ()


def _outputs(onnx: Any, model: Any, classes: tuple[str, ...]) -> list[ModelOutput]:
    found: dict[str, tuple[bool, int]] = {}
    for output in model.graph.output:
        tensor = output.type.tensor_type
        is_label = tensor.elem_type in (onnx.TensorProto.STRING, onnx.TensorProto.INT64)
        found[output.name] = (is_label, tensor.shape.dim[1].dim_value if len(tensor.shape.dim) > 1 else 1)
    numbers = {name: width for name, (is_label, width) in found.items() if not is_label}
    if not numbers:
        raise MillraceError(
            f"The ONNX file gives no numbers: {', '.join(found)}", code="model-not-convertible", next="Say which, with outputs=[…]."
        )
    name, width = next(iter(numbers.items()))
    is_classifier = any(is_label for is_label, _ in found.values()) or bool(classes)
    if width == 2 and is_classifier:
        meaning = f"The probability of {classes[1]}." if classes else None
        return [ModelOutput("probability", name, column=1, range=(0.0, 1.0), meaning=meaning)]
    if width > 2:
        names = classes or tuple(str(each) for each in range(width))
        return [ModelOutput("scores", name, "scores", classes=names)]
    return [ModelOutput("probability" if is_classifier else "value", name, column=max(width, 1) - 1)]
