"""What claims need to know of sets of structures: numbers alone, which may be published."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le, MinLen

from sgbench.checked import Count, FileKind, NotNegative, Number, Several, Text
from sgbench.plots.shown import CDDD, GCDD
from sgbench.report._cells import paired_spreads, similarities, spreads
from sgbench.structures import CrystalSet, covered_groups, read_crystals

#: Where they are among published results.
FILE = "structures.json"

_KIND = FileKind(
    "a file of numbers about structures", "what `sgbench publish` writes. Publish again."
)
_Group = Annotated[int, Ge(1), Le(230)]
_Edge = Annotated[int, Ge(0), Le(2)]


@dataclass(frozen=True)
class StructureFacts:
    """What claims need to know of a set of structures.

    Attributes
    ----------
    source : str
        Name of the source.
    n_covered : int
        Space groups that the set covers, whether it has structures in them or not.
    n : mapping of int to int
        Structures in each space group that has any.
    n_trained : mapping of int to int
        Those on the training side of the grouped split.
    spreads : tuple of (int, int, float)
        Space group, edge (0-2) and its `relative_spread`.
    near, far : (float, int)
        Median cosine similarity of patterns whose cells agree and differ, and of how many pairs;
        0 where there is no pair.
    """

    source: Text
    n_covered: Count
    n: Annotated[Mapping[_Group, Several], MinLen(1)]
    n_trained: Mapping[_Group, Several]
    spreads: tuple[tuple[_Group, _Edge, NotNegative], ...]
    near: tuple[Number, Count]
    far: tuple[Number, Count]

    def __len__(self) -> int:
        return sum(self.n.values())


@dataclass(frozen=True)
class Structures:
    """What claims need to know of all sets of structures of a run.

    Attributes
    ----------
    sets : mapping of str to StructureFacts
        ``cddd`` and ``gcdd``, as far as they were built.
    paired : tuple of (float, float)
        `relative_spread` of edges in ``cddd`` and ``gcdd``, from as many structures of each.
    """

    sets: Mapping[Text, StructureFacts]
    paired: tuple[tuple[NotNegative, NotNegative], ...] = ()


def structure_facts(crystals: CrystalSet) -> StructureFacts:
    """Return what claims need to know of a set of structures."""
    groups = crystals.spacegroup
    trained = groups[np.array(crystals.split_grouped) == "train"]
    near, far = (
        (float(np.median(one)) if one else 0.0, len(one)) for one in similarities(crystals)
    )
    return StructureFacts(
        source=crystals.metadata["source"]["name"],
        n_covered=len(set(covered_groups(crystals))),
        n=dict(sorted(Counter(groups.tolist()).items())),
        n_trained=dict(sorted(Counter(trained.tolist()).items())),
        spreads=tuple((*place, spread) for place, spread in spreads(crystals).items()),
        near=near,
        far=far,
    )


def all_facts(crystals: Mapping[str, CrystalSet]) -> Structures:
    """Return what claims need to know of sets of structures, by their names."""
    both = [crystals[one.dataset] for one in (CDDD, GCDD) if one.dataset in crystals]
    return Structures(
        {name: structure_facts(one) for name, one in crystals.items()},
        tuple(paired_spreads(*both)) if len(both) == 2 else (),
    )


def read_structures(folder: Path) -> Structures:
    """Return what is known of the structures of a run.

    Parameters
    ----------
    folder : Path
        That of the run, with line lists, or with the numbers that were published in their place.

    Raises
    ------
    SgbenchError
        If a file is damaged.
    """
    published = folder / FILE
    if published.exists():
        found: Structures = _KIND.read_json(published, Structures)
        if found.paired and GCDD.dataset not in found.sets:
            raise _KIND.damaged(published, f"it compares with {GCDD.dataset}, which it lacks")
        return found
    files = {one.dataset: folder / "datasets" / f"{one.dataset}.parquet" for one in (CDDD, GCDD)}
    return all_facts({name: read_crystals(path) for name, path in files.items() if path.exists()})


def as_json(structures: Structures) -> bytes:
    """Return the numbers as the file that `read_structures` reads."""
    return (json.dumps(asdict(structures), indent=1) + "\n").encode()
