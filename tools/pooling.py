"""What decoder and network are worth together: fitted on simulated patterns of known structures.

Structures of the training part of a file of line lists are drawn as they come, simulated as the
mixture `laboratory` has it, decoded and shown to the network. What both say is kept as it comes, so
the same command goes on after a kill. ``--fit`` finds what `sgbench.identification` combines them
by, and tells how often answers are right, each half of the patterns by a fit to the other half.

    python tools/pooling.py results/laptop/datasets/cddd.parquet --patterns 600 --output said.jsonl
    python tools/pooling.py --fit --output said.jsonl

With ``--measured`` the file holds measured patterns instead, of which every second is asked about,
from the first (half 0) or the second; what was said of them goes into docs/measured-sets.md
(tools/measured_sets.py).

    python tools/pooling.py measured-rruff-a.parquet --measured --half 1 --deep --output deep.jsonl
"""

import argparse
import json
import sys
from collections.abc import Container, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sgbench.collections import read_patterns_file
from sgbench.conditions import Condition
from sgbench.conditions.tube import K_ALPHA_1, K_ALPHA_2
from sgbench.decoder import DecodedPattern, NoCellFound
from sgbench.diffraction import FREE_PARAMETERS
from sgbench.evaluation import wilson_interval
from sgbench.identification import LEAST
from sgbench.identification._identify import decoded_as_measured
from sgbench.identification._network import ask_network
from sgbench.identification._pool import (
    Pool,
    combined,
    every_class,
    known_minerals,
    of_classes,
)
from sgbench.measured import MeasuredPattern, measured_pattern
from sgbench.structures import CrystalSet, read_crystals
from sgbench.symmetry import family_of

SEED = 20261128
_FAMILIES = tuple(FREE_PARAMETERS)
_START = Pool(decoder=1.0, network=0.5, literature=0.5, doubt=0.0, slope=1.0)
# How far the parameters are held to that where patterns say little: nats at a distance of 1.
_HELD = 1.0
# None of them helps by being negative, but for what shifts the doubt.
_BOUNDS = ((0, 3), (0, 3), (0, 3), (-5, 5), (0, 3))
_FLOOR = 1e-6


#: A pattern, its name and its space group.
Asked = tuple[MeasuredPattern, str, int]


@dataclass(frozen=True)
class Said:
    """What was said of a pattern; classes go by their places in `every_class`."""

    structure: str
    spacegroup: int
    deep: bool
    #: Which network was asked; its chances of space groups, none where it was not asked.
    name: str
    network: list[float]
    #: Shares if one of the cells is right.
    decoder: dict[str, float]
    doubt: float

    @cached_property
    def right(self) -> int:
        """Place of the true class."""
        return next(i for i, one in enumerate(every_class()) if self.spacegroup in one.spacegroups)

    @cached_property
    def of_classes(self) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """What decoder and network say of each class."""
        q = np.full(len(every_class()), np.nan)
        for place, probability in self.decoder.items():
            q[int(place)] = probability
        return q, of_classes(np.array(self.network)) if self.network else None

    def chances(self, pool: Pool) -> NDArray[np.float64]:
        """Return the pooled probabilities, to which the structure itself is none that is known."""
        known = known_minerals().copy()
        known[self.right] = max(known[self.right] - 1, 0)
        return combined(*self.of_classes, self.doubt, known, pool)


def simulated(crystals: CrystalSet, row: int) -> MeasuredPattern:
    """Return the pattern of a structure as a laboratory measures it."""
    samples = Condition("laboratory").apply(crystals.samples(np.array([row])))
    intensity = samples.patterns()[0].astype(np.float64)
    (there,) = np.nonzero(intensity)
    measured = slice(there[0], there[-1] + 1)
    return measured_pattern(
        samples.protocol.two_theta[measured], intensity[measured], None, (K_ALPHA_1, K_ALPHA_2)
    )


def said_of(pattern: MeasuredPattern, structure: str, spacegroup: int, deep: bool) -> Said:
    """Decode a pattern, and show it to the network."""
    found: DecodedPattern | None
    try:
        found = decoded_as_measured(pattern, deep)
        lines = found.lines
    except NoCellFound as error:
        found, lines = None, error.lines
    places = {(one.family, one.spacegroups): i for i, one in enumerate(every_class())}
    classes = {} if found is None else {
        str(places[one.family, one.spacegroups]): round(one.share, 9) for one in found.classes
    }  # fmt: skip
    heard = ask_network(pattern, lines)
    network = [] if heard.chances is None else [round(float(one), 9) for one in heard.chances]
    doubt = 1.0 if found is None else found.doubt
    return Said(structure, spacegroup, deep, heard.name, network, classes, doubt)


def of_structures(
    path: Path, families: Sequence[str], count: int, done: Container[str]
) -> Iterator[Asked]:
    """Yield simulated patterns of structures that networks may be trained on, in a random order."""
    crystals = read_crystals(path)
    trained = np.array(crystals.split("grouped")) != "test"
    wanted = [family_of(int(group)) in families for group in crystals.spacegroup]
    rows = np.random.default_rng(SEED).permutation(np.flatnonzero(trained & np.array(wanted)))
    for row in rows[:count].tolist():
        if crystals.structure_id[row] not in done:
            group = int(crystals.spacegroup[row])
            yield simulated(crystals, row), crystals.structure_id[row], group


