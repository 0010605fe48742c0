"""What families and sets are called on the page, with a hint that says what each is."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd

from sgbench.sets import DESIGNED, SetSpec
from sgbench.symmetry import family_spacegroups

_ORIGINS = {"designed": "designed", "crystals": "real crystals", "random": "random structures"}
_LAWS = {
    "uniform": "",
    "amplitude": "squared amplitudes",
    "amplitude-falloff": "squared amplitudes that fall off",
    "physical": "physical intensities",
}
_WITHOUT = {
    "": "",
    "wilson": " without Wilson statistics",
    "multiplicity": " without multiplicity",
    "falloff": " without fall-off",
}


def family_name(family: str) -> str:
    """Return the name of a family, which for all groups together is no "any"."""
    if family == "all":
        return f"all {len(family_spacegroups(family))} groups"
    return family.replace("-", " and ")


@cache
def set_words(name: str, with_family: bool = True) -> tuple[str, str]:
    """Return a set's name in words and a sentence that says what it holds.

    Parameters
    ----------
    name : str
        Of a training or test set. One that sgbench does not know keeps its name and has no
        sentence.
    with_family : bool
        Whether the words say the family of a training set.
    """
    if name == "none":
        return "no training", "It needs no training."
    spec = SetSpec.find(name)
    if spec is None:
        return name, ""
    if not with_family:
        spec = replace(spec, family="")
    return _title(spec), f"{name}: {spec.describe()}."


def data_names(table: pd.DataFrame) -> list[str]:
    """Name what each row was tested on, so that one name is never that of different data.

    The most frequent source keeps the name of the test set, and so does the checksum of a source
    that most samples were tested with. Others add their own.
    """
    columns = ["scale", "family", "test_set", "source", "test_sha256"]
    known = table[columns].astype(object).fillna({"source": "unrecorded", "test_sha256": "unknown"})
    rows = list(known.itertuples(index=False, name=None))
    sources: dict[Any, Counter[str]] = defaultdict(Counter)
    checksums: dict[Any, Counter[str]] = defaultdict(Counter)
    for (*key, test_set, source, sha256), n in zip(rows, table["n_test"], strict=True):
        sources[test_set][source] += 1
        checksums[(*key, test_set, source)][sha256] += n
    names = []
    for *key, test_set, source, sha256 in rows:
        usual_source, usual_sha256 = (
            counts.most_common(1)[0][0]
            for counts in (sources[test_set], checksums[(*key, test_set, source)])
        )
        own = [source] if source != usual_source else []
        own += [sha256[:8]] if sha256 != usual_sha256 else []
        names.append(f"{test_set} ({', '.join(own)})" if own else test_set)
    return names


def data_words(test_data: str, test_set: str) -> tuple[str, str]:
    """Return the words for a test set, with what tells its data from others of that name."""
    title, sentence = set_words(test_set)
    own = test_data.removeprefix(test_set)
    other = " Other patterns than most rows of this name were tested on." if own else ""
    return title + own, sentence + other


def _title(spec: SetSpec) -> str:
    parts = [_ORIGINS[spec.origin], family_name(spec.family) if spec.family else ""]
    parts += _designed(spec) if spec.origin == DESIGNED else _structures(spec)
    return ", ".join([*filter(None, parts), *map(str, spec.conditions)])


def _designed(spec: SetSpec) -> Iterable[str]:
    head, without = spec.law_parts
    yield _LAWS[head] + _WITHOUT[without]
    yield "cells of minerals" if spec.cells else ""
    yield "" if spec.balanced else "unequal cells"
    yield "" if spec.protocol == "canonical" else f"{spec.protocol} protocol"
    if spec.mesh is not None:
        by_step = f"{spec.mesh.step:g} Å × {spec.mesh.patterns}"
        yield f"mesh {spec.mesh if spec.mesh.axes else by_step}"
    yield "" if spec.part == "train" else spec.part


def _structures(spec: SetSpec) -> Iterable[str]:
    split = " by the article's split" if spec.split == "stratified" else ""
    yield "held out" + split if spec.part == "test" else split.strip()
    yield "cells in the trained range" if spec.in_domain else ""
