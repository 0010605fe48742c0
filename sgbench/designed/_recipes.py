"""Recipes: what each designed sample is, from which its pattern follows."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Split = Literal["train", "validation", "in-mesh", "off-mesh"]
SPLITS: tuple[Split, ...] = ("train", "validation", "in-mesh", "off-mesh")


@dataclass(frozen=True)
class Recipes:
    """What each of n samples is.

    Attributes
    ----------
    spacegroup : ndarray of int64, shape (n,)
    cell_index : ndarray of int64, shape (n,)
        Place of the cell in its mesh, or of the sample in its space group's off-mesh sequence;
        part of the random key.
    cells : ndarray of float64, shape (n, p)
        Free parameters in ångström.
    pattern : ndarray of int64, shape (n,)
        Which of the random patterns of this cell and space group.
    off_mesh : bool
        Whether the cells are those between the mesh points.
    """

    spacegroup: NDArray[np.int64]
    cell_index: NDArray[np.int64]
    cells: NDArray[np.float64]
    pattern: NDArray[np.int64]
    off_mesh: bool = False

    def __len__(self) -> int:
        return len(self.spacegroup)

    def take(self, indices: ArrayLike) -> "Recipes":
        """Return some of the recipes."""
        i = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            spacegroup=self.spacegroup[i],
            cell_index=self.cell_index[i],
            cells=self.cells[i],
            pattern=self.pattern[i],
        )

    @property
    def sample_ids(self) -> list[str]:
        """Names that say what the sample is: space group, cell, pattern."""
        kind = "o" if self.off_mesh else "m"
        return [
            f"{group:03d}-{kind}{cell:07d}-{pattern:02d}"
            for group, cell, pattern in zip(
                self.spacegroup, self.cell_index, self.pattern, strict=True
            )
        ]
