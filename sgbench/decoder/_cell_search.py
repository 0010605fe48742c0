"""The search for metrics, family by family: trial cells over a range of zeros, the best refined."""

from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from sgbench.decoder._clock import seconds
from sgbench.decoder._found_lines import FoundLines
from sgbench.decoder._lattice_fit import fit, weigh
from sgbench.decoder._planes import reduced_plane, refine_zones, zones_of
from sgbench.decoder._trial_cells import (
    axis_and_planes,
    boxes,
    one_parameter,
    plane_and_vector,
    planes_and_axis,
    two_parameters,
)
from sgbench.decoder._trial_kernels import BINS, UNSEEN, new_pool
from sgbench.diffraction import FREE_PARAMETERS

Floats = NDArray[np.floating]

#: Families in the order of the kernels.
ORDER = tuple(FREE_PARAMETERS)
#: Centrings, by their number, that lattices of a family can have.
OF_FAMILY = {
    "cubic": (0, 4, 5),
    "tetragonal": (0, 4),
    "trigonal-hexagonal": (0, 6),
    "orthorhombic": (0, 1, 2, 3, 4, 5),
    "monoclinic": (0, 1, 3, 4),
    "triclinic": (0,),
}
# Zeros of two_theta that are tried: a step in degrees, how many there are at most to each side, and
# which, in this order.
_ZERO_STEP, _MOST_ZEROS = 0.03, 4
_ZEROS = (0, -1, 1, -2, 2, -3, 3)
# Lines that test trials, by the number of free parameters, and lines that metrics are fitted to and
# weighed by.
_TESTED = {1: 20, 2: 20, 3: 22, 4: 24, 6: 24}
_FREE = (1, 2, 2, 3, 4, 6)
_WEIGHED = 50
# A line's window is this wide at least, and at most, in degrees to each side.
_WINDOW = 0.02, 0.06
# Families whose axes are not at right angles.
_OBLIQUE = ("trigonal-hexagonal", "monoclinic", "triclinic")
# Edges of cells, in ångström.
_SHORTEST, _LONGEST = 2.0, 45.0
# Metrics of each family that are fitted.
_FITTED = (100, 150, 150, 300, 400, 400)
# A trial worth so many nats a line is not by chance. Then only the zeros beside it are tried, as
# long as they gain so many nats and there are not so many a line.
_CLEAR, _CLEARER, _PERFECT = 1.35, 3.0, 2.4
# The foot of a line, in widths, and what is weak there, as a share of its height.
_FOOT, _WEAK = 2.0, 0.1
# Lines below this share of the highest are left out.
_LOWEST = 0.005
# Lines above this share of the highest are strong. They are tried by themselves where there are so
# many at least and the first of them are spread over so many times as many lines.
_STRONG, _FEWEST_STRONG, _CROWDED = 0.06, 4, 1.25
# Lines of a cell of volume 1 up to 1/d^2 = 1, and how many times as many as were found they may be.
_LINES_OF_VOLUME = (np.pi / 36, np.pi / 12, np.pi / 18, np.pi / 6, np.pi / 3, 2 * np.pi / 3)
_MOST_FOLD = (20.0, 8.0, 10.0, 10.0, 6.0, 3.0)
# Each parameter and each centring has so many values that it can take: nats.
_PER_PARAMETER, _PER_CENTRING = 4.0, 1.0


@dataclass(frozen=True)
class Effort:
    """How much is tried in the two lower families.

    Attributes
    ----------
    planes : int
        Planes that are tried, those of most lines first.
    first : int
        Lines that the first two vectors of a plane are.
    crossing : int
        Lines that the angle of a plane is solved from.
    beyond : int
        Lines beyond a plane that the third vector is solved from.
    angles : int
        Lines that each of a triclinic cell's other two angles is solved from.
    shifts : int
        Ways in which the last of these is made of the three vectors.
    """

    planes: int
    first: int
    crossing: int
    beyond: int
    angles: int
    shifts: int


