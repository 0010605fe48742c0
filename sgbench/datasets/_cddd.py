"""The crystal-derived dataset (CDDD): ordered mineral structures with computed intensities."""

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

import numpy as np

import sgbench
from sgbench.datasets._store import CrystalSet, write_crystals
from sgbench.datasets.sources import Excluded, Structure, amcsd
from sgbench.diffraction import CANONICAL, LineList, PatternProtocol
from sgbench.diffraction._structure_factors import CrystalLines, structure_factor_lines
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.symmetry import FAMILIES, PAPER_FAMILIES, family_of, family_spacegroups

NAME = "cddd"
#: Any change of what is kept or computed raises it.
VERSION = 1


def build_cddd(
    path: Path,
    families: Collection[str] = PAPER_FAMILIES,
    workers: int = 1,
    progress: bool = False,
    protocol: PatternProtocol = CANONICAL,
    source: Path | None = None,
    limit: int | None = None,
) -> CrystalSet:
    """Compute the lines of the ordered mineral structures and write them to a file.

    Two builds from the same source give the same file.

    Parameters
    ----------
    path : Path
        Parquet file to write.
    families : collection of str
        Crystal families to keep.
    workers : int
        Processes that compute structure factors.
    progress : bool
        Whether to show progress bars.
    protocol : PatternProtocol
    source : Path, optional
        The AMCSD as an SQLite file; that of the installed ``larixite`` by default.
    limit : int, optional
        Structures a family at most, the first of the source: a quick look, not the dataset.

    Returns
    -------
    CrystalSet

    Raises
    ------
    SgbenchError
        If a family is unknown, the limit is below one, the source is missing, nothing is left of
        it, or the file cannot be written.
    """
    if limit is not None and limit < 1:
        raise SgbenchError(f"a limit of {limit} leaves no structure. Give at least one, or none.")
    for family in families:
        family_spacegroups(family)  # names the families where one is unknown
    families = set(FAMILIES) - {"all"} if "all" in families else set(families)
    database = source or amcsd.database_path()

    excluded: Counter[str] = Counter()
    structures: list[Structure] = []
    wanted = dict.fromkeys(families, np.inf if limit is None else limit)
    for entry in amcsd.read_amcsd(families, database, progress):
        if isinstance(entry, Excluded):
            excluded[entry.reason] += 1
        elif wanted[family_of(entry.spacegroup)] > 0:
            wanted[family_of(entry.spacegroup)] -= 1
            structures.append(entry)
        if not any(wanted.values()):
            break
    kept: list[tuple[Structure, CrystalLines]] = []
    results = structure_factor_lines(structures, protocol, workers, progress)
    for structure, result in zip(structures, results, strict=True):
        if isinstance(result, CrystalLines):
            kept.append((structure, result))
        else:
            excluded[result.reason] += 1
    if not kept:
        raise SgbenchError(
            f"no structure of {database} is left for {', '.join(sorted(families))}; left out were "
            f"{dict(excluded)}. Name other families."
        )
    metadata = {
        "name": NAME,
        "version": VERSION,
        "families": sorted(families),
        "limit": limit,
        "protocol": asdict(protocol),
        "source": {
            "package": amcsd.PACKAGE,
            "package_version": amcsd.package_version(),
            "database_sha256": file_sha256(database),
            "citation": amcsd.CITATION,
        },
        "symprec": amcsd.SYMPREC,
        "form_factors": "cctbx it1992, neutral atoms at rest, no anomalous dispersion",
        "excluded": dict(sorted(excluded.items())),
        "sgbench_version": sgbench.__version__,
    }
    crystals = _crystal_set(kept, metadata)
    write_crystals(crystals, path)
    return crystals


def _crystal_set(
    kept: list[tuple[Structure, CrystalLines]], metadata: dict[str, object]
) -> CrystalSet:
    structures = [structure for structure, _ in kept]
    counts = [len(lines.two_theta) for _, lines in kept]
    return CrystalSet(
        structure_id=tuple(s.structure_id for s in structures),
        name=tuple(s.name for s in structures),
        spacegroup=np.array([s.spacegroup for s in structures], dtype=np.int64),
        family=tuple(family_of(s.spacegroup) for s in structures),
        cell=np.array([s.standard_cell for s in structures]),
        formula=tuple(s.formula for s in structures),
        n_atoms=np.array([s.n_atoms for s in structures], dtype=np.int64),
        citation=tuple(s.citation for s in structures),
        lines=LineList(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.concatenate([lines.two_theta for _, lines in kept]),
            np.concatenate([lines.intensity for _, lines in kept]),
        ),
        metadata=metadata,
    )
