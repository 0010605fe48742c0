"""What is possible under noise: in scores, beside models, and in the guard."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from sgbench.errors import SgbenchError
from sgbench.evaluation import (
    CLASS_SCHEMES,
    Predictions,
    bayes_top,
    predict_set,
    predict_untrained,
    read_score,
    score,
    write_score,
)
from sgbench.leaderboard import above_ceiling, build_table, to_markdown
from sgbench.models import get_model
from sgbench.pretrained import load_pretrained
from sgbench.sets import OFF_MESH, SetSpec, TestSet, family_set, open_test_set
from sgbench.symmetry import FAMILIES, family_spacegroups

NOISES = ("readout-0.3", "exposure-1")


@cache
def truth_of(condition: str, family: str = "cubic", n: int = 4) -> TestSet:
    return open_test_set(SetSpec.parse(f"ulbd-off-mesh+{condition}"), family_set(family), n)


def control(name: str, truth: TestSet, scheme: str):
    guess, _ = predict_untrained(get_model(f"control-{name}"), truth, scheme, "smoke")
    return score(guess, truth, scheme)


@pytest.mark.parametrize("scheme", CLASS_SCHEMES)
@pytest.mark.parametrize("condition", NOISES)
def test_who_states_the_posterior_loses_nothing(condition, scheme):
    truth = truth_of(condition)
    found = control("posterior", truth, scheme)
    assert found.regret == pytest.approx(0, abs=1e-3)
    assert 0 <= found.regret_error < 0.01
    chance = np.sqrt(found.bayes[0] * (1 - found.bayes[0]) / len(truth))
    assert abs(found.top[0] - found.bayes[0]) < 4 * chance
    assert list(found.bayes) == sorted(found.bayes)
    assert max(found.bayes_error) < 0.01
    assert found.bayes[0] < score_without_noise(scheme) - 0.004


def score_without_noise(scheme: str) -> float:
    ideal = open_test_set(SetSpec.parse("ulbd-off-mesh"), family_set("cubic"), 4)
    top, error = bayes_top(ideal, scheme)
    assert not error.any()
    return top[0]


@pytest.mark.parametrize("condition", NOISES)
def test_a_trained_network_stays_below(condition):
    """The weights that come with sgbench, trained on ideal patterns, and a guess."""
    truth = truth_of(condition)
    network = load_pretrained("ulbd-cubic/fcn-wang2024.soft", torch.device("cpu"))
    found = score(predict_set(network, truth, torch.device("cpu")), truth, "extinction")
    for one in (found, control("uniform", truth, "extinction")):
        assert one.regret > 0
        assert one.top[0] < one.bayes[0]
    assert above_ceiling(build_table([found])).empty


def test_the_guard_finds_who_knows_more():
    """Who is told classes passes; what chance or the integrals' error allows does not."""
    truth = truth_of("readout-0.3")
    groups = np.array(family_spacegroups("cubic"))
    told = (truth.samples.spacegroup[:, None] == groups).astype(np.float32)
    origin = {"model": "leak", "train_set": "ulbd-cubic", "scale": "smoke"}
    leak = Predictions(truth.samples.ids, "spacegroup", tuple(groups.tolist()), told, origin)
    table = build_table([score(leak, truth, "extinction")])
    assert above_ceiling(table)["model"].tolist() == ["leak"]
    lucky = table.assign(**{f"{kind}top{k}": 0.1 for kind in ("", "raw_") for k in range(1, 6)})
    assert above_ceiling(lucky.assign(raw_top1=table["bayes_top1"] + 0.05)).empty
    unsure = {f"bayes_error_top{k}": 0.3 for k in range(1, 6)}
    assert above_ceiling(table.assign(**unsure)).empty
    without = {f"bayes_error_top{k}": np.nan for k in range(1, 6)}
    assert len(above_ceiling(table.assign(**without))) == 1


def test_other_conditions_have_no_bound():
    truth = truth_of("noise-0.1")
    found = control("uniform", truth, "extinction")
    assert (truth.oracle, found.bayes, found.regret) == (None, None, None)
    assert "No bound is known" in to_markdown(build_table([found]))
    with pytest.raises(SgbenchError, match="readout or exposure"):
        control("posterior", truth, "extinction")
    both = control("uniform", truth_of("readout-0.3"), "extinction")
    assert "Bayes ceiling under this noise" in to_markdown(build_table([both]))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("ulbd-off-mesh+readout-0.1", True),
        ("ulbd-in-mesh+exposure-3", True),
        ("ulbd-off-mesh+shift-0.1+readout-0.1", False),
        ("ulbd-off-mesh+readout-0.1+exposure-3", False),
        ("ulbd-amplitude-off-mesh+readout-0.1", False),
        ("ulbd-mineral-cells-off-mesh+readout-0.1", False),
        ("ulbd-imbalanced-in-mesh+readout-0.1", False),
    ],
)
def test_which_sets_have_one(name, known):
    spec = SetSpec.parse(name)
    assert spec.posterior_is_known_of("cubic") == known
    assert not spec.posterior_is_known_of("monoclinic")
    assert (open_test_set(spec, family_set("cubic"), 1).oracle is not None) == known


def test_a_part_has_the_chances_of_the_whole():
    truth = truth_of("exposure-1")
    (first, *_) = truth.batches(50)
    np.testing.assert_array_equal(first.oracle.probabilities, truth.oracle.probabilities[:50])


@pytest.mark.parametrize("scheme", CLASS_SCHEMES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_score_of_any_family_is_read(tmp_path, family, scheme):
    """Triclinic patterns have two space groups and one class; guesses are counted up to five."""
    found = control("uniform", open_test_set(OFF_MESH, family_set(family), 1), scheme)
    write_score(tmp_path / "s.json", found)
    assert read_score(tmp_path / "s.json") == found
    assert family != "triclinic" or found.bayes[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bayes_error": None}, "has no 'bayes_error'"),
        ({"bayes": (0.5, 0.4, 0.6, 0.7, 0.8)}, "falls"),
    ],
)
def test_bounds_that_contradict_themselves(tmp_path, changes, said):
    found = control("uniform", open_test_set(OFF_MESH, family_set("cubic"), 1), "extinction")
    write_score(tmp_path / "s.json", replace(found, **changes))
    with pytest.raises(SgbenchError, match=said):
        read_score(tmp_path / "s.json")


def test_a_score_keeps_it(tmp_path):
    found = control("uniform", truth_of("readout-0.3"), "spacegroup")
    write_score(tmp_path / "s.json", found)
    assert read_score(tmp_path / "s.json") == found
