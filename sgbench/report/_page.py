"""The page: sections in the order of the article, each with its claims, figures and tables."""

import base64
import platform
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
from markupsafe import Markup, escape

from sgbench.cards import ARTICLE
from sgbench.links import Links, citation
from sgbench.models import REFERENCE
from sgbench.pages import environment
from sgbench.plots import CONDITION_CURVES
from sgbench.plots.shown import (
    AMPLITUDE,
    AMPLITUDE_OFF_MESH,
    CDDD,
    CDDD_IN_DOMAIN,
    CDDD_STRATIFIED,
    CDDD_STRATIFIED_TEST,
    CDDD_TEST,
    CDDD_TEST_IN_DOMAIN,
    CDDD_TRAIN,
    GCDD,
    GCDD_IN_DOMAIN,
    GCDD_TEST,
    GCDD_TEST_IN_DOMAIN,
    GCDD_TRAIN,
    IMBALANCED,
    IMBALANCED_IN_MESH,
    MINERAL_CELLS,
    MINERAL_OFF_MESH,
    PHYSICAL,
    ULBD,
)
from sgbench.provenance import newest_day
from sgbench.report import _tables
from sgbench.report._conditions import condition_tables
from sgbench.report._results import Picture, Results
from sgbench.report._tables import Table
from sgbench.report.claims import VERDICTS, Claim, all_claims
from sgbench.sets import IN_MESH, OFF_MESH, SetSpec
from sgbench.symmetry import PAPER_FAMILIES
from sgbench.version import __version__

_LOCAL_SERVER = "http://127.0.0.1:5000"
_LOCAL_STORE = "sqlite:///results/mlflow.db"
_PACKAGES = (
    "torch", "scikit-learn", "timm", "numpy", "scipy", "numba", "gemmi", "spglib", "cctbx-base",
    "pyxtal", "pandas", "matplotlib", "mlflow", "snakemake",
)  # fmt: skip
# Figures that the article does not have, by their titles; any other goes to the matrix.
_PLACES = {
    "Designed sets and their ingredients": "Physical intensities",
    "All models": "All models",
    "Error against training patterns": "Learning curves",
    "Regret in the course of a training": "Learning curves",
    CONDITION_CURVES: "Conditions",
}
_OTHER_PLACE = "Whole matrix"


@dataclass(frozen=True)
class _Spec:
    """What a section says, whatever the results are.

    Attributes
    ----------
    item : str
        Figure or table of the article, or a name where the article has none.
    title : str
    published : str
        The published value, or the picture's message.
    differs : str
        Where this project does something else than the article.
    tables : callable
        From results to tables; None stands for one that could not be made.
    optional : bool
        Whether the section is left out where there is nothing to show.
    """

    item: str
    title: str
    published: str
    differs: str
    tables: Callable[[Results], Iterable[Table | None]] = lambda results: ()
    optional: bool = False


def render_page(results: Results, store: str | None = None, links: Links | None = None) -> str:
    """Return the page as one HTML file, the same for the same results, figures included.

    Parameters
    ----------
    results : Results
    store : str, optional
        Address of the MLflow store. Links lead to it if it is a server, else to where
        ``mlflow ui`` shows it.
    links : Links, optional
        To other pages.
    """
    claims = all_claims(results)
    server = _server(store)
    specs = {spec.item: spec for spec in (*_ARTICLE, *_BEYOND)}
    for claim in claims:
        specs.setdefault(claim.item, _Spec(claim.item, claim.item, "Not in the article.", ""))
    sections = [_section(spec, results, claims) for spec in specs.values()]
    sections = [one for one in sections if one["tables"] or one["pictures"] or not one["optional"]]
    templates = environment(Path(__file__).parent)
    templates.filters["prose"] = _prose
    return templates.get_template("report.html.jinja").render(
        scale=results.scale,
        claims=claims,
        counts=[
            ("The article's claims", _counts(claim for claim in claims if claim.of_article)),
            ("This project's own", _counts(claim for claim in claims if not claim.of_article)),
        ],
        against=[
            claim
            for verdict in ("not reproduced", "partly")
            for claim in claims
            if claim.of_article and claim.verdict == verdict
        ],
        sections=sections,
        n_article=len(_ARTICLE),
        runs=_tables.runs(results.scores, server or _LOCAL_SERVER),
        server=server,
        store=_shown(store),
        hardware=_names(results.table["hardware"]),
        article=ARTICLE,
        links=(links or Links()).named,
        citation=citation(),
        newest=newest_day(results.table["commit"]),
        version=__version__,
        versions=_versions(results.table),
        key_of=_key,
        reference=REFERENCE,
    )


