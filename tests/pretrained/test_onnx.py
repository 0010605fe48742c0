import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from sgbench.errors import SgbenchError
from sgbench.models import get_trained_model
from sgbench.pretrained import export_onnx, load_pretrained
from sgbench.sets import SetSpec, family_set, open_test_set
from sgbench.training import FittedEstimator

CPU = torch.device("cpu")
NAME = "ulbd-cubic/fcn-wang2024.soft"


@pytest.fixture(scope="module")
def patterns():
    return open_test_set(SetSpec.parse("ulbd-off-mesh"), family_set("cubic"), 1).samples.patterns()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(load_pretrained(NAME, CPU), path)
    return path


def answers(path, patterns):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["probability"], {"pattern": patterns})[0]


def test_reference_weights_answer_alike_without_torch(exported, patterns):
    trained = load_pretrained(NAME, CPU)
    with torch.inference_mode():
        logits = trained.network.eval()(trained.spec.scale_input(torch.as_tensor(patterns)))
    found = answers(exported, patterns)
    np.testing.assert_allclose(found, torch.softmax(logits, 1), atol=1e-4)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(answers(exported, patterns[:1]), found[:1], atol=1e-5)


def test_the_file_says_what_it_is_and_is_small(exported):
    assert exported.stat().st_size < 5_000_000
    told = {one.key: one.value for one in onnx.load(exported).metadata_props}
    about = json.loads(told["sgbench"])
    assert about["spacegroups"] == list(range(195, 231))
    assert (about["model"], about["train_set"]) == ("fcn-wang2024.soft", "ulbd-cubic")


def test_an_estimator_is_refused(tmp_path):
    spec = get_trained_model("extra-trees-suzuki2020")
    with pytest.raises(SgbenchError, match="expected a network"):
        export_onnx(FittedEstimator(spec, None, {}), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())
