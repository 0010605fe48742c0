"""Powder CIF: measured profiles, with the wavelength of another block where that belongs to it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sgbench.checked import printed
from sgbench.measured._numbers import number
from sgbench.measured._pattern import MOST_POINTS, NotReadable, Scan
from sgbench.measured._wavelengths import Wavelength, in_text, is_likely

if TYPE_CHECKING:
    from gemmi import cif

_ANGLES = (
    "_pd_meas_2theta_scan", "_pd_meas_2theta_corrected", "_pd_proc_2theta_corrected",
    "_pd_proc_2theta_scan",
)  # fmt: skip
_INTENSITIES = (
    "_pd_meas_counts_total", "_pd_meas_intensity_total", "_pd_meas_counts_net",
    "_pd_meas_intensity_net", "_pd_proc_intensity_total", "_pd_proc_intensity_net",
)  # fmt: skip
_OTHER_AXES = {
    "_pd_meas_time_of_flight": "a time of flight", "_pd_proc_energy_incident": "an energy",
    "_pd_proc_energy_detection": "an energy", "_pd_meas_channel": "a channel",
}  # fmt: skip
_WAVELENGTHS = (
    "_pd_proc_wavelength", "_diffrn_radiation_wavelength", "_diffrn_radiation_wavelength_value",
    "_diffrn_radiation_wavelength_wavelength", "_instr_wavelength",
)  # fmt: skip
_WEIGHTS = ("_diffrn_radiation_wavelength_wt",)
_IDS = ("_pd_block_id", "_pd_block_diffractogram_id")
_UNKNOWN = ("?", ".")


class _Block:
    """Tags and values of a block, with names of both generations of dictionaries made one."""

    def __init__(self, block: "cif.Block") -> None:
        self.name = block.name
        self.values: dict[str, list[str]] = {}
        item: Any
        self.loops: list[dict[str, list[str]]] = []
        for item in block:
            if item.pair is not None:
                self.values.setdefault(_plain(item.pair[0]), [item.pair[1]])
            elif item.loop is not None:
                loop = item.loop
                if loop.width() * loop.length() > 20 * MOST_POINTS:
                    raise NotReadable(f"it has more than {MOST_POINTS} points")
                columns = {
                    _plain(tag): [loop[place, column] for place in range(loop.length())]
                    for column, tag in enumerate(loop.tags)
                }
                self.loops.append(columns)
                self.values |= columns

    def first(self, *names: str) -> str:
        """Return the first value that is known of some tags, unquoted."""
        for name in names:
            for value in self.values.get(name, ()):
                if text := _text(value):
                    return text
        return ""

    @property
    def is_calculated(self) -> bool:
        """Whether its profile is made up, as those that publCIF adds for its plots."""
        return (
            "simulated" in self.name.lower()
            or "simulated" in self.first("_publcif_pd_cifplot").lower()
        )


def _plain(tag: str) -> str:
    return tag.lower().replace(".", "_")


def _text(value: str) -> str:
    from gemmi import cif

    text = cif.as_string(value).strip()
    return "" if text in _UNKNOWN else text


def _value(value: str) -> tuple[float, float]:
    """Return a number and its uncertainty, ``119(17)``; NaN where there is none."""
    text, _, rest = value.strip("'\"").partition("(")
    found = number(text)
    if found is None:
        return np.nan, np.nan
    digits = rest.rstrip(")")
    if not digits.isdigit() or len(digits) > 12:
        return found, np.nan
    mantissa, _, exponent = text.lower().partition("e")
    places = len(mantissa.partition(".")[2])
    power = int(exponent) if exponent.lstrip("+-").isdigit() and len(exponent) < 5 else 0
    exponent_of_last = power - places
    return found, float(digits) * 10.0**exponent_of_last if abs(exponent_of_last) < 100 else np.nan


def read_pdcif(content: bytes) -> list[Scan]:
    """Return the measured profiles of a CIF.

    Raises
    ------
    NotReadable
        If it is damaged or holds none.
    """
    from gemmi import cif

    try:
        document = cif.read_string(_decodable(content))
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise NotReadable(f"its CIF is damaged: {printed(first)}") from error
    blocks = [_Block(block) for block in document]
    found, left_out = [], []
    for block in blocks:
        if block.is_calculated:
            left_out.append(f"block '{printed(block.name)}' is calculated and was left out")
        elif (scan := _profile(block)) is not None:
            if not scan.refused:
                _describe(scan, block, blocks)
            found.append(scan)
    if not found:
        raise NotReadable(
            "it is a CIF in which every profile is calculated" if left_out
            else "it is a CIF without a measured profile"
        )  # fmt: skip
    for scan in found:
        scan.notes += left_out
    return found


def _decodable(content: bytes) -> str:
    from sgbench.measured._numbers import decoded

    return decoded(content).replace("\r\n", "\n").replace("\r", "\n")


def _profile(block: _Block) -> Scan | None:
    """Return the profile of a block, whose angles may be a column or a range."""
    for loop in block.loops:
        tag = next((name for name in _INTENSITIES if _known(loop.get(name))), None)
        if tag is None:
            continue
        y, sigma = (np.array(part) for part in zip(*map(_value, loop[tag]), strict=True))
        if f"{tag}_su" in loop:
            sigma = np.array([_value(one)[0] for one in loop[f"{tag}_su"]])
        angles = next((name for name in _ANGLES if _known(loop.get(name))), None)
        if angles is None and (
            other := next((n for n in _OTHER_AXES if _known(loop.get(n))), None)
        ):
            return Scan(refused=(
                f"its axis is {_OTHER_AXES[other]}, and only patterns over 2θ at one wavelength "
                "are read"
            ))  # fmt: skip
        if angles is not None:
            x: Any = np.array([_value(one)[0] for one in loop[angles]])
            notes: list[str] = []
        else:
            x, notes = _range(block, tag, len(y))
        if x is None:
            return Scan(refused="it does not say at which angles its intensities are")
        return Scan(x, y, None if np.isnan(sigma).all() else sigma, notes=notes)
    if any(_known(block.values.get(name)) for name in _OTHER_AXES):
        return Scan(refused="its axis is a time of flight, an energy or a channel")
    return None


def _other_axis(loop: Mapping[str, list[str]]) -> str | None:
    return next((name for name in _OTHER_AXES if _known(loop.get(name))), None)


def _known(values: Sequence[str] | None) -> bool:
    return values is not None and any(_text(value) for value in values)


def _range(block: _Block, tag: str, points: int) -> tuple[Any, list[str]]:
    """Return the angles of a range; the range of what was measured goes with what was."""
    notes: list[str] = []
    ranges = {}
    for kind in ("meas", "proc"):
        ends = [
            _value(block.first(f"_pd_{kind}_2theta_range_{end}") or "?")[0]
            for end in ("min", "max", "inc")
        ]
        if np.isfinite(ends).all() and ends[2] > 0 and ends[1] > ends[0]:
            ranges[kind] = ends
    order = ("proc", "meas") if tag.startswith("_pd_proc") else ("meas", "proc")
    fitting = [
        kind for kind in order if kind in ranges
        and abs((ranges[kind][1] - ranges[kind][0]) / ranges[kind][2] + 1 - points) < 1.5
    ]  # fmt: skip
    chosen = next(iter([*fitting, *(kind for kind in order if kind in ranges)]), None)
    if chosen is None:
        return None, notes
    low, high, step = ranges[chosen]
    if not fitting:
        notes.append(f"the range says {round((high - low) / step) + 1} points, {points} are there")
    return low + step * np.arange(points), notes


def _describe(scan: Scan, block: _Block, blocks: Sequence[_Block]) -> None:
    """Add wavelengths, what the block says of the sample, and ranges that differ."""
    scan.wavelengths = _wavelengths(block, blocks)
    about = next((one for one in (block, *blocks) if one.first(
        "_chemical_name_systematic", "_chemical_name_common", "_chemical_name_mineral",
        "_chemical_formula_sum", "_pd_phase_name")), block)  # fmt: skip
    scan.metadata = {
        "block": block.name,
        "name": about.first(
            "_chemical_name_mineral", "_chemical_name_common", "_chemical_name_systematic",
            "_pd_phase_name",
        ),
        "formula": about.first("_chemical_formula_sum"),
        "spacegroup": about.first("_symmetry_space_group_name_h-m", "_space_group_name_h-m_alt"),
        "radiation": _first_of(blocks, block, "_diffrn_radiation_type"),
        "database": about.first("_cod_database_code"),
    }  # fmt: skip
    ranges: Mapping[str, list[str]] = {
        kind: [_first_of(blocks, block, f"_pd_{kind}_2theta_range_{end}") for end in ("min", "max")]
        for kind in ("meas", "proc")
    }
    if all(all(ends) for ends in ranges.values()) and ranges["meas"] != ranges["proc"]:
        words = {kind: " to ".join(printed(end) for end in ends) for kind, ends in ranges.items()}
        scan.notes.append(
            f"the file states {words['meas']} degrees as measured and {words['proc']} as processed"
        )


def _first_of(blocks: Sequence[_Block], block: _Block, tag: str) -> str:
    real = [one for one in blocks if not one.is_calculated]
    return next((text for one in (block, *real) if (text := one.first(tag))), "")


def _wavelengths(block: _Block, blocks: Sequence[_Block]) -> tuple[Wavelength, ...]:
    """Return the wavelengths of a block, or of the one that it belongs to."""
    if found := _of_block(block, "this block"):
        return found
    mine = {text for name in _IDS for value in block.values.get(name, ()) if (text := _text(value))}
    others = [one for one in blocks if one is not block and not one.is_calculated]
    linked = [
        one for one in others
        if mine & {_text(value) for name in _IDS for value in one.values.get(name, ())}
    ]  # fmt: skip
    for one in linked:
        if found := _of_block(one, f"block '{printed(one.name)}'"):
            return found
    rest = [found for one in others if (found := _of_block(one, f"block '{printed(one.name)}'"))]
    values = {tuple(line.value for line in found) for found in rest}
    return rest[0] if len(values) == 1 else ()


def _of_block(block: _Block, where: str) -> tuple[Wavelength, ...]:
    for tag in _WAVELENGTHS:
        texts = [text for value in block.values.get(tag, ()) if (text := _text(value))]
        if not texts:
            continue
        weights = [_value(value)[0] for name in _WEIGHTS for value in block.values.get(name, ())]
        found: list[Wavelength] = []
        for place, text in enumerate(texts[:10]):
            # Also `CuK\a 1.5418`, and several in one text.
            values = [value for word in text.split() if is_likely(value := _value(word)[0])]
            for value in values:
                weight = weights[place] if place < len(weights) else np.nan
                known = np.isfinite(weight) and weight > 0
                likely = 1.0 if not found else 0.5
                found.append(Wavelength(value, weight if known else likely, f"{where}: {tag}"))
        distinct = {one.value: one for one in reversed(found)}
        if distinct:
            lines = list(reversed(distinct.values()))[:2]
            strongest = max(one.weight for one in lines)
            return tuple(Wavelength(o.value, o.weight / strongest, o.source) for o in lines)
    if kind := block.first("_diffrn_radiation_type"):
        return in_text([kind], f"{where}: _diffrn_radiation_type")
    return ()
