import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.special import log_ndtr

from sgbench.decoder._expectation import inverse_diagonal, log_above_zero, log_integrals
from sgbench.decoder._laws import exponential, nearly_uniform

NO_BORDER = (np.zeros((0, 0)), np.zeros(0))


def integral(normal, right, law, present=None, leak=1e-3, sweeps=12, border=None):
    """The logarithm of the integral over the intensities of a dense problem."""
    n = len(right)
    rows = np.zeros((n, n))
    for i in range(n):
        rows[i, : i + 1] = normal[i, : i + 1]
    allowed = np.ones((1, n), bool) if present is None else np.array([present])
    columns, square, pull = border or (np.zeros((n, 0)), *NO_BORDER)
    value, *_ = log_integrals(
        allowed, np.zeros(n, np.int64), rows, right, columns, square, pull, 0.0,
        law.curvature, law.slope, law.log_norm, np.full(n, leak), np.full(n, 1e-3), np.zeros(n),
        sweeps,
    )  # fmt: skip
    return value[0]


@pytest.mark.parametrize("z", [-1e4, -300.0, -12.5, -11.5, -3.0, 0.0, 4.0])
def test_the_tail_of_the_normal_distribution(z):
    value, slope = log_above_zero(z)
    assert value == pytest.approx(log_ndtr(z), rel=1e-6)
    assert slope == pytest.approx((log_ndtr(z + 1e-4) - log_ndtr(z - 1e-4)) / 2e-4, rel=1e-3)


@pytest.mark.parametrize("seen", [-2.0, 0.0, 0.5, 20.0])
@pytest.mark.parametrize("mean", [0.3, 5.0])
def test_one_exponential_line_has_the_closed_form(seen, mean):
    # Of exp(-(I - seen)^2 / 2 + seen^2 / 2) exp(-I / mean) / mean over I > 0.
    expected = -np.log(mean) + 0.5 * (seen - 1 / mean) ** 2 + 0.5 * np.log(2 * np.pi)
    expected += log_ndtr(seen - 1 / mean)
    law = exponential(np.array([[mean]]))
    assert integral(np.eye(1), np.array([seen]), law) == pytest.approx(expected, abs=1e-6)


def test_a_forbidden_line_is_a_narrow_normal_one():
    law = exponential(np.ones((1, 1)))
    value = integral(np.eye(1), np.array([3.0]), law, present=[False], leak=0.5)
    assert value == pytest.approx(-0.5 * np.log(1.25) + 0.5 * 9 / 5, abs=1e-9)


@pytest.mark.parametrize("correlation", [-0.9, 0.5, 0.95])
@pytest.mark.parametrize("law", ["exponential", "uniform"])
def test_two_lines_that_overlap_agree_with_quadrature(correlation, law):
    normal = np.array([[1.0, correlation], [correlation, 1.0]])
    right = np.array([0.4, 1.5])
    scale = np.array([[2.0, 3.0]])
    of_lines = exponential(scale) if law == "exponential" else nearly_uniform(scale)

    def density(y, x):
        i = np.array([x, y])
        prior = of_lines.slope[0] @ i - 0.5 * of_lines.curvature[0] @ i**2 + of_lines.log_norm.sum()
        return np.exp(right @ i - 0.5 * i @ normal @ i + prior)

    expected = np.log(dblquad(density, 0, 40, 0, 40, epsabs=1e-8)[0])
    assert integral(normal, right, of_lines) == pytest.approx(expected, abs=0.02)


def test_the_inverse_s_diagonal_is_that_of_the_whole_matrix():
    n, width = 30, 6
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(n, width))
    factor[:, 0] = 2 + rng.uniform(size=n)
    whole = np.zeros((n, n))
    for j in range(n):
        part = factor[j, : n - j]
        whole[j : j + len(part), j] = part
    np.testing.assert_allclose(
        inverse_diagonal(factor), np.diag(np.linalg.inv(whole @ whole.T)), rtol=1e-8
    )


def test_lines_that_coincide_are_integrated_over():
    # Only their sum is seen: the integral over it is that over one line of a gamma law.
    normal, right = np.full((2, 2), 1e6), np.full(2, 1e6)
    law = exponential(np.array([[2.0, 2.0]]))
    # exp(1e6 (s - s^2 / 2)) s exp(-s / 2) / 4 over s, around s = 1.
    expected = 0.5e6 + np.log(0.25) - 0.5 + 0.5 * np.log(2 * np.pi / 1e6)
    assert integral(normal, right, law) == pytest.approx(expected, abs=0.3)


def test_laws_are_densities():
    grid = np.linspace(0, 60, 600_001)
    for law in (exponential(np.array([[2.0]])), nearly_uniform(np.array([[5.0]]))):
        logarithm = law.slope * grid - 0.5 * law.curvature * grid**2 + law.log_norm
        assert np.trapezoid(np.exp(logarithm[0]), grid) == pytest.approx(1.0, abs=1e-5)


def test_the_border_is_integrated_over():
    # A background that the line's profile overlaps with, integrated over: a wider normal problem.
    normal, right = np.array([[2.0]]), np.array([1.0])
    law = exponential(np.array([[1.5]]))
    square, cross, pull = 3.0, 0.8, 0.7
    border = np.array([[cross]]), np.array([[square]]), np.array([pull])
    reduced = normal - cross**2 / square
    expected = integral(reduced, right - cross * pull / square, law)
    expected += 0.5 * pull**2 / square - 0.5 * np.log(square) + 0.5 * np.log(2 * np.pi)
    assert integral(normal, right, law, border=border) == pytest.approx(expected, abs=1e-6)
