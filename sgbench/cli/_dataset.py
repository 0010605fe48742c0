"""`sgbench dataset …`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._listing import Format, FormatOption, OutputOption, show
from sgbench.datasets import SPLITS, TEST_SETS, ULBD, MeshAxis, Ulbd, designed_dataset
from sgbench.diffraction import FREE_PARAMETERS
from sgbench.errors import SgbenchError
from sgbench.symmetry import PAPER_FAMILIES, extinction_classes

app = typer.Typer(help="Build, describe, export and verify datasets.", no_args_is_help=True)


@app.command("list")
def list_datasets(form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """List the designed datasets."""
    rows = [
        {
            "name": dataset.name,
            "version": dataset.version,
            "family": dataset.family,
            "protocol": dataset.protocol.name,
            "cells": len(dataset.mesh),
            "train": dataset.size("train"),
            "validation": dataset.size("validation"),
            "test": dataset.size("in-mesh"),
        }
        for dataset in ULBD.values()
    ]
    show(rows, form, output)


@app.command("test-sets")
def list_test_sets(form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """List the sets that models are scored on."""
    show([{"name": name, "holds": text} for name, text in TEST_SETS.items()], form, output)


@app.command()
def describe(
    name: Annotated[str, typer.Argument(help="Name of the dataset, e.g. ulbd-cubic")],
    form: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """Say what a designed dataset holds, with a checksum over what it generates."""
    dataset = designed_dataset(name)
    names = FREE_PARAMETERS[dataset.family]
    facts: dict[str, object] = {
        "name": dataset.name,
        "version": dataset.version,
        "family": dataset.family,
        "spacegroups": len(dataset.spacegroups),
        "extinction_classes": len(extinction_classes(dataset.spacegroups)),
        "protocol": dataset.protocol.name,
        "wavelength": dataset.protocol.wavelength,
        "two_theta": f"{dataset.protocol.two_theta_min:g}-{dataset.protocol.two_theta_max:g} "
        f"degrees, {dataset.protocol.n_points} points",
        "profile": f"Gaussian, sigma {dataset.protocol.sigma:g} degrees",
        "intensities": "uniform random, Lorentz factor, maximum of a pattern 1",
    }
    for parameter, axis in zip(names, dataset.axes, strict=True):
        facts[f"mesh_{parameter}"] = f"{axis.start:g}-{axis.values[-1]:g} Å, step {axis.step:g} Å"
    facts |= {"cells": len(dataset.mesh)}
    facts |= {f"samples_{split}": dataset.size(split) for split in SPLITS if split != "off-mesh"}
    facts |= {"sha256": dataset.checksum()}
    rows = [facts] if form is Format.json else [{"key": k, "value": v} for k, v in facts.items()]
    show(rows, form, output)


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="Name of the dataset, e.g. ulbd-cubic")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    split: Annotated[str, typer.Option(help=", ".join(SPLITS))] = "in-mesh",
    per_spacegroup: Annotated[
        int | None,
        typer.Option(
            help="Samples a space group (on average, for train); by default all of the mesh."
        ),
    ] = None,
    a: Annotated[str | None, typer.Option(help="Other range of a: start:stop:step")] = None,
    c: Annotated[str | None, typer.Option(help="Other range of c: start:stop:step")] = None,
    file_format: Annotated[str, typer.Option("--format", help="hdf5")] = "hdf5",
) -> None:
    """Write patterns to a file: one array `data`, the space group's label in the last column."""
    from sgbench.datasets._export import export_hdf5

    if file_format != "hdf5":
        raise SgbenchError(f"unknown format '{file_format}'; expected hdf5. Choose it.")
    if split not in SPLITS:
        raise SgbenchError(f"unknown split '{split}'; expected one of {', '.join(SPLITS)}.")
    dataset = _with_ranges(designed_dataset(name), {"a": a, "c": c})
    export_hdf5(dataset, split, output, per_spacegroup)
    typer.echo(f"wrote {output}")


@app.command()
def build(
    name: Annotated[str, typer.Argument(help="cddd")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write (Parquet).")],
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 2,
    limit: Annotated[
        int | None, typer.Option(help="Structures a family at most, for a quick look.")
    ] = None,
) -> None:
    """Compute the line lists of real crystals (American Mineralogist database)."""
    from sgbench.datasets._cddd import build_cddd

    if name != "cddd":
        raise SgbenchError(
            f"'{name}' is not built from structures; expected cddd. Designed datasets need no "
            "building, see `sgbench dataset describe`."
        )
    crystals = build_cddd(output, PAPER_FAMILIES, workers=workers, limit=limit)
    typer.echo(f"wrote {output}: {len(crystals.structure_id)} structures")


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="Name of the dataset, e.g. ulbd-cubic")],
    sha256: Annotated[str, typer.Argument(help="Checksum that `describe` printed elsewhere.")],
) -> None:
    """Check that this machine generates what another one generated; exit status 1 if not."""
    found = designed_dataset(name).checksum()
    if found != sha256.strip().lower():
        typer.echo(f"{name} differs: expected {sha256}, got {found}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{name} agrees: {found}")


def _with_ranges(dataset: Ulbd, ranges: dict[str, str | None]) -> Ulbd:
    """Return the dataset over other ranges, under a name of its own since keys go with names."""
    axes = list(dataset.axes)
    names = FREE_PARAMETERS[dataset.family]
    for parameter, text in ranges.items():
        if text is None:
            continue
        if parameter not in names:
            raise SgbenchError(
                f"{dataset.family} cells have no free parameter '{parameter}'; expected a range of "
                f"{' or '.join(names)}. Leave --{parameter} out."
            )
        try:
            start, stop, step = (float(part) for part in text.split(":"))
        except ValueError:
            raise SgbenchError(
                f"'{text}' is not a range; expected start:stop:step in ångström, e.g. 5:6:0.1."
            ) from None
        axes[names.index(parameter)] = MeshAxis(start, stop, step)
    if tuple(axes) == dataset.axes:
        return dataset
    ranges_text = "+".join(f"{axis.start:g}:{axis.stop:g}:{axis.step:g}" for axis in axes)
    return replace(dataset, name=f"{dataset.name}@{ranges_text}", axes=tuple(axes))
