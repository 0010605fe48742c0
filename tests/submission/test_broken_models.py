"""Broken ONNX models: each refused in its own words, in time, and nothing changes."""

import os
import subprocess
import sys
import time

import numpy as np
import onnx_examples as examples
import pytest
from onnx import TensorProto, helper
from onnx_examples import constant, contract, custom_operator, external, linear, save, then
from submission_examples import description, write
from test_broken_descriptions import CASES as DESCRIPTIONS
from test_broken_descriptions import PICKLE
from test_broken_predictions import CASES as PREDICTIONS

from sgbench.submission import Limits, check_submission

NODE = helper.make_node


def given(proto, **changes):
    """A model, made when it is needed, under a contract."""

    def mutate(folder):
        write(folder, description(onnx=contract(**changes)))
        save(folder, proto() if callable(proto) else proto)

    return mutate


def only(**values):
    """A good model under another description."""

    def mutate(folder):
        write(folder, description(**values))
        save(folder, linear())

    return mutate


def noise(share):
    content = np.frombuffer(linear().SerializeToString(), np.uint8).copy()
    rng = np.random.default_rng(0)
    where = rng.random(len(content)) < share
    where[:200] = True
    content[where] = rng.integers(0, 256, where.sum())
    return content.tobytes()


def outside(folder):
    (folder.parent / "weights").write_bytes(bytes(4 * 8192 * 36))
    given(lambda: external("../weights"))(folder)


def beside(folder):
    given(lambda: external("model.onnx.data"))(folder)
    (folder / "model.onnx.data").write_bytes(bytes(4 * 8192 * 36))


def wide():
    return linear(n_points=4096, shape=("n", 4096))


def integers():
    return helper.make_tensor_value_info("other", TensorProto.INT64, ["n"])


