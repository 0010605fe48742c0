"""Numbers as the page prints them."""

from collections.abc import Iterable
from typing import Any

from sgbench import text
from sgbench.symmetry import TOP_K


def percent(fraction: float) -> str:
    """Return a fraction as percent: ``47.2 %``."""
    return f"{text.percent(fraction)} %"


def percents(row: Any, column: str, ks: Iterable[int] = range(1, TOP_K + 1)) -> list[str]:
    """Return the columns of top-1 to top-5, in percent: ``percents(row, "top")``."""
    return [text.percent(row[f"{column}{k}"]) for k in ks]


def interval(row: Any, k: int = 1) -> str:
    """Return a top-k accuracy of a leaderboard row with its 95 % interval, in percent."""
    top, low, high = (text.percent(row[f"top{k}{end}"]) for end in ("", "_low", "_high"))
    return f"{top} ({low}–{high})"


def samples(row: Any) -> str:
    """Say how many samples, in how many independent groups, and how many seeds a row has."""
    n, clusters, seeds = int(row["n_test"]), int(row["n_clusters"]), int(row["seeds"])
    within = "" if clusters == n else f" in {clusters:,} clusters"
    spread = f" (sd {text.percent(row['top1_seed_sd'])})" if seeds > 1 else ""
    return f"n = {n:,}{within}, {plural(seeds, 'seed')}{spread}"


def stated(row: Any) -> str:
    """Return accuracy, interval, samples and seeds of a row."""
    top, _, bounds = interval(row).partition(" ")
    return f"{top} % {bounds}; {samples(row)}"


def plural(n: int, what: str) -> str:
    """Return ``1 seed`` or ``3 seeds``."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
