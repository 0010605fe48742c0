"""The generated crystals (GCDD): random structures by PyXtal, the same number in each space group.

Draw number n of a space group is a function of the seed, the group and n (`sgbench.pyxtal_worker`),
and which draws are kept depends on earlier draws of the same group only. So neither the number of
workers, nor which groups are asked for, nor where a run was interrupted changes a structure.
"""

import json
import os
import shutil
from collections import Counter, deque
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import gemmi
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.structures.sources.generated import FORMAT
from sgbench.symmetry import family_of
from sgbench.version import __version__
from sgbench.workers import CRASHED, KILLED, TIMED_OUT, answers_in_order

NAME = "gcdd"
#: Any change of what a draw yields raises it.
VERSION = 1

CITATION = (
    "generated with PyXtal: S. Fredericks, K. Parrish, D. Sayre and Q. Zhu, Computer Physics "
    "Communications 261, 107810 (2021)"
)

USED = "composition already used"

# Seconds for one draw. PyXtal's search is bounded and takes ten at most; this guards against what
# nobody foresaw. Clocks differ between machines and must not decide what is kept, so it ends a run.
_TIME_LIMIT = 300.0

# What a structure depends on.
_SOFTWARE = ("pyxtal", "pymatgen", "spglib", "numpy", "gemmi")

_PLAN = "plan.json"
_SCHEMA = pa.schema(
    [
        ("structure_id", pa.string()),
        ("spacegroup", pa.int64()),
        ("name", pa.string()),
        ("cif", pa.string()),
        ("citation", pa.string()),
    ]
)


@dataclass(frozen=True)
class Generated:
    """What a run generated.

    Attributes
    ----------
    structures : int
        In the file.
    short : dict of int to int
        Space groups with fewer structures than asked for, and how many those have.
    failures : dict of str to int
        Failed draws by reason.
    """

    structures: int
    short: dict[int, int]
    failures: dict[str, int]


def generate_gcdd(
    path: Path,
    spacegroups: Collection[int],
    per_spacegroup: int,
    seed: int = 0,
    workers: int = 1,
    progress: bool = False,
    patience: int = 1000,
) -> Generated:
    """Generate random crystals and write them to a table that the source `table` reads.

    A run that was interrupted goes on from a folder beside the file. The file's metadata say how it
    was made and how many draws failed for which reason.

    Parameters
    ----------
    path : Path
        Parquet file to write.
    spacegroups : collection of int
        Numbers of the space groups.
    per_spacegroup : int
        Structures in each.
    seed : int
        Of all random numbers.
    workers : int
        Processes.
    progress : bool
        Whether to show a progress bar.
    patience : int
        Failed draws in a row after which a group is left with what it has.

    Returns
    -------
    Generated

    Raises
    ------
    SgbenchError
        If an argument makes no sense, PyXtal is missing or crashes, no structure was found at all,
        or a file cannot be written.
    """
    path = Path(path)
    _check(path, spacegroups, per_spacegroup, seed, patience)
    groups = [_Tally(int(g), per_spacegroup, patience) for g in sorted(set(spacegroups))]
    plan = {"name": NAME, "version": VERSION, "seed": seed, "software": _software()}
    folder = path.with_name(f".{path.name}.parts")
    _open_folder(folder, plan)
    for group in groups:
        for answer in _saved(folder, group.spacegroup):
            group.take(answer)
    bar = tqdm(
        total=len(groups) * per_spacegroup,
        initial=sum(group.kept for group in groups),
        desc=NAME,
        unit="structure",
        disable=not progress,
    )
    with bar:
        for group, kept in _draw(groups, folder, seed, workers):
            bar.set_postfix_str(f"space group {group.spacegroup}", refresh=False)
            bar.update(kept)
    generated = Generated(
        structures=sum(group.kept for group in groups),
        short={g.spacegroup: g.kept for g in groups if g.kept < per_spacegroup},
        failures=dict(sorted(sum((group.failures for group in groups), Counter()).items())),
    )
    if not generated.structures:
        raise SgbenchError(
            f"no structure was found in any of {len(groups)} space groups (failed draws: "
            f"{generated.failures}). Allow for more failed draws in a row, or name other groups."
        )
    metadata = plan | {
        "format": FORMAT,
        "citation": CITATION,
        "per_spacegroup": per_spacegroup,
        "patience": patience,
        "short": {str(number): kept for number, kept in generated.short.items()},
        "failures": {str(g.spacegroup): dict(sorted(g.failures.items())) for g in groups},
        "sgbench_version": __version__,
    }
    _write(path, groups, folder, metadata)
    shutil.rmtree(folder, ignore_errors=True)
    return generated


