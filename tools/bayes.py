"""Ceilings under noise: compute them, and hold the oracle's chances against what comes true.

It writes docs/bayes-ceilings.csv and draws its tables into docs/ceilings.md. `make bayes-test` runs
it without touching either. It takes about 20 minutes on one core.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from sgbench.evaluation import CLASS_SCHEMES, SCHEME_NAMES, bayes_top
from sgbench.sets import SetSpec, TestSet, family_set, open_test_set
from sgbench.symmetry import PAPER_FAMILIES, TOP_K, class_labels, family_spacegroups

DOCS = Path(__file__).parents[1] / "docs"
TABLE, PAGE = DOCS / "bayes-ceilings.csv", DOCS / "ceilings.md"
#: Shares of the reference height, and counts that it expects.
LEVELS = {
    "readout": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    "exposure": (100.0, 10.0, 3.0, 1.0, 0.3, 0.1),
}
#: Patterns a space group: more than 2,000 in all, and more than 100,000 cubic ones at one level.
SIZES = {"cubic": 100, "tetragonal": 30, "trigonal-hexagonal": 40}
MANY = {("cubic", "readout", 0.3): 2778, ("cubic", "exposure", 0.3): 2778}
_BINS = 20
# A sound oracle fails one of all tests so often.
_FALSE_ALARMS = 0.01


def calibration(truth: TestSet) -> tuple[float, float]:
    """Compare the chances of classes with the classes of the patterns.

    Returns
    -------
    p-values of chi-squared tests over bins of patterns: of the most probable class of each pattern,
    and of a class drawn at random
    """
    groups = family_spacegroups(truth.family)
    classes = class_labels(groups)
    chance = truth.oracle.probabilities @ np.eye(classes.max() + 1)[classes]
    own, row = classes[truth.samples.spacegroup - groups[0]], np.arange(len(truth))
    any_class = np.random.default_rng(0).integers(chance.shape[1], size=len(truth))
    best = chance.argmax(axis=1)
    return (
        _p_value(chance[row, best], best == own),
        _p_value(chance[row, any_class], any_class == own),
    )


def _p_value(chance: NDArray[np.float64], hit: NDArray[np.bool_]) -> float:
    """Return that of a chi-squared test in bins with as much that can come out either way."""
    order = np.argsort(chance)
    variance = chance[order] * (1 - chance[order])
    if variance.sum() < _BINS:  # nothing is left open
        return float(chi2.sf((hit.sum() - chance.sum()) ** 2 / max(variance.sum(), 1.0), 1))
    place = np.minimum((variance.cumsum() / variance.sum() * _BINS).astype(int), _BINS - 1)
    excess = np.bincount(place, hit[order] - chance[order], minlength=_BINS)
    return float(chi2.sf((excess**2 / np.bincount(place, variance, minlength=_BINS)).sum(), _BINS))


def truth_of(family: str, law: str, level: float, per_spacegroup: int) -> TestSet:
    """Return patterns of a family under noise."""
    spec = SetSpec.parse(f"ulbd-off-mesh+{law}-{level:g}")
    return open_test_set(spec, family_set(family), per_spacegroup)


def rows(truth: TestSet, law: str, level: float, taken: float) -> Iterator[dict[str, object]]:
    """Return what is possible over space groups and over classes."""
    p_best, p_any = calibration(truth)
    for scheme in CLASS_SCHEMES:
        top, error = bayes_top(truth, scheme)
        yield {
            "law": law, "level": level, "family": truth.family, "class_scheme": scheme,
            "n": len(truth),
            **{f"top{k}": top[k - 1] for k in range(1, TOP_K + 1)},
            **{f"error_top{k}": error[k - 1] for k in range(1, TOP_K + 1)},
            "p_best": p_best, "p_any": p_any,
            "ms_per_pattern": taken,
        }  # fmt: skip


def with_tables(page: str, table: pd.DataFrame) -> str:
    """Return the page with the tables of these ceilings."""
    drawn = "\n\n".join([*(_ceilings(table, law) for law in LEVELS), _calibrations(table)])
    return re.sub(
        "(?<=<!-- bayes -->\n).*?(?=<!-- /bayes -->)",
        lambda _: f"\n{drawn}\n\n",
        page,
        flags=re.DOTALL,
    )


def _ceilings(table: pd.DataFrame, law: str) -> str:
    levels = [f"{level:g}" for level in LEVELS[law]]
    lines = [("family", "classes", *levels)]
    for family, scheme in product(PAPER_FAMILIES, CLASS_SCHEMES):
        found = _where(table, law=law, family=family, class_scheme=scheme).set_index("level")
        cells = [
            f"{100 * found.top1[level]:.1f} / {100 * found.top5[level]:.1f}"
            for level in LEVELS[law]
        ]
        lines.append((family, SCHEME_NAMES[scheme], *cells))
    return f"`{law}`, top-1 / top-5 in percent:\n\n" + _markdown(lines)


def _calibrations(table: pd.DataFrame) -> str:
    lines = [("family", "noise", "n", "p, most probable class", "p, a class at random",
              "largest error (points)", "ms a pattern")]  # fmt: skip
    for family, law in product(PAPER_FAMILIES, LEVELS):
        found = _where(table, law=law, family=family, class_scheme="extinction")
        errors = found[[f"error_top{k}" for k in range(1, TOP_K + 1)]]
        few, most = found.n.min(), found.n.max()
        lines.append(
            (
                family,
                f"`{law}`",
                f"{few:,}"
                + (f", {most:,} at {found.level[found.n.idxmax()]:g}" if most > few else ""),
                *(" ".join(f"{p:.2f}" for p in found[name]) for name in ("p_best", "p_any")),
                f"{100 * errors.to_numpy().max():.1g}",
                f"{found.ms_per_pattern.min():.1f}–{found.ms_per_pattern.max():.1f}",
            )
        )
    return (
        "Whether stated chances come true at the six levels in the same order, "
        "and what it costs on one core:\n\n" + _markdown(lines)
    )


def _where(table: pd.DataFrame, **values: str) -> pd.DataFrame:
    return table[(table[list(values)] == pd.Series(values)).all(axis=1)]


def _markdown(lines: list[tuple[str, ...]]) -> str:
    rows = [lines[0], ("---",) * len(lines[0]), *lines[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    """Write the table; return 1 if chances do not come true."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, help="a table, instead of those of docs/")
    output = parser.parse_args().output
    jobs = [
        (family, law, level)
        for family, (law, levels) in product(PAPER_FAMILIES, LEVELS.items())
        for level in levels
    ]
    # Compiled code is made or read before anything is timed.
    truth_of("cubic", "readout", 1.0, 1).oracle  # noqa: B018
    found: list[dict[str, object]] = []
    for family, law, level in jobs:
        per_spacegroup = MANY.get((family, law, level), SIZES[family])
        truth, began = truth_of(family, law, level, per_spacegroup), process_time()
        truth.oracle  # noqa: B018
        found += rows(truth, law, level, 1e3 * (process_time() - began) / len(truth))
        print(found[-1], flush=True)
    table = pd.DataFrame(found)
    path = output or TABLE
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.5g")
    if output is None:
        PAGE.write_text(with_tables(PAGE.read_text(), pd.read_csv(TABLE)))
    p_values = table[table.class_scheme == "extinction"][["p_best", "p_any"]].to_numpy()
    worst = p_values.min() * p_values.size
    print(f"smallest p-value of {p_values.size}, times their number: {worst:.2g}")
    return int(worst < _FALSE_ALARMS)


if __name__ == "__main__":
    sys.exit(main())
