"""The contents of cells, and comparing them."""

from collections.abc import Hashable, Sequence

import gemmi
import numpy as np

#: Fractional coordinates, shape (n, 3), of each kind of atom.
Atoms = dict[Hashable, np.ndarray]


def images(
    cell: Sequence[float], operators: Sequence[str], positions: Sequence[Sequence[float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return all positions in the cell, fractional, and the site that each is an image of."""
    vectors = np.array(gemmi.UnitCell(*cell).orth.mat.tolist()).T
    ops = [gemmi.Op(operator) for operator in operators]
    found, site = [], []
    for number, position in enumerate(positions):
        own: list[np.ndarray] = []
        for op in ops:
            image = np.array(op.apply_to_xyz(list(position))) % 1
            shift = np.array(own).reshape(-1, 3) - image
            if not (np.linalg.norm((shift - np.rint(shift)) @ vectors, axis=1) < 0.1).any():
                own.append(image)
        found += own
        site += [number] * len(own)
    return np.array(found), np.array(site)


def same_atoms(one: Atoms, other: Atoms, tolerance: float = 1e-4) -> bool:
    """Tell whether two cells hold the same atoms at the same places."""
    if {k: len(x) for k, x in one.items()} != {k: len(x) for k, x in other.items()}:
        return False
    for kind, positions in one.items():
        shift = positions[:, None] - other[kind][None]
        close = np.abs(shift - np.rint(shift)).max(axis=-1) < tolerance
        if not (close.any(axis=0).all() and close.any(axis=1).all()):
            return False
    return True
