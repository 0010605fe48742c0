"""Patterns as text that other programs read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.measured._pattern import MeasuredPattern
from sgbench.version import __version__


def write_pattern(pattern: MeasuredPattern, path: str | Path, form: str | None = None) -> None:
    """Write a pattern as text.

    Parameters
    ----------
    pattern : MeasuredPattern
    path : str or Path
    form : str, optional
        One of `WRITTEN`: ``xy`` and ``xye`` are columns alone, ``csv`` and ``cif`` also hold the
        wavelengths. The ending of the name by default.

    Raises
    ------
    SgbenchError
        If the form is unknown, the pattern has no σ and the form needs one, or the place cannot be
        written to.
    """
    path = Path(path)
    chosen = (form or path.suffix.removeprefix(".")).lower()
    if chosen not in WRITTEN:
        raise SgbenchError(
            f"'{chosen}' is no form that patterns are written in; expected one of "
            f"{', '.join(WRITTEN)}. End the name with it, or give --to."
        )
    if chosen == "xye" and pattern.sigma is None:
        raise SgbenchError(
            "this pattern has no σ, since its file gives none; expected one for the third column "
            "of xye. Write xy, csv or cif."
        )
    text = WRITTEN[chosen](pattern)
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _rows(pattern: MeasuredPattern, mark: str, sigma: bool) -> str:
    columns = [pattern.two_theta, pattern.intensity]
    if sigma and pattern.sigma is not None:
        columns.append(pattern.sigma)
    # The shortest text that gives the same number again.
    return "".join(
        mark.join(_text(value) for value in one) + "\n" for one in np.column_stack(columns).tolist()
    )


def _text(value: float) -> str:
    return repr(value) if value == value else "nan"


def _xy(pattern: MeasuredPattern) -> str:
    return _rows(pattern, " ", sigma=False)


def _xye(pattern: MeasuredPattern) -> str:
    return _rows(pattern, " ", sigma=True)


def _csv(pattern: MeasuredPattern) -> str:
    lines, head = pattern.wavelengths, []
    if len(lines) > 1:
        head = [f"# Alpha1 {lines[0].value!r} Alpha2 {lines[1].value!r} Ratio {lines[1].weight!r}"]
    elif lines:
        head = [f"# wavelength = {lines[0].value!r} Å"]
    head.append("two_theta,intensity" + (",sigma" if pattern.sigma is not None else ""))
    return "\n".join(head) + "\n" + _rows(pattern, ",", sigma=True)


def _cif(pattern: MeasuredPattern) -> str:
    head = ["data_pattern", f"_audit_creation_method 'sgbench {__version__}'"]
    if pattern.wavelengths:
        head += ["loop_", "_diffrn_radiation_wavelength_id", "_diffrn_radiation_wavelength",
                 "_diffrn_radiation_wavelength_wt"]  # fmt: skip
        head += [f"{place} {one.value!r} {one.weight!r}"
                 for place, one in enumerate(pattern.wavelengths, start=1)]  # fmt: skip
    head += [
        f"_pd_meas_number_of_points {len(pattern)}",
        "loop_",
        "_pd_meas_2theta_scan",
        "_pd_meas_intensity_total",
    ]
    if pattern.sigma is not None:
        head.append("_pd_meas_intensity_total_su")
    return "\n".join(head) + "\n" + _rows(pattern, " ", sigma=True).replace("nan", ".")


#: How a pattern can be written, by the ending of the name.
WRITTEN: dict[str, Callable[[MeasuredPattern], str]] = {
    "xy": _xy,
    "xye": _xye,
    "csv": _csv,
    "cif": _cif,
}
