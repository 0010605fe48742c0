"""Write sgbench/conditions/phases.json, the phases that the condition `impurity` draws from.

python tools/phases.py  # after any change of the list below; raises the condition's version

Cells and atoms are those of the American Mineralogist Crystal Structure Database, with the
publication of each; lines are made as those of datasets are.
"""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

import sgbench.conditions
from sgbench.diffraction import CANONICAL, lorentz_factor
from sgbench.structures import build_crystals
from sgbench.structures.sources import Entry
from sgbench.structures.sources.amcsd import amcsd

PATH = Path(sgbench.conditions.__file__).with_name("phases.json")

#: What laboratories find in their samples, and the standards that they mix in.
PHASES = {
    "amcsd-0000789": "quartz",
    "amcsd-0009325": "corundum",
    "amcsd-0011356": "halite",
    "amcsd-0000984": "calcite",
    "amcsd-0019092": "rutile",
    "amcsd-0019093": "anatase",
    "amcsd-0012843": "silicon",
    "amcsd-0000143": "haematite",
    "amcsd-0000945": "magnetite",
    "amcsd-0011349": "periclase",
    "amcsd-0005203": "zincite",
    "amcsd-0011686": "ceria",
    "amcsd-0014189": "lanthanum hexaboride",
    "amcsd-0016875": "yttria",
    "amcsd-0000904": "dolomite",
    "amcsd-0000233": "aragonite",
    "amcsd-0000101": "siderite",
    "amcsd-0000990": "magnesite",
    "amcsd-0011683": "fluorite",
    "amcsd-0000605": "pyrite",
    "amcsd-0010046": "galena",
    "amcsd-0000110": "sphalerite",
    "amcsd-0010623": "cristobalite",
    "amcsd-0005144": "barite",
    "amcsd-0001256": "fluorapatite",
    "amcsd-0019229": "baddeleyite",
    "amcsd-0019242": "cassiterite",
    "amcsd-0009326": "cuprite",
    "amcsd-0011777": "portlandite",
    "amcsd-0011329": "sylvite",
    "amcsd-0011136": "aluminium",
    "amcsd-0011145": "copper",
}
# Lines fainter than this beside the strongest are left out.
_FAINTEST = 1e-3


def main() -> None:
    """Compute the lines of the phases and write the file."""
    source = amcsd()
    entries = {e.structure_id: e for e in source.read() if e.structure_id in PHASES}
    chosen = replace(
        source,
        provenance={**source.provenance, "phases": " ".join(PHASES)},
        read=lambda: iter(entries[one] for one in PHASES),
        total=len(PHASES),
    )
    with tempfile.TemporaryDirectory() as folder:
        crystals = build_crystals(Path(folder) / "phases.parquet", "cddd", chosen)
    if crystals.excluded:
        raise SystemExit(f"left out: {crystals.excluded}")
    described = []
    for i, structure_id in enumerate(crystals.structure_id):
        entry = entries[structure_id]
        assert isinstance(entry, Entry)
        lines = crystals.lines.take([i])
        kept = lines.intensity > _FAINTEST * lines.intensity.max()
        two_theta = lines.two_theta[kept]
        power = lines.intensity[kept] / lorentz_factor(two_theta)
        q = (2 * np.sin(np.radians(two_theta) / 2) / CANONICAL.wavelength) ** 2
        described.append(
            {
                "name": PHASES[structure_id],
                "structure": structure_id,
                "citation": entry.citation,
                "spacegroup": int(crystals.spacegroup[i]),
                "cell": [round(float(value), 6) for value in crystals.cell[i]],
                "atoms": list(zip(entry.elements, entry.positions, strict=True)),
                "q": [float(f"{value:.8g}") for value in q],
                "power": [float(f"{value:.4g}") for value in 1000 * power / power.max()],
            }
        )
    order = list(PHASES.values())
    described.sort(key=lambda phase: order.index(str(phase["name"])))
    text = ",\n".join(json.dumps(phase, ensure_ascii=False) for phase in described)
    PATH.write_text(f"[\n{text}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
