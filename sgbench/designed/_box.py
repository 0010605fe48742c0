"""Integrals, moments and draws of exp(b u - a u^2 / 2) on [0, 1], in log-space, compiled."""

import math

import numba
import numpy as np

_SQRT_HALF = math.sqrt(0.5)
_SQRT_HALF_PI = math.sqrt(math.pi / 2)
# Where a is less, exp(b u) is the density, and the rest a correction of first order.
_FLAT = 1e-5
# So many standard deviations beyond its mode, a normal law is an exponential one.
_FAR = 1e4
# Up to here, tails are no smaller than numbers can be.
_NEAR = 30.0


@numba.njit(cache=True)
def erfcx(x):  # type: ignore[no-untyped-def]
    """Return exp(x^2) erfc(x) for x >= 0."""
    if x < 5.0:
        return math.exp(x * x) * math.erfc(x)
    if x > 15.0:
        y = 0.5 / (x * x)
        series = 1.0 - y * (1.0 - 3.0 * y * (1.0 - 5.0 * y * (1.0 - 7.0 * y * (1.0 - 9.0 * y))))
        return 0.5641895835477563 * series / x
    fraction = x
    for k in range(18, 0, -1):  # Laplace's continued fraction
        fraction = x + 0.5 * k / fraction
    return 0.5641895835477563 / fraction


@numba.njit(cache=True)
def log_mass(a, b):  # type: ignore[no-untyped-def]
    """Return the logarithm of the integral; a >= 0."""
    if 2.0 * b > a:  # seen from the other end
        return b - 0.5 * a + _log_mass(a, a - b)
    return _log_mass(a, b)


@numba.njit(cache=True)
def _log_mass(a, b):  # type: ignore[no-untyped-def]
    if a < _FLAT:
        mass, mean, variance = _exponential(b)
        return mass - 0.5 * a * (mean * mean + variance)
    s = math.sqrt(a)
    low, high = -b / s, s - b / s
    scale = _SQRT_HALF_PI / s
    if low > 0:
        return math.log(scale * _tail_difference(low, high, b - 0.5 * a))
    both = math.erf(high * _SQRT_HALF) - math.erf(low * _SQRT_HALF)
    return 0.5 * low * low + math.log(scale * both)


@numba.njit(cache=True)
def _exponential(b):  # type: ignore[no-untyped-def]
    """Return log of the integral of exp(b u) on [0, 1], and the law's mean and variance."""
    if abs(b) < 1e-2:
        return 0.5 * b + b * b / 24.0 - b**4 / 2880.0, 0.5 + b / 12.0, 1.0 / 12.0 - b * b / 240.0
    decay = math.exp(-abs(b))
    rest = -math.expm1(-abs(b))
    mean = 1.0 / abs(b) - decay / rest  # from the end where the density is highest
    variance = 1.0 / (b * b) - decay / (rest * rest)
    mass = math.log(rest / abs(b))
    return (mass + b, 1.0 - mean, variance) if b > 0 else (mass, mean, variance)


@numba.njit(cache=True)
def _tail_difference(near, far, exponent):  # type: ignore[no-untyped-def]
    """Return (Q(near) - Q(far)) / Q'(near), but for a constant; Q' falls by exp(exponent)."""
    value = erfcx(near * _SQRT_HALF)
    if exponent < -700.0:
        return value
    return value - math.exp(exponent) * erfcx(far * _SQRT_HALF)


@numba.njit(cache=True)
def moments(a, b):  # type: ignore[no-untyped-def]
    """Return `log_mass`, and mean and variance of the law with this density.

    Mean and variance are approximate where the law is nearly exponential; they serve as a guide.
    """
    if 2.0 * b > a:
        mass, mean, variance = moments(a, a - b)
        return mass + b - 0.5 * a, 1.0 - mean, variance
    mass = _log_mass(a, b)
    s = math.sqrt(a)
    low, high = -b / max(s, 1e-3), s - b / max(s, 1e-3)
    if s < 0.03 or (low > 1000.0 and low * s <= 40.0):
        _, mean, variance = _exponential(b)
        return mass, mean, variance
    if low > 100.0 and low * s > 40.0:
        inverse = 1.0 / (low * low)
        return mass, -(1.0 - 2.0 * inverse) / b, (1.0 - 6.0 * inverse) / (b * b)
    # Densities at the ends, times the width 1 / s of the normal law.
    at_low, at_high = math.exp(-mass) / s, math.exp(b - 0.5 * a - mass) / s
    shift = at_low - at_high
    variance = (1.0 + low * at_low - high * at_high - shift * shift) / a
    return mass, min(max((shift - low) / s, 0.0), 1.0), min(max(variance, 1e-9 / a), 1.0 / 12.0)


