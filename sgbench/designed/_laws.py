"""How random intensities are distributed: each law states itself in words and in moments."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Largest overall B in square ångström. Form factors alone fall off like exp(-2 B s^2) with a B of
#: 3 or so in this window.
LARGEST_B = 6.0

_SHAPE = (
    "the sum of 1/2 for each centric and 1 for each acentric set of equivalent reflections in the "
    "line that is not absent"
)
_UNIFORM_SOURCE = (
    "H. Wang et al., Designing a dataset for convolutional neural networks to predict space groups "
    "consistent with extinction laws (2024)"
)
_AMPLITUDE_SOURCE = (
    "inferred from the test patterns that are published with its code, whose I / Lorentz has the "
    "quartiles of a squared uniform number"
)
_WILSON_SOURCE = "A. J. C. Wilson, Acta Cryst. 2, 318 (1949)"
_FALLOFF_SOURCE = "A. J. C. Wilson, Nature 150, 152 (1942)"


@dataclass(frozen=True)
class IntensityLaw:
    """How random intensities are distributed before the Lorentz factor.

    With none of the four, they are uniform on (0, 1], as in the article.

    Attributes
    ----------
    wilson : bool
        Draw them from the gamma distributions of Wilson's statistics, see `half_shapes`, of mean 1.
    multiplicity : bool
        Multiply by the mean that Wilson's statistics give to the line: 1/2 for each centric and 1
        for each acentric set of equivalent reflections.
    largest_b : float
        Let them fall off as exp(-2 B (sin theta / wavelength)^2) with a B for each pattern, drawn
        uniformly up to this, square ångström. It stands for thermal motion and for the electrons'
        spread alike.
    amplitude : bool
        Draw the amplitude of a line uniformly on (0, 1], one number a line, and take its square
        as the intensity, which so has the density 1 / (2 sqrt(I)), the mean 1/3, the variance 4/45
        and the quartiles 1/16, 1/4 and 9/16. As with uniform intensities, neither the multiplicity
        of the line nor the space group has a part in it. Without meaning where `wilson` is set.
    """

    wilson: bool = False
    multiplicity: bool = False
    largest_b: float = 0.0
    amplitude: bool = False

    @property
    def tells_groups_apart(self) -> bool:
        """Whether intensities of two space groups of one extinction class differ in law."""
        return self.wilson or self.multiplicity

    @property
    def source(self) -> str:
        """Where the law is published: its distribution, the means of lines and the fall-off."""
        parts = (
            (not self.wilson, _UNIFORM_SOURCE),
            (self.amplitude, _AMPLITUDE_SOURCE),
            (self.wilson or self.multiplicity, _WILSON_SOURCE),
            (self.largest_b > 0, _FALLOFF_SOURCE),
        )
        return "; ".join(source for applies, source in parts if applies)

    def highest(self, half_shape: ArrayLike) -> NDArray[np.float64]:
        """Return the upper end of the range of a line's intensity; the lower end is 0.

        Parameters
        ----------
        half_shape : array_like of int, shape (n,)
            Twice the shape of each line's gamma distribution, see `half_shapes`.

        Returns
        -------
        ndarray of float64, shape (n,)
            Before the Lorentz factor.
        """
        shape = 0.5 * np.asarray(half_shape, dtype=np.float64)
        if self.wilson:
            return np.full_like(shape, np.inf)
        return shape if self.multiplicity else np.ones_like(shape)

    def moments(
        self, half_shape: ArrayLike, s_squared: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance of each line's intensity, before the Lorentz factor.

        Parameters
        ----------
        half_shape : array_like of int, shape (n,)
            Twice the shape of each line's gamma distribution, see `half_shapes`.
        s_squared : array_like of float, shape (n,)
            (sin theta / wavelength)^2 of each line, in ångström^-2.

        Returns
        -------
        mean, variance : ndarray of float64, shape (n,)
            Over patterns, so that the variance holds the spread of B.
        """
        shape = 0.5 * np.asarray(half_shape, dtype=np.float64)
        factor = shape if self.multiplicity else np.ones_like(shape)
        x = 2 * self.largest_b * np.asarray(s_squared, dtype=np.float64)
        if self.wilson:
            first, second = np.ones_like(shape), 1 + 1 / shape
        else:
            power = 2 if self.amplitude else 1
            first, second = (np.full_like(shape, 1 / (n * power + 1)) for n in (1, 2))
        mean = first * factor * _mean_decay(x)
        square = second * factor**2 * _mean_decay(2 * x)
        return mean, square - mean**2

    def describe(self) -> str:
        """Say in a few sentences how intensities are drawn, with parameters and source."""
        if self.wilson:
            drawn = (
                "Intensities follow Wilson's statistics: the intensity of a line has a gamma "
                f"distribution of mean 1. Its shape is {_SHAPE}."
            )
        elif self.amplitude:
            drawn = (
                "Intensities are the squares of amplitudes, which are independent and uniform on "
                "(0, 1]."
            )
        else:
            drawn = "Intensities are independent and uniform on (0, 1]."
        parts = [drawn]
        if self.multiplicity:
            parts.append(
                f"Each is multiplied by {'that shape' if self.wilson else _SHAPE} (multiplicity)."
            )
        if self.largest_b:
            parts.append(
                "They fall off as exp(-2 B (sin θ / λ)²), with one B a pattern, uniform from 0 to "
                f"{self.largest_b:g} Å²."
            )
        return " ".join([*parts, f"Source: {self.source}."])


def _mean_decay(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of exp(-t x) for t uniform from 0 to 1."""
    return np.divide(-np.expm1(-x), x, out=np.ones_like(x), where=x > 0)


PHYSICAL = IntensityLaw(wilson=True, multiplicity=True, largest_b=LARGEST_B)
UNIFORM = IntensityLaw()
#: The laws by the names that sets have them under.
LAWS = {
    "uniform": UNIFORM,
    "amplitude": IntensityLaw(amplitude=True),
    "amplitude-falloff": IntensityLaw(amplitude=True, largest_b=LARGEST_B),
    "physical": PHYSICAL,
    "physical-no-wilson": IntensityLaw(multiplicity=True, largest_b=LARGEST_B),
    "physical-no-multiplicity": IntensityLaw(wilson=True, largest_b=LARGEST_B),
    "physical-no-falloff": IntensityLaw(wilson=True, multiplicity=True),
}
