"""The uniform lattice based dataset (ULBD): patterns designed from cells and extinction laws.

A dataset is a specification of a few numbers. Every sample is a recipe (space group, cell, pattern
index). Its line positions follow from the cell, its lines from the extinction class, and its random
intensities from a counter-based generator keyed by dataset version, space group, cell and pattern.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.designed._laws import UNIFORM, IntensityLaw
from sgbench.designed._log_uniform_cells import LogUniformCells
from sgbench.designed._mesh import MeshAxis
from sgbench.designed._recipes import SPLITS, Recipes, Split
from sgbench.designed._reduced_cells import ReducedCells
from sgbench.diffraction import (
    FREE_PARAMETERS,
    LineList,
    PatternProtocol,
    ReflectionTable,
    Samples,
    free_parameters,
    full_cell,
    half_shapes,
    metric,
    reflection_table,
)
from sgbench.errors import SgbenchError
from sgbench.philox import below, philox4x32, stream_key, to_unit, words_at
from sgbench.symmetry import class_labels, family_spacegroups, relabellings

# Beyond these a table of lines or of cells would not fit into memory.
_LONGEST_EDGE = 100.0
_MOST_CELLS = 10_000_000


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
    domain : ReducedCells or LogUniformCells, optional
        In place of the mesh: cells of a sequence. Those of families of three and more free
        parameters are reduced, and the axes of each sample are relabelled at random, since a
        standard setting is no property of a lattice.
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
    domain: ReducedCells | LogUniformCells | None = None

    def __post_init__(self) -> None:
        names = FREE_PARAMETERS.get(self.family, ())
        if self.ranges and len(names) != 1:
            raise SgbenchError(
                f"cell ranges by space group need a family with one free parameter; got "
                f"'{self.family}'. Leave them out."
            )
        if len(self.axes) != (0 if self.domain else len(names)):
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
        return self.domain.largest_cell if self.domain else tuple(a.stop for a in self.axes)

    @property
    def shortest_edge(self) -> float:
        """Lower bound of the cell's edges in ångström."""
        return self.domain.shortest if self.domain else min(axis.start for axis in self.axes)

    @cached_property
    def mesh(self) -> NDArray[np.float64]:
        """All cells of the mesh, shape (n_cells, p), last parameter fastest."""
        if self.domain:
            return self.domain.cells(self.family)[: self.domain.count]
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

    def groups_alike(self, recipes: Recipes) -> NDArray[np.bool_]:
        """Tell which space groups make each recipe's pattern as often as its own group does.

        Those are the groups of its extinction class that have its cell, if the law of intensities
        is the same for all of them.

        Returns
        -------
        ndarray of bool, shape (n, n_spacegroups)
        """
        own = recipes.spacegroup - self.spacegroups[0]
        same_class = self.labels[own][:, None] == self.labels[None, :]
        if not self.ranges:
            return np.asarray(same_class)
        (axis,) = self.axes
        # An off-mesh cell lies in the step that follows a mesh point.
        step = np.floor((recipes.cells[:, :1] - axis.start) / axis.step + 1e-6)
        last = self.first_cell + self.n_cells
        return np.asarray(same_class & (step >= self.first_cell) & (step < last))

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
        if self.domain:
            between = self.domain.cells(self.family)[self.domain.count :]
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
        from sgbench.designed._kernels import intensities, positions

        table = self.table
        first = self.spacegroups[0]
        settings = self.settings(recipes)
        pairs = np.column_stack([settings, recipes.cells])
        _, where, pair_of = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        offsets, line, two_theta, lorentz = positions(
            settings[where],
            metric(self.family, recipes.cells[where]),
            *table.kept, table.coefficients.astype(np.float64),
            self.protocol.wavelength, *self.protocol.q_range,
        )  # fmt: skip
        key = self.stream("intensity/off-mesh" if recipes.off_mesh else "intensity/mesh")
        return LineList(
            *intensities(
                pair_of.ravel(), offsets, line, two_theta, lorentz, table.key,
                recipes.spacegroup, recipes.cell_index, recipes.pattern, *key,
                self.half_shapes, first, self.law.wilson, self.law.multiplicity,
                self.law.largest_b / self.protocol.wavelength**2, self.law.amplitude,
            )
        )  # fmt: skip

    def samples(self, recipes: Recipes) -> Samples:
        """Return the samples of recipes."""
        return Samples(
            tuple(recipes.sample_ids), recipes.spacegroup, self.protocol, self.lines(recipes),
            cell=full_cell(self.family, recipes.cells),
        )  # fmt: skip

    def held_out_samples(self, split: Split, per_spacegroup: int) -> Samples:
        """Return the samples of `held_out_recipes`."""
        return self.samples(self.held_out_recipes(split, per_spacegroup))

    def training_samples(self, first: int, count: int, seed: int) -> Samples:
        """Return the samples of `training_recipes`."""
        return self.samples(self.training_recipes(first, count, seed))

    def validation_samples(self, per_spacegroup: int) -> Samples:
        """Return the validation split's first samples."""
        return self.held_out_samples("validation", per_spacegroup)

    def in_domain(self, spacegroup: int, cell: ArrayLike) -> bool:
        """Tell whether a cell (a, b, c, alpha, beta, gamma) lies in the range of the cells here."""
        if self.domain:
            return self.domain.contains(self.family, cell)
        free = free_parameters(self.family, cell, tolerance=0.05)
        return all(
            axis.start <= value < axis.stop for axis, value in zip(self.axes, free, strict=True)
        )

    def describe(self) -> dict[str, object]:
        """Return the specification as plain data."""
        values = asdict(self)
        # Sets are described as they were before there was anything else.
        domain = values.pop("domain")
        if domain:
            kind = "reduced" if isinstance(self.domain, ReducedCells) else "domain"
            values[kind] = domain
        if not self.law.amplitude:
            del values["law"]["amplitude"]
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
