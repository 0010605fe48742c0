import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sgbench
from sgbench.conditions import CONDITIONS, Condition
from sgbench.designed import LAWS
from sgbench.diffraction import PROTOCOLS
from sgbench.errors import SgbenchError
from sgbench.sets import DESIGNED_SETS, SEALED, STEMS, TEST_SETS, Mesh, SetSpec
from sgbench.symmetry import FAMILIES

STRUCTURES = ("crystals", "random")
TRAINED_ON_STRUCTURES = tuple(
    SetSpec(origin, family=family, split=split)
    for origin in STRUCTURES
    for family in FAMILIES
    for split in ("grouped", "stratified")
)
PUBLISHED = (*DESIGNED_SETS, *TRAINED_ON_STRUCTURES, *TEST_SETS, SEALED)

# Names, and what they print as; the former are in files and tables that are published.
NAMES = {
    "ulbd-cubic": SetSpec("designed", family="cubic"),
    "ulbd-all": SetSpec("designed", family="all"),
    "ulbd-trigonal-hexagonal-published": SetSpec(
        "designed", family="trigonal-hexagonal", protocol="published"
    ),
    "ulbd-cubic-imbalanced": SetSpec("designed", family="cubic", balanced=False),
    "ulbd-physical-tetragonal": SetSpec("designed", family="tetragonal", law="physical"),
    "ulbd-physical-cubic-no-wilson": SetSpec("designed", family="cubic", law="physical-no-wilson"),
    "ulbd-cubic@0.1x20": SetSpec("designed", family="cubic", mesh=Mesh(0.1, 20)),
    "ulbd-tetragonal@5:6:0.1,5:7:0.25": SetSpec(
        "designed", family="tetragonal", mesh=Mesh(axes=((5, 6, 0.1), (5, 7, 0.25)))
    ),
    "ulbd-physical-cubic-no-falloff@0.5x3": SetSpec(
        "designed", family="cubic", law="physical-no-falloff", mesh=Mesh(0.5, 3)
    ),
    "ulbd-amplitude-tetragonal": SetSpec("designed", family="tetragonal", law="amplitude"),
    "ulbd-amplitude-off-mesh": SetSpec("designed", "off-mesh", law="amplitude"),
    "ulbd-mineral-cells-cubic": SetSpec("designed", family="cubic", cells="mineral"),
    "ulbd-physical-mineral-cells-cubic": SetSpec(
        "designed", family="cubic", law="physical", cells="mineral"
    ),
    "ulbd-mineral-cells-off-mesh": SetSpec("designed", "off-mesh", cells="mineral"),
    "ulbd-in-mesh": SetSpec("designed", "in-mesh"),
    "ulbd-imbalanced-in-mesh": SetSpec("designed", "in-mesh", balanced=False),
    "ulbd-sealed": SetSpec("designed", "sealed"),
    "cddd-cubic": SetSpec("crystals", family="cubic", split="grouped"),
    "gcdd-trigonal-hexagonal": SetSpec("random", family="trigonal-hexagonal", split="grouped"),
    "cddd-cubic-stratified": SetSpec("crystals", family="cubic", split="stratified"),
    "cddd": SetSpec("crystals", "all"),
    "cddd-test": SetSpec("crystals", "test", split="grouped"),
    "gcdd-test-in-domain": SetSpec("random", "test", split="grouped", in_domain=True),
    "cddd-stratified-test": SetSpec("crystals", "test", split="stratified"),
    "cddd-in-domain+thermal-2.5": SetSpec(
        "crystals", "all", in_domain=True, conditions=(Condition("thermal", 2.5),)
    ),
}
OLD_NAMES = {
    "cddd-cubic-paper-split": "cddd-cubic-stratified",
    "gcdd-trigonal-hexagonal-paper-split": "gcdd-trigonal-hexagonal-stratified",
    "cddd-paper-test": "cddd-stratified-test",
    "cddd-paper-test-in-domain": "cddd-stratified-test-in-domain",
}


def fits(spec: SetSpec) -> None:
    assert SetSpec.parse(spec.name) == spec
    assert SetSpec.parse(spec.name).name == spec.name
    assert SetSpec.find(spec.name) == spec