@dataclass
class _Tally:
    """How far a space group has got.

    Answers are taken in the order of the draws; those that come after the last draw that was needed
    change nothing.
    """

    spacegroup: int
    wanted: int
    patience: int
    drawn: int = 0
    in_a_row: int = 0
    used: set[str] = field(default_factory=set)  # compositions of the structures kept
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def kept(self) -> int:
        return len(self.used)

    @property
    def missing(self) -> int:
        return self.wanted - self.kept

    @property
    def done(self) -> bool:
        return self.missing <= 0 or self.in_a_row >= self.patience

    def take(self, answer: dict[str, Any]) -> bool:
        """Take the answer to the next draw, and tell whether its structure is kept."""
        if self.done or answer["draw"] != self.drawn:
            return False
        self.drawn += 1
        reason = answer.get("reason")
        if reason is None and answer["composition"] in self.used:
            reason = USED
        if reason is None:
            self.used.add(answer["composition"])
            self.in_a_row = 0
        else:
            self.failures[reason] += 1
            self.in_a_row += 1
        return reason is None


def _check(
    path: Path, spacegroups: Collection[int], per_spacegroup: int, seed: int, patience: int
) -> None:
    if path.is_dir():
        raise SgbenchError(
            f"cannot write {path}: it is a folder; expected the name of a file. Name another place."
        )
    if not spacegroups:
        raise SgbenchError("no space group was given; expected at least one. Name some.")
    for number in spacegroups:
        family_of(number)  # names the numbers where there is no such group
    for name, value, least in (
        ("structures per space group", per_spacegroup, 1),
        ("seed", seed, 0),
        ("patience", patience, 1),
    ):
        if value < least:
            raise SgbenchError(f"{name}: {value}; expected at least {least}. Give another number.")


def _software() -> dict[str, str]:
    try:
        return {package: version(package) for package in _SOFTWARE}
    except PackageNotFoundError as error:
        raise SgbenchError(
            f"the package {error.name} is not installed, which crystals are generated with. "
            f"Install it with 'pip install {error.name}'."
        ) from error


def _draw(
    groups: list[_Tally], folder: Path, seed: int, workers: int
) -> Iterator[tuple[_Tally, bool]]:
    """Draw until all groups are done; yield the group of each draw and whether it was kept."""
    sent: deque[dict[str, int]] = deque()
    asked = {group.spacegroup: group.drawn for group in groups}

    def requests() -> Iterator[dict[str, int]]:
        while waiting := [group for group in groups if not group.done]:
            # No more draws of a group than can still be kept, so that few are made in vain; the
            # next groups begin meanwhile, and only when nothing else is left are more made.
            underway = [asked[group.spacegroup] - group.drawn for group in waiting]
            room = [n < group.missing for n, group in zip(underway, waiting, strict=True)]
            chosen = waiting[room.index(True) if any(room) else underway.index(min(underway))]
            number = chosen.spacegroup
            sent.append({"seed": seed, "spacegroup": number, "draw": asked[number]})
            asked[number] += 1
            yield sent[-1]

    by_number = {group.spacegroup: group for group in groups}
    answers = answers_in_order("sgbench.structures.pyxtal_worker", requests(), workers, _TIME_LIMIT)
    with closing(answers):
        for answer in answers:
            request = sent.popleft()
            number, draw = request["spacegroup"], request["draw"]
            if not answer.keys().isdisjoint({CRASHED, TIMED_OUT, KILLED}):
                # Another draw in its place would make the file depend on the machine.
                ((kind, detail),) = answer.items()
                raise SgbenchError(
                    f"draw {draw} of space group {number} failed twice ({kind}: {detail}); "
                    "expected an answer. Run again, which goes on from here, with fewer workers "
                    "if memory is short."
                )
            answer["draw"] = draw
            _save(folder, number, answer)
            yield by_number[number], by_number[number].take(answer)


