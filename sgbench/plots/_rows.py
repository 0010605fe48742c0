"""Rows of the leaderboard, as figures need them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgbench.plots.shown import ULBD
from sgbench.sets import SetSpec
from sgbench.symmetry import PAPER_FAMILIES, TOP_K

if TYPE_CHECKING:
    import pandas as pd

    from sgbench.evaluation import Score

#: A training set, whose family is ignored, and a test set.
Pair = tuple[SetSpec, SetSpec]


class NoDataError(Exception):
    """What a figure needs is not among the results; says what."""


@dataclass(frozen=True)
class Results:
    """What figures are made of.

    Attributes
    ----------
    table : DataFrame
        Rows of the leaderboard, of one scale; those of a family's test set are of the same data.
    others : DataFrame
        The rows that are left out, since they are of other data.
    scores : sequence of Score
    histories : mapping of str to sequence of DataFrame
        From a training set to the histories of the model's trainings on it.
    model : str
    """

    table: "pd.DataFrame"
    others: "pd.DataFrame"
    scores: Sequence["Score"]
    histories: Mapping[str, Sequence["pd.DataFrame"]]
    model: str

    def rows(
        self,
        scheme: str,
        train_sets: Sequence[SetSpec],
        test_sets: Sequence[SetSpec],
        families: Sequence[str] = PAPER_FAMILIES,
    ) -> "pd.DataFrame":
        """Return the model's rows in this order; the families of training sets are ignored."""
        table = self.table[
            (self.table["model"] == self.model) & (self.table["class_scheme"] == scheme)
        ]
        keys = zip(table["family"], table["train_set"], table["test_set"], strict=True)
        place = {key: position for position, key in reversed(list(enumerate(keys)))}
        wanted = [
            (family, train_set.of(family).name, test_set.name)
            for family in families
            for train_set in train_sets
            for test_set in test_sets
        ]
        return table.iloc[[place[key] for key in wanted if key in place]]

    def complete(
        self, scheme: str, needed: Sequence[Pair], also: Sequence[Pair] = ()
    ) -> "pd.DataFrame":
        """Return rows of those families that have all needed pairs of training and test set."""
        import pandas as pd

        found = {
            (train, test): self.rows(scheme, [train], [test])
            for train, test in dict.fromkeys([*needed, *also])
        }
        families = set.intersection(*(set(found[pair]["family"]) for pair in needed))
        if not families:
            pairs = " and ".join(f"{train.label} on {test.label}" for train, test in needed)
            raise NoDataError(f"no family has scores of {self.model} trained on {pairs}")
        rows = pd.concat(found.values())
        return rows[rows["family"].isin(families)]

    def scores_of(self, rows: "pd.DataFrame") -> list["Score"]:
        """Return the scores that rows were made from, one a seed."""
        from sgbench.leaderboard import IDENTITY, identity

        wanted = rows[list(IDENTITY)].to_dict("records")
        return [one for one in self.scores if identity(one) in wanted]

    def remarks(self, rows: "pd.DataFrame", families: Sequence[str] = ()) -> str:
        """Say which of several data of one name are shown, and which families have no rows."""
        names = ["family", "test_set"]
        several = rows.merge(self.others[names].drop_duplicates(), on=names)
        shown = dict.fromkeys(
            f"{row['test_set']} from {row['source']} ({row['test_sha256'][:8]})"
            for _, row in several.iterrows()
        )
        data = f" Of several data of one name, this shows {', '.join(shown)}." if shown else ""
        missing = [family for family in families if family not in set(rows["family"])]
        return data + (f" Without results: {', '.join(missing)}." if missing else "")


def of_one_data(rows: "pd.DataFrame") -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Part rows that can be drawn together from those of other data under the same name.

    Parameters
    ----------
    rows : DataFrame
        Where a family's test set has rows of several data, those of the first are kept.

    Returns
    -------
    DataFrame, DataFrame
        The rows kept, and the others.
    """
    data = rows[["source", "test_sha256"]]
    first = rows.groupby(["family", "test_set"])[list(data)].transform("first")
    kept = (data == first).all(axis=1)
    return rows[kept], rows[~kept]


def on_meshes(table: "pd.DataFrame", models: Sequence[str]) -> "pd.DataFrame":
    """Return rows of some models over space groups that were trained on ULBD-cubic at other meshes.

    The column ``mesh`` has their `sgbench.sets.Mesh`: a step, and a number of patterns a lattice.
    """
    specs = {name: SetSpec.find(name) for name in set(table["train_set"])}
    meshes = {
        name: spec.mesh
        for name, spec in specs.items()
        if spec and spec.mesh and spec.mesh.step and replace(spec, mesh=None) == ULBD.of("cubic")
    }
    found = table[
        table["train_set"].isin(meshes)
        & table["model"].isin(models)
        & (table["class_scheme"] == "spacegroup")
    ]
    return found.assign(mesh=found["train_set"].map(meshes))


def families_of(rows: "pd.DataFrame") -> list[str]:
    """Return the families of rows in the order of figures."""
    present = set(rows["family"])
    return [family for family in PAPER_FAMILIES if family in present]


def top_columns(pattern: str) -> list[str]:
    """Return the names of columns from k = 1 to 5."""
    return [pattern.format(k) for k in range(1, TOP_K + 1)]


def tops(row: "pd.Series") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return top-1 to top-5 in percent, and how far their intervals reach down and up, (2, 5)."""
    top, low, high = (
        100 * row[top_columns(pattern)].to_numpy(dtype=float)
        for pattern in ("top{}", "top{}_low", "top{}_high")
    )
    # A bootstrapped interval of several seeds' mean need not hold the mean to the last digit.
    return top, np.maximum([top - low, high - top], 0.0)


def row_of(
    rows: "pd.DataFrame", family: str, train_set: SetSpec, test_set: SetSpec
) -> "pd.Series | None":
    """Return the first row of a training set, whose own family is ignored, and a test set."""
    found = rows[
        (rows["family"] == family)
        & (rows["train_set"] == train_set.of(family).name)
        & (rows["test_set"] == test_set.name)
    ]
    return None if found.empty else found.iloc[0]