@pytest.mark.parametrize("name", NAMES)
def test_names_are_parsed_and_printed(name):
    assert SetSpec.parse(name) == NAMES[name]
    assert NAMES[name].name == name


@pytest.mark.parametrize("spec", PUBLISHED, ids=lambda spec: spec.name)
def test_published_names_are_parsed_as_what_they_print(spec):
    fits(spec)


def test_published_names_are_different():
    assert len({spec.name for spec in PUBLISHED}) == len(set(PUBLISHED)) == len(PUBLISHED)


_LENGTHS = st.floats(1e-6, 1e3) | st.integers(1, 300).map(lambda n: n / 20)
_MESHES = (
    st.none()
    | st.builds(Mesh, _LENGTHS, st.integers(0, 1000))
    | st.lists(st.tuples(_LENGTHS, _LENGTHS, _LENGTHS), min_size=1, max_size=3).map(
        lambda axes: Mesh(axes=tuple(axes))
    )
)


@st.composite
def _conditions(draw, designed):
    kinds = [kind for kind in CONDITIONS.values() if designed or not kind.designed_only]
    chosen = draw(st.lists(st.sampled_from(kinds), max_size=2, unique_by=lambda kind: kind.name))
    parts = {part.name for kind in chosen for part, _ in kind.parts}
    chosen = [kind for kind in chosen if kind.name not in parts]
    shares = [draw(st.floats(1e-6, 1)) for _ in chosen]
    return tuple(
        Condition(kind.name)
        if kind.parts
        else Condition(kind.name, kind.least + (kind.largest - kind.least) * share)
        for kind, share in zip(chosen, shares, strict=True)
    )


_FAMILIES = st.sampled_from(list(FAMILIES))
_DESIGNED = {
    "origin": st.just("designed"),
    "law": st.sampled_from(list(LAWS)),
    "balanced": st.booleans(),
    "protocol": st.sampled_from(list(PROTOCOLS)),
    "conditions": _conditions(designed=True),
}
_OF_STRUCTURES = {
    "origin": st.sampled_from(STRUCTURES),
    "split": st.sampled_from(["", "grouped", "stratified"]),
    "conditions": _conditions(designed=False),
}
_SPECS = (
    st.builds(SetSpec, family=_FAMILIES, mesh=_MESHES, **_DESIGNED)
    | st.builds(SetSpec, part=st.sampled_from(["in-mesh", "off-mesh", "sealed"]), **_DESIGNED)
    | st.builds(SetSpec, family=_FAMILIES, **_OF_STRUCTURES)
    | st.builds(
        SetSpec,
        part=st.sampled_from(["all", "test"]),
        in_domain=st.booleans(),
        **_OF_STRUCTURES,
    )
)


@given(_SPECS)
def test_what_a_value_prints_is_parsed_as_that_value(spec):
    fits(spec)


@given(_SPECS, _SPECS)
def test_different_values_have_different_names(one, other):
    assert (one.name == other.name) == (one == other)


@given(
    st.text(max_size=30) | st.from_regex(r"(ulbd|cddd|gcdd)[a-z0-9.:,@+-]{0,30}", fullmatch=True)
)
def test_any_text_is_the_name_of_a_set_or_is_answered(text):
    found = SetSpec.find(text)
    if found is None:
        with pytest.raises(SgbenchError, match="expected"):
            SetSpec.parse(text)
    else:
        assert SetSpec.parse(found.name) == found


@pytest.mark.parametrize(
    ("conditions", "answer"),
    [
        ("counts-1e3", "'counts-1e3' states no severity in plain digits; .* counts-10000"),
        ("counts-", "'counts-' states no severity"),
        ("laboratory-", "expected a name such as laboratory"),
        ("count-5", "unknown condition 'count'"),
        ("laboratory+shift-0.05", "shift is a part of laboratory"),
        ("shift-0.05+laboratory", "shift is a part of laboratory"),
    ],
)
def test_a_condition_that_is_written_wrongly_is_answered_as_one(conditions, answer):
    with pytest.raises(SgbenchError, match=answer):
        SetSpec.parse(f"ulbd-off-mesh+{conditions}")


