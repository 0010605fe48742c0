"""Two test sets called `cddd` that hold other data: nothing of one is compared with the other."""

from dataclasses import replace

import numpy as np
import pytest
from example_crystals import crystal_file, crystal_set

from sgbench.diffraction import LineList
from sgbench.errors import SgbenchError
from sgbench.evaluation import CLASS_SCHEMES, Predictions, Score, score
from sgbench.leaderboard import (
    IDENTITY,
    TESTED_ON,
    below_reference,
    build_class_table,
    build_pairs,
    build_table,
    on_other_data,
    read_csv,
    read_reference,
    to_markdown,
    with_ranks,
    write_csv,
    write_reference,
)
from sgbench.sets import SetSpec, TestSet, family_set, open_test_set

MINERALS, MATERIALS = "amcsd", "materials-project"


def small_cddd(folder, source: str, stretch: float) -> TestSet:
    """The same structures by their names and space groups, with lines of their own."""
    crystals = crystal_set({195: 40, 205: 60, 225: 60})
    lines = LineList(
        crystals.lines.offsets, stretch * crystals.lines.two_theta, crystals.lines.intensity
    )
    metadata = {**crystals.metadata, "source": {**crystals.metadata["source"], "name": source}}
    mine = replace(crystals, lines=lines, metadata=metadata, name=crystals.structure_id)
    folder.mkdir()
    file = crystal_file(folder, mine)
    return open_test_set(SetSpec.parse("cddd"), family_set("cubic"), 0, [file])


@pytest.fixture(scope="module")
def minerals(tmp_path_factory):
    return small_cddd(tmp_path_factory.mktemp("a") / MINERALS, MINERALS, 1.0)


@pytest.fixture(scope="module")
def materials(tmp_path_factory):
    return small_cddd(tmp_path_factory.mktemp("b") / MATERIALS, MATERIALS, 0.99)


def scores(truth: TestSet, model: str, right: float, seed: int = 0) -> list[Score]:
    draw = np.random.default_rng([seed, len(model), int(100 * right)])
    values = 0.1 * draw.random((len(truth), 36))
    named = truth.samples.spacegroup - 195
    wrong = draw.random(len(truth)) > right
    named = np.where(wrong, (named + 1 + draw.integers(0, 34, len(truth))) % 36, named)
    values[np.arange(len(truth)), named] += 5
    values /= values.sum(axis=1, keepdims=True)
    origin = {"model": model, "train_set": "ulbd-cubic", "scale": "smoke", "seed": seed}
    guess = Predictions(
        truth.samples.ids, "spacegroup", family_set("cubic").spacegroups,
        values.astype(np.float32), origin,
    )  # fmt: skip
    return [score(guess, truth, scheme) for scheme in CLASS_SCHEMES]


def by_source(table):
    return {source: rows.reset_index() for source, rows in table.groupby("source")}


def test_the_two_sets_differ_in_their_data_alone(minerals, materials):
    assert minerals.name == materials.name == "cddd"
    assert minerals.samples.ids == materials.samples.ids
    assert (minerals.source, materials.source) == (MINERALS, MATERIALS)
    assert minerals.checksum() != materials.checksum()
    assert set(IDENTITY) > set(TESTED_ON) > {"test_set", "source", "test_sha256"}


def test_the_same_model_and_seed_is_not_averaged(minerals, materials):
    found = scores(minerals, "fcn", 0.9) + scores(materials, "fcn", 0.5)
    table = build_table(found)
    assert len(table) == 4
    assert set(table["seeds"]) == {1}
    rows = by_source(table)
    for source, of_source in ((MINERALS, found[:2]), (MATERIALS, found[2:])):
        assert sorted(rows[source]["top1"]) == pytest.approx(sorted(s.top[0] for s in of_source))
        assert set(rows[source]["test_sha256"]) == {of_source[0].test_sha256}
    assert build_class_table(found).groupby("source")["n"].sum().to_dict() == {
        MINERALS: 160, MATERIALS: 160,
    }  # fmt: skip
    # Another seed on the same data still joins.
    assert len(build_table([*found, *scores(minerals, "fcn", 0.9, seed=1)])) == 4


def test_data_of_one_source_that_changed_are_other_data(minerals):
    """A source that is read again a year later bears the same name."""
    fewer = minerals.samples.take(np.arange(100))
    later = replace(minerals, samples=fewer, cluster=minerals.cluster[:100])
    found = scores(minerals, "fcn", 0.9) + scores(later, "fcn", 0.9)
    assert len(build_table(found)) == 4
    assert build_pairs([*found[:2], *scores(later, "knn", 0.2)]).empty
    assert set(with_ranks(build_table(found))["rank_worst"]) == {1}


