"""What every source yields and says of itself, whatever it is a source of."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from sgbench.text import csv_text


@dataclass(frozen=True)
class Excluded:
    """An entry that is left out.

    Attributes
    ----------
    structure_id : str
        Its id within the source.
    reason : str
        One of a few phrases, so that they can be counted.
    detail : str
        What was found in this entry, e.g. ``label 14, spglib 62``.
    """

    structure_id: str
    reason: str
    detail: str = ""


class Exclusion(Exception):
    """Ends the reading of one entry of a source; its arguments are the reason and a detail."""


@dataclass(frozen=True)
class Source:
    """Somewhere that structures or measured patterns come from.

    Attributes
    ----------
    name : str
        E.g. ``amcsd``.
    citation, licence : str
        Of the collection as a whole.
    provenance : mapping of str to str
        What exactly was read: versions, checksums, addresses, filters. Two sources of equal
        provenance yield equal entries in equal order.
    read : callable
        Starts an iteration over all entries, in an order that does not change; each is an `Entry`
        of structures or a `LabelledPattern`, or an `Excluded`.
    total : int or None
        How many there will be, where that is known.
    """

    name: str
    citation: str
    licence: str
    provenance: Mapping[str, str]
    read: Callable[[], Iterator[Any]]
    total: int | None = field(default=None, compare=False)


def excluded_csv(id_column: str, excluded: Iterable[Excluded]) -> str:
    """Return what was left out, and why, as CSV; ids stand in a column of this name."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow((id_column, "reason", "detail"))
    writer.writerows(map(csv_text, astuple(one)) for one in excluded)
    return buffer.getvalue()
