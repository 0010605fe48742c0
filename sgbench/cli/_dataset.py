"""Build, describe, export and verify datasets."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sgbench.cli._lazy import SETTINGS, Group
from sgbench.cli._listing import Format, FormatOption, OutputOption, show
from sgbench.cli._options import CrystalsOption, StoreOption
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256, require_file, write_atomically

if TYPE_CHECKING:
    from sgbench.designed import Designed, Ulbd
    from sgbench.sets import SetSpec
    from sgbench.structures import CrystalSet

app = typer.Typer(cls=Group, help=__doc__, no_args_is_help=True, **SETTINGS)

NameOrFile = Annotated[
    str, typer.Argument(help="Designed dataset, e.g. ulbd-cubic, or a file that `build` wrote.")
]
WorkersOption = Annotated[int, typer.Option(help="Worker processes.")]
FamilyOption = Annotated[
    list[str] | None,
    typer.Option("--family", help="cubic, tetragonal, trigonal-hexagonal, …; once for each."),
]


class Description(StrEnum):
    """How to describe a dataset."""

    table = "table"
    csv = "csv"
    json = "json"
    md = "md"
    croissant = "croissant"


@app.command("list")
def list_datasets(form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """List the designed datasets."""
    from sgbench.sets import ULBD, ULBD_ALL

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
    whole = {"name": ULBD_ALL.name, "version": ULBD_ALL.version, "family": ULBD_ALL.family}
    numbers = {row["name"]: row for row in rows}
    parts = [numbers[part.name] for part in ULBD_ALL.parts]
    sums = {
        key: sum(int(str(part[key])) for part in parts)
        for key in ("cells", "train", "validation", "test")
    }
    rows.append(whole | {"protocol": ULBD_ALL.protocol.name} | sums)
    show(rows, form, output)


@app.command("test-sets")
def list_test_sets(form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """List the sets that models are scored on."""
    from sgbench.sets import MEASURED_SETS, TEST_SETS

    specs = (*TEST_SETS, *MEASURED_SETS)
    rows = [{"name": spec.name, "holds": spec.describe()} for spec in specs]
    show(rows, form, output)


@app.command("sources")
def list_sources(form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """List where `build` can take structures from, and measured patterns."""
    from sgbench.collections.sources import SOURCES as PATTERNS
    from sgbench.structures.sources import SOURCES

    rows = [
        {"name": name, "of": kind, "holds": text}
        for kind, sources in (("structures", SOURCES), ("measured patterns", PATTERNS))
        for name, text in sources.items()
    ]
    show(rows, form, output)


@app.command()
def describe(
    dataset: NameOrFile,
    form: Annotated[
        Description, typer.Option("--format", help="md is the card, croissant its JSON-LD.")
    ] = Description.table,
    output: OutputOption = None,
) -> None:
    """Say what a dataset holds, with a checksum."""
    from sgbench.cli._collections import collection_facts
    from sgbench.collections import is_patterns_file
    from sgbench.sets import DESIGNED, SetSpec, designed_set

    path = _file(dataset)
    if path is None:
        spec = SetSpec.parse(dataset)
        if spec.part != "train" or spec.origin != DESIGNED:
            raise SgbenchError(
                f"'{spec.name}' holds {spec.describe()}, and is part of a dataset; expected a "
                "designed dataset such as ulbd-cubic, or a file that `build` wrote. Name one."
            )
        designed = designed_set(spec)
        if form is Description.croissant:
            raise SgbenchError(
                f"Croissant describes a file, and {dataset} is a specification. Write its held-out "
                f"samples with `sgbench dataset build {dataset}`, which describes them too."
            )
        if form is Description.md:
            from sgbench.cards import designed_card

            _write(designed_card(_one_family(designed)), output)
            return
        facts = _designed_facts(designed)
    elif is_patterns_file(path):
        if form in (Description.croissant, Description.md):
            raise SgbenchError(
                f"{path} holds measured patterns, which have neither card nor Croissant; expected "
                "another form. Choose table, csv or json."
            )
        facts = collection_facts(path)
    else:
        from sgbench.structures import read_crystals

        crystals = read_crystals(path)
        if form in (Description.croissant, Description.md):
            from sgbench.cards import croissant_text, crystal_card

            make = croissant_text if form is Description.croissant else crystal_card
            _write(make(crystals, path), output)
            return
        facts = _crystal_facts(crystals, path)
    rows = (
        [facts]
        if form is Description.json
        else [{"key": key, "value": value} for key, value in facts.items()]
    )
    show(rows, Format(form.value), output)


@app.command()
def export(
    dataset: NameOrFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    split: Annotated[
        str | None,
        typer.Option(
            help="train, validation, in-mesh or off-mesh of a designed dataset (in-mesh by "
            "default); "
            "stratified/train, grouped/test, … of structures (all by default)."
        ),
    ] = None,
    per_spacegroup: Annotated[
        int | None,
        typer.Option(
            help="Samples a space group (on average, for train); by default all of the mesh."
        ),
    ] = None,
    a: Annotated[str | None, typer.Option(help="Other range of a: start:stop:step")] = None,
    c: Annotated[str | None, typer.Option(help="Other range of c: start:stop:step")] = None,
    family: FamilyOption = None,
    file_format: Annotated[str, typer.Option("--format", help="hdf5")] = "hdf5",
) -> None:
    """Write patterns to a file: one array `data`, the space group's label in the last column."""
    from sgbench.designed import SPLITS
    from sgbench.sets import SetSpec, export_crystals_hdf5, export_hdf5

    if file_format != "hdf5":
        raise SgbenchError(f"unknown format '{file_format}'; expected hdf5. Choose it.")
    path = _file(dataset)
    if path is not None:
        from sgbench.structures import read_crystals

        if per_spacegroup is not None or a is not None or c is not None:
            raise SgbenchError(
                "--per-spacegroup, --a and --c draw designed samples; structures are what they "
                "are. Leave them out, or name a designed dataset."
            )
        crystals = _select(read_crystals(path), family, split)
        export_crystals_hdf5(crystals, output, file_sha256(path))
    else:
        wanted = split or "in-mesh"
        if wanted not in SPLITS:
            raise SgbenchError(f"unknown split '{wanted}'; expected one of {', '.join(SPLITS)}.")
        designed = _one_family(_with_ranges(SetSpec.parse(dataset), {"a": a, "c": c}))
        if family is not None:
            raise SgbenchError(
                f"{dataset} has one family; --family chooses among structures. Leave it out."
            )
        export_hdf5(designed, wanted, output, per_spacegroup)
    typer.echo(f"wrote {output}")


