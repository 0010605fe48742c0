"""Datasets of structures (CDDD, GCDD): from the entries of a source to line lists at rest."""

import json
import shutil
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from importlib.metadata import version
from itertools import count, islice, takewhile
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sgbench.diffraction import CANONICAL, LineList, PatternProtocol
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.structures import CrystalSet, concatenate, write_crystals
from sgbench.structures._cleaning import OTHER_FAMILY, SYMPREC
from sgbench.structures._splits import grouped_split, stratified_split
from sgbench.structures._store import UNANSWERED, class_symbols, read_part
from sgbench.structures.sources import Entry, Excluded, Source
from sgbench.symmetry import FAMILIES, family_of, family_spacegroups
from sgbench.version import __version__
from sgbench.workers import CRASHED, KILLED, TIMED_OUT, answers_in_order

#: Any change of what is kept or computed raises it.
VERSION = 3

DUPLICATE = "duplicate"
WORKER_DIED = "the calculation crashed"
TOO_SLOW = "the calculation took too long"

_FORM_FACTORS = "International Tables C (1992), neutral atoms at rest, no anomalous dispersion"
_SOFTWARE = ("cctbx-base", "gemmi", "spglib")

# Entries between two savings of what is done: some seconds of work.
_CHUNK = 256
# Seconds for one structure, far beyond what any within the size limits takes; what hangs is ended.
_TIME_LIMIT = 300.0
# Two structures of one formula, space group and number of lines are the same if cell lengths and
# angles (relative) and line intensities (of the strongest) agree within these.
_SAME_CELL, _SAME_INTENSITY = 1e-4, 1e-3


def build_crystals(
    path: Path,
    name: str,
    source: Source,
    families: Collection[str] = ("all",),
    protocol: PatternProtocol = CANONICAL,
    workers: int = 1,
    progress: bool = False,
    limit: int | None = None,
) -> CrystalSet:
    """Clean the structures of a source, compute their lines and write them to a file.

    What is done is kept beside the file, so that a build that was stopped goes on where it was; the
    file is the same as that of an uninterrupted build. Two builds from the same source give the
    same file. Where a calculation crashes or takes too long, twice in two processes, its structure
    is left out, and the file's metadata name it under ``unanswered``: the file is not complete.

    Parameters
    ----------
    path : Path
        Parquet file to write.
    name : str
        Name of the dataset, ``cddd`` or ``gcdd``.
    source : Source
    families : collection of str
        Crystal families to keep.
    protocol : PatternProtocol
    workers : int
        Processes that find space groups and compute structure factors.
    progress : bool
        Whether to show a progress bar.
    limit : int, optional
        Structures a family at most, the first of the source: a quick look, not the dataset.

    Returns
    -------
    CrystalSet

    Raises
    ------
    SgbenchError
        If a family is unknown, the limit is below one, the source cannot be read, nothing is left
        of it, a worker was killed twice on one structure, or the file cannot be written.
    """
    if limit is not None and limit < 1:
        raise SgbenchError(f"a limit of {limit} leaves no structure. Give at least one, or none.")
    for family in families:
        family_spacegroups(family)  # names the families where one is unknown
    kept = sorted(set(FAMILIES) - {"all"} if "all" in families else set(families))
    metadata: dict[str, Any] = {
        "name": name,
        "version": VERSION,
        "families": kept,
        "limit": limit,
        "protocol": asdict(protocol),
        "source": {
            "name": source.name,
            "citation": source.citation,
            "licence": source.licence,
            "provenance": dict(source.provenance),
        },
        "symprec": SYMPREC,
        "form_factors": _FORM_FACTORS,
        "software": {package: version(package) for package in _SOFTWARE},
        "sgbench_version": __version__,
    }
    folder = Path(path).with_name(f".{Path(path).name}.parts")
    parts = _saved_parts(folder, metadata)
    room = dict.fromkeys(kept, np.inf if limit is None else float(limit))
    for family, n in Counter(family for part in parts for family in part.family).items():
        room[family] -= n
    results = _results(source, len(parts) * _CHUNK, room, protocol, workers)
    bar = tqdm(
        results,
        desc=name,
        unit="structure",
        total=source.total,
        initial=len(parts) * _CHUNK,
        disable=not progress,
    )
    with closing(results), bar:
        shown = iter(bar)
        while any(room.values()) and (chunk := list(islice(shown, _CHUNK))):
            parts.append(_part(chunk, room))
            write_crystals(parts[-1], _part_path(folder, len(parts) - 1))
    crystals = concatenate([_part([], room), *parts], metadata)
    if not len(crystals):
        reasons = dict(Counter(entry.reason for entry in crystals.excluded))
        shutil.rmtree(folder, ignore_errors=True)
        raise SgbenchError(
            f"no structure of the source '{source.name}' is left for {', '.join(kept)}; left out "
            f"were {reasons}. Name other families or another source."
        )
    crystals = _with_splits(_without_duplicates(_with_unanswered(crystals)))
    write_crystals(crystals, path)
    shutil.rmtree(folder, ignore_errors=True)
    return crystals


