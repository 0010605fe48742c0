"""How often `decode_pattern` is right: development patterns decoded, counted and put into a table.

Patterns are drawn for this alone, and no test set holds them. Answers are kept in a CSV as they
come, so the same command goes on after a kill. `make decoder-test` asks for a few patterns;
more take hours. ``--write`` draws tables and picture of all that a file holds into docs/decoder.md.

    python tools/decoder.py --patterns 20
    python tools/decoder.py --condition ideal --families cubic tetragonal
    python tools/decoder.py --patterns 0 --output docs/decoder.csv --write
    python tools/decoder.py --measured measured-rruff-a.parquet --half 0 --patterns 100
"""

import argparse
import csv
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.collections import read_patterns_file
from sgbench.conditions.tube import K_ALPHA_1, K_ALPHA_2
from sgbench.decoder import DecodedPattern, NoCellFound, decode_pattern
from sgbench.diffraction import FREE_PARAMETERS
from sgbench.evaluation import wilson_interval
from sgbench.sets import SetSpec, family_set
from sgbench.symmetry import class_labels, family_of, family_spacegroups

PAGE = Path(__file__).parents[1] / "docs" / "decoder.md"
#: Of the sequence that patterns are drawn from; trainings of the benchmark have small seeds.
SEED = 419
IDEAL = "ideal"
# Edges (relative) and angles (degrees) of reduced cells that are the same.
_EDGES, _ANGLES = 5e-3, 0.3
# Conditions with K-alpha-2.
_DOUBLETS = ("laboratory", "doublet")
_BINS = (0.0, 0.5, 0.8, 0.9, 0.99, 1.0)


@dataclass(frozen=True)
class Answer:
    """What came out for one pattern."""

    family: str
    condition: str
    #: Of the draw of designed patterns; 0 for measured ones.
    seed: int
    number: int
    spacegroup: int
    #: Place of the true class among the answers, from 1; 0 where it is none of them.
    rank: int
    probability: float
    best: str
    best_probability: float
    #: 1 where the most probable cell is the true one; empty where that is not known.
    cell: str
    #: 1 where any of the cells is.
    cell_among: str
    seconds: float
    reason: str


@dataclass(frozen=True, eq=False)
class Question:
    """A pattern and what is true of it."""

    family: str
    condition: str
    seed: int
    number: int
    spacegroup: int
    cell: NDArray[np.float64] | None
    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    wavelength: float
    second: float | None
    law: str


def designed(family: str, condition: str, count: int, seed: int) -> Iterator[Question]:
    """Yield designed patterns, as they are or under a condition."""
    dataset = family_set(family)
    samples = dataset.training_samples(0, count, seed)
    if condition != IDEAL:
        samples = SetSpec.parse(f"ulbd-off-mesh+{condition}").changed(samples)
    second = K_ALPHA_2 / K_ALPHA_1 * samples.protocol.wavelength
    cells = samples.cell
    assert cells is not None  # as designed samples have them
    for number in range(count):
        one = samples.take([number])
        yield Question(
            family, condition, seed, number, int(one.spacegroup[0]), cells[number],
            samples.protocol.two_theta, one.patterns()[0].astype(np.float64),
            samples.protocol.wavelength,
            second if condition.startswith(_DOUBLETS) else None, "uniform",
        )  # fmt: skip


def measured(path: Path, half: int, count: int, families: list[str]) -> Iterator[Question]:
    """Yield patterns of a collection: every second one, from the first (half 0) or the second.

    Cells are those of the structures that patterns were named by, where they were.
    """
    patterns = read_patterns_file(path).patterns
    rows = [
        row
        for row in range(half, len(patterns), 2)
        if patterns[row].spacegroup and family_of(patterns[row].spacegroup) in families
    ]
    # As many of each group as there are, in an order that does not follow the file.
    for row in np.random.default_rng(0).permutation(rows)[:count].tolist():
        one = patterns[row]
        second = one.pattern.wavelengths[1:]
        yield Question(
            family_of(one.spacegroup), f"{path.stem}, half {half}", 0, row, one.spacegroup,
            None if one.cell is None else np.array(one.cell), one.pattern.two_theta,
            one.pattern.intensity, one.pattern.wavelength, second[0].value if second else None,
            "wilson",
        )  # fmt: skip


