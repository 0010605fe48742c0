from pathlib import Path

import pytest

from sgbench.models import REFERENCE
from sgbench.plan import (
    ceiling_sets,
    crystal_datasets,
    designed_datasets,
    generated_families,
    on_gpu,
    read_config,
    resolve_settings,
    runs,
    trainings,
    untrained,
)
from sgbench.plan import test_sets_of as sets_to_score_on
from sgbench.sets import SetSpec

ROOT = Path(__file__).parents[2]


def settings(scale, **over):
    return resolve_settings({**read_config(ROOT), "scale": scale, **over}, ROOT)


LAPTOP = settings("laptop")


@pytest.mark.parametrize(
    ("train_set", "left_out"),
    [
        ("ulbd-cubic", {"ulbd-imbalanced-in-mesh"}),
        ("ulbd-cubic-imbalanced", set()),
        ("ulbd-all", {"ulbd-imbalanced-in-mesh", "gcdd", "gcdd-test"}),
        ("cddd-cubic", {"ulbd-imbalanced-in-mesh", "cddd", "cddd-stratified-test"}),
        ("cddd-cubic-stratified", {"ulbd-imbalanced-in-mesh", "cddd", "cddd-test"}),
        ("gcdd-cubic", {"ulbd-imbalanced-in-mesh", "gcdd"}),
    ],
)
def test_a_model_is_scored_on_what_it_has_not_seen(train_set, left_out):
    scored = {spec.name for spec in sets_to_score_on(LAPTOP, SetSpec.parse(train_set))}
    # A set leaves with its part whose cells are in the domain.
    gone = left_out | {f"{name}-in-domain" for name in left_out}
    family = LAPTOP["family_test_sets"].get(SetSpec.parse(train_set).family, [])
    assert scored == {*LAPTOP["test_sets"], *family} - gone


def test_sets_under_conditions_are_trained_on_and_scored_on():
    names = ["ulbd-off-mesh{,+laboratory,+counts-1000}", "cddd-test+laboratory"]
    wanted = {
        "ulbd-cubic{,+laboratory}": {"reference": 64},
        "cddd-cubic+noise-0.01": {"reference": 9},
    }
    own = settings("smoke", families=["cubic"], test_sets=names, training=wanted)
    found = {run.train_set.name: [test.name for test in run.test_sets] for run in trainings(own)}
    scored = [
        "ulbd-off-mesh",
        "ulbd-off-mesh+laboratory",
        "ulbd-off-mesh+counts-1000",
        "cddd-test+laboratory",
    ]
    assert {"ulbd-cubic+laboratory", "cddd-cubic+noise-0.01"} < set(found)
    assert all(tests == scored for tests in found.values())
    assert {run.folder for run in trainings(own)} > {f"ulbd-cubic+laboratory/{REFERENCE}/seed0"}
    # Neither files of designed sets nor exact ceilings are made under conditions.
    assert not any(spec.conditions for spec in (*ceiling_sets(own), *designed_datasets(own)))
    assert "cddd" in crystal_datasets(own)


def test_a_family_can_have_test_sets_of_its_own():
    own = {"cubic": ["ulbd-mineral-cells-off-mesh+laboratory"]}
    given = settings("smoke", test_sets=["ulbd-off-mesh"], family_test_sets=own)
    found = {run.family: [test.name for test in run.test_sets] for run in trainings(given)}
    assert found["cubic"] == ["ulbd-off-mesh", *own["cubic"]]
    assert found["tetragonal"] == ["ulbd-off-mesh"]
    scored = {spec.name for spec in ceiling_sets(given)}
    assert "ulbd-mineral-cells-cubic" in scored
    assert "ulbd-mineral-cells-tetragonal" not in scored