@app.command()
def generate(
    output: Annotated[Path, typer.Option("--output", "-o", help="Table to write (Parquet).")],
    per_spacegroup: Annotated[int, typer.Option(help="Structures a space group.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same structures.")] = 0,
    family: FamilyOption = None,
    spacegroup: Annotated[
        list[int] | None, typer.Option(help="Space group, once for each; instead of families.")
    ] = None,
    workers: WorkersOption = 2,
) -> None:
    """Generate random structures with PyXtal, for `build gcdd`; run again to go on."""
    from sgbench.structures import generate_gcdd
    from sgbench.symmetry import PAPER_FAMILIES, family_spacegroups

    families = family or (() if spacegroup else PAPER_FAMILIES)
    groups = {n for name in families for n in family_spacegroups(name)} | set(spacegroup or ())
    generate_gcdd(output, sorted(groups), per_spacegroup, seed, workers, progress=True)
    typer.echo(f"wrote {output}")


@app.command()
def build(
    name: Annotated[str, typer.Argument(help="cddd, gcdd, measured-NAME, or a designed dataset.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write (Parquet).")],
    source: Annotated[
        str | None,
        typer.Option(
            help="Of structures or patterns; `sgbench dataset sources` lists them. That of "
            "measured-NAME is NAME, where there is such a source, and else folder."
        ),
    ] = None,
    location: Annotated[
        str | None, typer.Option("--from", help="Folder, file or address of the source.")
    ] = None,
    family: FamilyOption = None,
    protocol: Annotated[str, typer.Option(help="canonical or published")] = "canonical",
    workers: WorkersOption = 2,
    limit: Annotated[
        int | None, typer.Option(help="Structures a family at most, for a quick look.")
    ] = None,
    per_spacegroup: Annotated[
        int, typer.Option(help="Samples a space group and split of a designed dataset.")
    ] = 200,
    crystals: CrystalsOption = None,
    store: StoreOption = None,
) -> None:
    """Compute line lists and write them with a card; run again to go on after an interruption.

    Of structures: all that a source has. Of a designed dataset: its held-out samples. Of
    measured-NAME: the patterns of a source that can be tests, as they were measured, and beside
    them NAME.excluded.csv with the others and why. With --crystals, patterns whose substance the
    source does not name get that of the structure that they agree with.
    """
    from sgbench.cards import write_card_files
    from sgbench.diffraction import PROTOCOLS
    from sgbench.sets import STEMS, SetSpec, designed_set, write_designed
    from sgbench.structures.sources import open_source
    from sgbench.tracking import log_dataset

    sources = {STEMS["crystals"]: "amcsd", STEMS["random"]: "generated"}
    measured = SetSpec.find(name)
    if measured and measured.origin == "measured":
        from sgbench.cli._collections import build_collection

        build_collection(measured, output, source, location, crystals or ())
        return
    if name in sources:
        from sgbench.structures import build_crystals

        if protocol not in PROTOCOLS:
            raise SgbenchError(
                f"unknown protocol '{protocol}'; expected one of {', '.join(PROTOCOLS)}. "
                "Choose one."
            )
        built = build_crystals(
            output,
            name,
            open_source(source or sources[name], location, _cache(output)),
            family or ("all",),
            PROTOCOLS[protocol],
            workers,
            progress=True,
            limit=limit,
        )
        written = write_card_files(built, output)
        log_dataset(store, built, output, written)
        typer.echo(
            f"wrote {output}: {len(built)} structures of "
            f"{len(set(built.spacegroup.tolist()))} space groups; "
            f"{len(built.excluded)} left out, see {written[-1]}"
        )
        if built.unanswered:
            typer.echo(
                f"not complete: no answer about {', '.join(built.unanswered[:5])}"
                f"{' …' if len(built.unanswered) > 5 else ''}, as the calculation crashed or "
                "took too long, twice",
                err=True,
            )
        return
    dataset = _one_family(designed_set(SetSpec.parse(name)))

    write_designed(dataset, output, per_spacegroup)
    log_dataset(store, dataset, output, write_card_files(dataset, output))
    typer.echo(f"wrote {output}")


