"""Results of made-up models, through the package's own scorer."""

from dataclasses import replace

import numpy as np
import pandas as pd

from sgbench.diffraction import CANONICAL, LineList, Samples
from sgbench.evaluation import CLASS_SCHEMES, Predictions, Score, score
from sgbench.leaderboard import build_table
from sgbench.models import REFERENCE as MODEL
from sgbench.sets import DESIGNED as FROM_DESIGN
from sgbench.sets import IN_MESH, OFF_MESH, Mesh, SetSpec, TestSet, designed_test_set
from sgbench.symmetry import PAPER_FAMILIES, class_labels, family_spacegroups

DESIGNED = (IN_MESH.name, OFF_MESH.name)
ULBD_CUBIC = SetSpec(FROM_DESIGN, family="cubic")
ABLATIONS = tuple(
    replace(ULBD_CUBIC, law=f"physical-no-{part}").name
    for part in ("wilson", "multiplicity", "falloff")
)
MESHES = tuple(
    replace(ULBD_CUBIC, mesh=Mesh(step, n)).name for step in (0.05, 0.2, 1.0) for n in (1, 5)
)
TRAINED = (
    SetSpec(FROM_DESIGN), SetSpec(FROM_DESIGN, law="physical"), SetSpec("crystals"),
    SetSpec("crystals", split="stratified"), SetSpec("random"),
)  # fmt: skip


def truth_of(
    test_set: str, family: str, n: int, draw: np.random.Generator, source: str = ""
) -> TestSet:
    """Balanced labels in designed sets; in others a few groups have most of the samples."""
    spec, groups = SetSpec.parse(test_set), np.array(family_spacegroups(family))
    if spec.origin == FROM_DESIGN:
        labels = groups[np.arange(n) % len(groups)]
    else:
        weight = np.arange(1, len(groups) + 1) ** -1.5
        labels = draw.choice(draw.permutation(groups), n, p=weight / weight.sum())
    lines = LineList(np.zeros(n + 1, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.float32))
    samples = Samples(tuple(f"s{i}" for i in range(n)), labels, CANONICAL, lines)
    return TestSet(spec, family, source or spec.origin, samples, 0)


def made_up_scores(
    train_set: str,
    test_set: str,
    family: str,
    right: float,
    model: str = MODEL,
    n: int = 300,
    seed: int = 0,
    source: str = "",
    **origin: object,
) -> list[Score]:
    """Score a model that names the class with some probability, and then guesses within it."""
    draw = np.random.default_rng([seed, len(train_set), len(test_set), int(1000 * right)])
    # One test set, whoever is tested on it.
    truth = truth_of(test_set, family, n, np.random.default_rng(len(test_set)), source)
    groups = family_spacegroups(family)
    labels = class_labels(groups)
    named = labels[truth.samples.spacegroup - groups[0]]
    wrong = draw.random(n) >= right
    named[wrong] = draw.integers(0, labels.max() + 1, wrong.sum())
    probabilities = 1e-3 * draw.random((n, len(groups)))
    probabilities += (labels == named[:, None]) * (1 + 0.2 * draw.random((n, len(groups))))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    provenance = {"model": model, "train_set": train_set, "scale": "smoke", "seed": seed, **origin}
    guess = Predictions(
        truth.samples.ids, "spacegroup", groups, probabilities.astype(np.float32), provenance
    )
    return [score(guess, truth, scheme) for scheme in CLASS_SCHEMES]


def right_of(train_set: str, test_set: str) -> float:
    """The paper's message: designed sets carry over to real ones, and not the other way round."""
    trained, tested = SetSpec.parse(train_set), SetSpec.parse(test_set)
    own = trained.origin == tested.origin
    if trained.origin == FROM_DESIGN:
        return 0.99 if own else 0.86 + 0.06 * (trained.law == "physical")
    return 0.9 if own else 0.35


def history(top: float, n: int = 10) -> pd.DataFrame:
    steps = np.arange(1, n + 1)
    values = top * (1 - np.exp(-steps / 3))
    return pd.DataFrame(
        {
            "step": 100 * steps, "patterns": 6400 * steps, "rate": 1e-3, "train_loss": 1.0,
            "validation_loss": 1.0, "top1": values, "class_accuracy": values,
            "patterns_per_second": 200.0, "regret": 1000 / (6400 * steps),
        }
    )  # fmt: skip


def all_scores(families: tuple[str, ...] = PAPER_FAMILIES, n: int = 300) -> list[Score]:
    """What a whole run of the workflow has, but for some test sets and models."""
    found = []
    for family in families:
        for trained in TRAINED:
            name = trained.of(family).name
            tests = [
                *DESIGNED, "cddd-stratified-test", "cddd-test", "cddd-test-in-domain", "gcdd-test",
                *(
                    whole
                    for whole in ("cddd", "cddd-in-domain", "gcdd")
                    if SetSpec.parse(whole).origin != trained.origin
                ),
            ]  # fmt: skip
            for test_set in tests:
                right = right_of(name, test_set)
                found += made_up_scores(name, test_set, family, right, n=n, train_patterns=64_000)
        designed = ULBD_CUBIC.of(family).name
        found += made_up_scores(
            designed, OFF_MESH.name, family, 0.9, f"{MODEL}@4000", n, train_patterns=4_000
        )
        for test_set in DESIGNED:
            found += made_up_scores(designed, test_set, family, 0.99, "fcn-wang2024.soft", n)
        others = (replace(ULBD_CUBIC, cells="mineral"), replace(ULBD_CUBIC, law="amplitude"))
        for other in others:
            name, own = other.of(family).name, designed_test_set(OFF_MESH.part, other).name
            for test_set in (OFF_MESH.name, own, "cddd", "cddd-in-domain"):
                found += made_up_scores(name, test_set, family, 0.9, n=n, train_patterns=64_000)
            found += made_up_scores(designed, own, family, 0.9, n=n, train_patterns=64_000)
        for place, model in enumerate(("forest", "knn")):
            for test_set in ("ulbd-off-mesh", "cddd"):
                right = right_of(designed, test_set) - 0.2 * (place + 1)
                found += made_up_scores(designed, test_set, family, right, model, n)
    if "cubic" in families:
        for name in ABLATIONS:
            for test_set in ("cddd", "gcdd", "ulbd-off-mesh"):
                found += made_up_scores(name, test_set, "cubic", right_of(name, test_set), n=n)
        for name in MESHES:
            mesh = SetSpec.parse(name).mesh
            assert mesh is not None
            for test_set in DESIGNED:
                right = min(0.99, 0.4 + 0.1 * mesh.patterns / mesh.step**0.3)
                found += made_up_scores(name, test_set, "cubic", right, n=n)
    return found


def all_histories() -> dict[str, list[pd.DataFrame]]:
    imbalanced = replace(ULBD_CUBIC, balanced=False)
    return {ULBD_CUBIC.name: [history(0.48)], imbalanced.name: [history(0.85)]}


def example_table(scores: list[Score]) -> pd.DataFrame:
    return build_table(scores)
