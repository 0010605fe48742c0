"""The conditions in words, read back by a parser that knows nothing of how they were found."""

import re

import numpy as np
import pytest

from sgbench.errors import SgbenchError
from sgbench.symmetry import reflection_conditions

_TERM = re.compile(r"([+-]?)(\d*)([hkl])")


def zone_indices(zone: str) -> list[str]:
    """'h-h0l' -> ['h', '-h', 'l']: four-index zones lose the third, i = -h-k."""
    entries = re.findall(r"-?(?:0|\d?[hkil])", zone)
    return [entries[0], entries[1], entries[3]] if len(entries) == 4 else entries


def in_zone(zone: str, hkl: np.ndarray) -> np.ndarray:
    inside = np.ones(len(hkl), dtype=bool)
    free: dict[str, np.ndarray] = {}
    for entry, column in zip(zone_indices(zone), hkl.T, strict=True):
        if entry == "0":
            inside &= column == 0
            continue
        value = -column if entry.startswith("-") else column
        letter = entry[-1]
        if letter in free:
            inside &= value == free[letter]
        else:
            free[letter] = value
    return inside


def fulfilled(zone: str, condition: str, hkl: np.ndarray) -> np.ndarray:
    """'h+l = 4n; h, l = 2n' over reflections of the zone."""
    columns = {"h": hkl[:, 0], "k": hkl[:, 1], "l": hkl[:, 2]}
    right = np.ones(len(hkl), dtype=bool)
    for clause in condition.split(";"):
        forms, modulus = clause.split("=")
        for form in forms.split(","):
            value = sum(
                int(sign + (number or "1")) * columns[letter]
                for sign, number, letter in _TERM.findall(form.strip())
            )
            right &= value % int(modulus.strip().removesuffix("n")) == 0
    return right


@pytest.mark.parametrize(
    ("zone", "entries"),
    [
        ("0kl", ["0", "k", "l"]),
        ("hhl", ["h", "h", "l"]),
        ("hh0", ["h", "h", "0"]),
        ("h-h0l", ["h", "-h", "l"]),
        ("hh-2hl", ["h", "h", "l"]),
        ("hkil", ["h", "k", "l"]),
        ("000l", ["0", "0", "l"]),
    ],
)
def test_the_parser_reads_zones(zone, entries):
    assert zone_indices(zone) == entries


def test_conditions_in_words_reproduce_the_absences_of_every_group(
    spglib_absences, spglib_operations, box
):
    hkl = box(6)
    wrong = []
    for spacegroup in range(1, 231):
        rotations, _ = spglib_operations(spacegroup)
        broken = np.zeros(len(hkl), dtype=bool)
        for rotation in np.unique(rotations, axis=0):
            equivalent = hkl @ rotation
            for rule in reflection_conditions(spacegroup):
                for signed in (equivalent, -equivalent):
                    inside = in_zone(rule.zone, signed)
                    broken |= inside & ~fulfilled(rule.zone, rule.condition, signed)
        if not np.array_equal(broken, spglib_absences(spacegroup, hkl)):
            wrong.append(spacegroup)
    assert wrong == []


def test_no_condition_follows_from_the_others(spglib_operations, box):
    """Each one extinguishes a reflection that the conditions on larger zones leave."""
    hkl = box(6)
    for spacegroup in range(1, 231):
        rotations, _ = spglib_operations(spacegroup)
        rules = reflection_conditions(spacegroup)
        for rule in rules:
            freedom = len(set(rule.zone) & set("hkl"))
            larger = [r for r in rules if len(set(r.zone) & set("hkl")) > freedom]
            inside = hkl[in_zone(rule.zone, hkl)]
            broken = np.zeros(len(inside), dtype=bool)
            for rotation in np.unique(rotations, axis=0):
                equivalent = inside @ rotation
                for other in larger:
                    broken |= in_zone(other.zone, equivalent) & ~fulfilled(
                        other.zone, other.condition, equivalent
                    )
            new = ~fulfilled(rule.zone, rule.condition, inside) & ~broken
            assert new.any(), (spacegroup, str(rule))


@pytest.mark.parametrize(
    ("spacegroup", "conditions"),  # International Tables A, the groups' own pages
    [
        (1, []),
        (14, ["h0l: l = 2n", "0k0: k = 2n"]),
        (19, ["h00: h = 2n", "0k0: k = 2n", "00l: l = 2n"]),
        (62, ["0kl: k+l = 2n", "hk0: h = 2n"]),
        (96, ["00l: l = 4n", "0k0: k = 2n"]),
        (167, ["hkil: -h+k+l = 3n", "h-h0l: h+l = 3n; l = 2n"]),
        (178, ["000l: l = 6n"]),
        (194, ["hh-2hl: l = 2n"]),
        (205, ["0kl: k = 2n"]),
        (220, ["hkl: h+k+l = 2n", "hhl: 2h+l = 4n"]),
    ],
)
def test_as_printed(spacegroup, conditions):
    assert [str(rule) for rule in reflection_conditions(spacegroup)] == conditions


def test_no_such_group():
    with pytest.raises(SgbenchError, match="1 to 230"):
        reflection_conditions(231)
