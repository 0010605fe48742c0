import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sgbench.decoder._evidence import _CELL_SLACK, log_evidence
from sgbench.decoder._pawley import fit_lattice
from sgbench.diffraction import PatternProtocol, metric, reflection_table, two_theta_of
from sgbench.diffraction._lines import lorentz_factor

# Few points and few lines, some of which overlap, so that dense algebra is exact.
COARSE = PatternProtocol("coarse", two_theta_min=20.0, two_theta_max=50.0, n_points=401, sigma=0.3)
LARGEST = (6.0, 9.0)
SCALE = 0.1


def profiles_of(two_theta):
    """Every line's profile, shape (n_points, n)."""
    return np.exp(-0.5 * ((COARSE.two_theta[:, None] - two_theta) / COARSE.sigma) ** 2)


def moved(rows, exact, parameter, change):
    """Profiles after a relative change of one parameter of the metric."""
    changed = exact.copy()
    changed[parameter] *= 1 + change
    return profiles_of(two_theta_of(rows @ changed, COARSE.wavelength))


@pytest.mark.parametrize("noise", [0.1, 0.01])
def test_the_evidence_is_that_of_dense_algebra(noise):
    table = reflection_table("tetragonal", LARGEST, COARSE)
    rng = np.random.default_rng(3)
    exact = metric("tetragonal", [(5.1, 8.3)])[0]
    pattern = rng.uniform(0, 1, COARSE.n_points)
    # Noise above the misfit: the metric stays.
    fit = fit_lattice(pattern, exact, table, COARSE, 100.0)
    n = len(fit.row)
    assert n > 10
    present = rng.uniform(size=(6, n)) < 0.6
    present[0], present[1] = True, False
    ours = log_evidence(fit, present, noise, SCALE)
    profiles = profiles_of(fit.two_theta)
    # The cell moves with the intensities that fit best.
    heights = np.linalg.lstsq(profiles, pattern)[0]
    rows = table.coefficients[fit.row]
    drift = (
        np.stack(
            [
                (moved(rows, exact, parameter, 1e-5) - moved(rows, exact, parameter, -1e-5))
                @ heights
                for parameter in range(2)
            ],
            axis=1,
        )
        / 2e-5
    )
    largest = SCALE * lorentz_factor(fit.two_theta)
    expected = [
        multivariate_normal(
            profiles[:, keep] @ largest[keep] / 2,
            noise**2 * np.eye(COARSE.n_points)
            + (profiles[:, keep] * largest[keep] ** 2 / 12) @ profiles[:, keep].T
            + _CELL_SLACK**2 * drift @ drift.T,
        ).logpdf(pattern)
        for keep in present
    ]
    np.testing.assert_allclose(ours - ours[1], np.array(expected) - expected[1], rtol=1e-5)