@app.command()
def portrait(
    file: Annotated[Path, typer.Argument(help="Line lists of structures that `build` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")],
) -> None:
    """Draw what structures look like: cells, patterns, samples by group, an overview (SVG, CSV)."""
    from sgbench.cli._figures import write_portrait
    from sgbench.structures import read_crystals

    for path in write_portrait(read_crystals(file), output):
        typer.echo(f"wrote {path}")


@app.command()
def verify(
    dataset: NameOrFile,
    sha256: Annotated[str, typer.Argument(help="Checksum that `describe` printed elsewhere.")],
) -> None:
    """Check that this machine has what another one has; exit status 1 if not."""
    from sgbench.sets import SetSpec, designed_set

    path = _file(dataset)
    if path is not None:
        require_file(path, "line lists. Mend the path.")
    found = designed_set(SetSpec.parse(dataset)).checksum() if path is None else file_sha256(path)
    if found != sha256.strip().lower():
        typer.echo(f"{dataset} differs: expected {sha256}, got {found}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{dataset} agrees: {found}")


def _file(dataset: str) -> Path | None:
    """Return the path of a file of line lists, or None for the name of a designed dataset."""
    from sgbench.sets import ULBD

    if dataset in ULBD:
        return None
    path = Path(dataset)
    return path if path.suffix == ".parquet" or path.exists() else None


def _cache(output: Path) -> Path:
    """Return where a source keeps what it fetched: beside the dataset, for the next build."""
    return output.with_name(f"{output.stem}.source")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    with write_atomically(output) as temporary:
        temporary.write_text(text)


def _select(
    crystals: "CrystalSet", families: Sequence[str] | None, split: str | None
) -> "CrystalSet":
    """Return the structures of some families and of one part of a split."""
    from sgbench.symmetry import family_spacegroups

    for family in families or ():
        family_spacegroups(family)  # names the families where one is unknown
    kept = [i for i, family in enumerate(crystals.family) if not families or family in families]
    if split is not None:
        kind, _, part = split.partition("/")
        # `paper` is how the stratified split was called at first.
        known = {"stratified": "stratified", "paper": "stratified", "grouped": "grouped"}
        parts = crystals.split(known[kind]) if kind in known else ()
        if part not in parts:
            raise SgbenchError(
                f"unknown split '{split}'; expected stratified/train, stratified/test, "
                "grouped/train, grouped/validation or grouped/test. Choose one."
            )
        kept = [i for i in kept if parts[i] == part]
    return crystals.take(kept)


