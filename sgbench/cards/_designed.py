"""The card of a designed dataset."""

from pathlib import Path

import numpy as np

from sgbench.cards._columns import file_sections
from sgbench.cards._facts import ARTICLE, IDEAL, Facts
from sgbench.cards._text import bullets, joined, settings_table, table
from sgbench.designed import IntensityLaw, LogUniformCells, Ulbd
from sgbench.diffraction import FREE_PARAMETERS
from sgbench.sets import ULBD
from sgbench.symmetry import extinction_classes, relabellings
from sgbench.version import __version__

_MIT = "MIT, as the code that makes it (https://spdx.org/licenses/MIT.html)"


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
    facts = designed_facts(dataset)
    axes = zip(FREE_PARAMETERS[dataset.family], dataset.axes, strict=False)
    kind = "sequence" if dataset.domain else "mesh"
    parts = [
        f"# {facts.name}, version {facts.version}",
        facts.summary,
        IDEAL,
        "## What it holds",
        table(
            ("quantity", "value"),
            [
                ("family", dataset.family),
                ("space groups", f"{len(_present(dataset))} of {len(dataset.spacegroups)}"),
                ("extinction classes", len(extinction_classes(_present(dataset)))),
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
        table(
            ("split", "random patterns a cell and space group", "samples"),
            [
                ("train", dataset.train_patterns, f"{dataset.size('train'):,}"),
                ("validation", dataset.validation_patterns, f"{dataset.size('validation'):,}"),
                ("in-mesh", dataset.test_patterns, f"{dataset.size('in-mesh'):,}"),
                (
                    "off-mesh",
                    "one, at further cells of the sequence"
                    if dataset.domain
                    else "one, at cells between those of the mesh",
                    "as many as asked for",
                ),
            ],
        ),
        "## How it was made",
        "Lines are those that the extinction class of a space group allows for a cell. A "
        "counter-based generator (Philox4x32-10) draws their intensities. Its keys are the name "
        f"`{dataset.drawn_as or dataset.name}` and the version of a dataset, the space group, the "
        "cell, the pattern and the line, so each sample can be made again by itself. The law of "
        "the intensities has these settings:",
        settings_table(dataset.law),
        "The Lorentz factor then multiplies the intensities. Patterns follow this protocol:",
        settings_table(dataset.protocol),
        f"Cite: {facts.citation}.\n\nLicence: {facts.licence}.",
        "## Known biases",
        bullets(facts.biases),
        "## How to make it",
        f"```python\nfrom sgbench.sets import ULBD\nfrom sgbench.diffraction import render\n\n"
        f'dataset = ULBD["{dataset.name}"]\n'
        "recipes = dataset.training_recipes(first=0, count=64, seed=0)\n"
        "patterns = render(dataset.lines(recipes), dataset.protocol)\n```"
        if dataset.name in ULBD
        else "",
        f"Checksum of the specification and a sample of what it generates (`sgbench dataset verify "
        f"{dataset.name} SHA256`): `{dataset.checksum()}`",
        *(file_sections(facts, path) if path else ()),
    ]
    return joined(parts)


def designed_facts(dataset: Ulbd) -> Facts:
    """Return what the card and the Croissant file say alike."""
    return Facts(
        dataset.name,
        dataset.version,
        __version__,
        f"Designed powder diffraction lines of {len(_present(dataset))} "
        f"{dataset.family} space groups: positions from a "
        f"{f'sequence of {dataset.domain.kind}' if dataset.domain else 'mesh of'} cells, "
        "presence from "
        "extinction laws, random intensities (a uniform lattice based dataset, ULBD). "
        f"{dataset.law.describe()} {_what_tells(dataset)}",
        ARTICLE,
        _MIT,
        ("crystallography", "powder diffraction", "space group", "extinction laws", "ulbd"),
        (
            _law_bias(dataset.law),
            *_designed_balance(dataset),
            "Small cells show few lines, so some extinction classes share all lines of the window. "
            "Lines of large cells overlap.",
            "A line whose intensity happens to be near zero looks extinct.",
        ),
        "samples",
        "sample_id",
    )


def _present(dataset: Ulbd) -> tuple[int, ...]:
    """Return the space groups that have cells."""
    return tuple(np.array(dataset.spacegroups)[dataset.n_cells > 0].tolist())


def _designed_balance(dataset: Ulbd) -> tuple[str, ...]:
    if not dataset.ranges:
        return (
            "Each space group has the same number of samples. In nature and in databases a few "
            "groups hold most structures.",
            f"Cells are {_spread(dataset)} and the same "
            "for every space group. Those of crystals cluster, depend on the space group and reach "
            "beyond it.",
        )
    n = dataset.n_cells
    return (
        "Space groups are unbalanced on purpose: each has the part of the mesh between two limits, "
        f"from {n[n > 0].min():,} to {n.max():,} cells, and {int((n == 0).sum())} of "
        f"{len(n)} groups have none. A model scores higher on this set than on a balanced one "
        "without knowing more of symmetry.",
        "The size of a cell tells the space group in part. Within the limits cells are uniform, "
        "while those of crystals cluster.",
    )


def _domain_rows(dataset: Ulbd) -> list[tuple[str, str]]:
    if dataset.domain is None:
        return []
    relabelled = [("axes", "relabelled at random for each sample")]
    return [
        *dataset.domain.describe(dataset.family).items(),
        *(relabelled if len(relabellings(dataset.family)) > 1 else []),
    ]


def _spread(dataset: Ulbd) -> str:
    if dataset.domain is None:
        return "uniform over the mesh"
    spread = "log-uniform" if isinstance(dataset.domain, LogUniformCells) else "uniform"
    return f"{spread} over the domain"


def _skips(dataset: Ulbd) -> bool:
    return dataset.skip_equal_axes and len(dataset.axes) > 1


def _what_tells(dataset: Ulbd) -> str:
    if dataset.law.tells_groups_apart:
        return (
            "No crystal structure is involved. The statistics of the intensities differ between "
            "space groups of one extinction class, so they tell more than absences do."
        )
    cells = " and the sizes of cells" if dataset.ranges else ""
    return f"No crystal structure is involved, so only absences{cells} tell space groups apart."


def _law_bias(law: IntensityLaw) -> str:
    """Say how intensities of a law differ from those of crystals."""
    lacks = (
        (
            law.wilson,
            "Intensities have the statistics of atoms at random positions. In crystals atoms take "
            "certain positions, so the lines of one pattern are correlated.",
        ),
        (
            not (law.wilson or law.amplitude),
            "Intensities are drawn from a uniform distribution. In patterns of crystals a few "
            "lines are strong and many are weak.",
        ),
        (
            law.amplitude,
            "Amplitudes are drawn from a uniform distribution. So many lines are weak, as in "
            "patterns of crystals, but none is far stronger than the others.",
        ),
        (
            not law.multiplicity,
            "Lines of crystals are stronger the more equivalent reflections they hold; these lines "
            "are not.",
        ),
        (
            not law.largest_b,
            "Lines of crystals become weaker with angle by thermal motion and form factors; these "
            "lines do not.",
        ),
        (
            not law.tells_groups_apart,
            "Laue class and centre of symmetry show in the intensities of crystals, and not in "
            "these.",
        ),
    )
    return " ".join(text for applies, text in lacks if applies)