def test_sets_that_a_family_does_not_have_are_left_out():
    """There are no amplitudes of all families together."""
    names = ["ulbd-off-mesh", "ulbd-amplitude-off-mesh", "ulbd-mineral-cells-off-mesh"]
    wide = settings("overnight", test_sets=names)
    cubic, everything = (
        [spec.name for spec in sets_to_score_on(wide, SetSpec.parse(name))]
        for name in ("ulbd-mineral-cells-cubic", "ulbd-all")
    )
    assert (cubic, everything) == (names, [names[0], names[2]])
    scored = {spec.name for spec in ceiling_sets(wide)}
    assert {"ulbd-cubic", "ulbd-amplitude-cubic", "ulbd-mineral-cells-cubic"} <= scored
    assert not any("physical" in name for name in scored)


def test_there_is_a_run_for_each_seed_of_each_training_of_the_families():
    some = settings("laptop", families=["tetragonal"], seeds=[3, 5])
    found = trainings(some)
    assert {run.family for run in found} == {"tetragonal"}
    of_reference = [run.folder for run in found if run.model == REFERENCE]
    assert of_reference[:2] == [f"ulbd-tetragonal/{REFERENCE}/seed{seed}" for seed in (3, 5)]
    for run in found:
        assert run.plan == some["training"][run.train_set.name][run.model]
    folders = [run.folder for run in runs(some)]
    assert len(set(folders)) == len(folders)


def test_untrained_models_have_the_families_that_they_take():
    found = {run.folder: run for run in untrained(LAPTOP)}
    controls = {f"none-{f}/{name}/seed0" for f in LAPTOP["families"] for name in LAPTOP["controls"]}
    decoder = {f"none-{family}/decoder-pawley/seed0" for family in generated_families(LAPTOP)}
    assert set(found) == controls | decoder
    run = found["none-cubic/decoder-pawley/seed0"]
    assert [spec.name for spec in run.test_sets] == LAPTOP["decoder"]["test_sets"]
    assert run.per_spacegroup == LAPTOP["decoder"]["patterns_per_spacegroup"]
    control = found["none-cubic/control-prior/seed0"]
    # What it answers does not depend on the pattern, so conditions change nothing.
    ideal = [
        one for one in sets_to_score_on(LAPTOP, SetSpec.parse("ulbd-cubic")) if not one.conditions
    ]
    assert list(control.test_sets) == ideal
    posterior = found["none-cubic/control-posterior/seed0"]
    assert [spec.name for spec in posterior.test_sets] == ["ulbd-in-mesh", "ulbd-off-mesh"]
    few = untrained(settings("laptop", controls=["control-oracle"]))
    assert {run.model for run in few} == {"control-oracle", "decoder-pawley"}
    unknown = untrained(settings("laptop", test_sets=["cddd"]))
    assert not any(run.model == "control-posterior" for run in unknown)


def test_datasets_are_those_of_the_families():
    names = [spec.name for spec in ceiling_sets(LAPTOP)]
    families = ("cubic", "tetragonal", "trigonal-hexagonal", "all")
    assert sorted(names) == sorted([*(f"ulbd-{f}" for f in families), "ulbd-cubic-imbalanced"])
    assert [spec.name for spec in designed_datasets(LAPTOP)] == [n for n in names if "all" not in n]
    assert generated_families(LAPTOP) == ("cubic", "tetragonal", "trigonal-hexagonal")


def test_structures_are_those_that_a_run_needs():
    assert crystal_datasets(LAPTOP) == ("cddd", "gcdd")
    scored = {"test_sets": ["ulbd-in-mesh"]}
    # Smoke trains on structures of crystals, and on no random ones.
    assert crystal_datasets(settings("smoke", **scored)) == ("cddd",)
    assert crystal_datasets(settings("smoke", families=["tetragonal"], **scored)) == ()


def test_a_gpu_is_for_the_full_scale_alone():
    assert not on_gpu(LAPTOP)
    assert on_gpu(settings("full"))
    assert not on_gpu(settings("full", device="cpu"))
