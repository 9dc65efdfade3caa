"""Makes the ONNX files beside it: python make-fixtures.py (needs onnx and numpy; made with onnx 1.23.2).

Each is a whole, valid model of three inputs and one output that does harm where it is opened or run.
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
WEIGHTS = np.array([[1.0], [2.0], [-1.0]], dtype=np.float32)


def tensor(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, list(shape))


def constant(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs, outputs, **attributes)


def save(name, nodes, tensors):
    graph = helper.make_graph(list(nodes), name, [tensor("x", "n", 3)], [tensor("score", "n", 1)], list(tensors))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="fixtures")
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


score = node("MatMul", ["x", "w"], ["linear"])
weights = constant("w", WEIGHTS)

# The logarithm of what may be negative.
save("nan", [score, node("Log", ["linear"], ["score"])], [weights])

# Wants a tensor of 8 GB when it runs: its shape depends on the input, so that nothing is known of it beforehand.
memory = [
    score,
    node("ReduceMax", ["linear"], ["any"], keepdims=0),
    node("Mul", ["any", "zero"], ["none"]),
    node("Cast", ["none"], ["noneInteger"], to=TensorProto.INT64),
    node("Add", ["noneInteger", "cells"], ["shape"]),
    node("ConstantOfShape", ["shape"], ["large"], value=constant("value", [1.0])),
    node("ReduceMax", ["large"], ["top"], keepdims=0),
    node("Mul", ["linear", "top"], ["score"]),
]
save("memory", memory, [weights, constant("zero", 0.0), constant("cells", [2_000_000_000], np.int64)])

# Asks for more than there is of anything: an allocation that fails at once.
save("terabytes", memory, [weights, constant("zero", 0.0), constant("cells", [4_000_000_000_000], np.int64)])

# Adds one to a number ten thousand million times.
body = helper.make_graph(
    [node("Identity", ["go"], ["goOn"]), node("Add", ["sum", "one"], ["sumNext"])],
    "body",
    [tensor("i", kind=TensorProto.INT64), tensor("go", kind=TensorProto.BOOL), tensor("sum", "n", 1)],
    [tensor("goOn", kind=TensorProto.BOOL), tensor("sumNext", "n", 1)],
    [constant("one", [[1.0]])],
)
loop = [score, node("Loop", ["rounds", "yes", "linear"], ["score"], body=body)]
save("loop", loop, [weights, constant("rounds", 10_000_000_000, np.int64), constant("yes", True, bool)])

# The least integer divided by -1 is one more than the greatest. It is folded while the file is loaded, and ends a process on x86.
divide = [
    score,
    node("Div", ["least", "minusOne"], ["quotient"]),
    node("Cast", ["quotient"], ["quotientFloat"], to=TensorProto.FLOAT),
    node("Add", ["linear", "quotientFloat"], ["score"]),
]
save("divide", divide, [weights, constant("least", [-(2**63)], np.int64), constant("minusOne", [-1], np.int64)])
