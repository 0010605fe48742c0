"""A training that begins from reference weights."""

from dataclasses import replace

import pytest
import torch
from example_training import PLAN, TWO_CELLS, tiny_network

from sgbench.errors import SgbenchError
from sgbench.models import TrainingPlan
from sgbench.pretrained import read_pretrained
from sgbench.training import _trainer, load_model, train

CPU = torch.device("cpu")
START = f"{TWO_CELLS}/tiny"


@pytest.fixture
def start(tmp_path):
    with tiny_network():
        yield named(train(PLAN, tmp_path / "start.pt", tmp_path / "start.ck", CPU), "a" * 64)


def named(trained, digest):
    """The model as if it had been loaded from reference weights."""
    return replace(trained, provenance={**trained.provenance, "weights_sha256": digest})


def weights_of(trained):
    return trained.network.state_dict()


def test_it_begins_where_the_other_ended(start, tmp_path):
    plan = replace(PLAN, seed=1, patterns=8, peak_rate=1e-12, start=START)
    after = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU, start=start)
    for name, weight in weights_of(start).items():
        torch.testing.assert_close(weights_of(after)[name], weight, rtol=0, atol=1e-9)
    random = train(replace(plan, start=""), tmp_path / "b.pt", tmp_path / "b.ck", CPU)
    assert not torch.allclose(weights_of(random)["3.weight"], weights_of(start)["3.weight"])


def test_it_says_what_it_began_from(start, tmp_path):
    train(replace(PLAN, start=START), tmp_path / "a.pt", tmp_path / "a.ck", CPU, start=start)
    origin = load_model(tmp_path / "a.pt", CPU).provenance
    assert origin["plan"]["start"] == START
    assert origin["start_sha256"] == "a" * 64
    assert "start_sha256" not in start.provenance


def test_it_is_killed_and_goes_on_from_its_own_weights_alone(start, tmp_path, monkeypatch):
    """A checkpoint that began elsewhere is not taken up."""
    plan = replace(PLAN, start=START)

    def stop(step, loss):
        if step == 5:
            raise KeyboardInterrupt

    unbroken = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU, start=start)
    monkeypatch.setattr(_trainer, "_CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, on_step=stop, start=start)
    resumed = train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, start=start)
    assert all(weights_of(resumed)[name].equal(w) for name, w in weights_of(unbroken).items())

    other = train(replace(PLAN, seed=2), tmp_path / "o.pt", tmp_path / "o.ck", CPU)
    other = named(other, "b" * 64)
    begun = []
    train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU, start=other, on_start=begun.append)
    assert begun == [0]


def test_a_longer_one_goes_on_from_before_the_decay_of_the_same_start_alone(start, tmp_path):
    kept = tmp_path / "kept.pt"

    def first_step(patterns, begins_from, name):
        begun = []
        plan = replace(PLAN, patterns=patterns, warmup=0, start=START)
        train(
            plan, tmp_path / "a.pt", tmp_path / f"{name}.ck", CPU, before_decay=kept,
            on_start=begun.append, start=begins_from,
        )  # fmt: skip
        return begun[0]

    assert first_step(64, start, "short") == 0
    assert first_step(128, start, "long") > 0
    assert first_step(128, named(start, "b" * 64), "other") == 0


def test_weights_that_do_not_fit(start, tmp_path):
    plan = replace(PLAN, start=START)
    files = tmp_path / "a.pt", tmp_path / "a.ck", CPU
    with pytest.raises(SgbenchError, match="which are not given"):
        train(plan, *files)
    with pytest.raises(SgbenchError, match="do not fit tiny on ulbd-tetragonal"):
        train(replace(plan, dataset="ulbd-tetragonal"), *files, start=start)
    other_input = replace(start, spec=replace(start.spec, input_scaling="standard"))
    with pytest.raises(SgbenchError, match="scaled by 'standard', and tiny is fed them by 'sqrt'"):
        train(plan, *files, start=other_input)
    with pytest.raises(SgbenchError, match="an estimator, which has none"):
        train(replace(plan, model="extra-trees-suzuki2020"), *files)
    assert not (tmp_path / "a.pt").exists()


def test_plans_without_a_start_are_called_what_they_were():
    """Weights from before a plan could have one carry its SHA-256."""
    origin = read_pretrained("ulbd-cubic/fcn-wang2024.soft").provenance
    assert "start" not in origin["plan"]
    plan = TrainingPlan(**{**origin["plan"], "warmup": int(origin["plan"]["warmup"])})
    assert plan.sha256() == origin["plan_sha256"]
    begun = replace(plan, start=START)
    assert begun.sha256() != plan.sha256()
    assert begun.beginning_sha256() != plan.beginning_sha256()


def test_a_network_for_more_space_groups_gives_what_answers_for_those_asked_for(tmp_path):
    """Groups 75 to 142 of all 230 are tetragonal."""
    with tiny_network():
        every = replace(PLAN, dataset="ulbd-all", patterns=8)
        start = named(train(every, tmp_path / "start.pt", tmp_path / "start.ck", CPU), "c")
        plan = replace(every, dataset="ulbd-tetragonal", peak_rate=1e-12, start="ulbd-all/tiny")
        after = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU, start=start)
        torch.testing.assert_close(
            weights_of(after)["3.weight"], weights_of(start)["3.weight"][74:142], rtol=0, atol=1e-9
        )
        back = replace(every, start="ulbd-tetragonal/tiny")
        with pytest.raises(SgbenchError, match="do not fit tiny on ulbd-all"):
            train(back, tmp_path / "b.pt", tmp_path / "b.ck", CPU, start=after)
