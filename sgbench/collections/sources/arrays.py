"""Patterns of one grid as arrays of numpy: development data, and nothing that judges."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sgbench.checked import FileKind
from sgbench.collections._entry import LabelledPattern
from sgbench.collections.sources._reading import or_excluded
from sgbench.files import file_sha256
from sgbench.measured import measured_pattern
from sgbench.sourced import Excluded, Source

_KIND = FileKind(
    "an .npz of measured patterns",
    "arrays two_theta (n_points), intensity (n, n_points) and spacegroup (n). Name another file.",
)
_WAVELENGTH = "CuKa"


def source(location: str | None, cache: Path) -> Source:
    """Return an .npz with ``two_theta``, ``intensity`` and ``spacegroup`` as a source.

    It states no wavelength, and Cu Kα (both lines) is assumed, which its provenance says.

    Raises
    ------
    SgbenchError
        If the file is something else.
    """
    path = Path(str(location))
    with _KIND.decoding(path), np.load(path, allow_pickle=False) as file:
        arrays = [np.asarray(file[key]) for key in ("two_theta", "intensity", "spacegroup")]
    angles, intensity, groups = arrays
    if intensity.shape != (len(groups), len(angles)):
        raise _KIND.damaged(path, f"its intensities have shape {intensity.shape}")

    def read() -> Iterator[LabelledPattern | Excluded]:
        for i, (heights, group) in enumerate(zip(intensity, groups.tolist(), strict=True)):
            name = f"{path.stem}-{i:04d}"

            def pattern(heights=heights, group=group, name=name) -> LabelledPattern:  # type: ignore[no-untyped-def]
                measured = measured_pattern(angles, heights, wavelength=_WAVELENGTH)
                return LabelledPattern(name, "", int(group), measured)

            yield or_excluded(name, pattern)

    return Source(
        path.stem,
        "RRUFF project; Salgado et al., npj Comput. Mater. 9, 214 (2023)",
        "none stated; never passed on",
        {"file": path.name, "sha256": file_sha256(path), "wavelength": "Cu Kα, assumed"},
        read,
        len(groups),
    )