def _open_folder(folder: Path, plan: dict[str, Any]) -> None:
    """Make the folder of unfinished work, keeping what it holds only if it is of the same plan."""
    text = json.dumps(plan, sort_keys=True)
    with suppress(OSError):
        if (folder / _PLAN).read_text() == text:
            return
    shutil.rmtree(folder, ignore_errors=True)
    with write_atomically(folder / _PLAN) as temporary:
        temporary.write_text(text)


def _save(folder: Path, spacegroup: int, answer: dict[str, Any]) -> None:
    path = _journal(folder, spacegroup)
    try:
        with open(path, "a", encoding="utf-8") as handle:
            handle.write(json.dumps(answer) + "\n")
    except OSError as error:
        raise SgbenchError(
            f"writing {path} failed ({error.strerror}); expected room and permission. Make room "
            "and run again, which goes on from here."
        ) from error


def _saved(folder: Path, spacegroup: int) -> list[dict[str, Any]]:
    """Return the saved answers of a group, cutting off what an interruption left unfinished."""
    path = _journal(folder, spacegroup)
    content = path.read_bytes() if path.is_file() else b""
    answers, end = [], 0
    for line in content.splitlines(keepends=True):
        try:
            answer = json.loads(line)
        except ValueError:
            break
        if not line.endswith(b"\n"):
            break
        answers.append(answer)
        end += len(line)
    if end < len(content):
        os.truncate(path, end)
    return answers


def _journal(folder: Path, spacegroup: int) -> Path:
    return folder / f"{spacegroup:03d}.jsonl"


def _write(path: Path, groups: list[_Tally], folder: Path, metadata: dict[str, Any]) -> None:
    schema = _SCHEMA.with_metadata({b"sgbench": json.dumps(metadata, sort_keys=True).encode()})
    with (
        write_atomically(path) as temporary,
        pq.ParquetWriter(
            temporary, schema, compression="zstd", write_page_checksum=True, write_statistics=False
        ) as writer,
    ):
        for group in groups:
            again = _Tally(group.spacegroup, group.wanted, group.patience)
            rows = [
                _row(metadata["seed"], group.spacegroup, answer)
                for answer in _saved(folder, group.spacegroup)
                if again.take(answer)
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _row(seed: int, spacegroup: int, answer: dict[str, Any]) -> dict[str, Any]:
    structure_id = f"{NAME}-s{seed}-{spacegroup:03d}-{answer['draw']:06d}"
    return {
        "structure_id": structure_id,
        "spacegroup": spacegroup,
        "name": answer["composition"],
        "cif": _cif(structure_id, spacegroup, answer["cell"], answer["sites"]),
        "citation": CITATION,
    }


def _cif(
    structure_id: str,
    spacegroup: int,
    cell: list[float],
    sites: list[tuple[str, list[float]]],
) -> str:
    a, b, c, alpha, beta, gamma = cell
    lines = [
        f"data_{structure_id}",
        f"_cell_length_a {a}",
        f"_cell_length_b {b}",
        f"_cell_length_c {c}",
        f"_cell_angle_alpha {alpha}",
        f"_cell_angle_beta {beta}",
        f"_cell_angle_gamma {gamma}",
        *_symmetry_lines(spacegroup),
        "loop_",
        "_atom_site_label",
        "_atom_site_type_symbol",
        "_atom_site_fract_x",
        "_atom_site_fract_y",
        "_atom_site_fract_z",
        "_atom_site_occupancy",
    ]
    for number, (element, (x, y, z)) in enumerate(sites, start=1):
        lines.append(f"{element}{number} {element} {x} {y} {z} 1")
    return "\n".join(lines) + "\n"


@cache
def _symmetry_lines(spacegroup: int) -> list[str]:
    """Return what a CIF says of a group; the operators leave no doubt about setting and origin."""
    group = gemmi.get_spacegroup_reference_setting(spacegroup)
    return [
        f"_space_group_IT_number {spacegroup}",
        f"_space_group_name_H-M_alt '{group.xhm()}'",
        f"_space_group_name_Hall '{group.hall}'",
        "loop_",
        "_space_group_symop_operation_xyz",
        *(f"'{operator.triplet()}'" for operator in group.operations()),
    ]
