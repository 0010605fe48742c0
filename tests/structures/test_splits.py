from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgbench.structures._cleaning import Structure, clean
from sgbench.structures._splits import grouped_split, stratified_split
from sgbench.structures.sources import Entry
from sgbench.structures.sources.amcsd import amcsd
from sgbench.symmetry import FAMILIES

PARTS = ("train", "validation", "test")


def ids(n: int, name: str = "made-up") -> list[str]:
    return [f"{name}-{i:05d}" for i in range(n)]


# The paper's


@pytest.mark.parametrize("n", [1, 2, 19, 20, 21, 39, 40, 41, 100, 1000])
def test_the_paper_trains_on_95_percent_and_one_more(n):
    split = Counter(stratified_split(ids(n), np.full(n, 225)))
    assert split["train"] == min(n, int(0.95 * n) + 1)
    assert split["test"] == n - split["train"]
    assert (split["test"] > 0) == (n > 20)


def test_the_paper_splits_each_space_group_by_itself():
    rng = np.random.default_rng(0)
    spacegroup = rng.choice([2, 14, 62, 225, 227], 3000, p=[0.006, 0.2, 0.3, 0.394, 0.1])
    split = np.array(stratified_split(ids(3000), spacegroup))
    for group in np.unique(spacegroup):
        own = split[spacegroup == group]
        assert (own == "train").sum() == int(0.95 * len(own)) + 1
        # A group's split is that of the group alone.
        mine = [x for x, g in zip(ids(3000), spacegroup, strict=True) if g == group]
        assert stratified_split(mine, np.full(len(own), group)) == tuple(own)


@given(st.randoms(use_true_random=False))
def test_the_papers_split_does_not_depend_on_the_order(random):
    names, spacegroup = ids(100), np.repeat([62, 225], 50)
    split = dict(zip(names, stratified_split(names, spacegroup), strict=True))
    order = random.sample(range(100), 100)
    again = stratified_split([names[i] for i in order], spacegroup[order])
    assert again == tuple(split[names[i]] for i in order)


def test_the_papers_split_is_drawn():
    split = np.array(stratified_split(ids(1000), np.full(1000, 225)))
    places = np.flatnonzero(split == "test")
    assert len(places) == 49
    assert 350 < places.mean() < 650
    assert np.diff(places).max() < 150
    # ... and fixed: these are in every copy of the dataset.
    assert places[:5].tolist() == [26, 62, 87, 100, 106]


# By prototype and name


def sides(split, labels) -> dict[str, set[str]]:
    found = defaultdict(set)
    for part, label in zip(split, labels, strict=True):
        found[label].add(part)
    return found


labels = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 8), st.integers(0, 12)), min_size=1, max_size=60
)


@settings(max_examples=300)
@given(labels)
def test_no_prototype_and_no_name_is_on_two_sides(samples):
    spacegroup = np.array([group for group, _, _ in samples])
    prototype = [f"AB_{group}_{letter}" for group, letter, _ in samples]
    name = [f"Mineral {number}" for _, _, number in samples]
    split = grouped_split(spacegroup, prototype, name)
    assert set(split) <= set(PARTS)
    assert all(len(parts) == 1 for parts in sides(split, prototype).values())
    assert all(len(parts) == 1 for parts in sides(split, name).values())
    assert "train" in split
    # Every space group whose samples are nowhere else is trained on.
    for group in set(spacegroup.tolist()):
        own = spacegroup == group
        shared = {name[i] for i in np.flatnonzero(own)} & {name[i] for i in np.flatnonzero(~own)}
        if not shared:
            assert "train" in np.array(split)[own]


@settings(max_examples=100)
@given(labels, st.randoms(use_true_random=False))
def test_the_grouped_split_does_not_depend_on_the_order(samples, random):
    order = random.sample(range(len(samples)), len(samples))

    def split(numbers):
        chosen = [samples[i] for i in numbers]
        return grouped_split(
            np.array([group for group, _, _ in chosen]),
            [f"AB_{group}_{letter}" for group, letter, _ in chosen],
            [f"Mineral {number}" for _, _, number in chosen],
        )

    plain = split(range(len(samples)))
    assert split(order) == tuple(plain[i] for i in order)


