"""Measured sets behind the interface of all sets."""

from dataclasses import replace

import numpy as np
import pytest
from example_crystals import crystal_set

from sgbench.collections import (
    LEAST_LIKENESS,
    LabelledPattern,
    PatternSet,
    likenesses,
    named_by_minerals,
    read_patterns_file,
    seen,
    write_patterns,
)
from sgbench.diffraction import CANONICAL, render
from sgbench.errors import SgbenchError
from sgbench.evaluation import Predictions, read_score, score, write_score
from sgbench.leaderboard import build_table, to_markdown
from sgbench.measured import UNTREATED, measured_pattern
from sgbench.sets import SetSpec, family_set, open_test_set, seen_in_training
from sgbench.structures import write_crystals
from sgbench.symmetry import family_spacegroups

METADATA = {
    "audit_version": 1,
    "development": False,
    "source": {"name": "mine", "citation": "", "licence": "", "provenance": {}},
}


@pytest.fixture(scope="module")
def crystals():
    return crystal_set({14: 6, 62: 6, 194: 3, 225: 6})


def pattern_of(crystals, i, name="", noise=0.0):
    heights = render(crystals.lines.take([i]), CANONICAL)[0].astype(float)
    heights = 50 + 1000 * heights + noise * np.random.default_rng(i).normal(size=len(heights))
    pattern = measured_pattern(CANONICAL.two_theta[500:], heights[500:], wavelength=1.5406)
    return LabelledPattern(f"p{i}", name, int(crystals.spacegroup[i]), pattern)


@pytest.fixture(scope="module")
def collection(crystals, tmp_path_factory):
    patterns = tuple(pattern_of(crystals, i, crystals.name[i]) for i in range(len(crystals)))
    path = tmp_path_factory.mktemp("patterns") / "measured-mine.parquet"
    write_patterns(PatternSet("measured-mine", patterns, (), METADATA), path)
    return path


def test_names_are_read_and_printed():
    for name in ("measured-rruff", "measured-rruff-a", "measured-my-lab-untreated"):
        assert SetSpec.parse(name).name == name
    spec = SetSpec.parse("measured-my-lab-untreated")
    assert (spec.collection, spec.treatment) == ("my-lab", UNTREATED.name)
    assert "my-lab" in spec.describe()
    assert SetSpec.parse("measured-rruff+counts-1000").conditions
    for name in ("measured", "measured-", "measured-A", "measured-untreated-"):
        assert SetSpec.find(name) is None
    with pytest.raises(SgbenchError, match="NAME has small letters"):
        SetSpec.parse("measured-My_Lab")


def test_a_collection_is_the_same_after_a_round_trip(collection, crystals, tmp_path):
    again = read_patterns_file(collection)
    assert again.name == "measured-mine"
    assert len(again) == len(crystals)
    write_patterns(again, tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == collection.read_bytes()
    (tmp_path / "torn.parquet").write_bytes(collection.read_bytes()[:-50])
    with pytest.raises(SgbenchError):
        read_patterns_file(tmp_path / "torn.parquet")


def test_a_set_opens_treated_and_masked(collection, crystals):
    dataset = family_set("all")
    truth = open_test_set(SetSpec.parse("measured-mine"), dataset, 0, [collection])
    assert truth.source == "mine"
    assert truth.samples.patterns().shape == (len(crystals), CANONICAL.n_points)
    assert not truth.samples.known[:, :498].any()
    assert truth.samples.known[:, 502:].all()
    assert truth.cluster == crystals.name
    plain = open_test_set(SetSpec.parse("measured-mine-untreated"), dataset, 0, [collection])
    assert plain.checksum() != truth.checksum()
    part = truth.take(np.array([1, 0]))
    assert part.labelled == truth.labelled[1::-1]
    family = crystals.family[0]
    few = open_test_set(SetSpec.parse("measured-mine"), family_set(family), 0, [collection])
    assert set(few.samples.spacegroup) <= set(family_spacegroups(family))
    with pytest.raises(SgbenchError, match="dataset build measured-other"):
        open_test_set(SetSpec.parse("measured-other"), dataset, 0, [collection])


def test_a_nameless_pattern_is_named_by_the_structure_that_it_resembles(crystals):
    own = pattern_of(crystals, 0, noise=2.0)
    noise = measured_pattern(
        CANONICAL.two_theta, np.random.default_rng(1).poisson(100, CANONICAL.n_points),
        wavelength=1.5406,
    )  # fmt: skip
    none = LabelledPattern("noise", "", int(crystals.spacegroup[0]), noise)
    told = replace(own, pattern_id="told", substance="something else")
    found = named_by_minerals(PatternSet("measured-x", (own, none, told), (), METADATA), crystals)
    names = [one.substance for one in found.patterns]
    assert names == [crystals.name[0], "", "something else"]
    assert found.clusters[1] == "pattern noise"
    assert likenesses([own], crystals)[0, 0] > LEAST_LIKENESS


def test_what_was_trained_on_is_seen_by_name_or_by_prototype_and_cell(crystals):
    one = pattern_of(crystals, 0)
    cell = tuple(crystals.cell[0])
    near = tuple(edge * 1.015 for edge in cell[:3]) + cell[3:]
    far = tuple(edge * 1.03 for edge in cell[:3]) + cell[3:]
    asked = [
        replace(one, substance=crystals.name[0].upper()),
        replace(one, substance="new", prototype=crystals.prototype[0], cell=near),
        replace(one, substance="new", prototype=crystals.prototype[0], cell=far),
        replace(one, substance="new"),
        one,
    ]
    first = np.arange(len(crystals)) == 0
    assert seen(asked, crystals, first) == ("seen", "seen", "unseen", "unseen", "unknown")
    assert seen(asked[:1], crystals, ~first & (np.array(crystals.name) != crystals.name[0])) == (
        "unseen",
    )


def test_seen_and_unseen_are_scored_apart(collection, crystals, tmp_path):
    dataset = family_set("all")
    truth = open_test_set(SetSpec.parse("measured-mine"), dataset, 0, [collection])
    path = tmp_path / "cddd.parquet"
    write_crystals(crystals, path)
    parts = seen_in_training(truth, SetSpec.parse("cddd-all"), [path, collection])
    expected = seen(truth.labelled, crystals, np.array(crystals.split("grouped")) != "test")
    assert parts == expected
    assert set(seen_in_training(truth, SetSpec.parse("ulbd-all"))) == {"unseen"}
    groups = np.arange(1, 231)
    chances = (groups[None, :] == truth.samples.spacegroup[:, None]).astype(np.float32)
    guess = Predictions(
        truth.samples.ids, "spacegroup", family_spacegroups("all"), chances,
        {"model": "m", "train_set": "cddd-all", "scale": "custom"},
    )  # fmt: skip
    for scheme in ("spacegroup", "extinction", "system"):
        result = score(guess, truth, scheme, parts)
        assert result.top[0] == 1
        assert (result.ceiling, result.gap, result.share) == (None, None, None)
        (row,) = build_table([result]).to_dict("records")
        assert all(np.isnan(row[f"{name}_top1"]) for name in ("ceiling", "gap", "share"))
        assert "No ceiling. On measured patterns" in to_markdown(build_table([result]))
        assert sum(one.n for one in result.parts.values()) == len(truth)
        write_score(tmp_path / "score.json", result)
        assert read_score(tmp_path / "score.json").parts == result.parts
