"""A small dataset of crystals that no source is needed for."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from sgbench.diffraction import CANONICAL, FREE_PARAMETERS, LineList, full_cell
from sgbench.structures import CrystalSet, write_crystals
from sgbench.structures.sources import Excluded
from sgbench.symmetry import extinction_classes, family_of, family_spacegroups

# Structures of each space group.
COUNTS = {2: 9, 14: 30, 16: 4, 62: 60, 128: 25, 139: 31, 167: 20, 194: 12, 225: 70}

EXCLUDED = (
    Excluded("x-1", "unreadable"),
    Excluded("x-2", "label and spglib disagree", 'label 14, spglib 62, "P n m a"'),
    Excluded("x-3", "unreadable", "Ångström"),
)


def cell_of(family: str, a: float, b: float, c: float) -> np.ndarray:
    """Return a cell of the family with those of the edges that are free; free angles are 90°."""
    edges = {"a": a, "b": b, "c": c}
    return full_cell(family, [edges.get(name, 90.0) for name in FREE_PARAMETERS[family]])


def crystal_set(counts: dict[int, int] | None = None, families: tuple[str, ...] = ()) -> CrystalSet:
    """Return crystals with random cells and lines; `families` are those that the set covers."""
    rng = np.random.default_rng(7)
    counts = COUNTS if counts is None else counts
    group = np.repeat(np.array(list(counts)), list(counts.values()))
    n = len(group)
    number = np.arange(n)
    symbols = {
        member: cls.symbol
        for cls in extinction_classes(family_spacegroups("all"))
        for member in cls.spacegroups
    }
    n_lines = rng.integers(1, 30, n)
    edges = rng.uniform(3, 20, (n, 3))
    cell = [cell_of(family_of(g), *some) for g, some in zip(group, edges, strict=True)]
    covered = {family_of(g) for g in counts} | set(families)
    return CrystalSet(
        structure_id=tuple(f"example-{i:04d}" for i in range(n)),
        name=tuple(f"Åkermanite | {i // 3}" for i in number),
        family=tuple(family_of(g) for g in group),
        extinction_class=tuple(symbols[int(g)] for g in group),
        formula=("CCaO3",) * n,
        prototype=tuple(f"AB_{g}_{'abc'[i % 3]}" for i, g in enumerate(group)),
        citation=("Somebody (1925). A title. A journal 10, 1-2",) * n,
        split_stratified=tuple("test" if i % 10 == 0 else "train" for i in number),
        split_grouped=tuple(("train", "train", "validation", "test")[i // 3 % 4] for i in number),
        spacegroup=group.astype(np.int64),
        cell=np.array(cell).reshape(n, 6),
        n_atoms=rng.integers(1, 200, n),
        ordered=number % 4 > 0,
        lines=LineList(
            np.concatenate([[0], np.cumsum(n_lines)]).astype(np.int64),
            np.concatenate([np.sort(rng.uniform(6, 89, k)) for k in n_lines]),
            rng.uniform(1, 1e6, n_lines.sum()).astype(np.float32),
        ),
        excluded=EXCLUDED,
        metadata={
            "name": "cddd",
            "version": 2,
            "families": sorted(covered),
            "limit": None,
            "protocol": asdict(CANONICAL),
            "source": {
                "name": "example",
                "citation": "Somebody, A database (1999)",
                "licence": "CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)",
                "provenance": {"package": "example", "package_version": "1.2.3"},
            },
            "symprec": 0.01,
            "form_factors": "it1992",
            "sgbench_version": "0.1.0",
        },
    )


def crystal_file(folder: Path, crystals: CrystalSet, name: str = "cddd.parquet") -> Path:
    """Write crystals into a folder and return the file."""
    write_crystals(crystals, folder / name)
    return folder / name
