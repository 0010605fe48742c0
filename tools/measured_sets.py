"""Score the baselines on audited development patterns, and draw their table.

    python tools/measured_sets.py measured-rruff-a.parquet cddd.parquet [deep.jsonl]

The first file is what `sgbench dataset build measured-rruff-a --crystals cddd.parquet` writes, the
second what `sgbench dataset build cddd` writes. A third one has what decoder and network said of
half of the patterns (tools/pooling.py), for which they are long at work. Without files, the table
of docs/measured-sets.md is drawn again from docs/measured-sets.csv.
"""

import csv
import json
import re
import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np

DOCS = Path(__file__).parents[1] / "docs"
PAGE, NUMBERS = DOCS / "measured-sets.md", DOCS / "measured-sets.csv"
LABELS = DOCS / "measured-labels.csv"
NETWORK = "ulbd-all/fcn-wang2024.soft"
#: Named before any of its scores were seen, as the model that is compared with the frequencies.
NAMED = "ulbd-mineral-cells-all+laboratory/fcn-wang2024.calibrated@400000"
#: And the one that learnt from amplitudes more like those of crystals, named in the same way.
NAMED_NEXT = "ulbd-amplitude-falloff-mineral-cells-all+laboratory/fcn-wang2024.calibrated@600000"
#: Substances that a model has seen are those of this training set, for every row of the table.
SEEN_IN = "cddd-all"
SCHEMES = {"extinction": "classes", "system": "systems", "spacegroup": "groups"}
PARTS = ("all", "seen", "unseen", "unknown")
# How fast the chance of a space group falls with the likeness of its nearest structure.
_SHARPNESS = 0.02


def rows_of(patterns: Path, crystals: Path, said: Path | None) -> list[dict[str, object]]:
    """Return a row for each model, scheme and part."""
    import torch

    from sgbench.collections import likenesses
    from sgbench.evaluation import predict_set
    from sgbench.pretrained import load_pretrained
    from sgbench.sets import SetSpec, family_set, open_test_set, seen_in_training
    from sgbench.structures import read_crystals

    found, dataset, files = read_crystals(crystals), family_set("all"), [patterns, crystals]
    name = patterns.stem
    treated = open_test_set(SetSpec.parse(name), dataset, 0, files)
    untreated = open_test_set(SetSpec.parse(f"{name}-untreated"), dataset, 0, files)
    parts = seen_in_training(treated, SetSpec.parse(SEEN_IN), files)
    known = np.array(found.split("grouped")) != "test"
    trained = found.take(np.flatnonzero(known))
    pairs = {(trained.name[i], int(trained.spacegroup[i])) for i in range(len(trained))}
    prior = np.bincount([group - 1 for _, group in pairs], minlength=230) + 0.5 / 230
    like = likenesses(treated.labelled, trained)
    nearest = np.full((len(treated), 230), -1.0)
    for group in np.unique(trained.spacegroup):
        nearest[:, group - 1] = like[:, trained.spacegroup == group].max(axis=1)
    device = torch.device("cpu")
    network, of_laboratory, of_amplitudes = (
        load_pretrained(name, device) for name in (NETWORK, NAMED, NAMED_NEXT)
    )
    answers = (
        ("frequencies of literature", treated, prior[None, :].repeat(len(treated), axis=0)),
        ("nearest mineral", treated, np.exp((nearest - 1) / _SHARPNESS)),
        ("network, ideal patterns", treated, predict_set(network, treated, device).probabilities),
        ("network, ideal patterns", untreated,
         predict_set(network, untreated, device).probabilities),
        ("network, laboratory patterns", untreated,
         predict_set(of_laboratory, untreated, device).probabilities),
        ("network, laboratory patterns, amplitudes", untreated,
         predict_set(of_amplitudes, untreated, device).probabilities),
    )  # fmt: skip
    rows = [row for model, truth, chances in answers for row in _rows(model, truth, chances, parts)]
    return rows + (_rows_of_half(untreated, said, parts) if said else [])


def _rows_of_half(truth, path, parts):
    """Return the rows of the prior, of the decoder, and of what `identify` makes of both."""
    from pooling import Said, every_class, known_minerals

    from sgbench.identification._pool import Pool, combined, pool_for
    from sgbench.identification._shares import shares
    from sgbench.symmetry import family_of, family_spacegroups

    lines = path.read_text(encoding="utf-8").splitlines()
    all_said = {one.structure: one for one in (Said(**json.loads(line)) for line in lines)}
    (half,) = np.nonzero([name in all_said for name in truth.samples.ids])
    some, parts = truth.take(half), tuple(parts[i] for i in half)
    groups = family_spacegroups("all")
    place = np.array([
        next(i for i, one in enumerate(every_class())
             if one.family == family_of(group) and group in one.spacegroups)
        for group in groups
    ])  # fmt: skip
    even = np.ones(len(groups))
    counts = [shares((group,))[0].known for group in groups]
    answers = {
        "frequencies of literature": (
            Pool(0.0, 0.0, literature=1.0, doubt=50.0, slope=0.0),
            counts,
        ),
        "decoder": (Pool(1.0, 0.0, literature=0.0, doubt=0.0, slope=1.0), even),
        "identify": (None, counts),
    }
    known, rows = known_minerals(), []
    for model, (pool, weights) in answers.items():
        weight = np.array(weights) + 0.5 * even
        weight /= np.bincount(place, weight)[place]
        chances = [
            combined(
                *one.of_classes, one.doubt, known, pool or pool_for(bool(one.network), whole=True)
            )[place]
            * weight
            for one in (all_said[name] for name in some.samples.ids)
        ]
        rows += _rows(f"{model}, half of the patterns", some, np.array(chances), parts)
    return rows


