from pathlib import Path

import pytest
import yaml

from sgbench.costs import expected_costs, explain_costs, training_seconds
from sgbench.settings import resolve_settings

ROOT = Path(__file__).parents[1]
RATES = yaml.safe_load((ROOT / "workflow" / "rates.yaml").read_text())


def settings(scale):
    given = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    return resolve_settings({**given, "scale": scale}, ROOT)


@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
def test_every_training_is_counted(scale):
    plans = settings(scale)
    found = expected_costs(plans, RATES, gpu=False)
    n_models = sum(len(models) for models in plans["training"].values())
    (train,) = (cost for cost in found if cost.rule == "train")
    assert train.jobs == n_models * len(plans["seeds"])
    assert all(cost.hours > 0 for cost in found)


def test_gpu_hours_are_estimates_and_said_to_be():
    found = expected_costs(settings("paper"), RATES, gpu=True)
    units = {(cost.rule, cost.unit): cost.basis for cost in found}
    assert units["train", "GPU"] == "estimated"
    assert units["train", "core"] == "measured"  # estimators
    assert "GPU-hours, estimated" in explain_costs(found)


def test_twice_the_patterns_take_twice_the_time():
    once = training_seconds("fcn-wang2024", {"patterns": 95_000}, RATES, gpu=False)
    twice = training_seconds("fcn-wang2024", {"patterns": 190_000}, RATES, gpu=False)
    assert twice - once == pytest.approx(95_000 / RATES["train"]["fcn-wang2024"])


def test_published_numbers_of_patterns_are_taken_where_none_is_given():
    one = training_seconds("nearest-neighbours", {}, RATES, gpu=False)
    assert one == training_seconds("nearest-neighbours", {"patterns": 60_000}, RATES, gpu=False)
