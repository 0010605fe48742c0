"""Damaged files go through the whole build: each is left out with a reason, or it was harmless."""

import random
from collections import Counter
from pathlib import Path

import gemmi
import numpy as np
import pytest
from damage import DAMAGE, Crystal, cif_of
from reference_lines import sample

from sgbench.structures import CrystalSet, build_crystals
from sgbench.structures._build import DUPLICATE, TOO_SLOW, WORKER_DIED
from sgbench.structures.sources.cif_folder import cif_folder

N_DAMAGED = 500

#: Takes nothing away that lines depend on.
HARMLESS = {"not UTF-8", "UTF-16", "label out of range"}
#: Can change a digit of the cell or of a coordinate, which nobody could tell.
UNDETECTABLE = {"flipped bytes"}

KEPT, CHANGED = "kept, with the lines of the original", "kept, with other lines"


def good_crystals() -> list[Crystal]:
    """Real structures in settings that gemmi's table has."""
    found = []
    for case in sample():
        entry = case.entry
        ops = gemmi.GroupOps([gemmi.Op(operator) for operator in entry.operators])
        group = gemmi.find_spacegroup_by_ops(ops)
        if group is not None and group.number > 2 and case.structure.n_atoms < 60:
            found.append(
                Crystal(group, entry.cell, entry.elements, entry.positions, entry.occupancies)
            )
    return found[::3]


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def lines(dataset: CrystalSet) -> dict[str, tuple[list[float], list[float]]]:
    each = (dataset.lines.take([i]) for i in range(len(dataset)))
    pairs = ((one.two_theta.tolist(), one.intensity.tolist()) for one in each)
    return dict(zip(dataset.structure_id, pairs, strict=True))


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> CrystalSet:
    """The dataset of the undamaged files alone."""
    folder = tmp_path_factory.mktemp("originals")
    for number, crystal in enumerate(good_crystals()):
        write(folder / f"{number:03d}.cif", cif_of(crystal).encode())
    return build_crystals(folder / "originals.parquet", "good", cif_folder(folder))


@pytest.fixture(scope="module")
def built(originals, tmp_path_factory) -> tuple[CrystalSet, dict[str, str]]:
    """The dataset of damaged and good files, and the kind of damage of each damaged one."""
    folder = tmp_path_factory.mktemp("damaged")
    rng = random.Random(0)
    crystals = good_crystals()
    kinds = {}
    for number, crystal in enumerate(crystals):
        write(folder / f"good/{number:03d}.cif", cif_of(crystal).encode())
    for number in range(N_DAMAGED):
        kind = list(DAMAGE)[number % len(DAMAGE)]
        if kind == "a million atoms" and number >= len(DAMAGE):  # a large file, so only once
            kind = "flipped bytes"
        original = number % len(crystals)
        name = f"damaged/{number:03d}-of-{original:03d}"
        kinds[name] = kind
        write(folder / f"{name}.cif", DAMAGE[kind](rng, cif_of(crystals[original])))
    path = folder / "damaged.parquet"
    return build_crystals(path, "damaged", cif_folder(folder), workers=2), kinds


@pytest.fixture(scope="module")
def outcomes(built, originals) -> dict[str, str]:
    """What became of each damaged file: why it is left out, or how it was kept."""
    dataset, kinds = built
    expected, found = lines(originals), lines(dataset)
    excluded = {e.structure_id: e for e in dataset.excluded}

    def outcome(name: str) -> str:
        if name in found:
            return KEPT if found[name] == expected[name[-3:]] else CHANGED
        if excluded[name].reason != DUPLICATE:
            return excluded[name].reason
        twin = excluded[name].detail.removeprefix("of ")
        return outcome(twin) if twin[-3:] == name[-3:] else CHANGED

    return {name: outcome(name) for name in kinds}


def test_nothing_stops_the_build(built):
    dataset, kinds = built
    assert len(kinds) == N_DAMAGED
    accounted = [*dataset.structure_id, *(e.structure_id for e in dataset.excluded)]
    assert len(accounted) == len(set(accounted)) == N_DAMAGED + len(good_crystals())
    assert set(kinds) < set(accounted)
    assert not {e.reason for e in dataset.excluded} & {WORKER_DIED, TOO_SLOW}


def test_good_files_are_kept(built, originals):
    dataset, _ = built
    assert len(originals) == len(good_crystals()) > 40
    assert not originals.excluded
    reasons = Counter(e.reason for e in dataset.excluded if e.structure_id.startswith("good/"))
    assert set(reasons) <= {DUPLICATE}  # of a damaged copy that comes before it


def test_every_damaged_file_is_left_out_or_unharmed(built, outcomes):
    _, kinds = built
    for name, outcome in outcomes.items():
        if kinds[name] in HARMLESS:
            assert outcome == KEPT, (name, kinds[name])
        elif kinds[name] not in UNDETECTABLE:
            assert outcome not in (KEPT, CHANGED), (name, kinds[name])
    table = Counter((kinds[name], outcome) for name, outcome in outcomes.items())
    print()  # pytest -s shows what is kept of which kind
    for (kind, outcome), n in sorted(table.items()):
        print(f"{n:4} {kind:32} {outcome}")
    print(Counter(outcomes.values()))
    assert list(outcomes.values()).count(KEPT) >= 18


def test_reasons_are_few_and_details_say_more(built, outcomes):
    dataset, kinds = built
    damaged = [e for e in dataset.excluded if e.structure_id in kinds and e.reason != DUPLICATE]
    assert 4 <= len({e.reason for e in damaged}) <= 12
    assert all(0 < len(e.reason) < 60 and len(e.detail) <= 200 for e in damaged)
    assert np.mean([bool(e.detail) for e in damaged]) > 0.9
