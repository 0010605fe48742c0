"""The measurement protocol: everything that turns lines into a pattern."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sgbench.errors import SgbenchError

#: Lines further than this many profile widths from a point add less than 2e-8 of their height.
TAIL_SIGMAS = 6.0
#: A Lorentzian is cut this many full widths from its centre, where it has fallen to 2e-4.
TAIL_WIDTHS = 35.0


@dataclass(frozen=True)
class PatternProtocol:
    """A powder measurement, as data.

    Attributes
    ----------
    name : str
    wavelength : float
        Wavelength in ångström.
    two_theta_min, two_theta_max : float
        Window in degrees; both ends are grid points.
    n_points : int
        Points of the grid, evenly spaced in two_theta.
    sigma : float
        Standard deviation of the Gaussian profile in degrees.
    hkl_limit : int or None
        Largest absolute Miller index that is considered; None means complete.
    upper_tail : bool
        Whether lines beyond the upper end of the window reach into it with their tail. Lines below
        the lower end always do.
    overlap : {"sum", "first"}
        Intensity of a line of a structure: the sum over all its reflections, or that of the first
        one met (h, then k, then l ascending) at an angle rounded to 1e-6 degrees. Designed lines
        have one intensity in either case.
    """

    name: str
    wavelength: float = 1.5406
    two_theta_min: float = 5.0
    two_theta_max: float = 90.0
    n_points: int = 8192
    sigma: float = 0.1
    hkl_limit: int | None = None
    upper_tail: bool = True
    overlap: Literal["sum", "first"] = "sum"

    def __post_init__(self) -> None:
        if not 0 < self.two_theta_min < self.two_theta_max < 180:
            raise SgbenchError(
                f"the two_theta window {self.two_theta_min}-{self.two_theta_max} is empty, "
                "reversed or outside 0-180 degrees. Give a lower end below the upper one."
            )
        if not (0 < self.wavelength < np.inf and 0 < self.sigma < np.inf):
            raise SgbenchError(
                f"wavelength {self.wavelength} and profile width {self.sigma} must both be "
                "positive. Give ångström and degrees."
            )
        if TAIL_SIGMAS * self.sigma > self.two_theta_max - self.two_theta_min:
            raise SgbenchError(
                f"a profile of width {self.sigma} is wider than the two_theta window "
                f"{self.two_theta_min}-{self.two_theta_max}. Widen the window, or narrow the "
                "profile."
            )
        if self.n_points < 2 or self.step > self.sigma:
            raise SgbenchError(
                f"{self.n_points} points are too few for a profile of width {self.sigma} degrees; "
                f"expected at least {self._least_points()}. Raise n_points or widen the profile."
            )

    @property
    def step(self) -> float:
        """Distance of grid points in degrees."""
        return (self.two_theta_max - self.two_theta_min) / (self.n_points - 1)

    @property
    def two_theta(self) -> NDArray[np.float64]:
        """The grid, shape (n_points,), degrees."""
        return np.linspace(self.two_theta_min, self.two_theta_max, self.n_points)

    @property
    def line_range(self) -> tuple[float, float]:
        """Positions in degrees between which a line touches the window."""
        tail = TAIL_SIGMAS * self.sigma
        upper = self.two_theta_max + (tail if self.upper_tail else 0.0)
        return max(self.two_theta_min - tail, 0.0), min(upper, 180.0)

    @property
    def q_range(self) -> tuple[float, float]:
        """1/d^2 in 1/ångström^2 between which a line touches the window."""
        sines = np.sin(np.radians(self.line_range) / 2)
        lowest, highest = (2 * sines / self.wavelength) ** 2
        return float(lowest), float(highest)

    def _least_points(self) -> int:
        return int(np.ceil((self.two_theta_max - self.two_theta_min) / self.sigma)) + 1


#: The leaderboard's protocol: complete reflections, tails at both ends.
CANONICAL = PatternProtocol("canonical")
#: The paper's own: |h|, |k|, |l| <= 10, lines above the window cut, one reflection a line.
PUBLISHED = PatternProtocol("published", hkl_limit=10, upper_tail=False, overlap="first")

PROTOCOLS = {protocol.name: protocol for protocol in (CANONICAL, PUBLISHED)}
