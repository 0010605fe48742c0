"""Designed patterns made wholly on a torch device, sample for sample those of the CPU path."""

import numpy as np
import torch

from sgbench.datasets._ulbd import Recipes, Ulbd
from sgbench.diffraction import metric
from sgbench.diffraction._random import philox4x32, to_unit
from sgbench.diffraction._render_torch import render_tensors


class UlbdOnDevice:
    """A ULBD whose tables lie on a device, ready to render training batches there.

    Parameters
    ----------
    dataset : Ulbd
    device : str or torch.device
    """

    def __init__(self, dataset: Ulbd, device: "str | torch.device") -> None:
        self.dataset = dataset
        self.device = device
        table = dataset.table
        self._coefficients = torch.as_tensor(table.coefficients, dtype=torch.float64, device=device)
        self._key = torch.as_tensor(table.key.astype(np.int64), device=device)
        self._present = torch.as_tensor(table.present, device=device)

    def patterns(self, recipes: Recipes) -> torch.Tensor:
        """Render recipes as a float32 tensor of shape (n, n_points) on the device."""
        return render_tensors(*self._lines(recipes), self.dataset.protocol)

    def _lines(self, recipes: Recipes) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return offsets, two_theta and intensity, as `Ulbd.lines` does."""
        dataset, protocol = self.dataset, self.dataset.protocol
        classes = self._on_device(dataset.labels[recipes.spacegroup - dataset.spacegroups[0]])
        q = self._on_device(metric(dataset.family, recipes.cells)) @ self._coefficients.T
        sine = 0.5 * protocol.wavelength * torch.sqrt(q)
        lower, upper = (float(np.sin(np.radians(edge) / 2)) for edge in protocol.line_range)
        shown = self._present[classes] & (sine >= lower) & (sine <= upper)
        sample, line = torch.nonzero(shown, as_tuple=True)
        angle = 2 * torch.arcsin(sine[shown])
        key = dataset.stream("intensity/off-mesh" if recipes.off_mesh else "intensity/mesh")
        words = philox4x32(
            (
                self._key[line],
                self._on_device(recipes.spacegroup)[sample],
                self._on_device(recipes.cell_index)[sample],
                self._on_device(recipes.pattern)[sample],
            ),
            key,
        )
        unit = to_unit(words[0].to(torch.int64)).to(torch.float64)
        intensity = unit / (torch.sin(angle) * sine[shown])
        offsets = torch.zeros(len(recipes) + 1, dtype=torch.int64, device=self.device)
        offsets[1:] = torch.cumsum(shown.sum(dim=1), dim=0)
        return offsets, torch.rad2deg(angle), intensity.to(torch.float32)

    def _on_device(self, array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array, device=self.device)
