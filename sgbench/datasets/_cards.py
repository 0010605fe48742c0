"""Cards of datasets: what a file holds, where it is from, how it was made and where it is biased.

For readers in Markdown, for tools in Croissant (JSON-LD, https://mlcommons.org/croissant). What is
written depends on the dataset and its file alone, so that it is the same whenever it is made.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import sgbench
from sgbench.datasets._store import CrystalSet
from sgbench.datasets._ulbd import ULBD, Ulbd
from sgbench.diffraction import FREE_PARAMETERS, PatternProtocol
from sgbench.files import file_sha256, write_atomically
from sgbench.symmetry import (
    crystal_system,
    extinction_classes,
    family_of,
    family_spacegroups,
    spacegroup_symbol,
)

PAPER = (
    "H. Wang, J. Zhong, Y. Li, J. Zhang and R. Du, Designing a dataset for convolutional neural "
    "networks to predict space groups consistent with extinction laws"
)

#: Fewer structures than this say little about a space group, and are the paper's limit for testing.
FEW = 20

# The Croissant standard demands a date of publication, and a card must not depend on the day it is
# made: so it is that of the sgbench version that the dataset was made with.
_PUBLISHED = {"0.1.0": "2026-11-23"}

_MIT = "MIT, as the code that makes it (https://spdx.org/licenses/MIT.html)"

# Unit and meaning of every column that a dataset file may have.
_COLUMNS = {
    "structure_id": ("", "identifier, unique within the file"),
    "sample_id": ("", "number within its split, space group, cell and pattern"),
    "name": ("", "mineral or compound; the formula where it has no name"),
    "family": ("", "crystal family; trigonal and hexagonal are one"),
    "extinction_class": ("", "extinction symbol, unique within the family"),
    "formula": ("", "reduced formula in Hill order"),
    "prototype": ("", "anonymous formula, space group and occupied Wyckoff letters"),
    "citation": ("", "whom to cite for this structure"),
    "split": ("", "`validation`, `in-mesh` or `off-mesh`"),
    "split_paper": ("", "`train` or `test`, drawn within each space group as in the paper"),
    "split_grouped": (
        "",
        "`train`, `validation` or `test`; no prototype and no name is on two sides",
    ),
    "spacegroup": ("", "number of the space group, 1-230"),
    "a": ("Å", "edge of the conventional cell of the standard setting"),
    "b": ("Å", "edge of the conventional cell of the standard setting"),
    "c": ("Å", "edge of the conventional cell of the standard setting"),
    "alpha": ("degrees", "angle of that cell"),
    "beta": ("degrees", "angle of that cell"),
    "gamma": ("degrees", "angle of that cell"),
    "n_atoms": ("", "occupied positions in that cell"),
    "ordered": ("", "whether each position holds one element and is always occupied"),
    "two_theta": ("degrees", "positions of the lines"),
    "intensity": ("arbitrary", "integrated intensities of the lines, Lorentz factor applied"),
}

# Of the file inside its Croissant description; its name may hold blanks, which an id may not.
_FILE_ID = "parquet-file"

_PROTOCOL_UNITS = {
    "wavelength": "Å",
    "two_theta_min": "degrees",
    "two_theta_max": "degrees",
    "sigma": "degrees",
}

_ORIGIN = {
    "cddd": "taken from a crystallographic database (the paper's CDDD)",
    "gcdd": "generated for given space groups and compositions (the paper's GCDD)",
}


_RANDOM_BIASES = (
    "Structures are random: compositions and coordinates know nothing of chemistry.",
    "Cells follow from the volumes of the atoms, so that space groups of high order, which need "
    "many atoms, have larger ones. A model may learn this instead of symmetry.",
)


@dataclass(frozen=True)
class _Facts:
    """What the card and the Croissant file of a dataset say alike."""

    name: str
    version: int
    sgbench_version: str
    summary: str
    citation: str
    licence: str
    keywords: tuple[str, ...]
    biases: tuple[str, ...]
    rows: str  # what a row is, in the plural
    key: str  # the column that names it


def group_counts(crystals: CrystalSet) -> list[dict[str, Any]]:
    """Count the structures of every space group of the dataset's families, present or not.

    Returns
    -------
    list of dict
        With ``spacegroup``, ``symbol``, ``system``, ``family``, ``extinction_class`` and ``n``, by
        ascending number.
    """
    n = Counter(crystals.spacegroup.tolist())
    groups = _all_groups(crystals)
    return [
        {
            "spacegroup": number,
            "symbol": spacegroup_symbol(number),
            "system": crystal_system(number),
            "family": family_of(number),
            "extinction_class": cls.symbol,
            "n": n[number],
        }
        for number, cls in sorted(
            (number, cls) for cls in extinction_classes(groups) for number in cls.spacegroups
        )
    ]


def crystal_card(crystals: CrystalSet, path: Path) -> str:
    """Describe a file of crystals in Markdown.

    Parameters
    ----------
    crystals : CrystalSet
    path : Path
        The file that holds them.

    Returns
    -------
    str
    """
    facts = _crystal_facts(crystals)
    source = crystals.metadata["source"]
    limit = crystals.metadata.get("limit")
    reasons = Counter(entry.reason for entry in crystals.excluded)
    parts = [
        f"# {facts.name}, version {facts.version}",
        facts.summary,
        ""
        if limit is None
        else f"**A quick look, not the dataset**: at most {limit} structures a family were kept.",
        "## What it holds",
        _crystal_contents(crystals),
        _table(("crystal system", "structures", "space groups present", "of"), _systems(crystals)),
        _table(("split", "train", "validation", "test"), _splits(crystals)),
        "`split_paper` draws within each space group, so copies of a structure fall on both sides; "
        "`split_grouped` keeps each prototype and each name on one side.",
        "## Where it is from",
        f"Source: `{source['name']}`. Cite: {facts.citation}.\n\nLicence: {facts.licence}.",
        _table(("provenance", "value"), sorted(source["provenance"].items())),
        "## How it was made",
        "Structures were read, brought to the standard setting, checked against their labels with "
        f"spglib at {crystals.metadata['symprec']} Å, and their lines computed "
        f"({crystals.metadata['form_factors']}) under this protocol:",
        _protocol(PatternProtocol(**crystals.metadata["protocol"])),
        _made_with(crystals.metadata),
        "## Left out",
        f"{len(crystals.excluded):,} of {len(crystals) + len(crystals.excluded):,} entries of the "
        f"source. Each is listed, with what was found in it, in `{_beside(path, 'excluded.csv')}`.",
        _table(("reason", "entries"), [(r, f"{n:,}") for r, n in reasons.most_common()])
        if reasons
        else "",
        "## Known biases",
        _bullets(facts.biases),
        *_file_sections(facts, path),
        "```python\nfrom sgbench.datasets import read_crystals\nfrom sgbench.diffraction import "
        "PatternProtocol, render\n\n"
        f'crystals = read_crystals("{path.name}")\n'
        'protocol = PatternProtocol(**crystals.metadata["protocol"])\n'
        "patterns = render(crystals.lines.take([0]), protocol)  # one a row, maximum 1\n```",
    ]
    return _joined(parts)


def designed_card(dataset: Ulbd, path: Path | None = None) -> str:
    """Describe a designed dataset in Markdown.

    Parameters
    ----------
    dataset : Ulbd
    path : Path, optional
        A file of its held-out samples (`write_designed`), to be described with it.

    Returns
    -------
    str
    """
    facts = _designed_facts(dataset)
    axes = zip(FREE_PARAMETERS[dataset.family], dataset.axes, strict=False)
    kind = "sequence" if dataset.reduced else "mesh"
    parts = [
        f"# {facts.name}, version {facts.version}",
        facts.summary,
        "## What it holds",
        _table(
            ("quantity", "value"),
            [
                ("family", dataset.family),
                (
                    "space groups",
                    f"{int((dataset.n_cells > 0).sum())} of {len(dataset.spacegroups)}",
                ),
                ("extinction classes", len(extinction_classes(dataset.spacegroups))),
                *(
                    (
                        f"mesh of {name}",
                        f"{axis.start:g} to {axis.values[-1]:g} Å, step {axis.step:g} Å",
                    )
                    for name, axis in axes
                ),
                *_domain_rows(dataset),
                (f"cells of the {kind}", f"{len(dataset.mesh):,}"),
                *([("cells with all edges equal", "left out")] if _skips(dataset) else []),
            ],
        ),
        _table(
            ("split", "random patterns a cell and space group", "samples"),
            [
                ("train", dataset.train_patterns, f"{dataset.size('train'):,}"),
                ("validation", dataset.validation_patterns, f"{dataset.size('validation'):,}"),
                ("in-mesh", dataset.test_patterns, f"{dataset.size('in-mesh'):,}"),
                ("off-mesh", f"cells between those of the {kind}", "as many as asked for"),
            ],
        ),
        "## How it was made",
        "Lines are those that the extinction class of a space group allows for a cell, with "
        "intensities uniform on (0, 1] from a counter-based generator (Philox4x32-10) keyed by "
        "dataset, version, space group, cell and pattern, times the Lorentz factor. Each sample "
        "can be made again by itself. Patterns follow this protocol:",
        _protocol(dataset.protocol),
        f"Cite: {facts.citation}.\n\nLicence: {facts.licence}.",
        "## Known biases",
        _bullets(facts.biases),
        "## How to make it",
        f"```python\nfrom sgbench.datasets import ULBD\nfrom sgbench.diffraction import render\n\n"
        f'dataset = ULBD["{dataset.name}"]\n'
        "recipes = dataset.training_recipes(first=0, count=64, seed=0)\n"
        "patterns = render(dataset.lines(recipes), dataset.protocol)\n```"
        if dataset.name in ULBD
        else "",
        f"Checksum of the specification and a sample of what it generates (`sgbench dataset verify "
        f"{dataset.name} SHA256`): `{dataset.checksum()}`",
        *(_file_sections(facts, path) if path else ()),
    ]
    return _joined(parts)


def croissant(dataset: CrystalSet | Ulbd, path: Path) -> dict[str, Any]:
    """Describe a dataset's file in Croissant 1.1.

    Parameters
    ----------
    dataset : CrystalSet or Ulbd
    path : Path
        The Parquet file, of `write_crystals` or `write_designed`. The description names it without
        its folder, so the two must lie side by side.

    Returns
    -------
    dict
        JSON-LD; ``mlcroissant.Dataset`` reads the records of the file through it.
    """
    import mlcroissant as mlc

    facts = _facts(dataset)
    # The terms that version 1.1 of the standard adds to what the library writes by itself.
    terms = {
        "arrayShape": "cr:arrayShape",
        "containedIn": "cr:containedIn",
        "isArray": "cr:isArray",
        "name": {"@container": "@language"},
        "description": {"@container": "@language"},
    }
    context = mlc.Context(
        conforms_to="http://mlcommons.org/croissant/1.1",
        rdf=mlc.Rdf(context={**mlc.Rdf().context, **terms}),
    )
    address = re.search(r"https?://[^\s,;)]+", facts.licence)
    metadata = mlc.Metadata(
        ctx=context,
        name=facts.name,
        version=f"{facts.version}.0.0",
        description=facts.summary,
        # Relative to the description, as the file is: the card beside it.
        url=_beside(path, "md"),
        license=[address[0] if address else mlc.CreativeWork(ctx=context, name=facts.licence)],
        cite_as=facts.citation,
        keywords=list(facts.keywords),
        creators=[mlc.Organization(ctx=context, name="The sgbench developers")],
        date_published=_PUBLISHED.get(facts.sgbench_version),
        data_biases=list(facts.biases),
        distribution=[
            mlc.FileObject(
                ctx=context,
                id=_FILE_ID,
                name=path.name,
                content_url=path.name,
                content_size=f"{path.stat().st_size} B",
                # The registered media type, and the one that mlcroissant knows Parquet by.
                encoding_formats=["application/vnd.apache.parquet", "application/x-parquet"],
                sha256=file_sha256(path),
            )
        ],
        record_sets=[
            mlc.RecordSet(
                ctx=context,
                id=facts.rows,
                name=facts.rows,
                key=[f"{facts.rows}/{facts.key}"],
                fields=[
                    _croissant_field(context, f"{facts.rows}/{column.name}", column)
                    for column in pq.read_schema(path)
                ],
            )
        ],
    )
    described: dict[str, Any] = metadata.to_json()
    return described


def croissant_text(dataset: CrystalSet | Ulbd, path: Path) -> str:
    """Return what `croissant` says as JSON text."""
    return json.dumps(croissant(dataset, path), indent=1, ensure_ascii=False) + "\n"


def write_card_files(dataset: CrystalSet | Ulbd, path: Path) -> tuple[Path, ...]:
    """Write the card, the Croissant description and the exclusions beside a dataset's file.

    Parameters
    ----------
    dataset : CrystalSet or Ulbd
    path : Path
        The file, ``X.parquet``.

    Returns
    -------
    tuple of Path
        ``X.md``, ``X.croissant.json`` and, for crystals, ``X.excluded.csv``.

    Raises
    ------
    SgbenchError
        If the folder cannot be written to.
    """
    described = croissant_text(dataset, path)
    if isinstance(dataset, CrystalSet):
        texts = {"md": crystal_card(dataset, path), "croissant.json": described,
                 "excluded.csv": _exclusions(dataset)}  # fmt: skip
    else:
        texts = {"md": designed_card(dataset, path), "croissant.json": described}
    for ending, text in texts.items():
        with write_atomically(path.with_name(_beside(path, ending))) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return tuple(path.with_name(_beside(path, ending)) for ending in texts)


def _facts(dataset: CrystalSet | Ulbd) -> _Facts:
    return _crystal_facts(dataset) if isinstance(dataset, CrystalSet) else _designed_facts(dataset)


def _crystal_facts(crystals: CrystalSet) -> _Facts:
    metadata = crystals.metadata
    name, source = metadata["name"], metadata["source"]
    protocol = metadata["protocol"]
    return _Facts(
        name,
        metadata["version"],
        metadata["sgbench_version"],
        f"Powder diffraction lines of {len(crystals):,} crystal structures in "
        f"{len(set(crystals.spacegroup.tolist()))} space groups, {_ORIGIN[name]}, to train "
        "and test models that predict space groups. A row is a structure with the positions and "
        f"integrated intensities of its lines for a wavelength of {protocol['wavelength']:g} Å "
        f"between {protocol['two_theta_min']:g} and {protocol['two_theta_max']:g} degrees; sgbench "
        "renders patterns from them.",
        source["citation"].rstrip("."),
        source["licence"].rstrip("."),
        ("crystallography", "powder diffraction", "space group", name, source["name"]),
        _crystal_biases(crystals),
        "structures",
        "structure_id",
    )


def _designed_facts(dataset: Ulbd) -> _Facts:
    return _Facts(
        dataset.name,
        dataset.version,
        sgbench.__version__,
        f"Designed powder diffraction lines of {int((dataset.n_cells > 0).sum())} "
        f"{dataset.family} space groups: positions from a "
        f"{'sequence of reduced' if dataset.reduced else 'mesh of'} cells, presence from "
        "extinction laws, random intensities (a uniform lattice based dataset, ULBD). No crystal "
        "structure is involved, so nothing but absences tells space groups apart.",
        PAPER,
        _MIT,
        ("crystallography", "powder diffraction", "space group", "extinction laws", "ulbd"),
        (
            "Intensities are independent and uniform. Those of crystals follow from atoms: a few "
            "lines are strong, many are weak, and Laue class and centre of symmetry show in them.",
            *_designed_balance(dataset),
            "Small cells show few lines, so that classes which differ elsewhere share all lines of "
            "the window; large ones show lines that overlap.",
            "A line whose intensity happens to be near zero looks extinct.",
            "Patterns have no background, noise, texture, impurity or shift.",
        ),
        "samples",
        "sample_id",
    )


def _designed_balance(dataset: Ulbd) -> tuple[str, ...]:
    if not dataset.ranges:
        return (
            "Each space group has the same number of samples; in nature and in databases a few "
            "groups hold most structures.",
            f"Cells are uniform over the {'domain' if dataset.reduced else 'mesh'} and the same "
            "for every space group. Those of crystals cluster, depend on the space group and reach "
            "beyond it.",
        )
    n = dataset.n_cells
    return (
        "Space groups are unbalanced on purpose: each has the part of the mesh between two limits, "
        f"from {n[n > 0].min():,} to {n.max():,} cells, and {int((n == 0).sum())} of "
        f"{len(n)} groups have none. Accuracies on this set are higher than on a balanced one "
        "without anything being understood better.",
        "The range of a cell tells the space group in part. Within it cells are uniform, while "
        "those of crystals cluster.",
    )


def _crystal_biases(crystals: CrystalSet) -> tuple[str, ...]:
    kind = _RANDOM_BIASES if crystals.metadata["name"] == "gcdd" else _real_biases(crystals)
    return (
        _balance(crystals),
        *kind,
        *(_shared(crystals, split) for split in ("split_paper", "split_grouped")),
        "Intensities come from structures, so extinction laws do not bound what a model can reach: "
        "Laue class and centre of symmetry leak through. The ceilings of extinction classes are a "
        "mark to compare with here, and no limit.",
        "Patterns are computed for a perfect powder without background, noise, texture, impurity, "
        "thermal motion or absorption.",
    )


def _balance(crystals: CrystalSet) -> str:
    n = Counter(crystals.spacegroup.tolist())
    possible = len(_all_groups(crystals))
    if len(n) == possible and len(set(n.values())) == 1:
        return f"Each of the {possible} space groups of these families has the same number."
    largest, most = n.most_common(1)[0]
    few = sum(count < FEW for count in n.values())
    return (
        f"Space groups are not balanced: {spacegroup_symbol(largest)} ({largest}) alone holds "
        f"{_percent(most, len(crystals))} of the structures, {few} groups have fewer than {FEW}, "
        f"and {possible - len(n)} of the {possible} groups of these families have none."
    )


def _real_biases(crystals: CrystalSet) -> tuple[str, ...]:
    disordered = len(crystals) - int(crystals.ordered.sum())
    return (
        _frequent("prototypes", crystals.prototype),
        _frequent("names", crystals.name),
        f"{_percent(disordered, len(crystals))} of the structures have mixed or partly occupied "
        "positions; their lines are those of the average structure.",
        "Cells cluster around those of frequent structure types instead of filling their range, "
        "and intensities have the habits of these types.",
    )


def _shared(crystals: CrystalSet, split: str) -> str:
    """Say how many test structures have a relative among the training structures."""
    sides = getattr(crystals, split)

    def share(labels: Sequence[str]) -> str:
        known = {label for label, side in zip(labels, sides, strict=True) if side == "train"}
        tested = [label for label, side in zip(labels, sides, strict=True) if side == "test"]
        return _percent(sum(label in known for label in tested), len(tested))

    return (
        f"Of the test structures of `{split}`, {share(crystals.prototype)} have the prototype and "
        f"{share(crystals.name)} the name of a training structure."
    )


def _frequent(what: str, labels: Sequence[str]) -> str:
    ten = Counter(labels).most_common(10)
    return (
        f"The ten most frequent {what} hold {_percent(sum(n for _, n in ten), len(labels))} of the "
        f"structures ({', '.join(f'{label}: {n}' for label, n in ten[:3])}, …)."
    )


def _crystal_contents(crystals: CrystalSet) -> str:
    groups = _all_groups(crystals)
    present = tuple(sorted(set(crystals.spacegroup.tolist())))
    return _table(
        ("quantity", "value"),
        [
            ("structures", f"{len(crystals):,}"),
            ("lines", f"{len(crystals.lines.two_theta):,}"),
            ("space groups", f"{len(present)} of {len(groups)}"),
            (
                "extinction classes",
                f"{len(extinction_classes(present))} of {len(extinction_classes(groups))}",
            ),
            ("families", ", ".join(crystals.metadata["families"])),
            ("names (minerals or compounds)", f"{len(set(crystals.name)):,}"),
            ("prototypes", f"{len(set(crystals.prototype)):,}"),
        ],
    )


def _systems(crystals: CrystalSet) -> list[tuple[str, str, int, int]]:
    counts = group_counts(crystals)
    systems = dict.fromkeys(row["system"] for row in counts)
    of = {system: [row["n"] for row in counts if row["system"] == system] for system in systems}
    return [(s, f"{sum(n):,}", sum(k > 0 for k in n), len(n)) for s, n in of.items()]


def _splits(crystals: CrystalSet) -> list[tuple[str, ...]]:
    rows = []
    for split in ("split_paper", "split_grouped"):
        n = Counter(getattr(crystals, split))
        rows.append((f"`{split}`", *(f"{n[part]:,}" for part in ("train", "validation", "test"))))
    return rows


def _all_groups(crystals: CrystalSet) -> tuple[int, ...]:
    """Return the space groups that the dataset's families have, present or not."""
    return tuple(
        sorted(n for family in crystals.metadata["families"] for n in family_spacegroups(family))
    )


