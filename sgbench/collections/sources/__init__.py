"""Where measured patterns with labels come from, one module a source."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from sgbench.errors import SgbenchError
from sgbench.sourced import Source

__all__ = ["DEVELOPMENT", "SOURCES", "open_pattern_source"]

#: The sources by name, and what each holds.
SOURCES = {
    "cod": "measured profiles of the Crystallography Open Database (CC0): numbers of entries in a "
    "file of yours, fetched one by one, or a folder of their CIFs",
    "rruff": "mineral patterns of the RRUFF project (no licence: for your own use); fetched, or a "
    "folder with XY_Processed.zip and DIF.zip",
    "opxrd": "opXRD, Zenodo record 14254270; fetched, or its zip",
    "folder": "a folder of yours with patterns of any format and labels.csv",
    "rruff-a": "an .npz with two_theta, intensity and spacegroup, Cu Kα assumed: development data",
}
#: Sources on which choices were made, and which therefore judge nothing.
DEVELOPMENT = ("rruff-a",)
_HOMES = {"cod": "cod", "rruff": "rruff", "opxrd": "opxrd", "folder": "folder", "rruff-a": "arrays"}
# What can be had without saying where.
_FETCHED = ("rruff", "opxrd")


def open_pattern_source(name: str, location: str | None, cache: Path) -> Source:
    """Return a source of measured patterns by its name.

    Parameters
    ----------
    name : str
        One of `SOURCES`.
    location : str or None
        Folder or file; for what is fetched also the address of a mirror. None fetches from where
        the source is published.
    cache : Path
        Folder in which what is fetched is kept; what is there is not fetched again.

    Raises
    ------
    SgbenchError
        If the name is unknown, or the source cannot be opened.
    """
    if name not in SOURCES:
        raise SgbenchError(
            f"unknown source '{name}' of measured patterns; expected one of {', '.join(SOURCES)}. "
            "Choose one of them."
        )
    if not location and name not in _FETCHED:
        raise SgbenchError(
            f"the source {name} needs a location: {SOURCES[name]}. Say where, with --from."
        )
    module = import_module(f"{__name__}.{_HOMES[name]}")
    opened: Callable[[str | None, Path], Source] = module.source
    return opened(location, cache)