def _with_unanswered(crystals: CrystalSet) -> CrystalSet:
    """Let the metadata name what has no answer, since another machine might have found one."""
    ids = [e.structure_id for e in crystals.excluded if e.reason in (WORKER_DIED, TOO_SLOW)]
    return replace(crystals, metadata=crystals.metadata | {UNANSWERED: ids}) if ids else crystals


def _saved_parts(folder: Path, metadata: dict[str, Any]) -> list[CrystalSet]:
    """Return what an earlier build of the same plan has finished; clear away any other."""
    plan = folder / "plan.json"
    text = json.dumps(metadata, sort_keys=True)
    try:
        if plan.read_text() == text:
            paths = (_part_path(folder, number) for number in count())
            return [read_part(path) for path in takewhile(Path.exists, paths)]
    except (OSError, SgbenchError):
        pass  # there is none, or it is damaged
    shutil.rmtree(folder, ignore_errors=True)
    with write_atomically(plan) as temporary:
        temporary.write_text(text)
    return []


def _part_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.parquet"


def _results(
    source: Source,
    skipped: int,
    room: Mapping[str, float],
    protocol: PatternProtocol,
    workers: int,
) -> Generator[tuple[Entry | Excluded, dict[str, Any]]]:
    """Yield each entry of the source, in its order, with what became of it (empty: not asked)."""
    waiting: deque[tuple[Entry | Excluded, bool]] = deque()
    settings = {"families": list(room), "protocol": asdict(protocol)}

    def requests() -> Iterator[dict[str, Any]]:
        for entry in islice(source.read(), skipped, None):
            asked = isinstance(entry, Entry) and _is_wanted(entry, room)
            waiting.append((entry, asked))
            if asked:
                yield {"entry": vars(entry), **settings}

    answers = answers_in_order("sgbench.structures.cctbx_worker", requests(), workers, _TIME_LIMIT)
    with closing(answers):
        for answer in answers:
            while not waiting[0][1]:
                yield waiting.popleft()[0], {}
            entry = waiting.popleft()[0]
            if KILLED in answer:  # the machine's doing: the file must not depend on it
                raise SgbenchError(
                    f"the process that computed {entry.structure_id} died twice "
                    f"({answer[KILLED]}); expected it to answer. Run again, which goes on from "
                    "here, with fewer workers if memory is short."
                )
            yield entry, answer
        for entry, _ in waiting:
            yield entry, {}


def _is_wanted(entry: Entry, room: Mapping[str, float]) -> bool:
    """Tell whether the label, if there is one, is of a family that is kept and not full.

    Room only shrinks, so what is not asked for here is not missed when its turn comes.
    """
    family = _family(entry)
    return family is None or room.get(family, 0) > 0


def _family(entry: Entry) -> str | None:
    return None if entry.spacegroup is None else family_of(entry.spacegroup)


