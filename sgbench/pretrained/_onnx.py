"""A trained network as one file of ONNX, which onnxruntime answers from without torch."""

import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from sgbench.diffraction import PROTOCOLS
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.sets import SetSpec
from sgbench.symmetry import family_spacegroups
from sgbench.training import Trained, TrainedModel


class _Answering(nn.Module):
    """From patterns, shape (n, n_points), to probabilities, shape (n, n_spacegroups)."""

    def __init__(self, trained: TrainedModel) -> None:
        super().__init__()
        self.network, self.spec = trained.network, trained.spec

    def forward(self, patterns: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.network(self.spec.scale_input(patterns)), dim=1)


def export_onnx(trained: Trained, output: Path) -> None:
    """Write a network as ONNX: patterns as the protocol makes them, to probabilities.

    The input ``pattern`` has the shape (n, n_points) and the output ``probability``
    (n, n_spacegroups). The file says under ``sgbench`` which space groups, which protocol and which
    training. Weights that half precision holds without loss, such as reference weights, are stored
    so.

    Parameters
    ----------
    trained : TrainedModel
    output : Path

    Raises
    ------
    SgbenchError
        If it is no network.
    """
    if not isinstance(trained, TrainedModel):
        raise SgbenchError(
            f"'{trained.spec.name}' is an estimator; expected a network. Name the file of one."
        )
    train_set = SetSpec.parse(trained.provenance["plan"]["dataset"])
    with write_atomically(output) as temporary:  # a bad place is told before the minute of work
        model = _exported(trained, PROTOCOLS[train_set.protocol].n_points)
        _halve(model.graph)
        told = {
            "model": trained.spec.name,
            "train_set": train_set.name,
            "plan_sha256": trained.provenance["plan_sha256"],
            "protocol": train_set.protocol,
            "spacegroups": family_spacegroups(train_set.family),
        }
        del model.metadata_props[:]
        helper.set_model_props(model, {"sgbench": json.dumps(told)})
        onnx.checker.check_model(model)
        temporary.write_bytes(model.SerializeToString())


def _exported(trained: TrainedModel, n_points: int) -> onnx.ModelProto:
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, on what torch deprecates
        plain = Path(folder) / "model.onnx"
        torch.onnx.export(
            _Answering(trained).eval(), (torch.zeros(2, n_points),), plain,
            input_names=["pattern"], output_names=["probability"],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
        return onnx.load(plain)


def _halve(graph: onnx.GraphProto) -> None:
    """Store weights in half precision where that loses nothing, and cast them to single."""
    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        half = values.astype(np.float16)
        if weight.data_type != TensorProto.FLOAT or not np.array_equal(half, values):
            continue
        name, stored = weight.name, f"{weight.name}.half"
        weight.CopyFrom(numpy_helper.from_array(half, stored))
        casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