def test_ranks_are_within_one_source(minerals, materials):
    found = [
        *scores(minerals, "good", 0.95), *scores(minerals, "bad", 0.6),
        *scores(materials, "good", 0.4), *scores(materials, "bad", 0.1),
    ]  # fmt: skip
    table = build_table(found)
    for ranked in (with_ranks(table), with_ranks(table, build_pairs(found))):
        for source, scheme in ((s, c) for s in (MINERALS, MATERIALS) for c in CLASS_SCHEMES):
            rows = ranked[(ranked["source"] == source) & (ranked["class_scheme"] == scheme)]
            assert rows["model"].tolist() == ["good", "bad"]
            assert rows["rank_best"].tolist() == rows["rank_worst"].tolist() == [1, 2]
            assert rows["next_model"].iloc[0] == "bad"
            assert rows["next_model"].isna().tolist() == [False, True]
    # Who is alone on its data is first there, however good others are elsewhere.
    apart = with_ranks(build_table(scores(minerals, "a", 0.95) + scores(materials, "b", 0.1)))
    assert set(apart["rank_best"]) == set(apart["rank_worst"]) == {1}
    assert apart["lead"].isna().all()


def test_pairs_are_within_one_source(minerals, materials):
    mine, theirs = scores(minerals, "good", 0.95), scores(materials, "bad", 0.1)
    assert build_pairs(mine + theirs).empty
    pairs = build_pairs(mine + theirs + scores(minerals, "bad", 0.6))
    assert pairs["class_scheme"].tolist() == ["spacegroup", "extinction"]
    assert (pairs["p"] < 1e-6).all()


def test_a_reference_of_other_data_is_no_mark(minerals, materials, tmp_path):
    path = tmp_path / "reference.yaml"
    before = build_table(scores(minerals, "fcn", 0.95))
    assert write_reference(path, before) == 2
    now, same = build_table(scores(materials, "fcn", 0.1)), build_table(scores(minerals, "fcn", 0))
    reference = read_reference(path)
    assert below_reference(now, reference).empty
    assert on_other_data(now, reference) == 2
    assert len(below_reference(same, reference)) == 2
    assert on_other_data(same, reference) == 0


def test_each_row_of_a_reference_is_compared_or_counted(minerals, materials, tmp_path):
    path = tmp_path / "reference.yaml"
    mine, theirs = scores(minerals, "fcn", 0.95), scores(materials, "fcn", 0.8)
    write_reference(path, build_table(mine + theirs))
    reference = read_reference(path)
    assert on_other_data(build_table(mine + theirs), reference) == 0
    assert on_other_data(build_table(mine), reference) == 2
    assert on_other_data(build_table(mine).iloc[:0], reference) == 0


def test_markdown_has_two_tables(minerals, materials):
    text = to_markdown(
        build_table(
            [*scores(minerals, "good", 0.95), *scores(materials, "good", 0.4),
             *scores(materials, "bad", 0.1)]
        )
    )  # fmt: skip
    parts = text.split("\n### ")[1:]
    assert len(parts) == 4
    for part, source in zip(parts, (MINERALS, MATERIALS) * 2, strict=True):
        heading, *lines = part.splitlines()
        truth = minerals if source == MINERALS else materials
        assert heading == f"cddd ({source}, {truth.checksum()[:8]}), n = 160"
        rows = [line for line in lines if line.startswith("| ") and "---" not in line]
        assert len(rows) == (2 if source == MINERALS else 3)


def test_what_tells_them_apart_is_written_and_read(minerals, materials, tmp_path):
    table = build_table(scores(minerals, "fcn", 0.9) + scores(materials, "fcn", 0.5))
    write_csv(tmp_path / "l.csv", table)
    found = read_csv(tmp_path / "l.csv")
    names = ["source", "test_sha256"]
    assert found[names].to_numpy().tolist() == table[names].to_numpy().tolist()


def test_scores_of_plain_hits_are_not_averaged_with_expectations(minerals):
    new, *_ = scores(minerals, "alpha", 0.8)
    old = replace(new, provenance={**new.provenance, "plain_hits": True})
    with pytest.raises(SgbenchError, match="partly of an earlier version"):
        build_table([new, old])