def _domain_rows(dataset: Ulbd) -> list[tuple[str, str]]:
    domain = dataset.reduced
    if domain is None:
        return []
    return [
        ("edges of the reduced cells", f"{domain.shortest:g} to {domain.longest:g} Å"),
        ("axes", "relabelled at random, a sample at a time"),
    ]


def _skips(dataset: Ulbd) -> bool:
    return dataset.skip_equal_axes and len(dataset.axes) > 1


def _protocol(protocol: PatternProtocol) -> str:
    values = [
        (f"`{key}`", "complete" if value is None else f"{value} {_PROTOCOL_UNITS.get(key, '')}")
        for key, value in asdict(protocol).items()
    ]
    return _table(("setting", "value"), values)


def _made_with(metadata: Mapping[str, Any]) -> str:
    software = {"sgbench": metadata["sgbench_version"], **metadata.get("software", {})}
    return f"Made with {', '.join(f'{name} {version}' for name, version in software.items())}."


def _file_sections(facts: _Facts, path: Path) -> list[str]:
    rows = []
    for column in pq.read_schema(path):
        unit, meaning = _COLUMNS[column.name]
        rows.append((f"`{column.name}`", _type_name(column.type), unit, meaning))
    return [
        "## The file",
        f"`{path.name}`, Parquet, {pq.read_metadata(path).num_rows:,} {facts.rows}, "
        f"{path.stat().st_size:,} bytes. SHA-256: `{file_sha256(path)}`",
        _table(("column", "type", "unit", "meaning"), rows),
        f'```python\nimport pandas as pd\n\ntable = pd.read_parquet("{path.name}")\n```',
        f'```python\nimport mlcroissant as mlc\n\ndataset = mlc.Dataset("'
        f'{_beside(path, "croissant.json")}")\nrecord = next(iter(dataset.records("{facts.rows}"))'
        ")\n```",
    ]