#: What is tried first, and what is tried where that has found nothing convincing.
QUICK = {"monoclinic": Effort(150, 8, 14, 6, 0, 0), "triclinic": Effort(150, 8, 20, 6, 20, 1)}
THOROUGH = {"monoclinic": Effort(500, 10, 30, 8, 0, 0), "triclinic": Effort(300, 12, 40, 6, 20, 4)}


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric that explains lines.

    Attributes
    ----------
    family, centring : int
        Places in `ORDER` and in `_lattice_symmetry.CENTRINGS`.
    metric : ndarray, shape (6,)
        Coefficients of h^2, k^2, l^2, kl, hl, hk in 1/d^2, 1/ångström^2.
    zero : float
        Degrees.
    weight : float
        Nats, see `sgbench.decoder._lattice_fit`.
    explained, calculated, m20, f_n : float
    """

    family: int
    centring: int
    metric: Floats
    zero: float
    weight: float
    explained: float
    calculated: float
    m20: float
    f_n: float


@dataclass(frozen=True, eq=False)
class Lines:
    """Found lines as the kernels take them: those that test trials, and those that weigh."""

    x: Floats
    sigma: Floats
    height: Floats
    width: Floats
    wavelength: float


def lines_for(lines: FoundLines, wavelength: float) -> Lines:
    """Return the first lines, with heights as shares of the highest one's.

    Weak lines at the foot of a strong one are left out, since they are its profile's, and so is
    what is lowest.
    """
    apart = np.abs(lines.two_theta[:, None] - lines.two_theta)
    foot = (apart < _FOOT * lines.fwhm) & (lines.height[:, None] < _WEAK * lines.height)
    low = lines.height < _LOWEST * lines.height.max()
    first = np.flatnonzero(~foot.any(axis=1) & ~low)[:_WEIGHED]
    return Lines(
        lines.two_theta[first],
        lines.uncertainty[first],
        lines.height[first] / lines.height.max(),
        lines.fwhm[first],
        wavelength,
    )


def strong_lines(lines: FoundLines, wavelength: float) -> Lines | None:
    """Return the first lines that no small impurity has, where many others lie among them."""
    height = lines.height / lines.height.max()
    strong = np.flatnonzero(height > _STRONG)
    n = min(len(strong), max(_TESTED.values()))
    if n < _FEWEST_STRONG or strong[n - 1] + 1 < _CROWDED * n:
        return None
    parts = (lines.two_theta, lines.uncertainty, lines.height, lines.fwhm)
    return lines_for(FoundLines(*(part[strong] for part in parts)), wavelength)


def metrics_of(
    family: str,
    lines: Lines,
    strong: Lines | None,
    until: float,
    efforts: dict[str, Effort] = QUICK,
) -> list[Metric]:
    """Return metrics of a family that explain the lines, the best first."""
    number = ORDER.index(family)
    trials: list[tuple[Floats, float]] = []
    for some in (lines, strong):
        if some is None:
            continue
        pool = new_pool()
        clear = _try_zeros(pool, number, some, until, efforts.get(family))
        trials += _fitted(pool, number, some, _FITTED[number])
        if clear:
            break
    return weighed(number, trials, lines, 2)


def _try_zeros(
    pool: tuple[Floats, ...], family: int, lines: Lines, until: float, effort: Effort | None
) -> bool:
    """Offer trial cells to a pool, zero by zero, and tell whether one is clearly not by chance."""
    n = min(_TESTED[_FREE[family]], len(lines.x))
    score, tried = pool[4], set()

    def gained(place: int) -> bool:
        if place in tried or abs(place) > _MOST_ZEROS or seconds() > until:
            return False
        tried.add(place)
        before = score[1]
        _try(pool, family, lines, _ZERO_STEP * place, effort)
        return bool(score[1] > before + _CLEARER)

    for place in _ZEROS:
        gained(place)
        if score[1] <= _CLEAR * n:
            continue
        # At a zero that is a little off, cells that are too large fit, too.
        for step in (1, -1):
            while score[1] < _PERFECT * n and gained(place + step):
                place += step
        return True
    return False


def _fitted(
    pool: tuple[Floats, ...], family: int, lines: Lines, most: int
) -> list[tuple[Floats, float]]:
    """Return the best metrics of a pool, fitted to the lines, with their zeros."""
    scores, metrics, _, _, state = pool
    found = []
    for row in metrics[np.argsort(-scores[: int(state[0])])[:most]]:
        metric = row[:6].copy()
        n = len(lines.x)
        zero = fit(family, 0, metric, row[6], lines.x, lines.sigma, lines.wavelength, n, 7)
        found.append((metric, zero))
    return found


def weighed(
    family: int, trials: list[tuple[Floats, float]], lines: Lines, steps: int = 7
) -> list[Metric]:
    """Fit trials and return them with their weights, distinct ones, the best first."""
    found: list[Metric] = []
    n = len(lines.x)
    out = np.zeros(4)
    # Where axes are oblique, reciprocal edges are longer than the inverse of edges, a hexagonal
    # one by the root of 4/3.
    largest = (4 / 3 if ORDER[family] in _OBLIQUE else 1.0) / _SHORTEST**2
    for trial, start in trials:
        metric = np.array(trial)
        zero = fit(family, 0, metric, start, lines.x, lines.sigma, lines.wavelength, n, steps)
        if not np.all(np.isfinite(metric)) or np.any(metric[:3] > largest):
            continue
        best = None
        for centring in OF_FAMILY[ORDER[family]]:
            weight = weigh(
                family, centring, metric, zero, lines.x, lines.sigma, lines.height, lines.width,
                lines.wavelength, n, out,
            )  # fmt: skip
            weight -= _PER_PARAMETER * _FREE[family] + _PER_CENTRING * (centring > 0)
            if best is None or weight > best.weight:
                best = Metric(family, centring, metric.copy(), zero, weight, *out)
        if best is not None:
            found.append(best)
    found.sort(key=lambda one: -one.weight)
    return _distinct(found)


def _distinct(found: list[Metric]) -> list[Metric]:
    """Leave out metrics of a family that repeat a better one."""
    keys = np.array([_key(one) for one in found])
    kept: list[int] = []
    for i, key in enumerate(keys):
        others = keys[kept]
        if not np.any(np.all(np.abs(others - key) < 2e-5 + 3e-3 * np.abs(key), axis=1)):
            kept.append(i)
    return [found[i] for i in kept]


def _key(one: Metric) -> Floats:
    """Return what metrics of one family are told apart by."""
    metric = one.metric
    if one.family <= 2:
        return np.array([metric[0], metric[2]])
    if one.family == 3:
        return np.sort(metric[:3])
    if one.family == 4:
        return np.array([*reduced_plane(metric[0], metric[2], metric[4]), metric[1]])
    return reduced(metric)


def reduced(metric: Floats) -> Floats:
    """Return the metric of the reduced basis (Niggli) of a lattice."""
    vector = gemmi.GruberVector(list(metric))
    vector.niggli_reduce()
    return np.array(vector.parameters)


def _try(
    pool: tuple[Floats, ...], family: int, lines: Lines, zero: float, effort: Effort | None
) -> None:
    """Offer trial cells of a family to a pool, for one zero."""
    n = min(_TESTED[_FREE[family]], len(lines.x))
    x = lines.x[:n] - zero
    q = (2 * np.sin(np.radians(x) / 2) / lines.wavelength) ** 2
    slope = 2 * np.sin(np.radians(x)) / lines.wavelength**2 * np.radians(1.0)
    window = np.clip(_WINDOW[0] + 2 * lines.sigma[:n], *_WINDOW) * slope
    top = q[-1] + window[-1]
    scale = BINS / top
    which = np.zeros(BINS + 2, np.uint8)
    which[: int(max(q[0] - 2 * window[0], 0) * scale)] = UNSEEN
    nearest = np.full(BINS + 2, np.inf)
    for i in range(n):
        first, last = int((q[i] - window[i]) * scale), int((q[i] + window[i]) * scale)
        places = np.arange(max(first, 0), min(last, BINS) + 1)
        off = np.abs((places + 0.5) / scale - q[i])
        closer = off < nearest[places]
        which[places[closer]] = i + 1
        nearest[places[closer]] = off[closer]
    chance = (1.5 if family > 0 else 1.0) * np.sqrt(q / top) / top * 2 * window
    if family == 0:
        chance = 2 * window / top
    low, high = 1 / _LONGEST**2, 1 / _SHORTEST**2
    # No cell has many times as many lines as were found.
    least = (_LINES_OF_VOLUME[family] * top**1.5 / (_MOST_FOLD[family] * n)) ** 2
    common = (pool, q, chance, zero, which, scale, top, low, high, least)
    if family == 0:
        one_parameter(*common, _numbers(0), _KINDS[0])
    elif family <= 2:
        two_parameters(*common, _numbers(family), _KINDS[family], family, 13, 4)
    elif family == 3:
        boxes(*common, _KINDS[3])
    elif effort is not None:
        found = np.zeros((200_000, 4))
        more = (2 * np.sin(np.radians(lines.x - zero) / 2) / lines.wavelength) ** 2
        # Glide planes and screw axes take every other line of a row, which a triclinic cell keeps.
        multiples = 2 if family == 4 else 1
        count = zones_of(
            q, more, which, scale, top, low, high, effort.first, effort.crossing, multiples, found
        )
        zones = _distinct_zones(found[:count], 4 * effort.planes)
        refine_zones(zones, q, window)
        zones = _distinct_zones(zones, effort.planes)
        if family == 4:
            planes_and_axis(*common, _KINDS[4], zones, effort.beyond)
            axis_and_planes(*common, _KINDS[4])
        else:
            plane_and_vector(*common, zones, effort.beyond, more, effort.angles, effort.shifts)


def _distinct_zones(found: Floats, most: int) -> Floats:
    order = np.argsort(-found[:, 3])
    found = found[order]
    _, first = np.unique(np.rint(found[:, :3] * 1e4), axis=0, return_index=True)
    return np.ascontiguousarray(found[np.sort(first)][:most])


def _numbers(family: int) -> NDArray[np.int64]:
    index = np.arange(30)
    h, k = np.meshgrid(index, index)
    if family == 0:
        values = (h**2 + k**2)[:, :, None] + index**2
    else:
        values = h**2 + k**2 + (h * k if family == 2 else 0)
    found = np.unique(values)
    return found[found < 400]


def _parity_kinds(centrings: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell for each centring which parities of h, k and l it has."""
    parts = np.arange(8)
    h, k, low = parts % 2, parts // 2 % 2, parts // 4
    conditions = {
        0: np.ones(8, dtype=bool),
        1: (k + low) % 2 == 0,
        2: (h + low) % 2 == 0,
        3: (h + k) % 2 == 0,
        4: (h + k + low) % 2 == 0,
        5: ((h + k) % 2 == 0) & ((k + low) % 2 == 0),
    }
    return np.array([conditions[one] for one in centrings])


_KINDS = (
    np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0]], dtype=bool),
    np.array([[1, 1], [1, 0]], dtype=bool),
    np.array([[1, 1], [1, 0]], dtype=bool),
    _parity_kinds(OF_FAMILY["orthorhombic"]),
    _parity_kinds(OF_FAMILY["monoclinic"]),
)
