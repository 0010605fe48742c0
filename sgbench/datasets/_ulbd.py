"""The uniform lattice based dataset (ULBD): patterns designed from cells and extinction laws.

A dataset is a specification of a few numbers. Every sample is a recipe (space group, cell, pattern
index); its line positions follow from the cell, its lines from the extinction class, and its random
intensities from a counter-based generator keyed by dataset version, space group, cell and pattern.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Literal

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.datasets._lattice_ranges import CUBIC_RANGES
from sgbench.datasets._reduced_cells import ReducedCells
from sgbench.diffraction import (
    CANONICAL,
    FREE_PARAMETERS,
    PUBLISHED,
    LineList,
    PatternProtocol,
    ReflectionTable,
    free_parameters,
    half_shapes,
    metric,
    reflection_table,
)
from sgbench.diffraction._random import (
    below,
    philox4x32,
    philox_words,
    stream_key,
    to_unit,
    words_at,
)
from sgbench.errors import SgbenchError
from sgbench.symmetry import class_labels, family_spacegroups, relabellings

Split = Literal["train", "validation", "in-mesh", "off-mesh"]
SPLITS: tuple[Split, ...] = ("train", "validation", "in-mesh", "off-mesh")


# Beyond these a table of lines or of cells would not fit into memory.
_LONGEST_EDGE = 100.0
_MOST_CELLS = 10_000_000

# Square ångström. Form factors alone fall off like exp(-2 B s^2) with B of 3 or so in this window.
LARGEST_B = 6.0


@dataclass(frozen=True)
class MeshAxis:
    """Values of one free cell parameter in ångström; the upper end is excluded, as in the paper."""

    start: float
    stop: float
    step: float

    def __post_init__(self) -> None:
        finite = np.isfinite([self.start, self.stop, self.step]).all()
        if not finite or min(self.step, self.start) <= 0 or self.stop - self.start < self.step / 2:
            raise SgbenchError(
                f"the cell range {self.start:g}:{self.stop:g}:{self.step:g} is empty or reversed; "
                "expected start < stop with a positive step, in ångström. Mend the range."
            )

    def __len__(self) -> int:
        return max(round((self.stop - self.start) / self.step), 1)

    @property
    def values(self) -> NDArray[np.float64]:
        """The mesh values."""
        return np.asarray(self.start + self.step * np.arange(len(self)), dtype=np.float64)


@dataclass(frozen=True)
class IntensityLaw:
    """How random intensities are distributed before the Lorentz factor.

    With none of the three, they are uniform between 0 and 1, as in the paper.

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
    """

    wilson: bool = False
    multiplicity: bool = False
    largest_b: float = 0.0


UNIFORM = IntensityLaw()
PHYSICAL = IntensityLaw(wilson=True, multiplicity=True, largest_b=LARGEST_B)


@dataclass(frozen=True)
class Recipes:
    """What each of n samples is.

    Attributes
    ----------
    spacegroup : ndarray of int64, shape (n,)
    cell_index : ndarray of int64, shape (n,)
        Place of the cell in its mesh, or of the sample in its space group's off-mesh sequence;
        part of the random key.
    cells : ndarray of float64, shape (n, p)
        Free parameters in ångström.
    pattern : ndarray of int64, shape (n,)
        Which of the random patterns of this cell and space group.
    off_mesh : bool
        Whether the cells are those between the mesh points.
    """

    spacegroup: NDArray[np.int64]
    cell_index: NDArray[np.int64]
    cells: NDArray[np.float64]
    pattern: NDArray[np.int64]
    off_mesh: bool = False

    def __len__(self) -> int:
        return len(self.spacegroup)

    def take(self, indices: ArrayLike) -> "Recipes":
        """Return some of the recipes."""
        i = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            spacegroup=self.spacegroup[i],
            cell_index=self.cell_index[i],
            cells=self.cells[i],
            pattern=self.pattern[i],
        )

    @property
    def sample_ids(self) -> list[str]:
        """Names that say what the sample is: space group, cell, pattern."""
        kind = "o" if self.off_mesh else "m"
        return [
            f"{group:03d}-{kind}{cell:07d}-{pattern:02d}"
            for group, cell, pattern in zip(
                self.spacegroup, self.cell_index, self.pattern, strict=True
            )
        ]


@dataclass(frozen=True)
class Ulbd:
    """Specification of a ULBD.

    Attributes
    ----------
    name : str
    version : int
        Any change of what is generated raises it; it is part of the random key.
    family : str
    protocol : PatternProtocol
    axes : tuple of MeshAxis
        One a free cell parameter; none where the cells are those of a sequence.
    skip_equal_axes : bool
        Leave out cells whose free parameters are all equal, as the paper's code does.
    train_patterns, validation_patterns, test_patterns : int
        Random patterns a cell and space group, told apart by their index, in this order.
    ranges : tuple of (int, float, float)
        Space group, lowest and highest value of the only free parameter in ångström: such a group
        has the part of the mesh between them, and groups that are not named have none. Empty: all
        groups have the whole mesh.
    law : IntensityLaw
    drawn_as : str
        Name of the dataset whose random keys are used; empty for its own.
    reduced : ReducedCells, optional
        In place of the mesh, for families of three and more free parameters. The axes of each
        sample are relabelled at random, since a standard setting is no property of a lattice.
    """

    name: str
    version: int
    family: str
    protocol: PatternProtocol
    axes: tuple[MeshAxis, ...]
    skip_equal_axes: bool = True
    train_patterns: int = 20
    validation_patterns: int = 5
    test_patterns: int = 5
    ranges: tuple[tuple[int, float, float], ...] = ()
    law: IntensityLaw = UNIFORM
    drawn_as: str = ""
    reduced: ReducedCells | None = None

    def __post_init__(self) -> None:
        names = FREE_PARAMETERS.get(self.family, ())
        if self.ranges and len(names) != 1:
            raise SgbenchError(
                f"cell ranges by space group need a family with one free parameter; got "
                f"'{self.family}'. Leave them out."
            )
        if len(self.axes) != (0 if self.reduced else len(names)):
            raise SgbenchError(
                f"a mesh for the family '{self.family}' needs a range for each of "
                f"({', '.join(names)}); got {len(self.axes)}. Give one range a free parameter."
            )

        if min(self.train_patterns, self.validation_patterns, self.test_patterns) < 1:
            raise SgbenchError(
                f"{self.name} would have no pattern a lattice in one of its splits; expected at "
                "least one. Ask for more."
            )
        n_cells = math.prod(len(axis) for axis in self.axes)
        if max(self.largest_cell) > _LONGEST_EDGE or n_cells > _MOST_CELLS:
            raise SgbenchError(
                f"the cell ranges of {self.name} reach too far or are too fine ({n_cells} cells); "
                f"expected edges up to {_LONGEST_EDGE:g} Å and at most {_MOST_CELLS} cells. "
                "Narrow them."
            )

    @property
    def spacegroups(self) -> tuple[int, ...]:
        """Numbers of the space groups of the family."""
        return family_spacegroups(self.family)

    @property
    def largest_cell(self) -> tuple[float, ...]:
        """Upper bounds of the cell's edges in ångström."""
        return (self.reduced.longest,) * 3 if self.reduced else tuple(a.stop for a in self.axes)

    @property
    def shortest_edge(self) -> float:
        """Lower bound of the cell's edges in ångström."""
        return self.reduced.shortest if self.reduced else min(axis.start for axis in self.axes)

    @cached_property
    def mesh(self) -> NDArray[np.float64]:
        """All cells of the mesh, shape (n_cells, p), last parameter fastest."""
        if self.reduced:
            return self.reduced.cells(self.family)[: self.reduced.count]
        grids = np.meshgrid(*(axis.values for axis in self.axes), indexing="ij")
        cells = np.stack(grids, axis=-1).reshape(-1, len(self.axes))
        if self.skip_equal_axes and len(self.axes) > 1:
            cells = cells[~np.all(np.isclose(cells, cells[:, :1]), axis=1)]
        return cells

    @cached_property
    def first_cell(self) -> NDArray[np.int64]:
        """Place in the mesh of the first cell of each space group, shape (n_spacegroups,)."""
        return self._cell_ranges[0]

    @cached_property
    def n_cells(self) -> NDArray[np.int64]:
        """Number of cells of each space group, shape (n_spacegroups,)."""
        return self._cell_ranges[1]

    @cached_property
    def _cell_ranges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        first = np.zeros(len(self.spacegroups), dtype=np.int64)
        if not self.ranges:
            return first, np.full_like(first, len(self.mesh))
        number = np.zeros_like(first)
        (axis,) = self.axes
        for spacegroup, lowest, highest in self.ranges:
            # A range of a single value still has the mesh point below it.
            start = int(np.floor((lowest - axis.start) / axis.step + 1e-6))
            stop = int(np.floor((highest - axis.start) / axis.step + 1e-6)) + 1
            if not 0 <= start < stop <= len(axis):
                raise SgbenchError(
                    f"the cells {lowest:g}-{highest:g} Å of space group {spacegroup} are not in "
                    f"the mesh of {self.name}; expected a part of {axis.start:g}-{axis.stop:g}. "
                    "Widen the mesh."
                )
            group = spacegroup - self.spacegroups[0]
            first[group], number[group] = start, stop - start
        return first, number

    @cached_property
    def table(self) -> ReflectionTable:
        """Lines that the largest cell of the mesh can show."""
        return reflection_table(self.family, self.largest_cell, self.protocol)

    @cached_property
    def half_shapes(self) -> NDArray[np.int64]:
        """Twice the shape of each line's gamma distribution, shape (n_spacegroups, n_lines)."""
        if not (self.law.wilson or self.law.multiplicity):
            # Intensities do not depend on it.
            return np.ones((1, 1), dtype=np.int64)
        return half_shapes(self.family, self.largest_cell, self.protocol)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Extinction class of each space group of the family, shape (n_spacegroups,)."""
        return class_labels(self.spacegroups)

    def settings(self, recipes: Recipes) -> NDArray[np.int64]:
        """Return the row of `table` that holds the lines of each recipe, shape (n,).

        It is that of the extinction class, under a relabelling of the axes drawn for the recipe.
        """
        label = self.labels[recipes.spacegroup - self.spacegroups[0]]
        n_relabellings = len(relabellings(self.family))
        if n_relabellings == 1:
            return label
        kind = np.full_like(recipes.pattern, recipes.off_mesh)
        word, *_ = philox4x32(
            (recipes.cell_index, recipes.spacegroup, recipes.pattern, kind),
            self.stream("relabelling"),
        )
        return label * n_relabellings + below(word, n_relabellings)

    def size(self, split: Split) -> int:
        """Return how many samples a split holds (off-mesh: as many as in-mesh)."""
        return int(self.n_cells.sum()) * len(self._pattern_range(split))

    def _pattern_range(self, split: Split) -> range:
        first_validation = self.train_patterns
        first_test = first_validation + self.validation_patterns
        ranges = {
            "train": range(first_validation),
            "validation": range(first_validation, first_test),
        }
        return ranges.get(split, range(first_test, first_test + self.test_patterns))

    def stream(self, purpose: str) -> tuple[int, int]:
        """Return the random key of one of the dataset's streams."""
        return stream_key(f"sgbench/{self.drawn_as or self.name}/{self.version}/{purpose}")

    def all_recipes(self, split: Split) -> Recipes:
        """Return every recipe of a mesh split: space group slowest, pattern index fastest."""
        patterns = np.array(self._pattern_range(split))
        counts = self.n_cells * len(patterns)
        cell, pattern = np.divmod(_ranks(counts), len(patterns))
        cell += np.repeat(self.first_cell, counts)
        groups = np.repeat(np.array(self.spacegroups), counts)
        return Recipes(groups, cell, self.mesh[cell], patterns[pattern])

    def training_recipes(self, first: int, count: int, seed: int) -> Recipes:
        """Return samples first, first + 1, … of an endless training sequence.

        Samples are drawn independently and uniformly from the training split, so each is a function
        of the seed and its position alone: a resumed training sees what an unbroken one sees.
        Groups with more cells are drawn more often.
        """
        return self.training_recipes_at(np.arange(first, first + count, dtype=np.int64), seed)

    def training_recipes_at(
        self, position: NDArray[np.int64], seed: int, spacegroup: NDArray[np.int64] | None = None
    ) -> Recipes:
        """Return samples at some positions of the training sequence; their groups may be given."""
        key = self.stream(f"train/{seed}")
        group, cell, pattern, _ = words_at(position, key)
        if spacegroup is None:
            ends = np.cumsum(self.n_cells)
            chosen = np.searchsorted(ends, below(group, int(ends[-1])), side="right")
        else:
            chosen = spacegroup - self.spacegroups[0]
        cell_index = self.first_cell[chosen] + below(cell, self.n_cells[chosen])
        return Recipes(
            np.array(self.spacegroups)[chosen],
            cell_index,
            self.mesh[cell_index],
            below(pattern, self.train_patterns),
        )

    def held_out_recipes(self, split: Split, per_spacegroup: int) -> Recipes:
        """Return the first samples of a validation or test set.

        The sets are prefixes of fixed sequences: a larger one contains the smaller. Cells of
        ``in-mesh`` sets are mesh points, and no sample occurs twice; those of ``off-mesh`` lie in
        the steps that follow mesh points, at least a quarter of a step from any.

        Parameters
        ----------
        split : str
        per_spacegroup : int
            Samples a space group; on average, and in proportion to their cells, where space groups
            differ in the number of cells.

        Raises
        ------
        SgbenchError
            If fewer than one sample is asked for, more than there are, or the split is the training
            set's.
        """
        if split not in SPLITS[1:] or per_spacegroup < 1:
            raise SgbenchError(
                f"cannot draw {per_spacegroup} samples a space group of the split '{split}'; "
                f"expected at least one, of {', '.join(SPLITS[1:])}. Mend the request."
            )
        share = self.n_cells / self.n_cells.mean()
        counts = np.rint(per_spacegroup * share).astype(np.int64)
        if split == "in-mesh":
            return self._distinct_in_mesh(counts)
        groups = np.repeat(np.array(self.spacegroups), counts)
        first, number = np.repeat(self.first_cell, counts), np.repeat(self.n_cells, counts)
        rank = _ranks(counts)
        zero = np.zeros_like(rank)
        key = self.stream(split)
        cell, pattern, *_ = philox4x32((rank, groups, zero, zero), key)
        patterns = np.array(self._pattern_range(split))
        pattern = patterns[below(pattern, len(patterns))]
        if split != "off-mesh":
            index = first + below(cell, number)
            return Recipes(groups, index, self.mesh[index], pattern)
        if self.reduced:
            between = self.reduced.cells(self.family)[self.reduced.count :]
            cells = between[below(cell, len(between))]
            return Recipes(groups, rank, cells, pattern, off_mesh=True)
        cells = np.empty((len(rank), len(self.axes)))
        for parameter, axis in enumerate(self.axes):
            place, between, *_ = philox4x32((rank, groups, zero, zero + parameter + 1), key)
            fraction = 0.25 + 0.5 * to_unit(between)
            # The steps of an axis are those of the mesh where a space group has a part of them.
            step = first + below(place, number) if self.ranges else below(place, len(axis))
            cells[:, parameter] = axis.start + axis.step * (step + fraction)
        return Recipes(groups, rank, cells, pattern, off_mesh=True)

    def _distinct_in_mesh(self, counts: NDArray[np.int64]) -> Recipes:
        """Return the first distinct samples of each space group's sequence of draws."""
        patterns = np.array(self._pattern_range("in-mesh"))
        key = self.stream("in-mesh")
        cells, chosen = [], []
        for group, count, first_cell, n_cells in zip(
            self.spacegroups, counts, self.first_cell, self.n_cells, strict=True
        ):
            if count > n_cells * len(patterns):
                raise SgbenchError(
                    f"{self.name} has {n_cells * len(patterns)} in-mesh test samples of space "
                    f"group {group}; expected to be asked for no more, not {count}. Ask for fewer, "
                    "or for off-mesh ones."
                )
            draws, first = 2 * count, np.empty(0, dtype=np.int64)
            while len(first) < count:
                rank = np.arange(draws)
                zero = np.zeros_like(rank)
                cell, pattern, *_ = philox4x32((rank, zero + group, zero, zero), key)
                cell, pattern = below(cell, n_cells), below(pattern, len(patterns))
                first = np.sort(np.unique(cell * len(patterns) + pattern, return_index=True)[1])
                draws *= 2
            cells.append(first_cell + cell[first[:count]] if count else first)
            chosen.append(patterns[pattern[first[:count]]] if count else first)
        index = np.concatenate(cells)
        groups = np.repeat(np.array(self.spacegroups), counts)
        return Recipes(groups, index, self.mesh[index], np.concatenate(chosen))

    def lines(self, recipes: Recipes) -> LineList:
        """Return the lines of recipes, with random intensities and the Lorentz factor.

        Line positions are computed once for each extinction class and cell among the recipes.
        """
        table = self.table
        first = self.spacegroups[0]
        settings = self.settings(recipes)
        pairs = np.column_stack([settings, recipes.cells])
        _, where, pair_of = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        kept, kept_offsets = _compressed(table.present)
        offsets, line, two_theta, lorentz = _positions(
            settings[where],
            metric(self.family, recipes.cells[where]),
            kept_offsets, kept, table.coefficients.astype(np.float64),
            self.protocol.wavelength, *self.protocol.q_range,
        )  # fmt: skip
        key = self.stream("intensity/off-mesh" if recipes.off_mesh else "intensity/mesh")
        return LineList(
            *_intensities(
                pair_of.ravel(), offsets, line, two_theta, lorentz, table.key,
                recipes.spacegroup, recipes.cell_index, recipes.pattern, *key,
                self.half_shapes, first, self.law.wilson, self.law.multiplicity,
                self.law.largest_b / self.protocol.wavelength**2,
            )
        )  # fmt: skip

    def held_out_samples(
        self, split: Split, per_spacegroup: int
    ) -> tuple[list[str], NDArray[np.int64], LineList]:
        """Return ids, space groups and lines of `held_out_recipes`."""
        recipes = self.held_out_recipes(split, per_spacegroup)
        return recipes.sample_ids, recipes.spacegroup, self.lines(recipes)

    def training_samples(
        self, first: int, count: int, seed: int
    ) -> tuple[LineList, NDArray[np.int64]]:
        """Return lines and space groups of `training_recipes`."""
        recipes = self.training_recipes(first, count, seed)
        return self.lines(recipes), recipes.spacegroup

    def validation_samples(self, per_spacegroup: int) -> tuple[LineList, NDArray[np.int64]]:
        """Return lines and space groups of the validation split's first recipes."""
        recipes = self.held_out_recipes("validation", per_spacegroup)
        return self.lines(recipes), recipes.spacegroup

    def in_domain(self, spacegroup: int, cell: ArrayLike) -> bool:
        """Tell whether a cell (a, b, c, alpha, beta, gamma) lies in the range of the cells here."""
        if self.reduced:
            return self.reduced.contains(self.family, cell)
        free = free_parameters(self.family, cell, tolerance=0.05)
        return all(
            axis.start <= value < axis.stop for axis, value in zip(self.axes, free, strict=True)
        )

    def describe(self) -> dict[str, object]:
        """Return the specification as plain data."""
        values = asdict(self)
        if self.reduced is None:
            # Meshes are described as they were before there was anything else.
            del values["reduced"]
        return values

    def checksum(self) -> str:
        """Return a SHA-256 over the specification and a sample of what it generates.

        The sample is eight recipes a space group and split; lines enter as
        `LineList.portable_bytes`.
        """
        digest = hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode())
        for split in SPLITS:
            recipes = (
                self.training_recipes(0, 8 * len(self.spacegroups), seed=0)
                if split == "train"
                else self.held_out_recipes(
                    split, max(1, min(8, self.size(split) // len(self.spacegroups)))
                )
            )
            for array in (recipes.spacegroup, recipes.cell_index, recipes.pattern):
                digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
            digest.update(self.lines(recipes).portable_bytes())
        return digest.hexdigest()


def _ranks(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0 … count - 1 for each of the counts, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _compressed(present: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the columns that are set in each row, and the row offsets."""
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    return np.nonzero(present)[1], offsets


@numba.njit(cache=True, nogil=True)
def _positions(classes, metrics, kept_offsets, kept, coefficients, wavelength, lowest, highest):  # type: ignore[no-untyped-def]
    """Return offsets, table row, two_theta and Lorentz factor of each (class, cell)'s lines."""
    capacity = 0
    for pair in range(len(classes)):
        capacity += kept_offsets[classes[pair] + 1] - kept_offsets[classes[pair]]
    line = np.empty(capacity, np.int64)
    two_theta = np.empty(capacity, np.float64)
    lorentz = np.empty(capacity, np.float64)
    offsets = np.zeros(len(classes) + 1, np.int64)
    count = 0
    for pair in range(len(classes)):
        for place in range(kept_offsets[classes[pair]], kept_offsets[classes[pair] + 1]):
            row = kept[place]
            q = 0.0
            for parameter in range(metrics.shape[1]):
                q += coefficients[row, parameter] * metrics[pair, parameter]
            if lowest <= q <= highest:
                sine = 0.5 * wavelength * np.sqrt(q)
                angle = 2 * np.arcsin(sine)
                line[count] = row
                two_theta[count] = np.degrees(angle)
                lorentz[count] = 1.0 / (np.sin(angle) * sine)
                count += 1
        offsets[pair + 1] = count
    return offsets, line[:count], two_theta[:count], lorentz[:count]


# B of a pattern comes from the line that no crystal has, hkl = 000.
_NO_LINE = 0


@numba.njit(cache=True, parallel=True)
def _intensities(  # type: ignore[no-untyped-def]
    pair_of, pair_offsets, line, two_theta, lorentz, keys, spacegroup, cell_index, pattern, k0, k1,
    half_shapes, first_group, wilson, multiplicity, largest_b,
):  # fmt: skip
    n = len(pair_of)
    offsets = np.zeros(n + 1, np.int64)
    for i in range(n):
        offsets[i + 1] = offsets[i] + pair_offsets[pair_of[i] + 1] - pair_offsets[pair_of[i]]
    positions = np.empty(offsets[n], np.float64)
    intensity = np.empty(offsets[n], np.float32)
    for i in numba.prange(n):
        first = pair_offsets[pair_of[i]]
        c1, c2, c3 = np.uint64(spacegroup[i]), np.uint64(cell_index[i]), np.uint64(pattern[i])
        b = 0.0
        if largest_b > 0:
            words = philox_words(np.uint64(_NO_LINE), c1, c2, c3, np.uint64(k0), np.uint64(k1))
            b = largest_b * _unit(words[0])
        for target in range(offsets[i], offsets[i + 1]):
            source = first + target - offsets[i]
            row = line[source]
            key = np.uint64(keys[row])
            positions[target] = two_theta[source]
            shape = 0.5
            if wilson or multiplicity:
                shape = 0.5 * half_shapes[spacegroup[i] - first_group, row]
            if wilson:
                value = _gamma(int(2 * shape), key, c1, c2, c3, k0, k1) / shape
            else:
                value = _unit(philox_words(key, c1, c2, c3, np.uint64(k0), np.uint64(k1))[0])
            if multiplicity:
                value *= shape
            if largest_b > 0:
                value *= np.exp(-2.0 * b * np.sin(0.5 * np.radians(two_theta[source])) ** 2)
            intensity[target] = np.float32(value * lorentz[source])
    return offsets, positions, intensity


@numba.njit(cache=True, inline="always")
def _unit(word):  # type: ignore[no-untyped-def]
    """Do what `to_unit` does, to one word."""
    return (np.float64(word >> np.uint64(8)) + 1.0) * 2.0**-24


@numba.njit(cache=True)
def _gamma(half_shape, key, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Draw from a gamma distribution of scale 1 whose shape is a multiple of one half.

    Exponential variables have shape 1, and half the square of a normal one has shape 1/2. Four
    random numbers come of one key; the next four of the next.
    """
    whole, odd = half_shape // 2, half_shape % 2
    product, last = 1.0, 1.0
    words = (np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0))
    for draw in range(whole + 2 * odd):
        if draw % 4 == 0:
            next_key = (np.uint64(k1) + np.uint64(draw // 4)) & np.uint64(0xFFFFFFFF)
            words = philox_words(key, c1, c2, c3, np.uint64(k0), next_key)
        unit = _unit(words[draw % 4])
        if draw < whole:
            product *= unit
        elif draw == whole:
            last = unit
        else:
            return -np.log(product) - np.log(last) * np.cos(2 * np.pi * unit) ** 2
    return -np.log(product)


def with_mesh(dataset: Ulbd, step: float, train_patterns: int) -> Ulbd:
    """Return a dataset with another lattice step (ångström) and number of training patterns.

    Raises
    ------
    SgbenchError
        If it has no mesh.
    """
    if dataset.reduced:
        raise SgbenchError(
            f"{dataset.name} has no lattice step, since its cells are those of a sequence; "
            "expected a dataset with a mesh. Name one of a family with one or two cell edges."
        )
    return replace(
        dataset,
        name=f"{dataset.name}@{step:g}x{train_patterns}",
        axes=tuple(replace(axis, step=step) for axis in dataset.axes),
        train_patterns=train_patterns,
    )


def _register(*datasets: Ulbd) -> dict[str, Ulbd]:
    return {dataset.name: dataset for dataset in datasets}


def _physical(dataset: Ulbd, suffix: str = "", law: IntensityLaw = PHYSICAL) -> Ulbd:
    """Return a dataset's twin with intensities as crystals have them."""
    name = f"ulbd-physical-{dataset.family}{suffix}"
    return replace(dataset, name=name, law=law, drawn_as=dataset.name)


_CUBIC = (MeshAxis(5.0, 15.0, 0.05),)
_TETRAGONAL = (MeshAxis(3.0, 10.0, 0.05), MeshAxis(3.0, 15.0, 0.05))
_HEXAGONAL = (MeshAxis(3.0, 12.0, 0.05), MeshAxis(3.0, 20.0, 0.05))

# 3-15 Å hold most cells of known crystals; that many lattices are more than a training sees twice.
_REDUCED = ReducedCells(3.0, 15.0, 100_000)

_CANONICAL = (
    Ulbd("ulbd-cubic", 1, "cubic", CANONICAL, _CUBIC),
    Ulbd("ulbd-tetragonal", 1, "tetragonal", CANONICAL, _TETRAGONAL),
    Ulbd("ulbd-trigonal-hexagonal", 1, "trigonal-hexagonal", CANONICAL, _HEXAGONAL),
)
_LOW_SYMMETRY = tuple(
    Ulbd(f"ulbd-{family}", 1, family, CANONICAL, (), reduced=_REDUCED)
    for family in ("orthorhombic", "monoclinic", "triclinic")
)

#: All ULBDs by name. The canonical tetragonal and trigonal-hexagonal meshes are ours, since the
#: published steps are either impossibly fine or so coarse that a network learns the cells by heart;
#: their ranges hold most cells of known crystals (docs/protocol.md). In the imbalanced set, each
#: space group has the cells between its smallest and its largest in the ``cddd``, as in Fig. 8. The
#: physical ones have the cells of the canonical ones, and intensities as crystals have them; for
#: cubic there is one more without each of the three ingredients.
ULBD: dict[str, Ulbd] = _register(
    *_CANONICAL,
    *_LOW_SYMMETRY,
    *(_physical(dataset) for dataset in _CANONICAL),
    _physical(_CANONICAL[0], "-no-wilson", replace(PHYSICAL, wilson=False)),
    _physical(_CANONICAL[0], "-no-multiplicity", replace(PHYSICAL, multiplicity=False)),
    _physical(_CANONICAL[0], "-no-falloff", replace(PHYSICAL, largest_b=0.0)),
    Ulbd(
        "ulbd-cubic-imbalanced", 1, "cubic", CANONICAL, (MeshAxis(2.5, 25.0, 0.05),),
        ranges=CUBIC_RANGES,
    ),
    Ulbd("ulbd-cubic-published", 1, "cubic", PUBLISHED, _CUBIC),
    Ulbd("ulbd-tetragonal-published", 1, "tetragonal", PUBLISHED, (MeshAxis(5.0, 15.0, 0.05),) * 2),
    Ulbd(
        "ulbd-trigonal-hexagonal-published", 1, "trigonal-hexagonal", PUBLISHED,
        (MeshAxis(10.0, 15.0, 0.5),) * 2,
    ),
)  # fmt: skip
