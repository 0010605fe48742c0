"""Samples in files, for people who want files: patterns in HDF5, designed lines in Parquet."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgbench.designed import SPLITS, Split, Ulbd
from sgbench.diffraction import FREE_PARAMETERS, PatternProtocol, Samples
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically, write_hdf5
from sgbench.symmetry import extinction_classes, family_spacegroups

if TYPE_CHECKING:
    from sgbench.structures import CrystalSet

#: Changes with the columns of `write_designed`.
DESIGNED_FORMAT = "sgbench-designed-1"

_CHUNK = 1024


def export_hdf5(dataset: Ulbd, split: Split, path: Path, per_spacegroup: int | None = None) -> None:
    """Write patterns in the layout of the paper's code.

    Parameters
    ----------
    dataset : Ulbd
    split : str
    path : Path
        HDF5 file: an array ``data`` of float32, shape (n, n_points + 1), with a pattern a row and
        in its last column the label, counted from 0 over the family's space groups; and an array
        ``two_theta``. The attribute ``spacegroups`` holds the space group of each label.
    per_spacegroup : int, optional
        Draw so many samples a space group; by default every sample of a mesh split.

    Raises
    ------
    SgbenchError
        If no sample is asked for, or the file cannot be written.
    """
    if per_spacegroup is not None and per_spacegroup < 1:
        raise SgbenchError(
            f"{per_spacegroup} samples a space group make no file; expected at least one. "
            "Mend the request."
        )
    if per_spacegroup is None and split != "off-mesh":
        recipes = dataset.all_recipes(split)
    elif split == "train":
        count = (per_spacegroup or 1) * len(dataset.spacegroups)
        recipes = dataset.training_recipes(0, count, seed=0)
    else:
        recipes = dataset.held_out_recipes(split, per_spacegroup or dataset.test_patterns)
    attributes = {
        "dataset": dataset.name,
        "version": dataset.version,
        "split": split,
        "sha256": dataset.checksum(),
    }
    batches = (dataset.samples(recipes.take(chosen)) for chosen in _chunks(len(recipes)))
    _write_patterns(path, batches, len(recipes), dataset.protocol, dataset.spacegroups, attributes)


def export_crystals_hdf5(crystals: "CrystalSet", path: Path, sha256: str) -> None:
    """Write the patterns of crystals in the layout of `export_hdf5`.

    Parameters
    ----------
    crystals : CrystalSet
    path : Path
        HDF5 file. Labels count over the space groups of the family; where there are several
        families, from 0 for space group 1. An array ``structure_id`` says what each row is.
    sha256 : str
        Checksum of the file that the crystals are from, kept as an attribute.

    Raises
    ------
    SgbenchError
        If there is no crystal, one of them has no line in the window, or the file cannot be
        written.
    """
    if not len(crystals):
        raise SgbenchError(
            "there is no crystal to export; expected at least one. Choose another split or file."
        )
    families = sorted(set(crystals.family))
    _write_patterns(
        path,
        crystals.samples(np.arange(len(crystals))).batches(_CHUNK),
        len(crystals),
        PatternProtocol(**crystals.metadata["protocol"]),
        family_spacegroups(families[0] if len(families) == 1 else "all"),
        {
            "dataset": crystals.metadata["name"],
            "version": crystals.metadata["version"],
            "sha256": sha256,
        },
        structure_id=crystals.structure_id,
    )


def write_designed(dataset: Ulbd, path: Path, per_spacegroup: int) -> None:
    """Write the lines of held-out designed samples to a Parquet file.

    Parameters
    ----------
    dataset : Ulbd
    path : Path
        Parquet file with the columns ``sample_id`` (that of the test sets), ``spacegroup``,
        ``extinction_class``, ``split``, the free cell parameters, ``two_theta`` and ``intensity``.
    per_spacegroup : int
        Samples a space group (on average, where their cells differ in number) of each of the splits
        validation, in-mesh and off-mesh.

    Raises
    ------
    SgbenchError
        If fewer than one sample is asked for, more than there are, or the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = FREE_PARAMETERS[dataset.family]
    symbols = [cls.symbol for cls in extinction_classes(dataset.spacegroups)]
    metadata = {
        "format": DESIGNED_FORMAT,
        "dataset": dataset.describe(),
        "sha256": dataset.checksum(),
        "per_spacegroup": per_spacegroup,
    }
    schema = pa.schema(
        [
            ("sample_id", pa.string()),
            ("spacegroup", pa.int64()),
            ("extinction_class", pa.string()),
            ("split", pa.string()),
            *((name, pa.float64()) for name in names),
            ("two_theta", pa.list_(pa.float64())),
            ("intensity", pa.list_(pa.float32())),
        ],
        {b"sgbench": json.dumps(metadata, sort_keys=True).encode()},
    )
    held_out = {split: dataset.held_out_recipes(split, per_spacegroup) for split in SPLITS[1:]}
    with (
        write_atomically(Path(path)) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for split, recipes in held_out.items():
            for chosen in _chunks(len(recipes)):
                part = recipes.take(chosen)
                lines = dataset.lines(part)
                classes = dataset.labels[part.spacegroup - dataset.spacegroups[0]]
                offsets = pa.array(lines.offsets, pa.int32())
                columns = [
                    # Numbered, since two draws of the validation set may be the same sample.
                    [f"{i:06d}-{s}" for i, s in zip(chosen, part.sample_ids, strict=True)],
                    part.spacegroup,
                    [symbols[label] for label in classes],
                    [split] * len(part),
                    *part.cells.T,
                    pa.ListArray.from_arrays(offsets, lines.two_theta),
                    pa.ListArray.from_arrays(offsets, lines.intensity),
                ]
                writer.write_table(
                    pa.table(
                        [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)],
                        schema=schema,
                    )
                )


def _write_patterns(
    path: Path,
    batches: Iterable[Samples],
    n: int,
    protocol: PatternProtocol,
    labelled: tuple[int, ...],
    attributes: Mapping[str, object],
    **names: tuple[str, ...],
) -> None:
    """Render n samples batch by batch into an HDF5 file; `labelled` are the groups by label."""
    import h5py
    from tqdm import tqdm

    with write_hdf5(path, n, protocol.n_points + 1) as file:
        data = file.create_dataset("data", (n, protocol.n_points + 1), dtype="float32")
        file["two_theta"] = protocol.two_theta
        first = 0
        for samples in tqdm(batches, total=-(-n // _CHUNK), unit="k patterns", disable=None):
            label = (samples.spacegroup - labelled[0]).astype(np.float32)
            last = first + len(samples)
            data[first:last] = np.concatenate([samples.patterns(), label[:, None]], axis=1)
            first = last
        file.attrs.update(attributes)
        file.attrs["spacegroups"] = np.array(labelled)
        file.attrs["label"] = f"counted from 0 = space group {labelled[0]}"
        for name, values in names.items():
            file.create_dataset(name, data=list(values), dtype=h5py.string_dtype())


def _chunks(n: int) -> list[NDArray[np.int64]]:
    """Return 0 … n - 1 in pieces that are rendered at once."""
    return [np.arange(first, min(first + _CHUNK, n)) for first in range(0, n, _CHUNK)]
