"""The card of a dataset of structures."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sgbench.cards._columns import file_sections
from sgbench.cards._facts import IDEAL, Facts
from sgbench.cards._text import beside, bullets, joined, made_with, percent, settings_table, table
from sgbench.diffraction import PatternProtocol
from sgbench.sets import STEMS
from sgbench.sourced import excluded_csv
from sgbench.structures import FEW, CrystalSet, covered_groups, group_counts
from sgbench.symmetry import extinction_classes, spacegroup_symbol
from sgbench.text import markdown_text

_ORIGIN = {
    STEMS["crystals"]: "taken from a crystallographic database (the article's CDDD)",
    STEMS["random"]: "generated for given space groups and compositions (the article's GCDD)",
}

_RANDOM_BIASES = (
    "Structures are random: their compositions and coordinates do not follow chemistry.",
    "Cells follow from the volumes of the atoms. Space groups of high order need many atoms, so "
    "their cells are larger. A model may learn this instead of symmetry.",
)
# Columns of the two splits, and their names in `CrystalSet.split`.
_SPLITS = {"split_paper": "stratified", "split_grouped": "grouped"}


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
    facts = crystal_facts(crystals)
    source = crystals.metadata["source"]
    limit = crystals.metadata.get("limit")
    reasons = Counter(entry.reason for entry in crystals.excluded)
    parts = [
        f"# {facts.name}, version {facts.version}",
        facts.summary,
        IDEAL,
        ""
        if limit is None
        else f"**A quick look, not the dataset**: at most {limit} structures a family were kept.",
        f"**Not complete**: the calculation crashed or took too long for {unanswered} structures, "
        "which another machine might have kept."
        if (unanswered := len(crystals.unanswered))
        else "",
        "## What it holds",
        _crystal_contents(crystals),
        table(("crystal system", "structures", "space groups present", "of"), _systems(crystals)),
        table(("split", "train", "validation", "test"), _splits(crystals)),
        "`split_paper` is the stratified split. It draws within each space group, as the article "
        "does, so copies of a structure fall on both sides. `split_grouped` keeps each prototype "
        "and each name on one side.",
        "## Where it is from",
        f"Source: `{source['name']}`. Cite: {markdown_text(facts.citation)}.\n\n"
        f"Licence: {markdown_text(facts.licence)}.",
        table(
            ("provenance", "value"),
            [tuple(map(markdown_text, pair)) for pair in sorted(source["provenance"].items())],
        ),
        "## How it was made",
        "sgbench read each structure, brought it to the standard setting and checked its label "
        f"with spglib at {crystals.metadata['symprec']} Å. Then it computed the lines "
        f"({crystals.metadata['form_factors']}) under this protocol:",
        settings_table(PatternProtocol(**crystals.metadata["protocol"])),
        made_with(crystals.metadata),
        "## Left out",
        f"The build left out {len(crystals.excluded):,} of "
        f"{len(crystals) + len(crystals.excluded):,} entries of the source. "
        f"`{beside(path, 'excluded.csv')}` lists each of them with the reason.",
        table(("reason", "entries"), [(r, f"{n:,}") for r, n in reasons.most_common()])
        if reasons
        else "",
        "## Known biases",
        bullets(facts.biases),
        *file_sections(facts, path),
        "```python\nfrom sgbench.structures import read_crystals\nfrom sgbench.diffraction import "
        "PatternProtocol, render\n\n"
        f'crystals = read_crystals("{path.name}")\n'
        'protocol = PatternProtocol(**crystals.metadata["protocol"])\n'
        "patterns = render(crystals.lines.take([0]), protocol)  # one a row, maximum 1\n```",
    ]
    return joined(parts)


def crystal_facts(crystals: CrystalSet) -> Facts:
    """Return what the card and the Croissant file say alike."""
    metadata = crystals.metadata
    name, source = metadata["name"], metadata["source"]
    protocol = metadata["protocol"]
    return Facts(
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


def _crystal_biases(crystals: CrystalSet) -> tuple[str, ...]:
    kind = (
        _RANDOM_BIASES if crystals.metadata["name"] == STEMS["random"] else _real_biases(crystals)
    )
    return (
        _balance(crystals),
        *kind,
        *(_shared(crystals, split) for split in _SPLITS),
        "Intensities come from structures, so they also tell of Laue class and centre of symmetry. "
        "A model may pass the ceilings of extinction classes here: they are a mark to compare "
        "with, and no limit.",
        "Lines are those of a perfect powder, without thermal motion and absorption.",
    )


def _balance(crystals: CrystalSet) -> str:
    n = Counter(crystals.spacegroup.tolist())
    possible = len(covered_groups(crystals))
    if len(n) == possible and len(set(n.values())) == 1:
        return f"Each of the {possible} space groups of these families has the same number."
    largest, most = n.most_common(1)[0]
    few = sum(count < FEW for count in n.values())
    return (
        f"Space groups are not balanced: {spacegroup_symbol(largest)} ({largest}) alone holds "
        f"{percent(most, len(crystals))} of the structures, {few} groups have fewer than {FEW}, "
        f"and {possible - len(n)} of the {possible} groups of these families have none."
    )


def _real_biases(crystals: CrystalSet) -> tuple[str, ...]:
    disordered = len(crystals) - int(crystals.ordered.sum())
    return (
        _frequent("prototypes", crystals.prototype),
        _frequent("names", crystals.name),
        f"{percent(disordered, len(crystals))} of the structures have mixed or partly occupied "
        "positions; their lines are those of the average structure.",
        "Cells cluster around those of frequent structure types instead of filling their range, "
        "and intensities have the habits of these types.",
    )


def _shared(crystals: CrystalSet, split: str) -> str:
    """Say how many test structures have a relative among the training structures."""
    sides = crystals.split(_SPLITS[split])

    def share(labels: Sequence[str]) -> str:
        known = {label for label, side in zip(labels, sides, strict=True) if side == "train"}
        tested = [label for label, side in zip(labels, sides, strict=True) if side == "test"]
        return percent(sum(label in known for label in tested), len(tested))

    return (
        f"Of the test structures of `{split}`, {share(crystals.prototype)} have the prototype and "
        f"{share(crystals.name)} the name of a training structure."
    )


def _frequent(what: str, labels: Sequence[str]) -> str:
    ten = Counter(labels).most_common(10)
    return (
        f"The ten most frequent {what} hold {percent(sum(n for _, n in ten), len(labels))} of the "
        f"structures ({', '.join(f'{markdown_text(label)}: {n}' for label, n in ten[:3])}, …)."
    )


def _crystal_contents(crystals: CrystalSet) -> str:
    groups = covered_groups(crystals)
    present = tuple(sorted(set(crystals.spacegroup.tolist())))
    return table(
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
    for split in _SPLITS:
        n = Counter(crystals.split(_SPLITS[split]))
        rows.append((f"`{split}`", *(f"{n[part]:,}" for part in ("train", "validation", "test"))))
    return rows


def exclusions(crystals: CrystalSet) -> str:
    """Return what was left out as CSV."""
    return excluded_csv("structure_id", crystals.excluded)
