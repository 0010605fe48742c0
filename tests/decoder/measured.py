"""Designed patterns as they are measured, for tests of the decoder."""

from dataclasses import dataclass

import numpy as np

from sgbench.sets import SetSpec, family_set

K_ALPHA_2 = 1.5406 * 1.544427 / 1.540593


@dataclass(frozen=True)
class Measured:
    """One pattern: its points, its cell, its class and how it was measured."""

    two_theta: np.ndarray
    intensity: np.ndarray
    cell: np.ndarray
    label: int
    doublet: bool

    @property
    def waves(self):
        """The wavelengths, as `decode_pattern` takes them."""
        second = {"second": K_ALPHA_2, "ratio": 0.5} if self.doublet else {}
        return {"wavelength": 1.5406, **second}


def measured(family, count, condition="laboratory", first=0, seed=23):
    """Patterns of a training sequence that no set of the benchmark holds."""
    dataset = family_set(family)
    samples = dataset.training_samples(first, count, seed)
    if condition:
        samples = SetSpec.parse(f"ulbd-off-mesh+{condition}").changed(samples)
    label = dataset.labels[samples.spacegroup - dataset.spacegroups[0]]
    for index, pattern in enumerate(samples.patterns().astype(float)):
        yield Measured(
            samples.protocol.two_theta, pattern, samples.cell[index], int(label[index]),
            condition.startswith(("laboratory", "doublet")),
        )  # fmt: skip
