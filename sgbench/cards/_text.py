"""Markdown of cards."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sgbench import text
from sgbench.designed import IntensityLaw
from sgbench.diffraction import PatternProtocol

_UNITS = {
    "wavelength": "Å",
    "two_theta_min": "degrees",
    "two_theta_max": "degrees",
    "sigma": "degrees",
    "largest_b": "Å²",
}


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    cells = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).strip().replace("|", "\\|") for cell in row) + " |"
        for row in cells
    )


def bullets(sentences: Iterable[str]) -> str:
    """Return sentences as a list in Markdown."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def joined(parts: Iterable[str]) -> str:
    """Return paragraphs as one text, without those that are empty."""
    return "\n\n".join(part for part in parts if part) + "\n"


def percent(part: int, whole: int) -> str:
    """Return a part of a whole in percent."""
    return f"{text.percent(part / whole)} %" if whole else "none"


def settings_table(settings: PatternProtocol | IntensityLaw) -> str:
    """Return the settings of a protocol or a law as a table, with units."""
    values = [
        (f"`{key}`", "complete" if value is None else f"{value} {_UNITS.get(key, '')}")
        for key, value in asdict(settings).items()
    ]
    return table(("setting", "value"), values)


def made_with(metadata: Mapping[str, Any]) -> str:
    """Say which versions made a dataset."""
    software = {"sgbench": metadata["sgbench_version"], **metadata.get("software", {})}
    return f"Made with {', '.join(f'{name} {version}' for name, version in software.items())}."


def beside(path: Path, ending: str) -> str:
    """Return the name of a file that lies beside another."""
    return f"{path.stem}.{ending}"