def _type_name(kind: pa.DataType) -> str:
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)


def _croissant_field(context: Any, identifier: str, column: pa.Field) -> Any:
    import mlcroissant as mlc

    is_list = pa.types.is_list(column.type)
    kind = column.type.value_type if is_list else column.type
    types = {
        "string": mlc.DataType.TEXT,
        "int64": mlc.DataType.INT64,
        "bool": mlc.DataType.BOOL,
        "double": mlc.DataType.FLOAT64,
        "float": mlc.DataType.FLOAT32,
    }
    unit, meaning = _COLUMNS[column.name]
    return mlc.Field(
        ctx=context,
        id=identifier,
        name=column.name,
        description=f"{meaning}{f' ({unit})' if unit else ''}",
        data_types=[types[str(kind)]],
        is_array=is_list or None,
        array_shape="-1" if is_list else None,
        source=mlc.Source(
            ctx=context,
            file_object=_FILE_ID,
            extract=mlc.Extract(ctx=context, column=column.name),
        ),
    )


def _exclusions(crystals: CrystalSet) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("structure_id", "reason", "detail"))
    writer.writerows((e.structure_id, e.reason, e.detail) for e in crystals.excluded)
    return buffer.getvalue()


def _beside(path: Path, ending: str) -> str:
    return f"{path.stem}.{ending}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).strip().replace("|", "\\|") for cell in row) + " |"
        for row in cells
    )


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
