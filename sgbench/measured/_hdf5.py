"""NeXus files: the angle, the intensity and the wavelengths of an entry."""

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sgbench.checked import printed
from sgbench.measured._pattern import MOST_POINTS, NotReadable, Scan
from sgbench.measured._wavelengths import stated

if TYPE_CHECKING:
    import h5py

_ANGLE = re.compile(r"(^|/)(two_?theta|2_?theta|2th(_deg)?|tth|polar_angle)$", re.IGNORECASE)
_INTENSITY = re.compile(r"(^|/)(intensity|intensities|counts|I|data|signal)$")
_SIGMA = re.compile(r"(^|/)(errors|intensity_errors|sigma|I_errors)$", re.IGNORECASE)
_MOST_OBJECTS = 20_000


def read_nexus(content: bytes) -> list[Scan]:
    """Return the scans of a file of HDF5: 2θ and intensities of the same length in one group.

    Raises
    ------
    NotReadable
        If there are none.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            found = _datasets(file)
            scans = _scans(found)
    except NotReadable:
        raise
    except Exception as error:
        # h5py and its filters raise nearly anything over a damaged file.
        first = (str(error).splitlines() or [""])[0]
        raise NotReadable(f"its HDF5 is damaged: {printed(first)}") from error
    if not scans:
        raise NotReadable("it is HDF5 without intensities over two_theta")
    return scans


def _datasets(file: "h5py.File") -> dict[str, "h5py.Dataset"]:
    import h5py

    found: dict[str, Any] = {}
    seen = 0

    def visit(name: str, value: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > _MOST_OBJECTS:
            raise NotReadable(f"its HDF5 has more than {_MOST_OBJECTS} objects")
        # Links lead to other files, and virtual datasets read them.
        if isinstance(value, h5py.Dataset) and not value.is_virtual and not value.external:
            found[name] = value

    file.visititems(visit)
    return found


def _scans(found: dict[str, "h5py.Dataset"]) -> list[Scan]:
    scans = []
    for name, angles in found.items():
        if not _ANGLE.search(name) or angles.ndim != 1 or angles.size < 2:
            continue
        folder = name.rpartition("/")[0]
        beside = {
            other: one for other, one in found.items()
            if other.rpartition("/")[0] == folder and one.shape == angles.shape
        }  # fmt: skip
        y = next((one for other, one in beside.items() if _INTENSITY.search(other)), None)
        if y is None:
            continue
        if angles.size > MOST_POINTS:
            raise NotReadable(f"it has {angles.size} points, more than {MOST_POINTS}")
        sigma = next((one for other, one in beside.items() if _SIGMA.search(other)), None)
        unit = _word(angles.attrs.get("units", "deg"))
        scale = np.degrees(1.0) if unit.startswith("rad") else 1.0
        scans.append(
            Scan(
                scale * _array(angles),
                _array(y),
                None if sigma is None else _array(sigma),
                stated(
                    _one(found, r"k_?alpha_?(one|1)$"), _one(found, r"k_?alpha_?(two|2)$"),
                    _one(found, r"ratio_k_?alpha"), "file: k_alpha_one",
                )
                or stated(_one(found, r"(^|/)(incident_)?wavelength$"), None, None,
                          "file: wavelength"),
                {
                    key: _word(found[place][()])
                    for key, place in _places(found).items()
                },
            )
        )  # fmt: skip
    return scans


def _array(values: "h5py.Dataset") -> Any:
    if values.dtype.kind not in "iuf":
        raise NotReadable("its intensities are no numbers")
    return np.array(values[()], dtype=float)


def _one(found: dict[str, "h5py.Dataset"], pattern: str) -> float | None:
    """Return the one number of a dataset, in ångström where it is a length."""
    for name, values in found.items():
        if re.search(pattern, name, re.IGNORECASE) and values.size == 1:
            if values.dtype.kind not in "iuf":
                continue
            value = float(np.ravel(values[()])[0])
            unit = _word(values.attrs.get("units", "")).lower()
            value *= {"m": 1e10, "nm": 10.0, "pm": 0.01}.get(unit, 1.0)
            return value if np.isfinite(value) else None
    return None


def _places(found: dict[str, "h5py.Dataset"]) -> dict[str, str]:
    wanted = {
        "anode": "xray_tube_material", "axis": "scan_axis", "method": "method",
        "measurement": "measurement_type", "title": "title", "date": "start_time",
    }  # fmt: skip
    return {
        key: name
        for key, last in wanted.items()
        for name, values in found.items()
        if name.rpartition("/")[2] == last and values.size == 1 and values.dtype.kind in "OSU"
    }


def _word(value: Any) -> str:
    value = np.ravel(value)[0] if isinstance(value, np.ndarray) and value.size else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