def _crystal_facts(crystals: "CrystalSet", path: Path) -> dict[str, Any]:
    metadata = crystals.metadata
    return {
        "name": metadata["name"],
        "version": metadata["version"],
        "source": metadata["source"]["name"],
        "licence": metadata["source"]["licence"],
        "protocol": metadata["protocol"]["name"],
        "structures": len(crystals),
        "spacegroups": len(set(crystals.spacegroup.tolist())),
        "extinction_classes": len(
            set(zip(crystals.family, crystals.extinction_class, strict=True))
        ),
        "families": metadata["families"],
        "excluded": len(crystals.excluded),
        "unanswered": len(crystals.unanswered),
        "sgbench_version": metadata["sgbench_version"],
        "sha256": file_sha256(path),
    }


def _designed_facts(dataset: "Designed") -> dict[str, Any]:
    from sgbench.cards import IDEAL
    from sgbench.designed import SPLITS, UlbdUnion
    from sgbench.diffraction import FREE_PARAMETERS
    from sgbench.symmetry import extinction_classes

    facts: dict[str, Any] = {
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
        "intensities": f"{dataset.law.describe()} The Lorentz factor is applied, and the maximum "
        "of a pattern is 1.",
        "ideal": IDEAL,
    }
    if isinstance(dataset, UlbdUnion):
        facts |= {"parts": ", ".join(part.name for part in dataset.parts)}
        return facts | {"sha256": dataset.checksum()}
    for parameter, axis in zip(FREE_PARAMETERS[dataset.family], dataset.axes, strict=False):
        facts[f"mesh_{parameter}"] = f"{axis.start:g}-{axis.values[-1]:g} Å, step {axis.step:g} Å"
    if dataset.domain:
        facts |= dataset.domain.describe(dataset.family)
    facts |= {"cells": len(dataset.mesh)}
    facts |= {f"samples_{split}": dataset.size(split) for split in SPLITS if split != "off-mesh"}
    return facts | {"sha256": dataset.checksum()}


def _one_family(dataset: "Designed") -> "Ulbd":
    from sgbench.designed import UlbdUnion

    if isinstance(dataset, UlbdUnion):
        raise SgbenchError(
            f"{dataset.name} holds several families; expected a dataset of one. Name one of "
            f"{', '.join(part.name for part in dataset.parts)}."
        )
    return dataset


def _with_ranges(spec: "SetSpec", ranges: dict[str, str | None]) -> "Designed":
    """Return a designed dataset over other ranges, which its name then says."""
    from sgbench.designed import Ulbd
    from sgbench.diffraction import FREE_PARAMETERS
    from sgbench.sets import Mesh, designed_set

    dataset = designed_set(spec)
    given = {parameter: text for parameter, text in ranges.items() if text is not None}
    if not given:
        return dataset
    names = FREE_PARAMETERS.get(dataset.family, ())
    unknown = [parameter for parameter in given if parameter not in names]
    if unknown:
        raise SgbenchError(
            f"{dataset.family} cells have no free parameter '{unknown[0]}'; expected a range of "
            f"{' or '.join(names)}. Leave --{unknown[0]} out."
        )
    if not isinstance(dataset, Ulbd) or dataset.domain:
        parameter = next(iter(given))
        raise SgbenchError(
            f"the cells of {dataset.name} are those of a sequence, not of a mesh; expected no "
            f"range of {parameter}. Leave --{parameter} out."
        )
    own = {name: (axis.start, axis.stop, axis.step)
           for name, axis in zip(names, dataset.axes, strict=True)}  # fmt: skip
    axes = own | {parameter: _range(text) for parameter, text in given.items()}
    # Another name would mean other random numbers.
    return (
        dataset if axes == own else designed_set(replace(spec, mesh=Mesh(axes=(*axes.values(),))))
    )


def _range(text: str) -> tuple[float, float, float]:
    try:
        start, stop, step = (float(part) for part in text.split(":"))
    except ValueError:
        raise SgbenchError(
            f"'{text}' is not a range; expected start:stop:step in ångström, e.g. 5:6:0.1."
        ) from None
    return start, stop, step