@numba.njit(cache=True)
def draw(a, b, v):  # type: ignore[no-untyped-def]
    """Return the v-quantile, 0 < v < 1, of the law with this density."""
    if 2.0 * b > a:
        return 1.0 - _draw(a, a - b, 1.0 - v)
    return _draw(a, b, v)


@numba.njit(cache=True)
def _draw(a, b, v):  # type: ignore[no-untyped-def]
    s = math.sqrt(a)
    if a < _FLAT or -b > _FAR * s:
        return _exponential_quantile(b, v)
    low, high = -b / s, s - b / s
    if low > _NEAR:
        place = (_from_tail(low, high, b - 0.5 * a, v) - low) / s
    else:
        # The upper tail, in which nothing cancels.
        upper, rest = 0.5 * math.erfc(low * _SQRT_HALF), 0.5 * math.erfc(high * _SQRT_HALF)
        place = (-normal_quantile(upper + v * (rest - upper)) - low) / s
    return min(max(place, 0.0), 1.0)


@numba.njit(cache=True)
def _exponential_quantile(b, v):  # type: ignore[no-untyped-def]
    if abs(b) < 1e-6:
        return v
    if b > 0:
        return max(1.0 + math.log(v + (1.0 - v) * math.exp(-b)) / b, 0.0)
    return min(math.log1p(v * math.expm1(b)) / b, 1.0)


@numba.njit(cache=True)
def _from_tail(near, far, exponent, v):  # type: ignore[no-untyped-def]
    """Return the v-quantile of the normal law between near and far, both far above 0."""
    at_near = erfcx(near * _SQRT_HALF)
    whole = _tail_difference(near, far, exponent) / at_near
    kept = 1.0 - v * whole
    z = math.sqrt(near * near - 2.0 * math.log(kept))
    for _ in range(2):  # Newton, on the logarithm of the tail
        value = erfcx(z * _SQRT_HALF)
        excess = math.log(value / (kept * at_near)) - 0.5 * (z - near) * (z + near)
        z += excess * value * _SQRT_HALF_PI
    return z


@numba.njit(cache=True)
def normal_quantile(p):  # type: ignore[no-untyped-def]
    """Return the quantile of the standard normal law (Wichura 1988, algorithm AS 241)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = (
            ((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853)
                * r + 45921.953931549871457) * r + 13731.693765509461125) * r
              + 1971.5909503065514427) * r + 133.14166789178437745) * r + 3.387132872796366608
        )  # fmt: skip
        below = (
            ((((((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061)
                * r + 21213.794301586595867) * r + 5394.1960214247511077) * r
              + 687.1870074920579083) * r + 42.313330701600911252) * r + 1.0
        )  # fmt: skip
        return q * top / below
    r = p if q < 0 else 1.0 - p
    if r <= 0.0:
        return -38.0 if q < 0 else 38.0
    r = math.sqrt(-math.log(r))
    if r <= 5.0:
        r -= 1.6
        top = (
            ((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r
                 + 0.24178072517745061177) * r + 1.27045825245236838258) * r
               + 3.64784832476320460504) * r + 5.7694972214606914055) * r + 4.6303378461565452959)
            * r + 1.42343711074968357734
        )  # fmt: skip
        below = (
            ((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r
                 + 0.0151986665636164571966) * r + 0.14810397642748007459) * r
               + 0.68976733498510000455) * r + 1.6763848301838038494) * r + 2.05319162663775882187)
            * r + 1.0
        )  # fmt: skip
    else:
        r -= 5.0
        top = (
            ((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r
                 + 0.0012426609473880784386) * r + 0.026532189526576123093) * r
               + 0.29656057182850489123) * r + 1.7848265399172913358) * r + 5.4637849111641143699)
            * r + 6.6579046435011037772
        )  # fmt: skip
        below = (
            ((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r
                 + 1.8463183175100546818e-5) * r + 7.868691311456132591e-4) * r
               + 0.0148753612908506148525) * r + 0.13692988092273580531) * r
             + 0.59983220655588793769) * r + 1.0
        )  # fmt: skip
    return -top / below if q < 0 else top / below


@numba.njit(cache=True)
def uniform(state):  # type: ignore[no-untyped-def]
    """Return the next number on (0, 1) of splitmix64, whose state is one uint64 in an array."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    value = state[0]
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    value = value ^ (value >> np.uint64(31))
    return (np.float64(value >> np.uint64(12)) + 0.5) * 2.0**-52
