"""The mesh of a lattice parameter."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgbench.errors import SgbenchError


@dataclass(frozen=True)
class MeshAxis:
    """Values of one free cell parameter in ångström; the upper end is excluded, as in the paper."""

    start: float
    stop: float
    step: float

    def __post_init__(self) -> None:
        finite = np.isfinite([self.start, self.stop, self.step]).all()
        if not finite or min(self.step, self.start) <= 0 or self.stop - self.start < self.step / 2:
            raise SgbenchError(
                f"the cell range {self.start:g}:{self.stop:g}:{self.step:g} is empty or reversed; "
                "expected start < stop with a positive step, in ångström. Mend the range."
            )

    def __len__(self) -> int:
        return max(round((self.stop - self.start) / self.step), 1)

    @property
    def values(self) -> NDArray[np.float64]:
        """The mesh values."""
        return np.asarray(self.start + self.step * np.arange(len(self)), dtype=np.float64)