def answered(question: Question, time_limit: float) -> Answer:
    """Decode a pattern."""
    started = perf_counter()
    try:
        found = decode_pattern(
            question.two_theta, question.intensity, wavelength=question.wavelength,
            second=question.second, ratio=None if question.second is None else 0.5,
            law=question.law, time_limit=time_limit,
        )  # fmt: skip
    except NoCellFound as error:
        seconds = perf_counter() - started
        reason = f"no cell for {len(error.lines.two_theta)} lines"
        return Answer(
            question.family, question.condition, question.seed, question.number,
            question.spacegroup, 0, 0.0, "", 0.0,
            *(("", "") if question.cell is None else ("0", "0")),
            round(seconds, 2), reason,
        )  # fmt: skip
    return _answer(question, found, perf_counter() - started)


def _answer(question: Question, found: DecodedPattern, seconds: float) -> Answer:
    groups = family_spacegroups(question.family)
    label = int(class_labels(groups)[question.spacegroup - groups[0]])
    rank, probability = 0, 0.0
    for place, entry in enumerate(found.classes, start=1):
        if (entry.family, entry.number) == (question.family, label):
            rank, probability = place, entry.probability
    best = found.classes[0]
    first = among = ""
    if question.cell is not None:
        letter = gemmi.find_spacegroup_by_number(question.spacegroup).hm[0]
        same = [
            _same_lattice(question.cell, cell.cell)
            or _same_lattice(question.cell, cell.cell, letter, cell.lattice.centring)
            for cell in found.cells
        ]
        first, among = str(int(same[best.cell])), str(int(any(same)))
    return Answer(
        question.family, question.condition, question.seed, question.number,
        question.spacegroup, rank, round(probability, 5), f"{best.family} {best.symbol}",
        round(best.probability, 5), first, among, round(seconds, 2), "",
    )  # fmt: skip


def _same_lattice(one: ArrayLike, other: ArrayLike, of_one: str = "P", of_other: str = "P") -> bool:
    """Tell whether two cells, with their centrings, have the same lattice.

    Without centrings conventional cells are compared, which tells a doubled axis from a centring
    that no line shows.
    """
    reduced = []
    for cell, centring in ((one, of_one), (other, of_other)):
        vector = gemmi.GruberVector(gemmi.UnitCell(*np.asarray(cell).tolist()), centring)
        vector.niggli_reduce()
        reduced.append(np.array(vector.cell_parameters()))
    first, second = reduced
    edges = np.abs(first[:3] / second[:3] - 1) < _EDGES
    return bool(edges.all() and np.all(np.abs(first[3:] - second[3:]) < _ANGLES))


def kept_answers(path: Path) -> list[Answer]:
    """Return the answers that a file holds."""
    if not path.exists():
        return []
    types = {field.name: field.type for field in fields(Answer)}
    with path.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        if rows.fieldnames is not None and set(rows.fieldnames) != set(types):
            raise SystemExit(f"{path} has other columns than answers have now; delete it first.")
        return [
            Answer(**{name: types[name](value) for name, value in row.items()})  # type: ignore[operator]
            for row in rows
        ]