def of_measurements(
    path: Path, half: int, families: Sequence[str], count: int, done: Container[str]
) -> Iterator[Asked]:
    """Yield measured patterns with space groups, in a random order."""
    patterns = read_patterns_file(path).patterns
    rows = np.random.default_rng(SEED).permutation(range(half, len(patterns), 2))
    some = (patterns[row] for row in rows.tolist())
    known = [one for one in some if one.spacegroup and family_of(one.spacegroup) in families]
    for one in known[:count]:
        if one.pattern_id not in done:
            yield one.pattern, one.pattern_id, one.spacegroup


def fitted(all_said: Sequence[Said]) -> Pool:
    """Return the parameters under which what is true is likeliest."""
    first = np.array(astuple(_START))

    def cost(parameters: NDArray[np.float64]) -> float:
        pool = Pool(*parameters.tolist())
        nats = [-np.log(max(one.chances(pool)[one.right], _FLOOR)) for one in all_said]
        return float(np.sum(nats) + _HELD * np.sum((parameters - first) ** 2))

    found = minimize(
        cost, first, method="Nelder-Mead", bounds=_BOUNDS, options={"xatol": 1e-3, "fatol": 1e-3}
    )
    if not found.success:
        raise SystemExit(f"the fit did not end: {found.message}")
    return Pool(*found.x.tolist())


def table(all_said: Sequence[Said], pools: dict[str, tuple[Pool, Pool]]) -> str:
    """Return how often answers are right, as Markdown; the pools are for even and odd places."""
    rows = ["| combined by | family | *n* | first, % | in first 3, % | of at least 0.9 | right, % "
            "| -ln p |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, pool in pools.items():
        answered = [(one, one.chances(pool[i % 2])) for i, one in enumerate(all_said)]
        for family in (*_FAMILIES, "all"):
            told = [each for each in answered if family in ("all", family_of(each[0].spacegroup))]
            if not told:
                continue
            chances = [p for _, p in told]
            places = [one.right for one, _ in told]
            # What is as likely as the truth goes before it.
            rank = np.array(
                [int((p >= p[i].item()).sum()) - 1 for p, i in zip(chances, places, strict=True)]
            )
            best = np.array([p.max() for p in chances])
            nats = [-np.log(max(p[i], _FLOOR)) for p, i in zip(chances, places, strict=True)]
            sure = rank[best >= LEAST] == 0
            rows.append(
                f"| {name} | {family} | {len(told)} | {_share(rank == 0)} | {_share(rank < 3)} "
                f"| {len(sure)} | {_share(sure)} | {np.mean(nats):.3f} |"
            )
    return "\n".join(rows)


def _share(hits: NDArray[np.bool_]) -> str:
    if not len(hits):
        return "–"
    low, high = wilson_interval(np.array([hits.mean()]), len(hits))
    return f"{100 * hits.mean():.1f} ({100 * low[0]:.1f}–{100 * high[0]:.1f})"


def main() -> int:
    """Ask, or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="structures, or measured patterns")
    parser.add_argument("--measured", action="store_true", help="the file holds patterns")
    parser.add_argument("--half", type=int, choices=(0, 1), default=0)
    parser.add_argument("--patterns", type=int, default=20)
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--families", nargs="*", choices=_FAMILIES, default=_FAMILIES)
    parser.add_argument("--output", type=Path, required=True, help="what was said, as JSON lines")
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    known = []
    if given.output.exists():
        known = [Said(**json.loads(line)) for line in given.output.read_text().splitlines()]
    if given.fit:
        if len({(one.name, one.deep) for one in known}) != 1:
            raise SystemExit(f"{given.output} holds answers of several networks or depths, or none")
        pools = fitted(known[1::2]), fitted(known[::2])
        decoder = Pool(1.0, 0.0, literature=0.0, doubt=0.0, slope=1.0)
        network = Pool(0.0, 1.0, literature=0.0, doubt=50.0, slope=0.0)
        alone = [replace(one, network=[]) for one in known]
        print(f"with the network: {fitted(known)}\nwithout: {fitted(alone)}")
        experts = {"decoder": (decoder, decoder), "network": (network, network), "all": pools}
        print(table(known, experts))
        print(table(alone, {"all but the network": (fitted(alone[1::2]), fitted(alone[::2]))}))
        return 0
    done = {one.structure for one in known}
    asked = (given.families, given.patterns, done)
    questions = (
        of_measurements(given.file, given.half, *asked)
        if given.measured
        else of_structures(given.file, *asked)
    )
    with given.output.open("a", encoding="utf-8") as lines:
        for pattern, name, group in questions:
            said = said_of(pattern, name, group, given.deep)
            lines.write(json.dumps(asdict(said)) + "\n")
            lines.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
