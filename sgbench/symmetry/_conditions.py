"""Reflection conditions, derived from the operations of a space group.

An operation (R, t) that leaves every reflection of a zone unchanged (h R = h) demands that h.t be
an integer, or the reflection is absent (ITA section 1.6.3). For a zone such as ``0kl`` these
demands are linear forms in its free indices, and together they form a finite abelian group: two
sets of conditions are the same exactly when they generate the same group. So a condition is put
into words by looking for the wording that generates the group at hand; no table of space groups is
consulted.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import product

import gemmi
import numpy as np

from sgbench.symmetry._groups import family_of, operations

_DEN = gemmi.Op.DEN  # translations are integers in units of 1/24
Forms = frozenset[tuple[int, ...]]


@dataclass(frozen=True)
class Zone:
    """A set of reflections given by its free indices: hkl = free indices @ basis."""

    name: str
    basis: tuple[tuple[int, int, int], ...]
    free: tuple[str, ...]


@dataclass(frozen=True)
class ReflectionCondition:
    """What must hold for a reflection of a zone to be present, e.g. ``00l`` and ``l = 4n``."""

    zone: str
    condition: str

    def __str__(self) -> str:
        return f"{self.zone}: {self.condition}"


_H, _K, _L = (1, 0, 0), (0, 1, 0), (0, 0, 1)
_GENERAL = Zone("hkl", (_H, _K, _L), ("h", "k", "l"))
_0KL = Zone("0kl", (_K, _L), ("k", "l"))
_H0L = Zone("h0l", (_H, _L), ("h", "l"))
_HK0 = Zone("hk0", (_H, _K), ("h", "k"))
_HHL = Zone("hhl", ((1, 1, 0), _L), ("h", "l"))
_H00, _0K0, _00L = (
    Zone("h00", (_H,), ("h",)),
    Zone("0k0", (_K,), ("k",)),
    Zone("00l", (_L,), ("l",)),
)
_HH0 = Zone("hh0", ((1, 1, 0),), ("h",))
_HEX_GENERAL = Zone("hkil", _GENERAL.basis, _GENERAL.free)
_HEX_H = Zone("h-h0l", ((1, -1, 0), _L), ("h", "l"))
_HEX_HH = Zone("hh-2hl", ((1, 1, 0), _L), ("h", "l"))
_HEX_00L = Zone("000l", (_L,), ("l",))

#: Zones up to symmetry, in the column order of ITA Table 3.1.4.1. Cubic ones hold for cyclic
#: permutations of h, k, l as well.
ZONES: dict[str, tuple[Zone, ...]] = {
    "triclinic": (_GENERAL,),
    "monoclinic": (_GENERAL, _H0L, _0K0),
    "orthorhombic": (_GENERAL, _0KL, _H0L, _HK0, _H00, _0K0, _00L),
    "tetragonal": (_GENERAL, _HK0, _0KL, _HHL, _00L, _0K0, _HH0),
    "trigonal-hexagonal": (_HEX_GENERAL, _HEX_H, _HEX_HH, _HEX_00L),
    "cubic": (_GENERAL, _0KL, _HHL, _00L),
}

#: (zone of the reflections in the plane, zone along the axis) of each symmetry direction of the
#: Hermann-Mauguin symbol; None where neither a plane nor an axis can extinguish.
DIRECTIONS: dict[str, tuple[tuple[Zone, Zone] | None, ...]] = {
    "triclinic": (None,),
    "monoclinic": (None, (_H0L, _0K0), None),
    "orthorhombic": ((_0KL, _H00), (_H0L, _0K0), (_HK0, _00L)),
    "tetragonal": ((_HK0, _00L), (_0KL, _H00), (_HHL, _HH0)),
    "trigonal-hexagonal": ((_HK0, _HEX_00L), (_HEX_H, _H00), (_HEX_HH, _HH0)),
    "cubic": ((_HK0, _00L), None, (_HHL, _HH0)),
}


@cache
def reflection_conditions(spacegroup: int) -> tuple[ReflectionCondition, ...]:
    """Derive the independent reflection conditions of a space group.

    Parameters
    ----------
    spacegroup : int
        Number of the space group, 1-230.

    Returns
    -------
    tuple of ReflectionCondition
        One a zone whose condition does not already follow from a larger zone (so ``00l: l = 2n`` is
        left out where a glide plane implies it), in the order of ITA Table 3.1.4.1. Indices follow
        the standard setting; trigonal and hexagonal zones carry four indices.
    """
    found = []
    for zone in ZONES[family_of(spacegroup)]:
        forms, implied = zone_forms(spacegroup, zone)
        if forms != implied:
            found.append(ReflectionCondition(zone.name, condition_words(forms, zone.free)))
    return tuple(found)


@cache
def zone_forms(spacegroup: int, zone: Zone) -> tuple[Forms, Forms]:
    """Return the integrality demands on a zone: all, and those that larger zones already make.

    Each demand is a vector f of integers mod 24 with f . (free indices) = 0 (mod 24).
    """
    basis = np.array(zone.basis)
    all_forms, from_larger = [], []
    for op in operations(spacegroup):
        rotation = np.array(op.rot) // _DEN
        if not np.array_equal(basis @ rotation, basis):
            continue
        form = tuple(int(x) for x in (basis @ np.array(op.tran)) % _DEN)
        all_forms.append(form)
        fixed_dimension = 3 - np.linalg.matrix_rank(rotation - np.eye(3))
        if fixed_dimension > len(basis):
            from_larger.append(form)
    return _span(all_forms, len(basis)), _span(from_larger, len(basis))


def _span(generators: list[tuple[int, ...]], dimension: int) -> Forms:
    """Close a set of forms under addition mod 24."""
    span = {(0,) * dimension}
    for generator in generators:
        if generator in span:
            continue
        multiples = [tuple(n * x % _DEN for x in generator) for n in range(_DEN)]
        span = {
            tuple((a + b) % _DEN for a, b in zip(x, y, strict=True))
            for x, y in product(span, multiples)
        }
    return frozenset(span)


# Wordings by the number of free indices; x, y, z stand for the indices. Each congruence is
# (coefficients, modulus); the text is what International Tables prints.
_Wording = tuple[str, tuple[tuple[tuple[int, ...], int], ...]]
_WORDINGS: dict[int, tuple[_Wording, ...]] = {
    1: tuple((f"x = {m}n", (((1,), m),)) for m in (2, 3, 4, 6)),
    2: (
        ("x = 2n", (((1, 0), 2),)),
        ("y = 2n", (((0, 1), 2),)),
        ("x+y = 2n", (((1, 1), 2),)),
        ("x, y = 2n", (((1, 0), 2), ((0, 1), 2))),
        ("x+y = 4n; x, y = 2n", (((1, 1), 4), ((1, 0), 2), ((0, 1), 2))),
        ("2x+y = 4n", (((2, 1), 4),)),
        ("y = 3n", (((0, 1), 3),)),
        ("x+y = 3n", (((1, 1), 3),)),
        ("x+y = 3n; y = 2n", (((1, 1), 3), ((0, 1), 2))),
    ),
    3: (
        ("x+y = 2n", (((1, 1, 0), 2),)),
        ("x+z = 2n", (((1, 0, 1), 2),)),
        ("y+z = 2n", (((0, 1, 1), 2),)),
        ("x+y+z = 2n", (((1, 1, 1), 2),)),
        ("x+y, x+z, y+z = 2n", (((1, 1, 0), 2), ((1, 0, 1), 2))),
        ("-x+y+z = 3n", (((-1, 1, 1), 3),)),
    ),
}


def condition_words(forms: Forms, free: tuple[str, ...]) -> str:
    """Put the demands on a zone into words, as ITA does: ``h+k = 2n``.

    Parameters
    ----------
    forms : Forms
        As `zone_forms` returns them.
    free : tuple of str
        Names of the zone's free indices.
    """
    for text, congruences in _WORDINGS[len(free)]:
        generators = [
            tuple(c * (_DEN // modulus) % _DEN for c in coefficients)
            for coefficients, modulus in congruences
        ]
        if _span(generators, len(free)) == forms:
            names = dict(zip("xyz", free, strict=False))
            return "".join(names.get(char, char) for char in text)
    return "; ".join(_congruences(forms, free))


def _congruences(forms: Forms, free: tuple[str, ...]) -> list[str]:
    """Say demands that no table words, one congruence after the other, the simplest first."""
    found: list[tuple[int, ...]] = []
    for form in sorted(forms, key=lambda f: (sum(x != 0 for x in f), -math.gcd(*f, _DEN), f)):
        if form not in _span(found, len(free)):
            found.append(form)
    words = []
    for form in found:
        unit = math.gcd(*form, _DEN)
        terms = [
            f"{x // unit if x != unit else ''}{name}"
            for x, name in zip(form, free, strict=True)
            if x
        ]
        words.append(f"{'+'.join(terms)} = {_DEN // unit}n")
    return words
