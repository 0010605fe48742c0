"""The overview: which training a model is shown with, what folds, and what stands in a cell."""

import pytest
from example_site import HOSTILE, some_rows

from sgbench.models import ORACLE
from sgbench.models import REFERENCE as MODEL
from sgbench.sets import DESIGNED_SETS, TEST_SETS
from sgbench.site._names import data_names, family_name, set_words
from sgbench.site._overview import fixed_training, overview, variant_of
from sgbench.symmetry import FAMILIES


def shown(table):
    return overview(table, data_names(table))


@pytest.mark.parametrize(
    ("train_sets", "expected"),
    [
        (("cddd-cubic", "ulbd-cubic@0.1x5", "ulbd-cubic"), "ulbd-cubic"),
        (("ulbd-cubic@0.1x5",), "ulbd-cubic@0.1x5"),
        (("gcdd-cubic", "cddd-cubic"), "cddd-cubic"),
        (("none",), "none"),
        (("a stranger's own", "ulbd-tetragonal"), "a stranger's own"),
    ],
)
def test_the_training_that_is_shown_follows_from_names_alone(train_sets, expected):
    assert fixed_training("cubic", train_sets) == expected
    assert fixed_training("cubic", train_sets[::-1]) == expected


def test_a_better_training_does_not_change_what_is_shown():
    for better, worse in ((0.9, 0.2), (0.2, 0.9)):
        table = some_rows(
            ("m", "ulbd-cubic", "ulbd-off-mesh", better),
            ("m", "ulbd-physical-cubic", "ulbd-off-mesh", worse),
        )
        [scale] = shown(table)
        assert [line["cells"] for line in scale["lines"]] == [[0], [1]]
        assert [line["variant_of"] for line in scale["lines"]] == [None, 0]
        assert scale["lines"][1]["trained"] == ["designed, physical intensities"]


def test_a_line_has_a_cell_for_each_family_and_kind_of_test():
    table = some_rows(
        ("m", "ulbd-cubic", "ulbd-off-mesh", 0.9),
        ("m", "ulbd-cubic", "cddd", 0.8),
        ("m", "ulbd-cubic", "cddd-test", 0.8),
        ("m", "ulbd-tetragonal", "ulbd-off-mesh", 0.7, {"family": "tetragonal"}),
        ("few", "ulbd-cubic", "ulbd-off-mesh", 0.99),
        ("control-prior", "none", "gcdd", 0.1),
        (ORACLE, "none", "cddd", 1.0),
    )
    [scale] = shown(table)
    assert scale["columns"] == [
        ("cubic", "ulbd-off-mesh"), ("cubic", "cddd"), ("tetragonal", "ulbd-off-mesh"),
    ]  # fmt: skip
    lines = {line["model"]: line for line in scale["lines"]}
    assert lines["m"]["cells"] == [0, 1, 3]
    assert lines["few"]["cells"] == [4, None, None]
    assert lines["control-prior"]["control"]
    assert ORACLE not in lines


def test_the_largest_scale_comes_first():
    table = some_rows(
        ("m", "ulbd-cubic", "ulbd-off-mesh", 0.9, {"scale": "smoke"}),
        ("m", "ulbd-cubic", "ulbd-off-mesh", 0.9, {"scale": "overnight"}),
        ("m", "ulbd-cubic", "ulbd-off-mesh", 0.9, {"scale": "laptop"}),
    )
    assert [one["scale"] for one in shown(table)] == ["overnight", "laptop", "smoke"]
    assert [one["lines"][0]["cells"] for one in shown(table)] == [[1], [2], [0]]


def test_a_scale_of_which_little_is_finished_hides_none_that_is_whole():
    table = some_rows(
        ("m", "ulbd-cubic", "ulbd-off-mesh", 0.9, {"scale": "overnight"}),
        ("control-prior", "none", "cddd", 0.2, {"scale": "overnight"}),
        ("m", "ulbd-cubic", "ulbd-off-mesh", 0.9, {"scale": "laptop"}),
        ("m", "ulbd-cubic", "cddd", 0.9, {"scale": "laptop"}),
    )
    assert [one["scale"] for one in shown(table)] == ["laptop", "overnight"]


def test_a_cell_holds_the_usual_patterns_or_else_says_which():
    other = {"test_sha256": "another", "n_test": 360}
    table = some_rows(
        ("m", "ulbd-cubic", "ulbd-off-mesh", 0.99, other),
        ("m", "ulbd-cubic", "ulbd-off-mesh", 0.9),
        ("n", "ulbd-cubic", "ulbd-off-mesh", 0.8),
        ("decoder-pawley", "none", "ulbd-off-mesh", 1.0, other),
    )
    assert data_names(table)[0] == data_names(table)[3] == "ulbd-off-mesh (another)"
    lines = {line["model"]: line["cells"] for line in shown(table)[0]["lines"]}
    assert lines == {"m": [1], "n": [2], "decoder-pawley": [3]}


def test_meshes_laws_splits_and_lengths_are_variants():
    table = some_rows(
        (MODEL, "ulbd-cubic", "cddd", 0.9),
        (MODEL, "ulbd-cubic@0.1x5", "cddd", 0.9),
        (MODEL, "ulbd-physical-cubic-no-wilson", "cddd", 0.9),
        (f"{MODEL}@75000", "ulbd-cubic", "cddd", 0.9),
        (MODEL, "cddd-cubic", "cddd", 0.9),
        (MODEL, "cddd-cubic-stratified", "cddd", 0.9),
        (MODEL, "ulbd-cubic@0.1x5", "cddd", 0.9, {"source": "another"}),
        ("control-prior", "none", "cddd", 0.1),
    )
    assert variant_of(table) == [None, 0, 0, 0, None, 4, None, None]
    lines = shown(table)[0]["lines"]
    assert lines[0]["model"] == MODEL
    assert sum(line["variant_of"] == 0 for line in lines) == 5


def test_a_strangers_name_makes_no_variant_of_anothers():
    said = {"status": "self-reported"}
    table = some_rows(
        ("alpha", "ulbd-cubic", "ulbd-off-mesh", 0.9, said),
        ("alpha@5", "ulbd-cubic", "ulbd-off-mesh", 0.9, said),
        (f"{MODEL}@5", "ulbd-cubic", "ulbd-off-mesh", 0.9),
        (f"{MODEL}@50", "ulbd-cubic", "ulbd-off-mesh", 0.8),
    )
    assert variant_of(table) == [None] * 4
    own = [line["model"] for line in shown(table)[0]["lines"] if line["variant_of"] is None]
    assert own == ["alpha", "alpha@5", f"{MODEL}@50"]  # the longest training, not the best


def test_names_in_words():
    assert family_name("all") == "all 230 groups"
    assert family_name("trigonal-hexagonal") == "trigonal and hexagonal"
    assert set_words("ulbd-cubic@0.1x5")[0] == "designed, cubic, mesh 0.1 Å × 5"
    assert set_words("cddd-test-in-domain")[0] == (
        "real crystals, held out, cells in the trained range"
    )
    assert set_words("cddd-cubic-stratified", with_family=False)[0] == (
        "real crystals, by the article's split"
    )
    for name in HOSTILE:
        assert set_words(name) == (name, "")


def test_no_two_sets_have_the_same_words():
    known = [
        *TEST_SETS, *DESIGNED_SETS,
        *(one.of(family) for one in DESIGNED_SETS for family in FAMILIES),
    ]  # fmt: skip
    names = {spec.name for spec in known}
    words = {name: set_words(name) for name in names}
    assert len({title for title, _ in words.values()}) == len(names)
    assert all(name in sentence for name, (_, sentence) in words.items())