@pytest.mark.parametrize("old", OLD_NAMES)
def test_names_of_earlier_versions_are_understood(old):
    assert SetSpec.parse(old).name == OLD_NAMES[old]
    assert SetSpec.parse(old) == SetSpec.parse(OLD_NAMES[old])


def test_random_keys_are_those_of_the_first_name():
    for spec in (*DESIGNED_SETS, *TRAINED_ON_STRUCTURES):
        assert SetSpec.parse(spec.key) == spec
        assert spec.key == spec.name.replace("stratified", "paper-split")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("ulbd-cubik", "ulbd-cubic"),
        ("ulbd_off_mesh", "ulbd-off-mesh"),
        ("cddd-hexagonal", "cddd-trigonal-hexagonal"),
        ("cddd-statified-test", "cddd-stratified-test"),
        ("gcdd-in-domian", "gcdd-in-domain"),
        ("ulbd-mineral-cubic", "ulbd-mineral-cells-cubic"),
        ("ulbd-amplitudes-cubic", "ulbd-amplitude-cubic"),
        ("ulbd-physical-cubic-no-willson", "ulbd-physical-cubic-no-wilson"),
        ("ulbd-cubic@0.1", "ulbd-cubic"),
        ("ULBD-cubic", "cubic"),
        ("", "ulbd-"),
        ("something else", "ulbd-"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(name, nearest):
    with pytest.raises(SgbenchError, match=f"unknown set '{re.escape(name)}'") as raised:
        SetSpec.parse(name)
    expected = str(raised.value).partition("; expected a name such as ")[2].partition(". ")[0]
    assert any(nearest in one for one in expected.split(", ")), raised.value
    assert all(SetSpec.find(one) for one in expected.split(", "))
    assert SetSpec.find(name) is None


@pytest.mark.parametrize(
    ("trained", "seen"),
    [
        ("ulbd-cubic", ()),
        ("ulbd-physical-cubic@0.1x20", ()),
        ("cddd-cubic", ("cddd", "cddd-in-domain", "cddd-stratified-test")),
        ("cddd-cubic+thermal-2", ("cddd", "cddd-in-domain", "cddd-stratified-test")),
        (
            "cddd-all-stratified",
            ("cddd", "cddd-in-domain", "cddd-test", "cddd-test-in-domain"),
        ),
        ("gcdd-tetragonal", ("gcdd", "gcdd-in-domain")),
        (
            "gcdd-tetragonal-stratified",
            ("gcdd", "gcdd-in-domain", "gcdd-test", "gcdd-test-in-domain"),
        ),
    ],
)
def test_what_is_held_out_from_a_training_set(trained, seen):
    train = SetSpec.parse(trained)
    for test in TEST_SETS:
        harder = replace(test, conditions=(Condition("thermal", 1),))
        for one in (test, harder, test.of("cubic")):
            assert one.held_out_from(train) == (test.name not in seen), one


def test_values_say_what_they_are():
    for spec in PUBLISHED:
        words = spec.describe()
        assert len(words) > 10
        assert spec.acronym == STEMS[spec.origin].upper()
        assert spec.dataset == ("" if spec.origin == "designed" else STEMS[spec.origin])
    assert "'amplitude'" in SetSpec.parse("ulbd-amplitude-off-mesh").describe()
    assert "minerals have" in SetSpec.parse("ulbd-mineral-cells-cubic").describe()
    assert "article" in SetSpec.parse("cddd-stratified-test").describe()
    assert "mesh 0.1x20" in SetSpec.parse("ulbd-cubic@0.1x20").describe()
    assert "2.5 Å²" in SetSpec.parse("cddd+thermal-2.5").describe()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("ulbd-cubic", "ULBD"),
        ("ulbd-physical-trigonal-hexagonal", "ULBD-physical"),
        ("ulbd-physical-cubic-no-wilson", "ULBD-physical-no-wilson"),
        ("ulbd-mineral-cells-cubic", "ULBD-mineral-cells"),
        ("cddd-tetragonal-stratified", "CDDD-stratified"),
        ("gcdd-in-domain", "GCDD-in-domain"),
        ("ulbd-off-mesh", "ULBD-off-mesh"),
    ],
)
def test_labels_of_figures(name, label):
    assert SetSpec.parse(name).label == label


