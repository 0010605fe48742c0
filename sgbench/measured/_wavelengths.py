"""Wavelengths: those of tubes, and where a file, a caller or a title states one.

Kα₁ and Kα₂ are from International Tables for Crystallography C, table 4.2.2.4.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sgbench.checked import printed
from sgbench.errors import SgbenchError

#: Kα₁ and Kα₂ of anodes, in ångström.
ANODES = {
    "Cu": (1.5405929, 1.5444274),
    "Co": (1.7889960, 1.7928350),
    "Fe": (1.9360410, 1.9399730),
    "Cr": (2.2897260, 2.2936510),
    "Mo": (0.7093172, 0.7136070),
    "Ag": (0.5594218, 0.5638131),
}
# What diffraction by crystals can be measured with, in ångström.
SHORTEST, LONGEST = 0.05, 10.0
#: Kα₂ by Kα₁ of any tube without a monochromator.
RATIO = 0.5

_NUMBER = r"(\d*\.\d+(?:[eE][-+]?\d+)?|\d+(?:\.\d*)?[eE][-+]?\d+|\d+(?![.\d]))"
_UNIT = r"\s*(?:\(?\s*(Å|A\b|Ang\w*|ANG\w*|nm|pm|m)\b)?"
_LABELLED = re.compile(
    r"(?:wave\s*-?length|\blambda\b|\bWL\b|λ|(?<![\w.])l(?=\s*=))"
    rf"(?:\s*\([^)\d]*\)|\s*\[[^]\d]*\])?\s*[:=]?\s*{_NUMBER}{_UNIT}",
    re.IGNORECASE,
)
_DOUBLET = re.compile(
    r"K?-?\s?Alpha\s?-?1(?:\s+wavelength)?\s*[,:=]?\s*" + _NUMBER
    + r"(?:.*?K?-?\s?Alpha\s?-?2(?:\s+wavelength)?\s*[,:=]?\s*" + _NUMBER + r")?"
    + r"(?:.*?Ratio[^\d\n]*?(?:Alpha1)?\s*[,:=]?\s*" + _NUMBER + r")?",
    re.IGNORECASE | re.DOTALL,
)  # fmt: skip
_WITH_UNIT = re.compile(r"(?<![=\w.+-])(\d\.\d{2,6})\s?(?:Å|A|ANG|[Aa]ngstr\w*)(?![\w+-])")
_ANODE = re.compile(r"\banode\b[^\w\n]{0,4}(Cu|Co|Fe|Cr|Mo|Ag)\b", re.IGNORECASE)
_LINE = re.compile(
    r"(?<![A-Za-z])(Cu|Co|Fe|Cr|Mo|Ag)[\s-]?K[\s_-]?(?:\\?alpha|\\a|α|a)"
    r"[\s_-]?(?:~?([12₁₂])~?)?(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_UNITS = {"m": 1e10, "nm": 10.0, "pm": 0.01}


@dataclass(frozen=True)
class Wavelength:
    """One wavelength of the radiation.

    Attributes
    ----------
    value : float
        In ångström.
    weight : float
        Intensity of its line by that of the strongest one.
    source : str
        Where it is from, in words.
    """

    value: float
    weight: float
    source: str


def is_likely(value: float | None) -> bool:
    """Tell whether a number can be a wavelength that crystals diffract, in ångström."""
    return value is not None and SHORTEST <= value <= LONGEST


def stated(
    first: float | None, second: float | None, ratio: float | None, source: str
) -> tuple[Wavelength, ...]:
    """Return what a file states about Kα₁, Kα₂ and their ratio, any of which may be missing."""
    if first is None or not is_likely(first):
        return ()
    found = (Wavelength(first, 1.0, source),)
    if second is None or not is_likely(second) or abs(second - first) < 1e-6:
        return found
    if ratio is None:
        return (*found, Wavelength(second, RATIO, f"{source}; the ratio is that of tubes"))
    return (*found, Wavelength(second, ratio, source)) if 0 < ratio <= 1 else found


def of_anode(symbol: str, source: str, line: str = "") -> tuple[Wavelength, ...]:
    """Return the lines of an anode, ``line`` being 1 or 2 where only one of them is meant."""
    first, second = ANODES[symbol.capitalize()]
    if line in ("1", "₁"):
        return (Wavelength(first, 1.0, source),)
    if line in ("2", "₂"):
        return (Wavelength(second, 1.0, source),)
    return (Wavelength(first, 1.0, source), Wavelength(second, RATIO, source))


def in_text(lines: Sequence[str], where: str = "head") -> tuple[Wavelength, ...]:
    """Return the wavelengths that prose about a pattern states, or none.

    A number counts if a word before it or a unit behind it says what it is; a number alone does
    not, however likely it looks.
    """
    text = "\n".join(line[:500] for line in lines[:200])
    if found := _DOUBLET.search(text):
        first, second, ratio = (None if part is None else float(part) for part in found.groups())
        if is_likely(first):
            return stated(first, second, ratio, f"{where}: '{_words(found[0])}'")
    for found in _LABELLED.finditer(text):
        value = float(found[1]) * _UNITS.get((found[2] or "").lower(), 1.0)
        if is_likely(value) and "." in found[1]:
            return (Wavelength(value, 1.0, f"{where}: '{_words(found[0])}'"),)
    for found in _WITH_UNIT.finditer(text):
        if 0.2 <= float(found[1]) <= 4:
            return (Wavelength(float(found[1]), 1.0, f"{where}: '{_words(found[0])}'"),)
    if found := _ANODE.search(text):
        return of_anode(found[1], f"{where}: '{_words(found[0])}'")
    if found := _LINE.search(text):
        return of_anode(found[1], f"{where}: '{_words(found[0])}'", found[2] or "")
    return ()


def _words(text: str) -> str:
    return printed(" ".join(text.split()))


def given(wanted: float | str | Iterable[float]) -> tuple[Wavelength, ...]:
    """Return the wavelengths that a caller names.

    Parameters
    ----------
    wanted : float, str or iterable of float
        One wavelength in ångström, two for a doublet (the second at half the weight), or the name
        of a tube's lines such as ``CuKa`` (both), ``CuKa1`` or ``Cu``.

    Raises
    ------
    SgbenchError
        If it is none of these.
    """
    source = "given by the caller"
    if isinstance(wanted, str):
        name = re.fullmatch(
            r"(Cu|Co|Fe|Cr|Mo|Ag)(?:[\s-]?K[\s-]?(?:alpha|a|α)([12₁₂])?)?",
            wanted.strip(),
            re.IGNORECASE,
        )
        if name:
            return of_anode(name[1], source, name[2] or "")
        parts: Iterable[object] = wanted.split(",")
    else:
        parts = (wanted,) if isinstance(wanted, (int, float)) else wanted
    try:
        values = [float(part) for part in parts]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        values = []
    if len(values) not in (1, 2) or not all(map(is_likely, values)):
        raise SgbenchError(
            f"'{printed(str(wanted))}' is no wavelength; expected ångström from {SHORTEST:g} to "
            f"{LONGEST:g}, two of them for a doublet, or lines such as CuKa or MoKa1. Give 1.5406, "
            "for example."
        )
    found = [Wavelength(value, 1.0, source) for value in values]
    found[1:] = [replace(one, weight=RATIO) for one in found[1:]]
    return tuple(found)
