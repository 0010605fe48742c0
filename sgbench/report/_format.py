"""Numbers as the page prints them."""

from collections.abc import Iterable
from typing import Any

from sgbench.symmetry import TOP_K


def percent(fraction: float, digits: int = 1) -> str:
    """Return a fraction as percent: ``47.2 %``."""
    return f"{100 * fraction:.{digits}f} %"


def percents(row: Any, column: str, ks: Iterable[int] = range(1, TOP_K + 1)) -> list[str]:
    """Return the columns of top-1 to top-5, in percent: ``percents(row, "top")``."""
    return [f"{100 * row[f'{column}{k}']:.1f}" for k in ks]


def points(fraction: float) -> str:
    """Return a difference of accuracies in points, with its sign: ``−5.9``."""
    return f"{100 * fraction:+.1f}".replace("-", "−")


def interval(row: Any, k: int = 1) -> str:
    """Return a top-k accuracy of a leaderboard row with its 95 % interval, in percent."""
    top, low, high = (100 * row[f"top{k}{end}"] for end in ("", "_low", "_high"))
    return f"{top:.1f} ({low:.1f}–{high:.1f})"


def samples(row: Any) -> str:
    """Say how many samples, in how many independent groups, and how many seeds a row has."""
    n, clusters, seeds = int(row["n_test"]), int(row["n_clusters"]), int(row["seeds"])
    within = "" if clusters == n else f" in {clusters:,} clusters"
    spread = f" (sd {100 * row['top1_seed_sd']:.1f})" if seeds > 1 else ""
    return f"n = {n:,}{within}, {plural(seeds, 'seed')}{spread}"


def stated(row: Any) -> str:
    """Return accuracy, interval, samples and seeds of a row."""
    top, _, bounds = interval(row).partition(" ")
    return f"{top} % {bounds}; {samples(row)}"


def plural(n: int, what: str) -> str:
    """Return ``1 seed`` or ``3 seeds``."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
