"""Where crystal structures come from, one module a source."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sgbench.errors import SgbenchError
from sgbench.structures.sources._entry import (
    NO_COORDINATES,
    TOO_LARGE,
    UNREADABLE,
    Entry,
    Excluded,
    Exclusion,
    Source,
)

if TYPE_CHECKING:
    from sgbench.structures.sources._cif import entry_from_cif
    from sgbench.structures.sources._structure_dict import entry_from_dict
    from sgbench.structures.sources._symbols import spacegroup_of

__all__ = [
    "NO_COORDINATES",
    "SOURCES",
    "TOO_LARGE",
    "UNREADABLE",
    "Entry",
    "Excluded",
    "Exclusion",
    "Source",
    "entry_from_cif",
    "entry_from_dict",
    "open_source",
    "spacegroup_of",
]

# These import spglib, which the list of sources does without.
_HOMES = {
    "entry_from_cif": "_cif",
    "entry_from_dict": "_structure_dict",
    "spacegroup_of": "_symbols",
}

#: The sources by name, and what each holds.
SOURCES = {
    "amcsd": "mineral structures of the American Mineralogist database; comes with sgbench",
    "cif-folder": "CIFs of yours in a folder, .zip, .tar or .tar.gz",
    "generated": "random structures that `sgbench dataset generate` wrote to a file",
    "materials-project": "computed structures of the Materials Project; needs a key and a network",
    "optimade": "what an OPTIMADE database answers: NAME-OR-ADDRESS?filter=FILTER; needs a network",
    "table": "CIFs or pymatgen structures of yours in a column of a CSV or Parquet file",
}


def open_source(name: str, location: str | None, cache: Path) -> Source:
    """Return a source of crystal structures by its name.

    Parameters
    ----------
    name : str
        One of `SOURCES`.
    location : str or None
        Folder, archive or file of ``cif-folder``, ``table`` and ``generated``; file of the
        database of ``amcsd``, by default that of the installed package; none for
        ``materials-project``; for ``optimade`` the id of a provider or the address of a database,
        and after ``?filter=`` what to ask it for, e.g. ``https://example.org?filter=nelements=2``.
    cache : Path
        Folder in which sources that download keep what they got.

    Raises
    ------
    SgbenchError
        If the name is unknown, the location does not fit it, or the source cannot be opened.
    """
    if name not in SOURCES:
        raise SgbenchError(
            f"unknown source '{name}'; expected one of {', '.join(SOURCES)}. Choose one of them."
        )
    if name == "amcsd":
        from sgbench.structures.sources.amcsd import amcsd

        return amcsd(Path(location) if location else None)
    if name == "materials-project":
        from sgbench.structures.sources.materials_project import materials_project

        if location:
            raise SgbenchError(
                f"the source materials-project is one service; '{location}' cannot be read from "
                "it. Leave the location out, or use cif-folder or table for files."
            )
        return materials_project(cache)
    if not location:
        raise SgbenchError(
            f"the source {name} needs a location: {SOURCES[name]}. Say where, or take one that "
            "needs none: amcsd, materials-project."
        )
    if name == "optimade":
        from sgbench.structures.sources.optimade import optimade

        database, _, query = location.partition("?")
        key, _, text = query.partition("=")
        if query and key != "filter":
            raise SgbenchError(
                f"'{location}' asks for '{key}'; expected NAME-OR-ADDRESS or "
                "NAME-OR-ADDRESS?filter=FILTER. Leave other options out."
            )
        return optimade(database, unquote(text), cache=cache)
    if name == "table":
        from sgbench.structures.sources.table import table

        return table(Path(location))
    if name == "generated":
        from sgbench.structures.sources.generated import generated

        return generated(Path(location))
    from sgbench.structures.sources.cif_folder import cif_folder

    return cif_folder(Path(location))


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