def test_the_same_set_of_another_family():
    assert SetSpec.parse("ulbd-cubic@0.1x20").of("tetragonal").name == "ulbd-tetragonal@0.1x20"
    for name in ("ulbd-physical-cubic-no-wilson", "cddd-cubic-stratified", "gcdd-cubic"):
        other = SetSpec.parse(name).of("monoclinic")
        assert other == SetSpec.parse(name.replace("cubic", "monoclinic"))
        assert other.of("cubic").name == name


def test_one_name_has_one_value():
    """What a name does not say has no two ways to be said."""
    assert SetSpec("crystals", family="cubic") == SetSpec(
        "crystals", family="cubic", split="grouped"
    )
    assert SetSpec("random", "all", split="stratified") == SetSpec("random", "all")
    assert replace(SetSpec.parse("cddd-test"), part="all") == SetSpec.parse("cddd")


# Nobody but the module of the value takes names apart or puts them together.

_STEM = rf"(?:{'|'.join(STEMS.values())})"
_PART = "-(?:in-mesh|off-mesh|sealed|in-domain|test|paper|stratified|physical|published|imbalanced)"
_METHOD = (
    r"\.(?:startswith|endswith|removeprefix|removesuffix|r?partition|split|replace|contains|"
    r"match|fullmatch|search|sub|startsWith|endsWith|includes|replaceAll)\("
)
HANDLING = re.compile(
    "|".join(
        [
            rf"{_METHOD}[^()]*?[\"'`/^](?:{_STEM}|{_PART}|-no-)",  # name.startswith("cddd")
            rf"f[\"']{_STEM}-[^\"'\n]*\{{",  # f"cddd-{family}"
            rf"f[\"'][^\"'\n ]*\}}{_PART}",  # f"{name}-test"
            rf"`{_STEM}-[^`\n]*\$\{{",  # the same in JavaScript
            rf"`[^`\n ]*\}}{_PART}",
            rf"[\"'](?:{_STEM})-?[\"']\s*\+",  # "cddd-" + family
            rf"\+\s*\(?[\"']{_PART}",  # name + "-test"
            rf"[\"']{_STEM}-?[\"'] (?:not )?in \w",  # "cddd" in name
        ]
    )
)


@pytest.mark.parametrize(
    "line",
    [
        'if name.startswith("ulbd-"):',
        'name.removesuffix("-in-domain")',
        'source = name.partition("-no-")[0]',
        'table["train_set"].str.startswith("ulbd-cubic@")',
        "name.replace('-paper-split', '')",
        'ULBD[f"ulbd-{family}"]',
        'f"{name}-test"',
        'train = "cddd-" + family + ("-paper-split" if real else "")',
        'if "cddd" in name:',
        "const known = name.startsWith('gcdd');",
        "`ulbd-${family}`",
        're.match(r"ulbd-(.*)", name)',
    ],
)
def test_handling_of_names_is_noticed(line):
    assert HANDLING.search(line)


@pytest.mark.parametrize(
    "line",
    [
        'SetSpec.parse("ulbd-cubic")',
        '"""Name of the set, e.g. ``ulbd-cubic``."""',
        "f\"'{name}' is no set; expected a training set such as ulbd-cubic or {other}.\"",
        'if name in ("cddd", "cddd-test"):',
        '# "cddd-" and a family',
        'path.name.endswith(".parquet")',
    ],
)
def test_naming_a_set_is_no_handling(line):
    assert not HANDLING.search(line)


def test_only_the_module_of_the_value_handles_names():
    package = Path(sgbench.__file__).parent
    home = package / "sets" / "_spec.py"
    files = {
        *package.rglob("*.py"),
        *package.rglob("*.js"),
        *(package.parent / "workflow").rglob("*.smk"),
        package.parent / "workflow" / "Snakefile",
    } - {home}
    assert len(files) > 100
    assert HANDLING.search(home.read_text())
    guilty = []
    for path in sorted(files):
        text = path.read_text()
        for found in HANDLING.finditer(text):
            line = text.count("\n", 0, found.end()) + 1
            guilty.append(f"{path.relative_to(package.parent)}:{line}: {found.group()}")
    assert guilty == []
