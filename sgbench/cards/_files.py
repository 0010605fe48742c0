"""The files that lie beside a dataset's own."""

from pathlib import Path

from sgbench.cards._croissant import croissant_text
from sgbench.cards._crystals import crystal_card, exclusions
from sgbench.cards._designed import designed_card
from sgbench.cards._text import beside
from sgbench.designed import Ulbd
from sgbench.files import all_or_none, write_atomically
from sgbench.structures import CrystalSet


def write_card_files(dataset: CrystalSet | Ulbd, path: Path) -> tuple[Path, ...]:
    """Write the card, the Croissant description and the exclusions beside a dataset's file.

    Parameters
    ----------
    dataset : CrystalSet or Ulbd
    path : Path
        The file, ``X.parquet``.

    Returns
    -------
    tuple of Path
        ``X.md``, ``X.croissant.json`` and, for crystals, ``X.excluded.csv``.

    Raises
    ------
    SgbenchError
        If the folder cannot be written to.
    """
    described = croissant_text(dataset, path)
    if isinstance(dataset, CrystalSet):
        texts = {"md": crystal_card(dataset, path), "croissant.json": described,
                 "excluded.csv": exclusions(dataset)}  # fmt: skip
    else:
        texts = {"md": designed_card(dataset, path), "croissant.json": described}
    with all_or_none():
        for ending, text in texts.items():
            with write_atomically(path.with_name(beside(path, ending))) as temporary:
                temporary.write_text(text, encoding="utf-8")
    return tuple(path.with_name(beside(path, ending)) for ending in texts)