def _rows(model, truth, chances, parts):
    from sgbench.evaluation import Predictions, score
    from sgbench.symmetry import family_spacegroups

    probabilities = (chances / chances.sum(axis=1, keepdims=True)).astype(np.float32)
    guess = Predictions(
        truth.samples.ids, "spacegroup", family_spacegroups("all"), probabilities,
        {"model": model, "train_set": "none", "scale": "custom"},
    )  # fmt: skip
    for scheme, labels in SCHEMES.items():
        result = score(guess, truth, scheme, parts)
        for part, one in (("all", result), *result.parts.items()):
            tops = {}
            for k in (1, 3, 5):
                for end, values in (("", one.top), ("_low", one.top_low), ("_high", one.top_high)):
                    tops[f"top{k}{end}"] = f"{values[k - 1]:.4f}"
            n = result.n_test if part == "all" else one.n
            yield {"model": model, "test_set": truth.name, "labels": labels, "part": part, "n": n,
                   "n_substances": one.n_clusters} | tops  # fmt: skip


def disagreement(crystals: Path) -> list[dict[str, object]]:
    """Return how often two publications disagree about a mineral, a mean over minerals.

    The interval is that of a bootstrap over minerals.
    """
    from sgbench.structures import read_crystals
    from sgbench.symmetry import crystal_system

    found = read_crystals(crystals)
    of_name = defaultdict(dict)
    for name, citation, group in zip(found.name, found.citation, found.spacegroup, strict=True):
        of_name[name].setdefault(citation, int(group))
    groups, systems = [], []
    for one in of_name.values():
        pairs = list(combinations(one.values(), 2))
        if pairs:
            groups.append(np.mean([a != b for a, b in pairs]))
            systems.append(np.mean([crystal_system(a) != crystal_system(b) for a, b in pairs]))
    draws = np.random.default_rng(0).integers(0, len(groups), (2000, len(groups)))
    rows: list[dict[str, object]] = []
    for labels, values in (("groups", np.array(groups)), ("systems", np.array(systems))):
        low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
        rows.append({"labels": labels, "minerals": len(values), "differ": f"{values.mean():.4f}",
                     "low": f"{low:.4f}", "high": f"{high:.4f}"})  # fmt: skip
    return rows


def table(rows: list[dict[str, str]]) -> str:
    """Return the rows as a table of Markdown."""
    head = ("model", "treatment", "labels", "part", "n (substances)", "top-1", "top-3", "top-5")
    lines = [head]
    for row in sorted(rows, key=_place):
        plain = row["test_set"].endswith("-untreated")
        lines.append((
            row["model"], "untreated" if plain else "treated", row["labels"], row["part"],
            f"{row['n']} ({row['n_substances']})", *(_cell(row, k) for k in (1, 3, 5)),
        ))  # fmt: skip
    return _drawn(lines)


def _place(row):
    return list(SCHEMES.values()).index(row["labels"]), PARTS.index(row["part"])


def _cell(row, k):
    value, low, high = (100 * float(row[f"top{k}{end}"]) for end in ("", "_low", "_high"))
    return f"{value:.1f} ({low:.1f}–{high:.1f})"


def with_tables(text: str) -> str:
    """Return the page with the tables of the committed numbers and of today's audit."""
    from sgbench.collections import REASONS

    labels = [
        (row["labels"], row["minerals"], "{:.1f} ({:.1f}–{:.1f})".format(
            *(100 * float(row[key]) for key in ("differ", "low", "high"))))
        for row in _read(LABELS)
    ]  # fmt: skip
    tables = {
        "reasons": _drawn([("reason", "which means"), *REASONS.items()]),
        "disagreement": _drawn([("labels", "minerals", "pairs that differ, %"), *labels]),
        "baselines": table(_read(NUMBERS)),
    }
    for name, drawn in tables.items():
        pattern = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub(lambda _, drawn=drawn: f"\n{drawn}\n\n", text)
    return text


def _drawn(rows) -> str:
    head, *others = rows
    lines = [head, ("---",) * len(head), *others]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Make the numbers where files are named, and draw the tables."""
    if len(sys.argv) in (3, 4):
        patterns, crystals, *said = map(Path, sys.argv[1:])
        _write(LABELS, disagreement(crystals))
        _write(NUMBERS, rows_of(patterns, crystals, said[0] if said else None))
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
