"""Runs a stranger's ONNX model, in a process of its own.

After the request, standard input brings batches: eight bytes that count patterns, and the patterns
as float32.
"""

import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from sgbench.submission._locked import RefusedFileError, plain, read_locked, say, serve

_MOST_MESSAGES = 2**18
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
_REEXPORT = "Export the model again."


def run(request: dict[str, Any], replies: BinaryIO) -> None:
    """Load a model, say so, and answer batches with its output."""
    session = _session(request)
    say(replies, {"ready": True})
    _answer_batches(session, request, replies)


def _session(request: dict[str, Any]) -> Any:
    import onnx
    import onnxruntime

    content = read_locked(request["path"], request["most_bytes"])
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:
        raise RefusedFileError(
            (f"it cannot be read ({plain(error)})", "an ONNX model", _REEXPORT)
        ) from None
    problems = list(_problems(model, request))
    if problems:
        raise RefusedFileError(*problems)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = request["threads"]
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except MemoryError:
        raise
    except Exception as error:
        found = f"ONNX Runtime does not take it ({plain(error)})"
        expected = f"a model that ONNX Runtime {onnxruntime.__version__} runs"
        raise RefusedFileError((found, expected, _REEXPORT)) from None


def _problems(model: Any, request: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    import onnx

    if not model.HasField("graph"):
        yield "it holds no graph", "an ONNX model", _REEXPORT
        return
    own = {(function.domain, function.name) for function in model.functions}
    foreign: set[tuple[str, str]] = set()
    external = False
    for count, message in enumerate(_messages(model)):
        if count > _MOST_MESSAGES:
            yield f"it has more than {_MOST_MESSAGES} parts", "a smaller model", _REEXPORT
            return
        if isinstance(message, onnx.TensorProto):
            external |= message.data_location == onnx.TensorProto.EXTERNAL
            external |= bool(message.external_data)
        elif isinstance(message, onnx.NodeProto) and message.domain not in _DOMAINS:
            foreign.add((message.domain, message.op_type))
    foreign -= own
    if external:
        yield (
            "weights lie outside of the file", "all of them inside",
            "Save it whole: `external_data=False` of torch.onnx.export, or onnx.save of the "
            "loaded model.",
        )  # fmt: skip
    if foreign:
        names = ", ".join(plain(".".join(one)) for one in sorted(foreign)[:5])
        yield (
            f"it uses operators of other libraries, {names}",
            "those of ONNX alone (domains ai.onnx and ai.onnx.ml)",
            "Export without custom operators.",
        )  # fmt: skip
    yield from _input_problems(model.graph, request)
    yield from _output_problems(model.graph, request)


def _messages(message: Any) -> Iterator[Any]:
    """Yield a protobuf message and all inside it."""
    pending = [message]
    while pending:
        one = pending.pop()
        yield one
        for field, value in one.ListFields():
            if field.message_type is not None:
                repeated = not hasattr(value, "ListFields")
                pending.extend(value if repeated else [value])


def _input_problems(graph: Any, request: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    import onnx

    weights = {tensor.name for tensor in graph.initializer}
    inputs = {one.name: one for one in graph.input if one.name not in weights}
    names = ", ".join(map(plain, list(inputs)[:5]))
    if request["input"] not in inputs:
        yield (
            f"it has no input '{request['input']}'", f"one of its inputs: {names}",
            "Mend `onnx.input` in submission.yaml.",
        )  # fmt: skip
        return
    if len(inputs) > 1:
        yield f"it has {len(inputs)} inputs ({names})", "one, the patterns", _REEXPORT
    kind = inputs[request["input"]].type.tensor_type
    if kind.elem_type != onnx.TensorProto.FLOAT:
        yield f"its input is {_kind_name(kind)}", "a tensor of float32", _REEXPORT
        return
    wanted = request["shape"]
    found = [_size(one) for one in kind.shape.dim] if kind.HasField("shape") else wanted
    fits = len(found) == len(wanted) and all(
        size in (None, want) for size, want in zip(found[1:], wanted[1:], strict=True)
    )
    if not fits:
        yield (
            f"its input has the shape {_shape(found)}", _shape([None, *wanted[1:]]),
            "Export it for that shape, or mend `onnx.shape` and `onnx.max_pool`.",
        )  # fmt: skip
    elif found[0] not in (None, wanted[0]):
        yield (
            f"its input is always {found[0]} patterns", f"{wanted[0]}, or as many as come",
            "Export with a dynamic first axis, or mend `onnx.batch_size`.",
        )  # fmt: skip


def _output_problems(graph: Any, request: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    outputs = {one.name: one for one in graph.output}
    if request["output"] not in outputs:
        names = ", ".join(map(plain, list(outputs)[:5]))
        yield (
            f"it has no output '{request['output']}'", f"one of its outputs: {names}",
            "Mend `onnx.output` in submission.yaml.",
        )  # fmt: skip
        return
    kind = outputs[request["output"]].type
    if not kind.HasField("tensor_type"):
        yield (
            f"its output is a {kind.WhichOneof('value')}", "a tensor",
            "Convert with `options={'zipmap': False}` (skl2onnx).",
        )  # fmt: skip
        return
    shape = kind.tensor_type.shape.dim
    if len(shape) == 2 and _size(shape[1]) not in (None, request["n_labels"]):
        yield (
            f"its output has {_size(shape[1])} columns", f"{request['n_labels']}, one a label",
            "Mend `track` or `class_scheme`, or name the columns in `onnx.labels`.",
        )  # fmt: skip


def _size(dimension: Any) -> int | None:
    return int(dimension.dim_value) if dimension.HasField("dim_value") else None


def _shape(sizes: list[int | None]) -> str:
    return f"({', '.join('n' if size is None else str(size) for size in sizes[:8])})"


def _kind_name(kind: Any) -> str:
    import onnx

    known = kind.elem_type in onnx.TensorProto.DataType.values()
    name = onnx.TensorProto.DataType.Name(kind.elem_type) if known else "of no known type"
    return f"a tensor of {name.lower()}"


def _answer_batches(session: Any, request: dict[str, Any], replies: BinaryIO) -> None:
    import numpy as np

    shape = request["shape"][1:]
    while True:
        count = int.from_bytes(sys.stdin.buffer.read(8), "little")
        if not count:
            return
        size = count * 4 * int(np.prod(shape))
        patterns = np.frombuffer(sys.stdin.buffer.read(size), "<f4").reshape(count, *shape)
        try:
            (output,) = session.run([request["output"]], {request["input"]: patterns})
        except MemoryError:
            raise
        except Exception as error:
            found = f"it fails on patterns ({plain(error)})"
            raise RefusedFileError((found, "probabilities or logits", _REEXPORT)) from None
        expected = (count, request["n_labels"])
        is_numeric = isinstance(output, np.ndarray) and output.dtype.kind == "f"
        if not is_numeric or output.shape != expected:
            shown = (
                f"shape {output.shape}, {output.dtype}" if hasattr(output, "shape") else "no tensor"
            )
            raise RefusedFileError(
                (
                    f"its output has {shown}", f"floating-point numbers of shape {expected}",
                    "Mend `track` or `class_scheme`, or name the columns in `onnx.labels`.",
                )
            )  # fmt: skip
        say(replies, {"n": count}, output.astype("<f4").tobytes())


if __name__ == "__main__":
    serve(run)
