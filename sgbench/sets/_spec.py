"""What a set is, as a value; the only module that knows how the names of sets are spelt."""

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import reduce
from typing import Literal

from sgbench.conditions import CONDITIONS, Condition, decimal
from sgbench.conditions.noise import EXPOSURE, READOUT
from sgbench.designed import LAWS
from sgbench.diffraction import Samples
from sgbench.errors import SgbenchError
from sgbench.measured import TREATED, UNTREATED
from sgbench.symmetry import FAMILIES, PAPER_FAMILIES

Origin = Literal["designed", "crystals", "random", "measured"]
Part = Literal["train", "all", "test", "in-mesh", "off-mesh", "sealed"]
Split = Literal["", "grouped", "stratified"]
Cells = Literal["", "mineral"]

#: The origin of designed sets, and what their rows have as their source.
DESIGNED: Literal["designed"] = "designed"

#: How names of sets begin, by origin.
STEMS: dict[Origin, str] = {
    "designed": "ulbd",
    "crystals": "cddd",
    "random": "gcdd",
    "measured": "measured",
}
_ORIGINS = {stem: origin for origin, stem in STEMS.items()}

_HEADS = sorted({law.partition("-no-")[0] for law in LAWS} - {"uniform"})
_LAW, _TAIL = rf"(?P<law>-({'|'.join(_HEADS)}))?", r"(?P<without>-no-[a-z]+)?"
_CELLS = r"(-(?P<cells>mineral)-cells)?"
_KIND = r"(?P<imbalanced>-imbalanced)?(?P<published>-published)?"
_FAMILY = rf"-(?P<family>{'|'.join(sorted(FAMILIES, key=len, reverse=True))})"
_NUMBER = r"\d+(?:\.\d+)?"
_AXIS = rf"{_NUMBER}:{_NUMBER}:{_NUMBER}"
_MESH = rf"(@(?P<mesh>{_NUMBER}x\d+|{_AXIS}(,{_AXIS})*))?"
_GRAMMAR = tuple(
    re.compile(pattern)
    for pattern in (
        rf"ulbd{_LAW}{_CELLS}{_FAMILY}{_KIND}{_TAIL}{_MESH}",
        rf"ulbd{_LAW}{_CELLS}{_KIND}{_TAIL}-(?P<part>in-mesh|off-mesh|sealed)",
        # `paper` is how the stratified split was called at first.
        rf"(?P<stem>cddd|gcdd){_FAMILY}(?P<stratified>-stratified|-paper-split)?",
        r"(?P<stem>cddd|gcdd)((?P<stratified>-stratified|-paper)?(?P<part>-test))?"
        r"(?P<domain>-in-domain)?",
        r"(?P<stem>measured)-(?P<collection>[a-z0-9]+(-[a-z0-9]+)*?)(?P<untreated>-untreated)?",
    )
)


@dataclass(frozen=True)
class Mesh:
    """Another mesh than the set's own.

    Attributes
    ----------
    step : float
        Lattice step in ångström; 0 where `axes` says it.
    patterns : int
        Training patterns a lattice; 0 for as many as the set has.
    axes : tuple of (float, float, float)
        Start, stop and step of each free parameter in ångström; empty for the set's own range.
    """

    step: float = 0.0
    patterns: int = 0
    axes: tuple[tuple[float, float, float], ...] = ()

    def __str__(self) -> str:
        if not self.axes:
            return f"{decimal(self.step)}x{self.patterns}"
        return ",".join(":".join(map(decimal, axis)) for axis in self.axes)


