"""Designed patterns made wholly on a torch device, sample for sample those of the CPU path."""

import numpy as np
import torch

from sgbench.designed import Recipes, Ulbd
from sgbench.diffraction import metric
from sgbench.diffraction.render_torch import render_tensors
from sgbench.philox import philox4x32, to_unit


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
        self._half_shapes = torch.as_tensor(dataset.half_shapes, device=device)
        self._present = torch.as_tensor(table.present, device=device)

    def patterns(self, recipes: Recipes) -> torch.Tensor:
        """Render recipes as a float32 tensor of shape (n, n_points) on the device."""
        return render_tensors(*self._lines(recipes), self.dataset.protocol)

    def _lines(self, recipes: Recipes) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return offsets, two_theta and intensity, as `Ulbd.lines` does."""
        dataset, protocol = self.dataset, self.dataset.protocol
        settings = self._on_device(dataset.settings(recipes))
        q = self._on_device(metric(dataset.family, recipes.cells)) @ self._coefficients.T
        sine = 0.5 * protocol.wavelength * torch.sqrt(q)
        lower, upper = (float(np.sin(np.radians(edge) / 2)) for edge in protocol.line_range)
        shown = self._present[settings] & (sine >= lower) & (sine <= upper)
        sample, line = torch.nonzero(shown, as_tuple=True)
        angle = 2 * torch.arcsin(sine[shown])
        key = dataset.stream("intensity/off-mesh" if recipes.off_mesh else "intensity/mesh")
        group, cell, pattern = (
            self._on_device(values)
            for values in (recipes.spacegroup, recipes.cell_index, recipes.pattern)
        )
        counter = self._key[line], group[sample], cell[sample], pattern[sample]
        law = dataset.law
        if law.wilson or law.multiplicity:
            half_shape = self._half_shapes[(group - dataset.spacegroups[0])[sample], line]
        if law.wilson:
            value = _gamma(half_shape, counter, key) / (0.5 * half_shape)
        else:
            value = _unit(philox4x32(counter, key)[0])
            if law.amplitude:
                value = value * value
        if law.multiplicity:
            value = value * (0.5 * half_shape)
        if law.largest_b:
            drawn = philox4x32((0 * group, group, cell, pattern), key)[0]
            b = law.largest_b / protocol.wavelength**2 * _unit(drawn)
            value = value * torch.exp(-2.0 * b[sample] * sine[shown] ** 2)
        intensity = value / (torch.sin(angle) * sine[shown])
        offsets = torch.zeros(len(recipes) + 1, dtype=torch.int64, device=self.device)
        offsets[1:] = torch.cumsum(shown.sum(dim=1), dim=0)
        return offsets, torch.rad2deg(angle), intensity.to(torch.float32)

    def _on_device(self, array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array, device=self.device)


def _unit(word: torch.Tensor) -> torch.Tensor:
    unit: torch.Tensor = to_unit(word.to(torch.int64)).to(torch.float64)
    return unit


def _gamma(
    half_shape: torch.Tensor, counter: tuple[torch.Tensor, ...], key: tuple[int, int]
) -> torch.Tensor:
    """Draw what the CPU path draws, all lines at once."""
    whole, odd = half_shape // 2, half_shape % 2
    n_draws = int((whole + 2 * odd).max()) if len(half_shape) else 0
    product = torch.ones_like(half_shape, dtype=torch.float64)
    last, angle = torch.ones_like(product), torch.zeros_like(product)
    for draw in range(n_draws):
        if draw % 4 == 0:
            words = philox4x32(counter, (key[0], (key[1] + draw // 4) & 0xFFFFFFFF))  # type: ignore[arg-type]
        unit = _unit(words[draw % 4])
        product = torch.where(draw < whole, product * unit, product)
        last = torch.where((draw == whole) & (odd == 1), unit, last)
        angle = torch.where((draw == whole + 1) & (odd == 1), unit, angle)
    half_normal = torch.log(last) * torch.cos(2 * torch.pi * angle) ** 2
    return -torch.log(product) - torch.where(odd == 1, half_normal, 0.0)
