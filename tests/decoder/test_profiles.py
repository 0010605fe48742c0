import numpy as np
import pytest

from sgbench.decoder._pawley import factorised
from sgbench.decoder._profiles import (
    far_tails,
    half_solved_columns,
    moved,
    normal_equations,
    products,
    profiles,
    summed,
    windows,
)

ANGLES = np.arange(10.0, 60.0, 0.02)


def lines(n=12, ratio=0.5, share=0.4, reach=7.0):
    rng = np.random.default_rng(3)
    first = np.sort(rng.uniform(9.9, 60.2, n))
    second = first + 0.003 * first
    width = np.linspace(0.1, 0.3, n)
    start, offset = windows(ANGLES, first, second, reach * width)
    eta = np.full(n, share)
    return first, second, ratio, width, eta, start, offset


def dense(start, offset, value):
    matrix = np.zeros((len(start), len(ANGLES)))
    for i, begin in enumerate(start):
        part = value[offset[i] : offset[i + 1]]
        matrix[i, begin : begin + len(part)] = part
    return matrix


def test_lines_have_unit_area_and_their_repetition_the_ratio():
    first, second, width, eta = (np.array([value]) for value in (35.0, 35.1, 0.2, 0.6))
    start, offset = windows(ANGLES, first, second, np.array([20.0]))
    value, *_ = profiles(ANGLES, first, second, 0.5, width, eta, start, offset)
    # The Lorentzian part loses width / (pi reach) beyond the window.
    assert value.sum() * 0.02 == pytest.approx(1.5, abs=0.01)


def test_tails_continue_what_the_window_ends():
    first, second, width, eta = (np.array([value]) for value in (35.0, 35.1, 0.2, 0.6))
    wide = windows(ANGLES, first, second, np.array([6.0]))
    whole, *_ = profiles(ANGLES, first, second, 0.5, width, eta, *wide)
    start, offset = windows(ANGLES, first, second, np.array([2.0]))
    near, *_ = profiles(ANGLES, first, second, 0.5, width, eta, start, offset)
    strength = np.array([3.0])
    far = far_tails(
        ANGLES, first, second, 0.5, width, eta, strength, start, offset, np.array([5.5])
    )
    total = far + summed(start, offset, near, strength, len(ANGLES))
    inside = np.abs(ANGLES - 35.0) < 5.4
    np.testing.assert_allclose(total[inside], 3 * dense(*wide, whole)[0][inside], rtol=1e-9)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_derivatives_are_those_of_differences(which):
    first, second, ratio, width, eta, start, offset = lines()
    _, *slopes = profiles(ANGLES, first, second, ratio, width, eta, start, offset)
    step = 1e-6
    values = []
    for sign in (1, -1):
        change = [sign * step * (which == number) for number in range(3)]
        values.append(
            profiles(
                ANGLES, first + change[0], second + change[0], ratio, width + change[1],
                eta + change[2], start, offset,
            )[0]
        )  # fmt: skip
    difference = (values[0] - values[1]) / (2 * step)
    np.testing.assert_allclose(slopes[which], difference, atol=1e-4 * np.abs(difference).max())


def test_banded_equations_are_those_of_whole_matrices():
    *shape, start, offset = lines()
    value, slope, *_ = profiles(ANGLES, *shape, start, offset)
    matrix, rng = dense(start, offset, value), np.random.default_rng(1)
    weight, pattern = rng.uniform(1, 2, len(ANGLES)), rng.normal(size=len(ANGLES))
    columns = rng.normal(size=(len(ANGLES), 3))
    first, normal, right = normal_equations(start, offset, value, weight, pattern)
    whole = (matrix * weight) @ matrix.T
    for i in range(len(first)):
        np.testing.assert_allclose(whole[i, : first[i]], 0, atol=1e-12)
        np.testing.assert_allclose(normal[i, : i - first[i] + 1], whole[i, first[i] : i + 1])
    np.testing.assert_allclose(right, matrix @ (weight * pattern))
    np.testing.assert_allclose(products(start, offset, value, columns), matrix @ columns)
    heights = rng.uniform(size=len(start))
    np.testing.assert_allclose(
        summed(start, offset, value, heights, len(ANGLES)), heights @ matrix, atol=1e-12
    )
    np.testing.assert_allclose(
        moved(start, offset, slope, heights[:, None], len(ANGLES))[:, 0],
        heights @ dense(start, offset, slope),
        atol=1e-12,
    )


def test_solutions_are_those_of_whole_matrices():
    *shape, start, offset = lines(40)
    value, *_ = profiles(ANGLES, *shape, start, offset)
    first, normal, right = normal_equations(
        start, offset, value, np.ones(len(ANGLES)), np.ones(len(ANGLES))
    )
    matrix = dense(start, offset, value)
    whole = matrix @ matrix.T + np.diag(np.full(len(first), 0.5))
    factor, lead = factorised(np.arange(len(first)), first, normal, 1.0, np.full(len(first), 0.5))
    columns = np.column_stack([right, np.arange(len(first), dtype=float)])
    half = half_solved_columns(factor, lead, columns)
    np.testing.assert_allclose(half.T @ half, columns.T @ np.linalg.solve(whole, columns))