def _part(
    results: Sequence[tuple[Entry | Excluded, dict[str, Any]]], room: dict[str, float]
) -> CrystalSet:
    """Sort results into crystals and exclusions, as far as there is room in their families."""
    kept: list[dict[str, Any]] = []
    excluded: list[Excluded] = []
    for entry, answer in results:
        if isinstance(entry, Excluded):
            excluded.append(entry)
            continue
        if "structure" in answer:
            family = family_of(answer["structure"]["spacegroup"])
        else:
            family = _family(entry) or ""
        if room.get(family, 1) <= 0:
            continue
        if "structure" in answer:
            room[family] -= 1
            kept.append(answer)
        else:
            excluded.append(_reason(entry, answer))
    return _crystal_set(kept, excluded)


def _reason(entry: Entry, answer: Mapping[str, Any]) -> Excluded:
    if not answer:
        return Excluded(entry.structure_id, OTHER_FAMILY, _family(entry) or "")
    if CRASHED in answer:
        return Excluded(entry.structure_id, WORKER_DIED, str(answer[CRASHED])[:200])
    if TIMED_OUT in answer:
        return Excluded(entry.structure_id, TOO_SLOW, f"{answer[TIMED_OUT]:g} s")
    return Excluded(entry.structure_id, *answer["excluded"])


def _crystal_set(kept: Sequence[Mapping[str, Any]], excluded: Sequence[Excluded]) -> CrystalSet:
    structures = [answer["structure"] for answer in kept]
    counts = [len(answer["two_theta"]) for answer in kept]
    groups = [structure["spacegroup"] for structure in structures]
    symbols = class_symbols()

    def column(name: str) -> tuple[Any, ...]:
        return tuple(structure[name] for structure in structures)

    def flat(name: str) -> list[float]:
        return [value for answer in kept for value in answer[name]]

    return CrystalSet(
        structure_id=column("structure_id"),
        name=column("name"),
        family=tuple(family_of(group) for group in groups),
        extinction_class=tuple(symbols[group] for group in groups),
        formula=column("formula"),
        prototype=column("prototype"),
        citation=column("citation"),
        split_stratified=("",) * len(kept),  # which depends on all of the others
        split_grouped=("",) * len(kept),
        spacegroup=np.array(groups, dtype=np.int64),
        cell=np.array(column("cell"), dtype=np.float64).reshape(-1, 6),
        n_atoms=np.array(column("n_atoms"), dtype=np.int64),
        ordered=np.array(column("ordered"), dtype=bool),
        lines=LineList(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.array(flat("two_theta"), dtype=np.float64),
            np.array(flat("intensity"), dtype=np.float32),
        ),
        excluded=tuple(excluded),
        metadata={},
    )


def _without_duplicates(crystals: CrystalSet) -> CrystalSet:
    """Leave out structures that equal an earlier one."""
    alike: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    kept, excluded = [], []
    for i, key in enumerate(
        zip(
            crystals.formula,
            crystals.spacegroup.tolist(),
            np.diff(crystals.lines.offsets).tolist(),
            strict=True,
        )
    ):
        twin = next((j for j in alike[key] if _same(crystals, i, j)), None)
        if twin is None:
            alike[key].append(i)
            kept.append(i)
        else:
            detail = f"of {crystals.structure_id[twin]}"
            excluded.append(Excluded(crystals.structure_id[i], DUPLICATE, detail))
    return replace(crystals.take(kept), excluded=crystals.excluded + tuple(excluded))


def _same(crystals: CrystalSet, i: int, j: int) -> bool:
    if not np.allclose(crystals.cell[i], crystals.cell[j], rtol=_SAME_CELL, atol=0):
        return False
    offsets, intensity = crystals.lines.offsets, crystals.lines.intensity
    one, other = (intensity[offsets[k] : offsets[k + 1]] for k in (i, j))
    return np.allclose(one / one.max(), other / other.max(), rtol=0, atol=_SAME_INTENSITY)


def _with_splits(crystals: CrystalSet) -> CrystalSet:
    return replace(
        crystals,
        split_stratified=stratified_split(crystals.structure_id, crystals.spacegroup),
        split_grouped=grouped_split(crystals.spacegroup, crystals.prototype, crystals.name),
    )
