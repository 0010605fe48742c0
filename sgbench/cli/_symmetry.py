"""`sgbench classes`, `ceilings` and `lines`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from sgbench.cli._listing import Format, FormatOption, OutputOption, show
from sgbench.errors import SgbenchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Ångström; the lines of larger cells are too many to read.
_LONGEST_EDGE = 100.0
# Degrees; few rhombohedral cells have a sharper angle, and few hexagonal ones a longer c.
_SMALLEST_LIKELY_ANGLE = 30.0


def classes(
    family: Annotated[str, typer.Argument(help="cubic, tetragonal, trigonal-hexagonal, …, all")],
    form: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """List the extinction classes of a family (the paper's Tables S1-S3)."""
    from sgbench.symmetry import (
        extinction_classes,
        family_of,
        family_spacegroups,
        spacegroup_symbol,
    )

    rows = []
    for cls in extinction_classes(family_spacegroups(family)):
        row: dict[str, object] = {
            "symbol": cls.symbol,
            "conditions": [str(condition) for condition in cls.conditions],
            "spacegroups": list(cls.spacegroups),
            "members": [spacegroup_symbol(number) for number in cls.spacegroups],
            "laue_classes": list(cls.laue_classes),
            "family": family_of(cls.spacegroups[0]),
        }
        if form is not Format.json:
            row["conditions"] = "; ".join(map(str, cls.conditions)) or "none"
        rows.append(row)
    show(rows, form, output)


def ceilings(
    families: Annotated[
        list[str] | None, typer.Argument(help="Families; those of the paper by default.")
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact", help="Ceilings of designed datasets as generated; name datasets or families."
        ),
    ] = False,
    form: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """Print the highest top-k accuracy that extinction laws allow, in percent (Table I).

    With --exact, of designed datasets, by default those of the paper and their published meshes:
    what the laws allow (law), what the lines in the window and the labels' shares among cells do
    (data), and what is left where lines that the profile does not resolve count as one
    (resolution).
    """
    from sgbench.symmetry import PAPER_FAMILIES, Ceiling

    if exact:
        show(_exact_rows(families), form, output)
        return
    rows = []
    for family in families or PAPER_FAMILIES:
        ceiling = Ceiling.of_family(family)
        row: dict[str, object] = {
            "family": family,
            "n_spacegroups": ceiling.n_spacegroups,
            "n_classes": ceiling.n_classes,
        }
        row |= {f"top{k}": round(100 * value, 1) for k, value in enumerate(ceiling.top, start=1)}
        rows.append(row)
    show(rows, form, output)


def _exact_rows(names: Iterable[str] | None) -> list[dict[str, object]]:
    from sgbench.designed import SPLITS, exact_ceilings
    from sgbench.diffraction import PROTOCOLS
    from sgbench.sets import DESIGNED, SetSpec, designed_set, designed_test_set
    from sgbench.symmetry import FAMILIES, PAPER_FAMILIES

    def named(name: str) -> SetSpec:
        return SetSpec(DESIGNED, family=name) if name in FAMILIES else SetSpec.parse(name)

    specs = [named(name) for name in names or ()] or [
        SetSpec(DESIGNED, family=family, protocol=protocol)
        for protocol in PROTOCOLS
        for family in PAPER_FAMILIES
    ]
    rows: list[dict[str, object]] = []
    for spec in specs:
        dataset = designed_set(spec)
        splits = SPLITS[2:] if spec.balanced else SPLITS[2:3]
        for found in (one for split in splits for one in exact_ceilings(dataset, split)):
            row: dict[str, object] = {
                "dataset": found.dataset,
                "family": dataset.family,
                "test_set": designed_test_set(found.split, spec).name,
                "class_scheme": found.class_scheme,
                "level": found.level,
            }
            row |= {f"top{k}": round(100 * v, 2) for k, v in enumerate(found.top, start=1)}
            rows.append(row | {"cells": found.n_cells, "complete": found.complete})
    return rows


def lines(
    spacegroup: Annotated[int, typer.Argument(help="Number of the space group.")],
    cell: Annotated[
        str, typer.Option(help="Free parameters, or a,b,c,alpha,beta,gamma; comma-separated.")
    ],
    protocol: Annotated[str, typer.Option(help="canonical or published")] = "canonical",
    form: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """List the lines that a space group and a cell allow in the window.

    Cells are those of the standard setting. Rhombohedral groups also take rhombohedral axes,
    if all six parameters are given.
    """
    from sgbench.diffraction import PROTOCOLS, allowed_lines

    if protocol not in PROTOCOLS:
        raise SgbenchError(
            f"unknown protocol '{protocol}'; expected one of {', '.join(PROTOCOLS)}. Choose one."
        )
    measured = PROTOCOLS[protocol]
    free = _free_parameters(spacegroup, cell)
    found = allowed_lines(spacegroup, free, measured)
    if not found:
        raise SgbenchError(
            f"no line of this cell falls between {measured.two_theta_min:g} and "
            f"{measured.two_theta_max:g} degrees. Check the cell; lengths are in ångström."
        )
    rows = [
        {
            "hkl": " ".join(map(str, line.hkl)),
            "multiplicity": line.multiplicity,
            "d": round(line.d, 5),
            "two_theta": round(line.two_theta, 4),
        }
        for line in found
    ]
    show(rows, form, output)


def _free_parameters(spacegroup: int, text: str) -> "NDArray[np.float64]":
    """Read the free parameters of a cell, or all six, also of rhombohedral axes."""
    from sgbench.diffraction import free_parameters, full_cell, hexagonal_axes
    from sgbench.symmetry import family_of, spacegroup_symbol

    family = family_of(spacegroup)
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise SgbenchError(
            f"'{text}' is not a cell; expected numbers with commas between, e.g. 4.05 or 2.95,4.68."
        ) from None
    if spacegroup_symbol(spacegroup).startswith("R"):
        if len(values) == 2 and _SMALLEST_LIKELY_ANGLE <= values[1] < 120:
            a, c = values
            raise SgbenchError(
                f"'{text}' may be a and c, or a and alpha of rhombohedral axes; expected one "
                f"meaning. Give {a:g},{a:g},{c:g},90,90,120 or {a:g},{a:g},{a:g},{c:g},{c:g},{c:g}."
            )
        is_rhombohedral = len(values) == 6 and len(set(values[:3])) == len(set(values[3:])) == 1
        if is_rhombohedral and 0 < values[3] < 120:
            values = hexagonal_axes(values[0], values[3]).tolist()
    free = free_parameters(family, values)
    longest = full_cell(family, free)[:3].max()
    if longest > _LONGEST_EDGE:
        raise SgbenchError(
            f"a cell edge of {longest:g} Å is too long to list; expected at most "
            f"{_LONGEST_EDGE:g} Å. Check the unit of the cell."
        )
    return free