@dataclass(frozen=True)
class SetSpec:
    """A set that models are trained on or scored on.

    Attributes
    ----------
    origin : {'designed', 'crystals', 'random', 'measured'}
        Designed from cells and extinction laws, computed from structures of crystals or from random
        structures, or measured.
    part : str
        ``train`` for what is trained on; of designed sets ``in-mesh``, ``off-mesh`` or ``sealed``;
        of the others ``all``, or ``test`` for what a split holds out.
    family : str
        Crystal family. Empty in a test set's name, which every family has.
    law : str
        Name of the intensity law (`sgbench.designed.LAWS`) of a designed set.
    balanced : bool
        Whether all space groups of a designed set have the same cells.
    protocol : {'canonical', 'published'}
    cells : {'', 'mineral'}
        Where the cells of a designed set lie, if not where they do in the article's kind of set:
        ``mineral`` is for edges over the range that minerals have.
    mesh : Mesh or None
        None for the set's own.
    split : {'', 'grouped', 'stratified'}
        Which split of structures `part` is of: one that keeps every prototype and every name on
        one side (which is meant if nothing is said), or one that draws within each space group, as
        the article does.
    in_domain : bool
        Whether only structures are in it whose cell lies in the range of the designed set.
    conditions : tuple of Condition
        What is done to the samples, in this order.
    collection : str
        Name of the collection of measured patterns (`sgbench.collections`); empty for others.
    treatment : {'treated', 'untreated'}
        What is done to measured patterns (`sgbench.measured.TREATMENTS`).
    """

    origin: Origin
    part: Part = "train"
    family: str = ""
    law: str = "uniform"
    balanced: bool = True
    protocol: str = "canonical"
    mesh: Mesh | None = None
    split: Split = ""
    in_domain: bool = False
    cells: Cells = ""
    conditions: tuple[Condition, ...] = ()
    collection: str = ""
    treatment: str = TREATED.name

    def __post_init__(self) -> None:
        if self.origin != "designed":  # one value a name
            split = "" if self.part == "all" else self.split or "grouped"
            object.__setattr__(self, "split", split)
        self._check_conditions()

    def _check_conditions(self) -> None:
        names = [condition.name for condition in self.conditions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SgbenchError(
                f"the condition {twice[0]} is named twice; expected each once, with how much there "
                "is of it in all. Mend the name."
            )
        for mixed in names:
            parts = {kind.name for kind, _ in CONDITIONS[mixed].parts}
            if again := sorted(parts.intersection(names)):
                raise SgbenchError(
                    f"the condition {again[0]} is a part of {mixed} and is named beside it; "
                    "expected each once. Leave it out of the name."
                )
        for name in names:
            if CONDITIONS[name].designed_only and self.origin != DESIGNED:
                raise SgbenchError(
                    f"the condition {name} refers to intensities as designed sets have them, and "
                    f"{self.acronym} has those of structures; expected a designed set. Use counts "
                    "or noise, which refer to the strongest point."
                )

    @classmethod
    def parse(cls, name: str) -> "SetSpec":
        """Return the set of a name.

        Raises
        ------
        SgbenchError
            If it is the name of no set; the message has the nearest ones.
        """
        stem, *conditions = name.split("+")
        matches = (pattern.fullmatch(stem) for pattern in _GRAMMAR)
        parsed = next((match.groupdict() for match in matches if match), None)
        found = parsed and _spec(parsed)
        if not found:
            raise unknown_set(stem)
        return replace(found, conditions=tuple(map(Condition.parse, conditions)))

    @classmethod
    def find(cls, name: str) -> "SetSpec | None":
        """Return the set of a name, or None where it is the name of none."""
        try:
            return cls.parse(name)
        except SgbenchError:
            return None

    @property
    def name(self) -> str:
        """The name, which `parse` understands."""
        stem, train = STEMS[self.origin], self.part == "train"
        family = f"-{self.family}" if train and self.family else ""
        if self.origin == "designed":
            head, tail = self.law_parts
            kind = ("" if self.balanced else "-imbalanced") + (
                "" if self.protocol == "canonical" else f"-{self.protocol}"
            )
            text = (
                f"{stem}{'' if head == 'uniform' else f'-{head}'}"
                f"{f'-{self.cells}-cells' if self.cells else ''}{family}{kind}"
                f"{f'-no-{tail}' if tail else ''}{f'@{self.mesh}' if self.mesh else ''}"
                f"{'' if train else f'-{self.part}'}"
            )
        elif self.origin == "measured":
            treatment = "" if self.treatment == TREATED.name else f"-{self.treatment}"
            text = f"{self.dataset}{treatment}"
        elif train:
            text = f"{stem}{family}{'-stratified' if self.split == 'stratified' else ''}"
        else:
            held_out = "" if self.part == "all" else f"-{self.part}"
            text = (
                f"{stem}{'-stratified' if self.split == 'stratified' else ''}{held_out}"
                f"{'-in-domain' if self.in_domain else ''}"
            )
        return text + "".join(f"+{condition}" for condition in self.conditions)

    @property
    def law_parts(self) -> tuple[str, str]:
        """The law of intensities, and the ingredient that it lacks; empty where it lacks none."""
        head, _, tail = self.law.partition("-no-")
        return head, tail

    @property
    def key(self) -> str:
        """What draws and checksums of a training set are keyed by: its first published name."""
        return self.name.replace("-stratified", "-paper-split")

    @property
    def dataset(self) -> str:
        """Name of the file that the set is a part of; empty for designed sets."""
        if self.origin == "measured":
            return f"{STEMS[self.origin]}-{self.collection}"
        return "" if self.origin == "designed" else STEMS[self.origin]

    @property
    def label(self) -> str:
        """The name without its family, as figures and tables have it: ULBD-physical."""
        return replace(self, family="").name.replace(STEMS[self.origin], self.acronym, 1)

    @property
    def acronym(self) -> str:
        """How sets of this origin are called in print: ULBD, CDDD, GCDD."""
        return STEMS[self.origin].upper()

    @property
    def labels_are_coins(self) -> bool:
        """Whether each space group of an extinction class makes any of its samples just as often.

        So it is where neither the cell nor the intensities depend on the space group.
        """
        equal = self.origin == DESIGNED and self.balanced
        return equal and not LAWS[self.law].tells_groups_apart

    @property
    def is_graded(self) -> bool:
        """Whether a condition of a stated severity is done to it, so that it is a point of a curve.

        A mixture has no severity: its sets are listed and ranked as any other.
        """
        return any(one.severity is not None for one in self.conditions)

    @property
    def beyond_absences(self) -> str:
        """Say what tells groups of one extinction class apart; empty where nothing can.

        Where nothing can, what extinction laws allow over space groups is a bound, whatever is done
        to the patterns. A label that depends on the cell alone is a coin among the groups that have
        that cell, which the ceiling of a score takes into account.
        """
        if self.origin == "measured":
            return "On measured patterns, nothing but the faults of labels bounds an accuracy."
        if self.origin != DESIGNED:
            return "Intensities of structures differ between space groups of one extinction class."
        if LAWS[self.law].tells_groups_apart:
            return (
                f"Intensities by the law '{self.law}' differ between space groups of one "
                "extinction class."
            )
        return ""

    @property
    def posterior_is_known(self) -> bool:
        """Whether the chance of each space group, given a pattern, is known exactly.

        So it is where labels are coins, cells are large enough to be told from their lines, and
        nothing is done to the patterns that may hide a line.
        """
        return self.labels_are_coins and not (self.cells or self.conditions)

    @property
    def noise_is_all(self) -> bool:
        """Whether one noise is all that is done to a set whose posterior would be known without it.

        It is one whose law does not depend on the lines, and intensities are uniform.
        """
        ideal = replace(self, conditions=())
        names = [condition.name for condition in self.conditions]
        known = ideal.posterior_is_known and self.law == "uniform"
        return known and names in ([READOUT.name], [EXPOSURE.name])

    def posterior_is_known_of(self, family: str) -> bool:
        """Whether it is known of the set's patterns of a family, exactly or by integration."""
        return self.posterior_is_known or (self.noise_is_all and family in PAPER_FAMILIES)

    def of(self, family: str) -> "SetSpec":
        """Return the same set of another family."""
        return replace(self, family=family)

    def held_out_from(self, trained: "SetSpec") -> bool:
        """Tell whether nothing of this test set is in the training or validation part of a set."""
        if "designed" in (self.origin, trained.origin) or self.origin != trained.origin:
            return True
        return self.part == "test" and self.split == trained.split

    def changed(self, samples: Samples) -> Samples:
        """Return samples as the set's conditions change them, one after the other."""
        return reduce(lambda done, condition: condition.apply(done), self.conditions, samples)

    def describe(self) -> str:
        """Say in a few words what it holds."""
        words = _WORDS.get(self.origin, _structure_words)(self)
        return "".join([words, *(f"; {one.describe()}" for one in self.conditions)])


def _spec(parsed: dict[str, str | None]) -> SetSpec | None:
    """Return the set of what a name was taken apart into; None where it contradicts itself."""
    texts = {key: text or "" for key, text in parsed.items()}
    part: Part = texts.get("part", "").removeprefix("-") or "train"  # type: ignore[assignment]
    family = texts.get("family", "")
    if "stem" not in texts:
        law = (texts["law"].removeprefix("-") or "uniform") + texts["without"]
        mesh = _mesh(texts.get("mesh", ""))
        protocol = texts["published"].removeprefix("-") or "canonical"
        balanced = not texts["imbalanced"]
        if law not in LAWS:
            return None
        cells: Cells = texts["cells"]  # type: ignore[assignment]
        return SetSpec(
            "designed", part, family, law, balanced, protocol, mesh, cells=cells
        )  # fmt: skip
    if not family and part == "train":
        part = "all"
    if texts["stem"] == STEMS["measured"]:
        treatment = UNTREATED.name if texts["untreated"] else TREATED.name
        return SetSpec(
            "measured", part, collection=texts["collection"], treatment=treatment
        )  # fmt: skip
    split: Split = "stratified" if texts["stratified"] else ""
    origin, in_domain = _ORIGINS[texts["stem"]], bool(texts.get("domain"))
    return SetSpec(origin, part, family, split=split, in_domain=in_domain)


def _mesh(text: str) -> Mesh | None:
    if not text:
        return None
    if ":" not in text:
        step, _, patterns = text.partition("x")
        return Mesh(float(step), int(patterns))
    axes = (tuple(float(value) for value in axis.split(":")) for axis in text.split(","))
    return Mesh(axes=tuple((start, stop, step) for start, stop, step in axes))


_DESIGNED_PARTS: dict[Part, str] = {
    "train": "designed patterns",
    "in-mesh": "designed patterns at mesh cells, with random intensities never trained on",
    "off-mesh": "designed patterns with cells between the mesh points",
    "sealed": "designed patterns with cells between the mesh points, drawn with a secret",
}
_SPLITS = {
    "": "",
    "grouped": " part of the grouped split, which keeps each prototype on one side",
    "stratified": " part of the article's split, which has near-copies on both sides",
}


def _designed_words(spec: SetSpec) -> str:
    return "".join(
        [
            _DESIGNED_PARTS[spec.part],
            "" if spec.law == "uniform" else f", intensities by the law '{spec.law}'",
            "" if not spec.cells else ", edges over the range that minerals have",
            "" if spec.balanced else ", each space group with its own range of cells",
            "" if spec.protocol == "canonical" else f", under the protocol '{spec.protocol}'",
            "" if spec.mesh is None else f", on the mesh {spec.mesh}",
        ]
    )


def _structure_words(spec: SetSpec) -> str:
    kind = "real structures" if spec.origin == "crystals" else "random structures by PyXtal"
    part = "" if spec.part == "all" else f": the {spec.part}{_SPLITS[spec.split]}"
    domain = ", with cells in the range of the ULBD's mesh" if spec.in_domain else ""
    return f"{kind}{part}{domain}"


def _measured_words(spec: SetSpec) -> str:
    done = "" if spec.treatment == TREATED.name else ", on the protocol's axis and otherwise as was"
    return f"measured patterns of the collection '{spec.collection}'{done}"


_WORDS = {"designed": _designed_words, "measured": _measured_words}


def _of_structures(origin: Origin) -> list[SetSpec]:
    test = SetSpec(origin, "test", split="grouped")
    drawn = [SetSpec(origin, "test", split="stratified")] if origin == "crystals" else []
    whole = SetSpec(origin, "all")
    return [
        whole, replace(whole, in_domain=True), test, replace(test, in_domain=True), *drawn
    ]  # fmt: skip


IN_MESH, OFF_MESH = SetSpec("designed", "in-mesh"), SetSpec("designed", "off-mesh")
SEALED = SetSpec("designed", "sealed")


def designed_test_set(split: str, dataset: SetSpec | None = None) -> SetSpec:
    """Return the test set of the split ``in-mesh`` or ``off-mesh`` of a designed dataset."""
    like = dataset or IN_MESH
    part = IN_MESH.part if split == IN_MESH.part else OFF_MESH.part
    return replace(
        IN_MESH, part=part, law=like.law, balanced=like.balanced, protocol=like.protocol,
        cells=like.cells,
    )  # fmt: skip


#: What models are scored on.
TEST_SETS = (
    IN_MESH,
    OFF_MESH,
    *_of_structures("crystals"),
    *_of_structures("random"),
    replace(IN_MESH, balanced=False),
    replace(OFF_MESH, law="amplitude"),
    replace(OFF_MESH, cells="mineral"),
)
#: What was measured; its patterns have to be fetched, or are yours.
MEASURED_SETS = tuple(
    SetSpec("measured", "all", collection=name) for name in ("cod", "rruff", "opxrd")
)
#: The designed sets that have a place in the catalogue. What a law leaves out is studied for cubic.
DESIGNED_SETS = (
    *(SetSpec("designed", family=family) for family in FAMILIES),
    *(
        SetSpec("designed", family=family, law=law)
        for law in LAWS
        if law != "uniform"
        for family in (("cubic",) if "-no-" in law else PAPER_FAMILIES)
    ),
    SetSpec("designed", family="cubic", balanced=False),
    *(SetSpec("designed", family=family, protocol="published") for family in PAPER_FAMILIES),
    *(
        SetSpec("designed", family=family, law=law, cells="mineral")
        for law in ("uniform", "amplitude-falloff", "physical")
        for family in (PAPER_FAMILIES if law == "physical" else FAMILIES)
    ),
)
_STRUCTURES = tuple(
    SetSpec(origin, family=family, split=split)
    for origin in _ORIGINS.values()
    if origin not in ("designed", "measured")
    for family in FAMILIES
    for split in ("grouped", "stratified")
)


def unknown_set(name: str) -> SgbenchError:
    """Return the error that answers the name of no set with the nearest names."""
    known = [spec.name for spec in (*DESIGNED_SETS, *TEST_SETS, *MEASURED_SETS, *_STRUCTURES)]
    near = get_close_matches(name, known, n=3, cutoff=0.5) or known[:3]
    if name.startswith("measured-"):
        near.append("measured-NAME, where NAME has small letters, digits and single hyphens")
    return SgbenchError(
        f"unknown set '{name}'; expected a name such as {', '.join(near)}. "
        "`sgbench dataset list` and `sgbench dataset test-sets` list them."
    )