# kind, what to put into the folder, what is said
CASES = [
    ("wrong input", given(linear, input="X"), "it has no input 'X'"),
    ("wrong input", given(lambda: linear(extra_inputs=[integers()])), "it has 2 inputs"),
    ("wrong input type", given(lambda: linear(kind=TensorProto.DOUBLE)), "a tensor of double"),
    ("wrong input type", given(lambda: linear(kind=TensorProto.INT64)), "a tensor of int64"),
    ("wrong input shape", given(wide), "its input has the shape (n, 4096)"),
    ("wrong input shape", given(lambda: linear(shape=("n", 2, 8192))), "the shape (n, 2, 8192)"),
    ("wrong input shape", given(linear, shape=["n", 1, 8192]), "the shape (n, 8192)"),
    ("wrong batch", given(lambda: linear(shape=(3, 8192))), "is always 3 patterns"),
    ("wrong output", given(linear, output="Y"), "it has no output 'Y'"),
    ("wrong output", given(linear, output="logits"), "it has no output 'logits'"),
    ("wrong family", given(lambda: linear(n_labels=68)), "its output has 68 columns"),
    ("wrong family", given(lambda: linear(n_labels=17)), "its output has 17 columns"),
    (
        "wrong output shape",
        given(lambda: then(NODE("Transpose", ["fine"], ["out"]))),
        "its output has shape (36, 16)",
    ),
    (
        "wrong output shape",
        given(lambda: then(NODE("ReduceMax", ["fine"], ["out"], axes=[1]))),
        "its output has shape (16, 1)",
    ),
    ("not probabilities", given(lambda: linear(softmax=False)), "values are negative"),
    (
        "not a number",
        given(
            lambda: then(
                NODE("Div", ["nil", "nil"], ["nan"]), NODE("Add", ["fine", "nan"], ["out"]),
                weights=[constant("nil", [0.0])],
            )
        ),
        "not finite",
    ),
    (
        "not a number",
        given(
            lambda: then(NODE("Div", ["fine", "nil"], ["out"]), weights=[constant("nil", [0.0])]),
            gives="logits",
        ),
        "some logits are not finite",
    ),
    ("softmax twice", given(linear, gives="logits"), "its outputs are probabilities already"),
    ("external data", outside, "weights lie outside of the file"),
    ("external data", given(lambda: external("/etc/passwd")), "weights lie outside of the file"),
    ("external data", given(lambda: external("")), "weights lie outside of the file"),
    ("external data", given(examples.external_in_subgraph), "weights lie outside of the file"),
    ("external data", given(examples.external_in_attribute), "weights lie outside of the file"),
    ("external data beside", beside, "external data"),
    ("custom operator", given(custom_operator), "other libraries, com.example.Oracle"),
    ("custom operator", given(lambda: custom_operator("com.microsoft")), "com.microsoft.Oracle"),
    ("unknown operator", given(lambda: custom_operator("ai.onnx.ml")), "does not take it"),
    ("neighbours", given(examples.batch_statistics), "depends on the others"),
    ("truncated", given(lambda: examples.truncated(0.5)), "model.onnx: it "),
    ("truncated", given(lambda: examples.truncated(0.999)), "model.onnx: it "),
    ("noise", given(lambda: noise(0.1)), "model.onnx: it "),
    ("not onnx", given(b"PK\x03\x04" + b"x" * 100), "model.onnx: it "),
    ("not onnx", given(PICKLE), "model.onnx: it "),
    ("not onnx", given(b"\x7fELF" + bytes(100)), "model.onnx: it "),
    ("not onnx", given(b"ORTM" + bytes(100)), "model.onnx: it "),
    ("empty file", given(b""), "the file is empty"),
    ("no contract", only(), "onnx: it is missing"),
    ("bad contract", only(onnx=contract(gives="labels")), "onnx.gives"),
    ("bad contract", only(onnx=contract(scaling="log")), "onnx.scaling"),
    ("bad contract", only(onnx=contract(batch_size=10**6)), "onnx.batch_size"),
    ("bad contract", only(onnx=contract(shape=["n", 512])), "onnx.shape"),
    ("bad contract", only(onnx=contract(max_pool=16)), "[n, 512] or [n, 1, 512]"),
    ("bad contract", only(onnx=contract(max_pool=3)), "onnx.max_pool"),
    ("bad contract", only(onnx={"input": "pattern"}), "the key 'output' is missing"),
    ("bad contract", only(onnx=contract(custom_ops="x.so")), "'custom_ops' is unknown"),
    ("bad labels", only(onnx=contract(labels=[195, 1])), "onnx.labels"),
    ("bad labels", only(onnx=contract(labels=[196, 195])), "not ascending"),
    ("bad labels", given(linear, labels=[195, 196]), "its output has 36 columns"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "submissions" / "mine"
    found.mkdir(parents=True)
    return found


@pytest.mark.parametrize(
    ("mutate", "words"),
    [pytest.param(m, w, id=f"{i}-{k}") for i, (k, m, w) in enumerate(CASES)],
)
def test_is_refused(folder, refused, tmp_path, mutate, words):
    mutate(folder)
    said = refused(folder)
    assert any(words in line for line in said), said
    assert not list(tmp_path.rglob("loaded-the-pickle"))


def test_the_dictionaries_of_skl2onnx_are_explained(folder, refused):
    from skl2onnx import to_onnx
    from sklearn.tree import DecisionTreeClassifier

    patterns = np.tile(np.eye(36, 8192, dtype=np.float32), (3, 1))
    tree = DecisionTreeClassifier().fit(patterns, np.tile(np.arange(195, 231), 3))
    proto = to_onnx(tree, patterns[:1])
    given(proto, input="X", output="output_probability")(folder)
    (said,) = refused(folder)
    assert "its output is a sequence_type" in said
    assert "zipmap" in said


def test_one_that_never_ends_is_ended(folder, refused):
    given(examples.endless)(folder)
    started = time.monotonic()
    (said,) = refused(folder, "--seconds", 2)
    assert "did not finish in 2 s" in said
    assert time.monotonic() - started < 6


def test_one_that_needs_too_much_is_ended(folder, refused):
    given(examples.hungry)(folder)
    (said,) = refused(folder, "--memory", 2)
    assert "model.onnx: it" in said


def test_the_secret_of_a_round_is_not_told_to_a_model(folder, monkeypatch):
    """The process of a model has neither the caller's environment nor its folder."""
    from sgbench.submission import _sandbox

    monkeypatch.setenv("SGBENCH_SEAL", "x" * 40)
    given(linear)(folder)
    seen = {}
    start = _sandbox.subprocess.Popen

    def popen(*arguments, **options):
        seen.update(options)
        return start(*arguments, **options)

    monkeypatch.setattr(_sandbox.subprocess, "Popen", popen)
    assert not check_submission(folder).problems
    assert "SGBENCH_SEAL" not in seen["env"]
    assert os.path.abspath(seen["cwd"]) != os.getcwd()


def test_a_model_has_no_network(tmp_path):
    """What locks the worker in is run by itself, and then tries to get out."""
    code = (
        "import socket, subprocess\n"
        "from sgbench.submission._locked import lock_in\n"
        "lock_in(memory=2, seconds=10, threads=1)\n"
        "for attempt in (socket.socket, lambda: subprocess.run(['true']),\n"
        "                lambda: open('big', 'wb').write(bytes(2**22)),\n"
        "                lambda: bytearray(2**32)):\n"
        "    try:\n"
        "        attempt()\n"
        "        print('did it')\n"
        "    except (OSError, MemoryError) as error:\n"
        "        print(type(error).__name__)\n"
        "print(open('/proc/net/dev').read().count(':'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    said = done.stdout.split()
    assert said[:4] == ["PermissionError", "PermissionError", "OSError", "MemoryError"]
    assert int(said[4]) <= 1, "only the loopback device is left"


def test_limits_are_generous_enough(folder):
    given(linear)(folder)
    assert not check_submission(folder, limits=Limits(seconds=60, memory=2)).problems


def test_there_are_enough_of_them():
    cases = [*DESCRIPTIONS, *PREDICTIONS, *CASES]
    assert len(cases) >= 200
    assert len({kind for kind, *_ in cases}) >= 25