def _prose(text: str) -> Markup:
    """Escape a text, and set what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _counts(claims: Iterable[Claim]) -> list[tuple[str, str, int]]:
    """Return verdict, its words and how many claims have it, in the order of the verdicts."""
    counts = Counter((claim.verdict, claim.outcome) for claim in claims)
    return [(*key, n) for key, n in sorted(counts.items(), key=lambda x: VERDICTS.index(x[0][0]))]


def _section(spec: _Spec, results: Results, claims: Iterable[Claim]) -> dict[str, Any]:
    """Return a section as the template shows it: what its `_Spec` says, and what was found."""
    pictures = [picture for picture in results.pictures if _place(picture) == spec.item]
    missing = [
        f"{picture.title}: not in these results. {picture.reason}".strip()
        for picture in pictures
        if picture.image is None
    ]
    if spec.item.startswith("Fig. ") and not pictures:
        missing.append("The figure is not in these results.")
    tables = list(spec.tables(results))
    if None in tables:
        missing.append("A table is not in these results.")
    return {
        **vars(spec),
        "key": _key(spec.item),
        "claims": [claim for claim in claims if claim.item == spec.item],
        "pictures": [(one, _data_address(one.image)) for one in pictures if one.image],
        "tables": [table for table in tables if table],
        "missing": missing,
    }


def _place(picture: Picture) -> str:
    """Return the item of the section that a figure belongs to: Fig. 5 for ``Fig. 5 (a, b)``."""
    if not picture.number:
        return _PLACES.get(picture.title, _OTHER_PLACE)
    return " ".join(picture.number.split()[:2])


def _key(item: str) -> str:
    """Return an item as part of an address: ``tables-s1-s3``."""
    kept = "".join(char if char.isalnum() else "-" for char in item.lower())
    return "-".join(filter(None, kept.split("-")))


def _data_address(image: bytes) -> str:
    # As an image of its own: ids and styles of one figure cannot reach another or the page.
    return f"data:image/svg+xml;base64,{base64.b64encode(image).decode()}"


def _server(store: str | None) -> str | None:
    """Return the address of a store that is a server, without any password in it."""
    parts = urlsplit(store or "")
    if parts.scheme not in ("http", "https"):
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def _shown(store: str | None) -> str:
    """Return a store as `mlflow ui` takes it, but for one that may hold a password or a path."""
    if store is None:
        return _LOCAL_STORE
    relative = store.startswith("sqlite:///") and not store.startswith("sqlite:////")
    return store if relative else "$MLFLOW_TRACKING_URI"


def _names(column: "pd.Series[Any]") -> list[str]:
    return sorted({str(name) for name in column.dropna() if str(name)})


def _versions(table: pd.DataFrame) -> list[tuple[str, str]]:
    installed = {one.name: one.version for one in distributions()}
    return [
        ("sgbench", ", ".join(_names(table["sgbench_version"]))),
        ("Python", platform.python_version()),
        *((package, installed[package]) for package in _PACKAGES if package in installed),
    ]


def _of(
    scheme: str,
    caption: str,
    train_sets: Sequence[SetSpec],
    test_sets: Sequence[SetSpec],
    families: Sequence[str] = PAPER_FAMILIES,
) -> Callable[[Results], list[Table | None]]:
    """Return a table of training sets, which get the families, and test sets."""
    wanted = list(product(families, train_sets, test_sets))
    return lambda results: [_tables.top_k(results.table, caption, scheme, wanted)]


def _physical(results: Results) -> list[Table | None]:
    accuracies = _of(
        "extinction", "Extinction classes, with three laws of intensities.",
        (ULBD, PHYSICAL, AMPLITUDE),
        (OFF_MESH, AMPLITUDE_OFF_MESH, CDDD, CDDD_IN_DOMAIN, GCDD, GCDD_IN_DOMAIN),
    )  # fmt: skip
    return [*accuracies(results), _tables.ablation(results.table)]


def _confusions(results: Results) -> Iterator[Table | None]:
    for test_set, family in product((OFF_MESH, CDDD), PAPER_FAMILIES):
        yield _tables.confusions(results.scores, results.table, test_set.name, family)


_DATABASE = (
    "The article's database is the Materials Project with 155,360 structures. Here the CDDD is "
    "built from the source that the configuration names, by default the minerals of the AMCSD, "
    "which need no network and no key. Each number says how many structures it is of."
)
_SPLIT = (
    "The labels are the groups of one family in place of all 230. The article draws 95 % of each "
    "group for training (here `stratified`), so that most test structures have a training "
    "structure of the same prototype. The other rows are of a grouped split: no prototype and no "
    "mineral name is on both sides, so that the CDDD model meets only structures that are new to "
    "it. On structures, ceilings are marks to compare with and no bounds, since intensities carry "
    "more than absences."
)
_MESHES = (
    "The cubic mesh is the article's. Tetragonal and trigonal-hexagonal meshes are ours: the "
    "published ones are either too large to run or so coarse that cells are learned by heart. "
    "Off-mesh test sets, with cells between the mesh points, are an addition."
)

_ARTICLE = (
    _Spec(
        "Fig. 2", "Cells of real structures",
        "Histograms of a, b and c for P 2 2 2 and P 4/m n c: edges cluster around one value or "
        "several, and are neither uniform nor normal.",
        f"{_DATABASE} Where the article's group is rare, the figure shows another, and says so.",
    ),
    _Spec(
        "Fig. 3", "Patterns of one space group",
        "Patterns of P m a 2 with different cells look different, though they obey the same "
        "extinction rules; with similar cells they look alike.",
        _DATABASE,
    ),
    _Spec(
        "Fig. 4", "Cells of random structures",
        "The same histograms for random structures of PyXtal are closer to an unsymmetric "
        "Gaussian.",
        "The article generates up to 1,000 structures in each of 230 groups; here as many as the "
        "scale gives in each group of three families, and more in the two groups of the figure.",
    ),
    _Spec(
        "Fig. 5", "A model trained on real structures",
        "The CNN trained on CDDD is much less accurate on GCDD than on CDDD, from top-1 to top-5.",
        f"{_DATABASE} {_SPLIT}",
        _of(
            "spacegroup", "Space groups, trained on CDDD.", (CDDD_STRATIFIED, CDDD_TRAIN),
            (CDDD_STRATIFIED_TEST, CDDD_TEST, CDDD_TEST_IN_DOMAIN, GCDD, GCDD_IN_DOMAIN),
        ),
    ),
    _Spec(
        "Fig. 6", "Structures in each space group",
        "Some space groups have up to 10,000 structures, others none.",
        _DATABASE,
    ),
    _Spec(
        "Fig. 7", "Confusion and the number of samples",
        "Confusion matrices beside the number of samples: models trained on CDDD and GCDD are "
        "better where a group has many.",
        f"{_DATABASE} {_SPLIT} GCDD has equally many structures in each group here, so it can show "
        "no such dependence, and only CDDD is judged.",
        _of(
            "spacegroup", "Space groups, held-out part of the training set.",
            (CDDD_TRAIN, GCDD_TRAIN), (CDDD_TEST, GCDD_TEST),
        ),
    ),
    _Spec(
        "Fig. 8", "Training on an imbalanced set",
        "On ULBD-cubic the accuracy levels off near 47.5 %; on the imbalanced set it passes 60 % "
        "and then 80 %. (The article's caption and text swap (a) and (b); here (a) is imbalanced.)",
        "The ranges of cells of the imbalanced set are those of the AMCSD's minerals, so its "
        "levels differ from the article's.",
        _of(
            "spacegroup", "Space groups.", (IMBALANCED, ULBD),
            (IMBALANCED_IN_MESH, IN_MESH, OFF_MESH), ("cubic",),
        ),
    ),
    _Spec(
        "Table I", "Ceilings",
        "Cubic 47.2 72.2 80.5 88.9 97.2 %, tetragonal 45.6 70.6 83.8 88.2 91.2 %, "
        "trigonal + hexagonal 17.3 34.6 48.1 59.6 69.2 %.",
        "Nothing: both follow from the extinction laws alone.",
        lambda results: [_tables.ceilings()],
    ),
    _Spec(
        "Tables S1–S3", "Space groups by extinction class",
        "17 classes of 36 cubic, 31 of 68 tetragonal and 9 of 52 trigonal and hexagonal groups.",
        "Symbols and conditions are derived from the symmetry operators, up to relabelling of "
        "axes.",
        lambda results: map(_tables.classes, PAPER_FAMILIES),
    ),
    _Spec(
        "Fig. 9", "Accuracy on designed patterns",
        "Trained on ULBD and tested on ULBD, the CNN lies on the ceiling from top-1 to top-5 in "
        "all three families.",
        _MESHES,
        _of(
            "spacegroup", "Space groups, trained on ULBD.", (ULBD,),
            (IN_MESH, OFF_MESH),
        ),
    ),
    _Spec(
        "Fig. 10", "Generalization over extinction classes",
        "With space groups relabelled to extinction classes, the ULBD model hardly drops on CDDD, "
        "and the CDDD model drops much on ULBD.",
        f"{_DATABASE} {_SPLIT} {_MESHES}",
        _of(
            "extinction", "Extinction classes.",
            (ULBD, PHYSICAL, CDDD_STRATIFIED, CDDD_TRAIN, GCDD_TRAIN),
            (
                IN_MESH, OFF_MESH, CDDD_STRATIFIED_TEST, CDDD_TEST,
                CDDD_TEST_IN_DOMAIN, GCDD_TEST, GCDD_TEST_IN_DOMAIN,
            ),
        ),
    ),
    _Spec(
        "Fig. S1", "How fine a mesh has to be",
        "The ceiling is reached with a lattice step of at most 0.1 Å and at least 5 patterns a "
        "lattice.",
        "The published epochs are not known; the table of trainings says how many patterns each "
        "saw.",
        lambda results: [_tables.mesh(results.table)],
    ),
)  # fmt: skip

_BEYOND = (
    _Spec(
        "Extinction classes", "Classes named on designed patterns",
        "Not in the article. A perfect reader of lines names every class.",
        _MESHES,
        _of(
            "extinction", "Extinction classes, trained on ULBD.", (ULBD,),
            (IN_MESH, OFF_MESH),
        ),
    ),
    _Spec(
        "Learning curves", "Error against training patterns",
        "Not in the article. How many patterns the network needs, and what the goals of this "
        "project would take.",
        _MESHES,
        lambda results: [_tables.learning(results.table)],
    ),
    _Spec(
        "Cells of minerals", "Designed patterns over the minerals' range of cells",
        "Not in the article. A designed set spans the cells that minerals have, to tell what cells "
        "never shown cost.",
        _DATABASE,
        _of(
            "extinction", "Extinction classes.", (ULBD, MINERAL_CELLS),
            (OFF_MESH, MINERAL_OFF_MESH, CDDD, CDDD_IN_DOMAIN, GCDD),
        ),
    ),
    _Spec(
        "Conditions", "Accuracy under conditions of measurement",
        "Not in the article, whose patterns are ideal. A condition changes what measuring gives: "
        "lines, background, noise. Each curve begins at ideal patterns and goes on to the five "
        "severities of one condition; a mixture has amounts of its own in each pattern. Nothing is "
        "trained again but what is said to be trained under conditions.",
        "",
        lambda results: condition_tables(results.conditions),
        optional=True,
    ),
    _Spec(
        "Physical intensities", "ULBD-physical",
        "Not in the article, whose intensities are uniform. ULBD-physical has the same cells, with "
        "intensities as crystals have them: Wilson statistics, multiplicity, and a fall-off with "
        "the angle.",
        "",
        _physical,
    ),
    _Spec(
        "All models", "All models on the same sets",
        "The article has one network.",
        "",
        lambda results: [_tables.models(results.table, family) for family in PAPER_FAMILIES],
    ),
    _Spec(
        "Whole matrix", "Every training set against every test set",
        "The article compares some of these pairs.",
        "",
        lambda results: [_tables.matrix(results.table)],
    ),
    _Spec(
        "Confusions", "Which conditions a confusion violates",
        "The article shows matrices of space groups. These are the most frequent confusions of "
        "extinction classes: a condition is missed where the guess lets lines through that the "
        "true class forbids, and invented where it forbids lines that are there.",
        "",
        _confusions,
    ),
)  # fmt: skip
