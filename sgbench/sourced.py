"""What every source yields and says of itself, whatever it is a source of."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


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