def table(answers: list[Answer]) -> str:
    """Return the answers as tables of Markdown."""
    rows = [
        "| patterns | family | *n* | true cell first, % | true class first, % "
        "| among the first 3, % | no cell | seconds: median, 95 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    kinds = dict.fromkeys((one.condition, one.family) for one in answers)
    for condition, family in kinds:
        some = [one for one in answers if (one.condition, one.family) == (condition, family)]
        cells = [one.cell == "1" for one in some if one.cell]
        seconds = np.array([one.seconds for one in some])
        rows.append(
            f"| {condition} | {family} | {len(some)} "
            f"| {_share(cells)}{f' of {len(cells)}' if len(cells) < len(some) else ''} "
            f"| {_share([one.rank == 1 for one in some])} "
            f"| {_share([0 < one.rank <= 3 for one in some])} "
            f"| {sum(bool(one.reason) for one in some)} "
            f"| {np.median(seconds):.1f}, {np.quantile(seconds, 0.95):.1f} |"
        )
    rows += ["", "| patterns | chance of the first class | *n* | mean chance, % | right, % |",
             "|---|---|---|---|---|"]  # fmt: skip
    for condition in dict.fromkeys(one.condition for one in answers):
        some = [one for one in answers if one.condition == condition]
        for (low, high), inside in _by_chance(some):
            mean = 100 * np.mean([one.best_probability for one in inside])
            rows.append(
                f"| {condition} | {low:g} to {high:g} | {len(inside)} | {mean:.1f} "
                f"| {_share([one.rank == 1 for one in inside])} |"
            )
    return "\n".join(rows)


def _by_chance(answers: list[Answer]) -> Iterator[tuple[tuple[float, float], list[Answer]]]:
    """Yield answers by the chance of their first class; those without a cell have none."""
    found = [one for one in answers if not one.reason]
    for low, high in pairwise(_BINS):
        inside = [one for one in found if low <= one.best_probability < high + (high == 1.0)]
        if inside:
            yield (low, high), inside


def _share(hits: list[bool]) -> str:
    """Return a share in percent with Wilson's 95 % interval."""
    if not hits:
        return "–"
    share = np.array([np.mean(hits)])
    low, high = wilson_interval(share, len(hits))
    return f"{100 * share[0]:.1f} ({100 * low[0]:.1f}–{100 * high[0]:.1f})"


def draw_reliability(answers: list[Answer], path: Path) -> None:
    """Draw how often the first class is right against how probable it is said to be.

    And beside it how often it is wrong where only the surest answers are given (Geifman & El-Yaniv
    2017, arXiv:1705.08500).
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes, covered = figure.subplots(1, 2)
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="as said")
    for condition in dict.fromkeys(one.condition for one in answers):
        points = []
        for _, inside in _by_chance([one for one in answers if one.condition == condition]):
            right = np.array([np.mean([one.rank == 1 for one in inside])])
            low, high = wilson_interval(right, len(inside))
            said = np.mean([one.best_probability for one in inside])
            points.append((said, right[0], right[0] - low[0], high[0] - right[0]))
        said, right, below, above = np.array(points).T
        axes.errorbar(said, right, np.maximum([below, above], 0), fmt="o-", capsize=2,
                      label=condition)  # fmt: skip
        covered.plot(*risk_and_coverage([one for one in answers if one.condition == condition]))
    covered.set(
        xlabel="share of patterns that get an answer, %",
        ylabel="first classes that are wrong, %",
        xlim=(0, 100),
        ylim=(0, 100),
        yscale="symlog",
        yticks=(0, 1, 10, 100),
        yticklabels=("0", "1", "10", "100"),
    )
    axes.set(xlabel="chance of the first class", ylabel="share that is right",
             xlim=(0, 1.02), ylim=(0, 1.02))  # fmt: skip
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def risk_and_coverage(answers: list[Answer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share that is answered and the share of it that is wrong (%), the surest first."""
    surest = sorted(answers, key=lambda one: -one.best_probability)
    count = np.arange(1, len(surest) + 1)
    wrong = np.cumsum([one.rank != 1 for one in surest])
    return 100 * count / len(surest), 100 * wrong / count


def main(arguments: list[str] | None = None) -> int:
    """Decode what is not decoded yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--patterns", type=int, default=300, help="of each family")
    parser.add_argument("--families", nargs="+", default=list(FREE_PARAMETERS))
    parser.add_argument("--condition", default="laboratory", help=f"or {IDEAL}")
    parser.add_argument("--seed", type=int, default=SEED, help="of the draw of designed patterns")
    parser.add_argument("--measured", type=Path, help="collection of patterns, instead")
    parser.add_argument("--half", type=int, choices=(0, 1), default=0)
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds a pattern")
    parser.add_argument("--output", type=Path, default=Path("build/decoder.csv"))
    parser.add_argument("--write", action="store_true", help=f"draw the table into {PAGE.name}")
    asked = parser.parse_args(arguments)
    done = kept_answers(asked.output)
    known = {(one.family, one.condition, one.seed, one.number) for one in done}
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    if asked.measured:
        questions = measured(asked.measured, asked.half, asked.patterns, asked.families)
    else:
        questions = (
            one
            for family in asked.families
            for one in designed(family, asked.condition, asked.patterns, asked.seed)
        )
    with asked.output.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Answer)])
        if not done:
            writer.writeheader()
        for question in questions:
            if (question.family, question.condition, question.seed, question.number) in known:
                continue
            answer = answered(question, asked.time_limit)
            done.append(answer)
            writer.writerow(asdict(answer))
            file.flush()
    text = table(done)
    print(text)
    if asked.write:
        page = PAGE.read_text(encoding="utf-8")
        between = re.compile(r"(<!-- decoder -->\n).*?(\n<!-- /decoder -->)", re.DOTALL)
        PAGE.write_text(between.sub(rf"\1\n{text}\n\2", page), encoding="utf-8")
        draw_reliability(done, PAGE.parent / "images" / "decoder-reliability.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
