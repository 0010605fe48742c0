"""opXRD: patterns of several laboratories, on Zenodo.

D. Hollarek et al., opXRD: Open Experimental Powder X-ray Diffraction Database (2025). Each pattern
is a file of JSON, inside of which labels are JSON in texts; of these the few are read that a test
needs.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sgbench import fetching
from sgbench.checked import FileKind, Text, record
from sgbench.collections._audit import NO_LABEL
from sgbench.collections._entry import LabelledPattern
from sgbench.collections.sources._reading import is_address, members, or_excluded
from sgbench.files import file_sha256, require_file
from sgbench.measured import measured_pattern
from sgbench.sourced import Excluded, Source
from sgbench.structures.sources import Entry, entry_from_dict, spacegroup_of

ADDRESS = "https://zenodo.org/api/records/14254270"
CITATION = "D. Hollarek et al., opXRD: Open Experimental Powder X-ray Diffraction Database (2025)"
LICENCE = "CC BY 4.0"
_KIND = FileKind("what Zenodo says of a record", "the JSON of its API. Delete it and run again.")
_LINKS: Any = record("Links", {"self": Text}, others=True)
_FILE: Any = record("File", {"key": Text, "checksum": Text, "links": _LINKS}, others=True)
_RECORD = record("Record", {"files": list[_FILE]}, others=True)
_ENTRY = FileKind("a pattern of opXRD", "the JSON of its archive.")


def source(location: str | None, cache: Path) -> Source:
    """Return opXRD as a source.

    Parameters
    ----------
    location : str or None
        A zip of its patterns, or the address of a mirror of the record.
    cache : Path

    Raises
    ------
    SgbenchError
        If it cannot be had, or is not as its checksum says.
    """
    if location and not is_address(location):
        archives = [Path(location)]
        require_file(archives[0], "opXRD's zip. Mend the path, or leave it out to fetch it.")
    else:
        archives = _fetched(location or ADDRESS, Path(cache) / "opxrd")

    def read() -> Iterator[LabelledPattern | Excluded]:
        for archive in archives:
            for name, content in members(archive, [".json"]):
                key = name.removesuffix(".json")
                yield or_excluded(key, lambda c=content, k=key: _entry(k, c))  # type: ignore[misc]

    return Source(
        "opxrd", CITATION, LICENCE,
        {"record": "14254270", **{f"{one.name}_sha256": file_sha256(one) for one in archives}},
        read,
    )  # fmt: skip


def _fetched(address: str, folder: Path) -> list[Path]:
    told = fetching.fetch(address, folder / "record.json")
    files = [one for one in _KIND.read_json(told, _RECORD)["files"] if one["key"].endswith(".zip")]
    if not files:
        raise _KIND.damaged(told, "it names no zip")
    return [
        fetching.fetch(one["links"]["self"], folder / Path(one["key"]).name, one["checksum"])
        for one in files
    ]


def _entry(key: str, content: bytes) -> LabelledPattern | Excluded:
    found = _ENTRY.parse_json(Path(key), content)
    label = _inside(found.get("label"))
    xray = _inside(label.get("xray_info"))
    lines = sorted(
        float(xray[name])
        for name in ("primary_wavelength", "secondary_wavelength")
        if _is_number(xray.get(name))
    )
    phases = [_inside(one) for one in label.get("phases") or ()]
    first: Mapping[str, Any] = phases[0] if phases else {}
    group = first.get("spacegroup")
    if group is None and not phases:
        return Excluded(key, NO_LABEL)
    pattern = measured_pattern(
        found.get("two_theta_values", ()), found.get("intensities", ()), wavelength=lines or None
    )
    structure, cell = _structure(key, first)
    return LabelledPattern(
        key, str(first.get("chemical_composition") or ""),
        spacegroup_of(group) if group is not None else None, pattern, cell, len(phases),
        label.get("is_simulated") in (True, "True", "true"), structure,
        str(_inside(found.get("metadata")).get("institution") or ""),
    )  # fmt: skip


def _structure(key: str, phase: Mapping[str, Any]) -> tuple[Entry | None, tuple[float, ...] | None]:
    """Return the structure of a phase, where it has a lattice and atoms, and its cell."""
    try:
        rows = [float(x) for x in str(phase.get("lattice") or "").split()]
        matrix = [rows[:3], rows[3:6], rows[6:9]] if len(rows) == 9 else None
    except ValueError:
        matrix = None
    sites = [_inside(one) for one in _inside(phase.get("basis")).get("atomic_sites") or ()]
    if matrix is None or not sites:
        return None, None
    told = {
        "lattice": {"matrix": matrix},
        "sites": [
            {
                "species": [{"element": str(one.get("species_str", "")),
                             "occu": _number(one.get("occupancy", 1))}],
                "abc": [_number(one.get(axis)) for axis in "xyz"],
            }
            for one in sites
        ],
    }  # fmt: skip
    entry = entry_from_dict(told, key)
    return (entry, entry.cell) if isinstance(entry, Entry) else (None, None)


def _inside(value: object) -> Mapping[str, Any]:
    """Return an object of JSON that may be written inside of a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _is_number(value: object) -> bool:
    return _number(value) > 0


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 0.0
