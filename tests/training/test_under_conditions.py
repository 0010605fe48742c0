"""Training and scoring under conditions, from the name of a set to a row of the leaderboard."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from example_training import TWO_CELLS, tiny_network

from sgbench.errors import SgbenchError
from sgbench.evaluation import predict_set, score
from sgbench.leaderboard import build_table
from sgbench.models import TrainingPlan, get_trained_model
from sgbench.sets import ULBD, SetSpec, family_set, open_test_set, open_training_set
from sgbench.submission._onnx import scaled
from sgbench.training import _trainer, load_model, train

CPU = torch.device("cpu")
LABORATORY = f"{TWO_CELLS}+laboratory"


@pytest.fixture
def tiny():
    with tiny_network():
        yield


@pytest.mark.usefixtures("tiny")
def test_from_the_name_of_a_set_to_a_row(tmp_path, monkeypatch):
    plan = TrainingPlan("tiny", LABORATORY, 96, 8, validations=2, validation_per_spacegroup=1)
    trained = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    # Broken off and taken up again, it is the same.
    monkeypatch.setattr(_trainer, "_CHECKPOINT_SECONDS", 0.0)

    def stop(step, loss):
        if step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, on_step=stop)
    resumed = train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU)
    for name, weight in trained.network.state_dict().items():
        assert weight.equal(resumed.network.state_dict()[name])
        assert weight.isfinite().all()

    model, scores = load_model(tmp_path / "a.pt", CPU), []
    for name in ("ulbd-off-mesh", "ulbd-off-mesh+laboratory", "ulbd-off-mesh+noise-0.1"):
        truth = open_test_set(SetSpec.parse(name), family_set("cubic"), 1)
        origin = {"model": "tiny", "train_set": LABORATORY, "scale": "smoke"}
        found = score(predict_set(model, truth, CPU), truth, "spacegroup")
        found.provenance.update(origin)
        scores.append(found)
    table = build_table(scores)
    assert table["test_sha256"].nunique() == 3
    assert set(table["train_set"]) == {LABORATORY}
    regret = table.set_index("test_set")["regret"].notna()
    assert regret[["ulbd-off-mesh", "ulbd-off-mesh+laboratory"]].tolist() == [True, False]


def test_soft_targets_are_known_and_validation_has_draws_of_its_own():
    opened = open_training_set(SetSpec.parse("ulbd-cubic+laboratory"))
    targets = _trainer._targets(opened, get_trained_model("fcn-wang2024.soft"))
    ideal = open_training_set(SetSpec.parse("ulbd-cubic"))
    expected = _trainer._targets(ideal, get_trained_model("fcn-wang2024.soft"))
    assert targets.equal(expected)
    assert opened.least_validation_loss(2) is None
    some, same = opened.validation_samples(1), opened.validation_samples(1)
    np.testing.assert_array_equal(some.patterns(), same.patterns())
    assert not {*some.ids} & {*opened.training_samples(0, 64, 0).ids}
    assert {one.name for one in some.recorded} == {
        one.name for one in opened.training_samples(0, 1, 0).recorded
    }


def test_a_sample_that_is_drawn_again_is_measured_again():
    opened = open_training_set(SetSpec.parse(LABORATORY))
    names = [name.split("-", 2)[2] for name in opened.training_samples(0, 3000, 0).ids]
    first = next(i for i, name in enumerate(names) if name in names[:i])
    again = names.index(names[first])
    one, other = (opened.training_samples(i, 1, 0).patterns()[0] for i in (first, again))
    assert np.abs(one - other).max() > 0.01


@pytest.mark.parametrize(
    "model", ["fcn-wang2024.sqrt", "nearest-neighbours", "extra-trees-suzuki2020"]
)
def test_points_below_zero_are_no_input_that_is_not_a_number(model):
    samples = SetSpec.parse("ulbd-off-mesh+noise-0.1").changed(
        ULBD["ulbd-cubic"].held_out_samples("off-mesh", 1)
    )
    patterns, spec = samples.patterns(), get_trained_model(model)
    assert patterns.min() < 0
    if hasattr(spec, "features"):
        found = spec.features(patterns, samples.protocol)
    else:
        found = spec.scale_input(torch.as_tensor(patterns)).numpy()
        assert (found[:, 0][patterns < 0] == 0).all()
    assert np.isfinite(found).all()


def test_a_submitted_model_gets_no_root_of_a_negative_number():
    contract = SimpleNamespace(n_points=2, max_pool=1, scaling="sqrt", channels=True)
    found = scaled(np.array([[-0.5, 0.25]], dtype=np.float32), contract)
    assert found.tolist() == [[[0.0, 0.5]]]


def test_where_posteriors_are_unknown_they_are_under_conditions_too():
    spec = SetSpec.parse("ulbd-physical-cubic+laboratory")
    with pytest.raises(SgbenchError, match="which nobody knows"):
        _trainer._targets(open_training_set(spec), get_trained_model("fcn-wang2024.soft"))
