"""Small ONNX models, made with onnx alone, so that each fault can be put in by hand."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

N_LABELS = 36


def linear(
    n_points=8192,
    n_labels=N_LABELS,
    shape=("n", 8192),
    kind=TensorProto.FLOAT,
    softmax=True,
    extra_inputs=(),
):
    """Pool, weigh, add and normalise: a model of one layer."""
    rng = np.random.default_rng(0)
    weights = numpy_helper.from_array(
        rng.normal(size=(n_points, n_labels)).astype(np.float32), "weights"
    )
    nodes = [
        helper.make_node("Flatten", ["pattern"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["out"], axis=1))
    else:
        nodes.append(helper.make_node("Identity", ["logits"], ["out"]))
    return model(nodes, [weights], shape, n_labels, kind, extra_inputs)


def model(
    nodes,
    weights=(),
    shape=("n", 8192),
    n_labels=N_LABELS,
    kind=TensorProto.FLOAT,
    extra_inputs=(),
    domains=(),
):
    inputs = [helper.make_tensor_value_info("pattern", kind, list(shape)), *extra_inputs]
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", n_labels])
    graph = helper.make_graph(list(nodes), "g", inputs, [output], initializer=list(weights))
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def contract(**changes):
    return {
        "input": "pattern", "shape": ["n", 8192], "output": "out", "gives": "probabilities",
        "batch_size": 16, **changes,
    }  # fmt: skip


def save(folder, proto):
    (folder / "model.onnx").write_bytes(
        proto if isinstance(proto, bytes) else proto.SerializeToString()
    )


def endless():
    """Counts to 2**62 before it answers."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["goes"]),
            helper.make_node("Add", ["last", "one"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("last", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, [1]),
        ],
    )
    linear_model = linear()
    graph = linear_model.graph
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(2**62, dtype=np.int64), "count"),
            numpy_helper.from_array(np.array(True), "yes"),
            numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
            numpy_helper.from_array(np.ones(1, np.float32), "one"),
        ]
    )
    loop = helper.make_node("Loop", ["count", "yes", "zero"], ["counted"], body=body)
    graph.node.remove(graph.node[-1])
    graph.node.extend(
        [
            loop,
            helper.make_node("Add", ["logits", "counted"], ["sum"]),
            helper.make_node("Softmax", ["sum"], ["out"], axis=1),
        ]
    )
    return linear_model


def hungry():
    """Asks for 64 GiB."""
    proto = linear()
    graph = proto.graph
    graph.initializer.append(numpy_helper.from_array(np.array([2**34], dtype=np.int64), "size"))
    graph.node.remove(graph.node[-1])
    graph.node.extend(
        [
            helper.make_node("ConstantOfShape", ["size"], ["huge"]),
            helper.make_node("ReduceMax", ["huge"], ["most"], keepdims=0),
            helper.make_node("Add", ["logits", "most"], ["sum"]),
            helper.make_node("Softmax", ["sum"], ["out"], axis=1),
        ]
    )
    return proto


def external(location):
    """Weights outside of the file."""
    proto = linear()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return proto


def external_in_subgraph():
    proto = endless()
    (loop,) = (node for node in proto.graph.node if node.op_type == "Loop")
    hidden = external("/etc/passwd").graph.initializer[0]
    loop.attribute[0].g.initializer.append(hidden)
    return proto


def external_in_attribute():
    proto = linear()
    node = helper.make_node("Constant", [], ["c"], value=external("../w").graph.initializer[0])
    proto.graph.node.insert(0, node)
    return proto


def custom_operator(domain="com.example"):
    nodes = [helper.make_node("Oracle", ["pattern"], ["out"], domain=domain)]
    return model(nodes, domains=[domain])


def batch_statistics():
    """What it says of a pattern depends on the mean of the batch."""
    proto = linear()
    graph = proto.graph
    graph.node.remove(graph.node[-1])
    graph.node.extend(
        [
            helper.make_node("CumSum", ["logits", "axis"], ["sum"]),
            helper.make_node("Softmax", ["sum"], ["out"], axis=1),
        ]
    )
    graph.initializer.append(numpy_helper.from_array(np.array(0, dtype=np.int64), "axis"))
    return proto


def then(*nodes, weights=()):
    """The linear model's probabilities, put through more nodes from `fine` to `out`."""
    proto = linear()
    graph = proto.graph
    graph.node[-1].output[0] = "fine"
    graph.node.extend(nodes)
    graph.initializer.extend(weights)
    return proto


def constant(name, value, kind=np.float32):
    return numpy_helper.from_array(np.array(value, dtype=kind), name)


def truncated(share):
    content = linear().SerializeToString()
    return content[: int(len(content) * share)]
