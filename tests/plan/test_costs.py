import re
from collections import Counter
from pathlib import Path

import pytest

from sgbench.plan import (
    SCALES,
    expected_jobs,
    expected_seconds,
    explain_costs,
    read_config,
    read_rates,
    resolve_settings,
    training_seconds,
    untrained,
)

ROOT = Path(__file__).parents[2]
RATES = read_rates(ROOT)


def settings(scale):
    return resolve_settings({**read_config(ROOT), "scale": scale}, ROOT)


@pytest.mark.parametrize("scale", SCALES)
def test_every_training_is_counted(scale):
    plans = settings(scale)
    found = expected_jobs(plans, RATES, gpu=False)
    trained = [plan for models in plans["training"].values() for plan in models.values()]
    n_trainings = sum(len(plan.get("seeds", plans["seeds"])) for plan in trained)
    jobs = Counter(job.rule for job in found)
    assert jobs["train"] == n_trainings
    assert jobs["predict"] == jobs["evaluate"] == jobs["train"] + len(untrained(plans))
    assert all(job.seconds > 0 for job in found)
    assert len({job.name for job in found}) == len(found)


def test_rates_of_a_gpu_are_estimates_and_said_to_be():
    found = expected_jobs(settings("full"), RATES, gpu=True)
    assert {job.unit for job in found if job.rule == "train"} == {"GPU", "core"}  # estimators
    assert "a GPU, whose rate is estimated" in explain_costs(found, 16)
    assert "GPU" not in explain_costs(expected_jobs(settings("smoke"), RATES, gpu=False), 2)


def test_minutes_are_of_this_machine_and_add_up():
    found = expected_jobs(settings("laptop"), RATES, gpu=False)
    two, four = (sum(expected_seconds(found, cores).values()) for cores in (2, 4))
    assert two == pytest.approx(2 * four)
    told = explain_costs(found, 2)
    assert f"{two / 60:.0f} min on 2 cores" in told
    parts = re.findall(r"([\d.]+) \((\d+) jobs\)", told)
    assert sum(float(minutes) for minutes, _ in parts) == pytest.approx(two / 60, abs=1)
    assert sum(int(n) for _, n in parts) == len(found)


def test_twice_the_patterns_take_twice_the_time():
    once = training_seconds("fcn-wang2024", {"patterns": 95_000}, RATES, gpu=False)
    twice = training_seconds("fcn-wang2024", {"patterns": 190_000}, RATES, gpu=False)
    assert twice - once == pytest.approx(95_000 / RATES["train"]["fcn-wang2024"])


def test_published_numbers_of_patterns_are_taken_where_none_is_given():
    one = training_seconds("nearest-neighbours", {}, RATES, gpu=False)
    assert one == training_seconds("nearest-neighbours", {"patterns": 60_000}, RATES, gpu=False)


def test_a_variant_costs_what_its_architecture_does():
    plain, variant = (
        training_seconds(model, {"patterns": 95_000}, RATES, gpu=False)
        for model in ("fcn-wang2024", "fcn-wang2024.sqrt")
    )
    assert variant == plain


def test_an_estimator_is_never_trained_on_a_gpu():
    on_core, asked = (
        training_seconds("extra-trees-suzuki2020", {"patterns": 5_000}, RATES, gpu)
        for gpu in (False, True)
    )
    assert asked == on_core
