"""Figures and the numbers behind them, into a folder."""

from pathlib import Path
from typing import TYPE_CHECKING

from sgbench.cli._listing import Format, show
from sgbench.files import all_or_none

if TYPE_CHECKING:
    from sgbench.structures import CrystalSet


def write_portrait(crystals: "CrystalSet", folder: Path) -> tuple[Path, ...]:
    """Draw what a dataset of crystals looks like, and what the benchmark asks of it.

    Parameters
    ----------
    crystals : CrystalSet
    folder : Path
        Made if it does not exist.

    Returns
    -------
    tuple of Path
        ``overview.svg`` (from a pattern to its ceiling), ``cells.svg``, ``patterns.svg``,
        ``samples.svg`` and ``samples.csv`` (a row a space group).

    Raises
    ------
    SgbenchError
        If the folder cannot be written to.
    """
    from sgbench import plots
    from sgbench.structures import group_counts

    figures = {
        "overview.svg": plots.extinction_overview(crystals),
        "cells.svg": plots.cell_histograms(crystals, plots.portrait_groups(crystals)),
        "patterns.svg": plots.patterns_of_one_group(crystals),
        "samples.svg": plots.samples_per_group(crystals),
    }
    with all_or_none():
        for name, figure in figures.items():
            plots.save(figure, folder / name)
        show(group_counts(crystals), Format.csv, folder / "samples.csv")
    return tuple(folder / name for name in (*figures, "samples.csv"))