def test_groups_with_one_cluster_are_trained_on():
    spacegroup = np.array([225] * 500 + [62] * 2)
    prototype = ["AB_225_ab"] * 500 + ["A_62_c", "B_62_c"]
    name = [f"Mineral {i}" for i in range(500)] + ["One", "One"]
    assert set(grouped_split(spacegroup, prototype, name)) == {"train"}


def test_chains_of_shared_labels_are_one_cluster():
    """A shares its name with B, B its prototype with C, C its name with D."""
    split = grouped_split(
        np.array([1, 1, 2, 2, 2]),
        ["p1", "p2", "p2", "p3", "p4"],
        ["A", "A", "C", "C", "E"],
    )
    assert len(set(split[:4])) == 1


def test_equal_clusters_are_shared_out_as_80_10_10():
    n = 2000
    split = Counter(
        grouped_split(np.repeat([14, 62], n // 2), [f"p{i}" for i in range(n)],
                      [f"n{i}" for i in range(n)])
    )  # fmt: skip
    assert split == {"train": 1600, "validation": 200, "test": 200}


def test_small_groups_get_a_part():
    for n in (2, 3, 5, 10):
        each = [f"{i}" for i in range(n)]
        split = Counter(grouped_split(np.full(n, 62), each, each))
        assert split["test"] == 1
        assert split["validation"] == (1 if n > 2 else 0)


def test_large_clusters_do_not_overfill_a_part():
    """Half of 1000 structures are one mineral, and ten more minerals have 50 each."""
    name = ["Large"] * 500 + [f"Small {i // 50}" for i in range(500)]
    split = np.array(grouped_split(np.full(1000, 62), name, name))
    assert set(split[:500]) == {"train"}
    assert Counter(split) == {"train": 800, "validation": 100, "test": 100}


@pytest.fixture(scope="module")
def minerals() -> list[Structure]:
    """One in eight of the AMCSD."""
    families = set(FAMILIES) - {"all"}
    entries = [entry for entry in amcsd().read() if isinstance(entry, Entry)][::8]
    return [s for s in (clean(entry, families) for entry in entries) if isinstance(s, Structure)]


def test_shares_of_real_structures(minerals):
    spacegroup = np.array([s.spacegroup for s in minerals])
    prototype, name = [s.prototype for s in minerals], [s.name for s in minerals]
    split = grouped_split(spacegroup, prototype, name)
    share = {part: split.count(part) / len(split) for part in PARTS}
    # Each of many small groups gives a whole cluster to a part, so they get a little more.
    assert 0.7 < share["train"] < 0.85
    assert 0.07 < share["validation"] < 0.15
    assert 0.07 < share["test"] < 0.15
    for labels_ in (prototype, name):
        assert all(len(parts) == 1 for parts in sides(split, labels_).values())
    # Without names or prototypes they would be spread over the sides.
    at_random = stratified_split([s.structure_id for s in minerals], spacegroup)
    assert any(len(parts) == 2 for parts in sides(at_random, name).values())
    paper = Counter(at_random)
    assert paper["test"] < 0.05 * len(split)


def test_most_space_groups_with_several_minerals_are_tested(minerals):
    spacegroup = np.array([s.spacegroup for s in minerals])
    split = np.array(
        grouped_split(spacegroup, [s.prototype for s in minerals], [s.name for s in minerals])
    )
    several = [g for g in np.unique(spacegroup) if (spacegroup == g).sum() >= 10]
    tested = [g for g in several if "test" in split[spacegroup == g]]
    trained = [g for g in several if "train" in split[spacegroup == g]]
    assert trained == several
    assert len(tested) > 0.7 * len(several)
