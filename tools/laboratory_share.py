"""How near networks come, under `laboratory`, to what counting alone allows.

The posterior under the whole mixture is not known. That of its counting noise alone is: patterns
as they are designed, with as many counts in the strongest point as the mixture draws for them. The
oracle is told the cell, the profile and the counts, and the mixture takes more from a network than
counting does, so no share should reach 1.

    python tools/laboratory_share.py pretrained:ulbd-cubic/fcn-wang2024.soft model.pt --write

Each model is scored in its own family; ``--write`` draws the table into docs/conditions.md.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import torch

from sgbench.conditions.mixtures import LABORATORY
from sgbench.conditions.noise import COUNTS
from sgbench.designed import CountingNoise, Posterior, Ulbd, noise_posterior
from sgbench.diffraction import free_parameters
from sgbench.evaluation import predict_set, score, wilson_interval
from sgbench.pretrained import load_pretrained
from sgbench.sets import SetSpec, TestSet, family_set, open_test_set
from sgbench.symmetry import class_labels, family_spacegroups
from sgbench.training import TrainedModel, load_model

PAGE = Path(__file__).parents[1] / "docs" / "conditions.md"
#: Patterns a space group: more than 2,000 in each family of the article.
SIZES = {"cubic": 60, "tetragonal": 30, "trigonal-hexagonal": 40}
_SEED = 20261128
_COUNTS = dict(LABORATORY.parts)[COUNTS]
_CPU = torch.device("cpu")


def counted(dataset: Ulbd, truth: TestSet) -> Posterior:
    """Return the chances of space groups once the points of ideal patterns are counted."""
    samples = truth.samples
    if samples.cell is None:
        raise TypeError("samples of a designed set have cells")
    ideal = samples.unscaled().astype(np.float64)
    per_unit = _COUNTS.of(samples.ids) / ideal.max(axis=1)
    drawn = np.random.default_rng(_SEED).poisson(ideal * per_unit[:, None])
    cells = np.stack([free_parameters(dataset.family, cell) for cell in samples.cell])
    return noise_posterior(dataset, cells, drawn / per_unit[:, None], CountingNoise(per_unit))


def possible(dataset: Ulbd, truth: TestSet) -> float:
    """Return the share of extinction classes that the best guesses from counts name."""
    classes = class_labels(family_spacegroups(dataset.family))
    chances = counted(dataset, truth).probabilities @ np.eye(classes.max() + 1)[classes]
    return float(chances.max(axis=1).mean())


def row(name: str) -> tuple[str, ...]:
    """Return the cells of a model's row."""
    stem, _, weights = name.partition("pretrained:")
    trained = load_pretrained(weights, _CPU) if not stem else load_model(Path(name), _CPU)
    if not isinstance(trained, TrainedModel):
        raise SystemExit(f"{name} holds an estimator; expected a network")
    plan = trained.provenance["plan"]
    family = SetSpec.parse(plan["dataset"]).family
    dataset = family_set(family)
    if not isinstance(dataset, Ulbd) or family not in SIZES:
        raise SystemExit(f"{name} is for {family}; expected one of {', '.join(SIZES)}")
    found = []
    for condition in ("", "+laboratory"):
        spec = SetSpec.parse(f"ulbd-off-mesh{condition}")
        truth = open_test_set(spec, dataset, SIZES[family])
        found.append(score(predict_set(trained, truth, _CPU), truth, "extinction").top[0])
    bayes = possible(dataset, open_test_set(SetSpec.parse("ulbd-off-mesh"), dataset, SIZES[family]))
    low, high = wilson_interval(np.array([found[1]]), len(truth))
    print(name, *found, bayes, file=sys.stderr)
    patterns = int(trained.provenance["train_patterns"])
    return (
        f"`{plan['dataset']}`", f"`{plan['model']}`", f"{patterns:,}", f"{len(truth):,}",
        f"{100 * found[0]:.1f}",
        f"{100 * found[1]:.1f} ({100 * low[0]:.1f}–{100 * high[0]:.1f})",
        f"{100 * bayes:.1f}", f"{found[1] / bayes:.2f}",
    )  # fmt: skip


def main() -> int:
    """Print the table, or draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="files, or pretrained:NAME")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    head = ("trained on", "model", "patterns", "*n*", "ideal, %", "`laboratory`, %",
            "counting alone allows, %", "share")  # fmt: skip
    lines = [head, ("---",) * len(head), *map(row, given.models)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    if given.write:
        inside = "(?<=<!-- share -->\n).*?(?=<!-- /share -->)"
        page = re.sub(inside, lambda _: f"\n{table}\n\n", PAGE.read_text(), flags=re.DOTALL)
        PAGE.write_text(page)
    else:
        print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
