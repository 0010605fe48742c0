"""Patterns in a file, for people who want files."""

from pathlib import Path

import numpy as np

from sgbench.datasets._ulbd import Split, Ulbd
from sgbench.diffraction import render
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically

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
        ``two_theta``.
    per_spacegroup : int, optional
        Draw so many samples a space group; by default every sample of a mesh split.
    """
    import h5py
    from tqdm import tqdm

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
    n_points = dataset.protocol.n_points
    with write_atomically(path) as temporary, h5py.File(temporary, "w") as file:
        data = file.create_dataset("data", (len(recipes), n_points + 1), dtype="float32")
        file["two_theta"] = dataset.protocol.two_theta
        file.attrs["dataset"], file.attrs["version"] = dataset.name, dataset.version
        file.attrs["split"], file.attrs["sha256"] = split, dataset.checksum()
        file.attrs["spacegroups"] = np.array(dataset.spacegroups)
        for first in tqdm(range(0, len(recipes), _CHUNK), unit="k patterns", disable=None):
            chunk = recipes.take(np.arange(first, min(first + _CHUNK, len(recipes))))
            patterns = render(dataset.lines(chunk), dataset.protocol)
            label = (chunk.spacegroup - dataset.spacegroups[0]).astype(np.float32)
            data[first : first + len(chunk)] = np.concatenate([patterns, label[:, None]], axis=1)
