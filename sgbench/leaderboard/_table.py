"""The leaderboard: one row a model, training set, test set, family and class scheme."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sgbench.errors import SgbenchError
from sgbench.evaluation import SCHEME_NAMES, Score
from sgbench.files import write_atomically
from sgbench.leaderboard._bounds import why_no_bound
from sgbench.leaderboard._identity import IDENTITY, TESTED_ON, identity
from sgbench.leaderboard._ranks import with_ranks
from sgbench.leaderboard._verified import Verification
from sgbench.sets import IN_MESH, OFF_MESH, SEALED, SetSpec
from sgbench.symmetry import (
    FAMILIES,
    PAPER_FAMILIES,
    TOP_K,
    extinction_classes,
    family_spacegroups,
)
from sgbench.text import csv_frame, markdown_text, percent, points

_K = range(1, TOP_K + 1)
#: Ceilings of designed test sets as they were generated; empty for sets of structures.
EXACT_COLUMNS = tuple(f"{level}_ceiling_top{k}" for level in ("data", "resolution") for k in _K)
#: What nobody can pass in the mean who sees these patterns, and its standard error from random
#: numbers; empty where the exact posterior is not known.
BAYES_COLUMNS = tuple(f"{name}_top{k}" for name in ("bayes", "bayes_error") for k in _K)
#: Plain shares of hits, where the accuracies are expectations over the label's coin.
RAW_COLUMNS = tuple(f"raw_top{k}" for k in _K)
#: What tells how to make a row again (`sgbench.provenance.made_with`).
MADE_WITH = ("commit", "lock_sha256", "settings")
#: Columns of ``leaderboard.csv``; accuracies are fractions.
COLUMNS = (
    *IDENTITY,
    "n_test",
    "n_clusters",
    "seeds",
    *(f"top{k}" for k in _K),
    *(f"top{k}_{end}" for k in _K for end in ("low", "high")),
    *RAW_COLUMNS,
    "top1_seed_sd",
    *(f"ceiling_top{k}" for k in _K),
    *EXACT_COLUMNS,
    *BAYES_COLUMNS,
    *(f"gap_top{k}" for k in _K),
    *(f"share_top{k}" for k in _K),
    "balanced_accuracy",
    "ece",
    "regret",
    "regret_error",
    "parameters",
    "train_patterns",
    "train_seconds",
    "patterns_per_second",
    "hardware",
    "status",
    "dataset_sha256",
    "predictions_sha256",
    "sgbench_version",
    *MADE_WITH,
)
#: Columns of ``by_class.csv``.
CLASS_COLUMNS = (
    "model", "train_set", "test_set", "source", "test_sha256", "family", "scale", "seed", "class",
    "spacegroups", "n", "n_clusters", "top1", "top1_low", "top1_high",
)  # fmt: skip
#: Scales, of which the first that there is stands for a whole where one is shown.
LARGEST_FIRST = ("full", "overnight", "laptop", "robustness", "smoke")
# What a submission may say of itself; scores of earlier versions called sealed ones verified.
_SELF_SAID = ("self-reported", "verified")
_CRYSTALS = SetSpec("crystals", "all")
_FIRST_TEST_SETS = tuple(
    spec.name for spec in (IN_MESH, OFF_MESH, SEALED, replace(_CRYSTALS, in_domain=True), _CRYSTALS)
)


def build_table(scores: Iterable[Score], verified: Collection[Verification] = ()) -> pd.DataFrame:
    """Gather scores into rows, those of several seeds into one.

    Accuracies are means over seeds; intervals are the mean of the seeds' intervals (the test set is
    the same for all), and `top1_seed_sd` is the spread between seeds, empty for a single one.

    Parameters
    ----------
    scores : iterable of Score
    verified : collection of Verification, optional
        The maintainers' word, which alone makes a self-reported score a verified one.

    Raises
    ------
    SgbenchError
        If a score does not say where it comes from.
    """
    groups: dict[tuple[str, ...], list[Score]] = defaultdict(list)
    for result in scores:
        origin = result.provenance
        missing = {"model", "train_set", "scale"} - origin.keys()
        if missing:
            raise SgbenchError(
                f"a score on {result.test_set} does not say its {', '.join(sorted(missing))}; "
                "expected them in its provenance. Make it again with `sgbench evaluate`."
            )
        # Trainings on other data are other rows, too, though they bear the same names.
        key = (*identity(result).values(), str(origin.get("dataset_sha256")))
        groups[key].append(result)
    for members in groups.values():
        if len({bool(one.provenance.get("plain_hits")) for one in members}) > 1:
            raise SgbenchError(
                f"scores of '{members[0].provenance['model']}' on {members[0].test_set} are partly "
                "of an earlier version, whose accuracies were plain shares of hits; expected one "
                "kind. Make them again with `sgbench evaluate` or `sgbench submission score`."
            )
    rows = [_row(members, verified) for members in groups.values()]
    return sort_table(pd.DataFrame(rows, columns=list(COLUMNS)))


def build_class_table(scores: Iterable[Score]) -> pd.DataFrame:
    """List, for each score over extinction classes, its classes one by one.

    Columns: those that name a leaderboard row, the seed, the class's symbol and space groups,
    samples (`n`), independent groups among them (`n_clusters`), and the fraction of samples whose
    class is right with its 95 % interval.
    """
    rows = [
        {
            **identity(result),
            "seed": result.provenance.get("seed"),
            "class": cls.symbol,
            "spacegroups": " ".join(map(str, cls.spacegroups)),
            **vars(result.by_label[str(index)]),
        }
        for result in scores
        if result.class_scheme == "extinction" and result.provenance.get("status") != "control"
        for index, cls in enumerate(extinction_classes(family_spacegroups(result.family)))
        if str(index) in result.by_label
    ]
    return pd.DataFrame(rows, columns=list(CLASS_COLUMNS))


def with_exact_ceilings(table: pd.DataFrame, ceilings: pd.DataFrame) -> pd.DataFrame:
    """Fill `EXACT_COLUMNS` of the rows whose test set is listed.

    The set of a sealed round gets those of ``ulbd-off-mesh``, from which it differs by its random
    keys alone.

    Parameters
    ----------
    table : DataFrame
        A leaderboard.
    ceilings : DataFrame
        What ``sgbench ceilings --exact`` writes: family, test set, class scheme, level and top-1 to
        top-5 in percent.
    """
    filled = table.copy()
    keys = ["family", "test_set", "class_scheme"]
    named = filled[keys].replace({"test_set": {SEALED.name: OFF_MESH.name}})
    for (level, *key), rows in ceilings.groupby(["level", *keys]):
        if f"{level}_ceiling_top1" in EXACT_COLUMNS:
            chosen = (named == key).all(axis=1)
            for k in _K:
                filled.loc[chosen, f"{level}_ceiling_top{k}"] = rows[f"top{k}"].iloc[0] / 100
    return filled


def sort_table(table: pd.DataFrame) -> pd.DataFrame:
    """Order rows by scale, family, class scheme and test set, then best model first."""
    order = pd.DataFrame(
        {
            "scale": _position(table["scale"], LARGEST_FIRST),
            "family": _position(table["family"], (*PAPER_FAMILIES, *FAMILIES)),
            "class_scheme": _position(table["class_scheme"], ("extinction", "spacegroup")),
            "test_set": _position(table["test_set"], _FIRST_TEST_SETS),
            "name": table["test_set"],
            "source": table["source"],
            "data": table["test_sha256"],
            "top1": -table["top1"],
            "model": table["model"],
        }
    )
    index = order.sort_values(list(order.columns), kind="stable").index
    return table.loc[index].reset_index(drop=True)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write the table as CSV, six digits a number."""
    with write_atomically(path) as temporary:
        csv_frame(table).to_csv(temporary, index=False, float_format="%.6g")


def to_markdown(table: pd.DataFrame, pairs: pd.DataFrame | None = None) -> str:
    """Render the table for reading: one section a scale and family, accuracies in percent.

    Parameters
    ----------
    table : DataFrame
        A leaderboard.
    pairs : DataFrame, optional
        Paired comparisons of its rows, for their ranks.
    """
    table = with_ranks(table, pairs)
    parts = [
        "# Leaderboard",
        "",
        "Accuracies are in percent, and top-1 has its 95 % interval; the CSV has the others. The "
        "*ceiling* is the highest accuracy that extinction laws allow for the labels of the test "
        "set. *Gap* is ceiling − accuracy in points, and *share* is accuracy ÷ ceiling. Over space "
        "groups of a designed set, a hit is replaced by its expectation over the coin that chose "
        "the label inside its class; *raw* is the plain share of hits. *Regret*, in nats, is what "
        "the stated probabilities lose to the exact ones, where those are known. *Rank* holds the "
        "ranks among the rows of a test set that chance leaves open, from paired tests where the "
        "answers are known. On patterns of structures, intervals count a mineral once, however "
        "often it was measured. Where more than absences tells space groups apart, the ceiling is "
        "a *mark* to compare with and no bound, and there is neither gap nor share. Rows of "
        "different test data (source and checksum in the headings) have tables of their own. "
        "The [glossary](../docs/glossary.md) explains the words.",
        "",
    ]
    for (scale, family, scheme), rows in table.groupby(
        ["scale", "family", "class_scheme"], sort=False
    ):
        kind = SCHEME_NAMES[str(scheme)]
        parts += [f"## {markdown_text(family)}, {kind} (scale {markdown_text(scale)})", ""]
        for _, same in rows.groupby(list(TESTED_ON), sort=False, dropna=False):
            parts += [*_markdown_rows(same), ""]
    hardware = sorted({str(name) for name in table["hardware"].dropna() if str(name)})
    if hardware:
        parts += [f"Trained on: {'; '.join(map(markdown_text, hardware))}.", ""]
    return "\n".join(parts)


def _row(members: Sequence[Score], verified: Collection[Verification]) -> dict[str, object]:
    first = members[0]
    origin = first.provenance
    mean = {
        name: np.mean([getattr(member, name) for member in members], axis=0)
        for name in ("top", "top_low", "top_high", "raw", "gap", "share")
        if getattr(first, name) is not None
    }
    regrets = [member.regret for member in members if member.regret is not None]
    row: dict[str, object] = {
        **identity(first),
        "n_test": first.n_test,
        "n_clusters": first.n_clusters,
        "seeds": len({member.provenance.get("seed") for member in members}),
        "top1_seed_sd": np.std([member.top[0] for member in members], ddof=1)
        if len(members) > 1
        else None,
        "balanced_accuracy": np.mean([member.balanced_accuracy for member in members]),
        # A ranked list has no probabilities to be calibrated.
        "ece": None if origin.get("ranked") else np.mean([member.ece for member in members]),
        "regret": np.mean(regrets) if len(regrets) == len(members) else None,
        "regret_error": np.nan if first.regret_error is None else first.regret_error,
        "parameters": origin.get("parameters"),
        "train_patterns": origin.get("train_patterns"),
        "train_seconds": origin.get("train_seconds"),
        "patterns_per_second": _mean_speed(members),
        "hardware": origin.get("hardware"),
        "status": _status(members, verified),
        "dataset_sha256": origin.get("dataset_sha256"),
        "predictions_sha256": " ".join(
            str(member.provenance.get("predictions_sha256")) for member in members
        ),
        "sgbench_version": origin.get("scorer_version"),
        "commit": _each(members, "commit"),
        "lock_sha256": _each(members, "lock_sha256"),
        # Seeds may differ in what was laid over the settings; one text of JSON has to stay one.
        "settings": origin.get("settings"),
    }
    for i, k in enumerate(_K):
        row |= {
            f"top{k}": mean["top"][i],
            f"raw_top{k}": mean["raw"][i],
            f"top{k}_low": mean["top_low"][i],
            f"top{k}_high": mean["top_high"][i],
            f"ceiling_top{k}": np.nan if first.ceiling is None else first.ceiling[i],
            f"bayes_top{k}": np.nan if first.bayes is None else first.bayes[i],
            f"bayes_error_top{k}": np.nan if first.bayes_error is None else first.bayes_error[i],
            f"gap_top{k}": mean["gap"][i] if "gap" in mean else np.nan,
            f"share_top{k}": mean["share"][i] if "share" in mean else np.nan,
        }
    return row


def _each(members: Sequence[Score], name: str) -> str | None:
    """Return what all members say, each thing once; None where one does not say it."""
    said = [member.provenance.get(name) for member in members]
    return None if None in said else " ".join(dict.fromkeys(map(str, said)))


def _status(members: Sequence[Score], verified: Collection[Verification]) -> object:
    said = members[0].provenance.get("status", "reference")
    if said not in _SELF_SAID:
        return said
    known = all(any(one.is_of(member) for one in verified) for member in members)
    return "verified" if known else "self-reported"


def _mean_speed(members: Sequence[Score]) -> float | None:
    known = [member.provenance.get("patterns_per_second") for member in members]
    measured = [speed for speed in known if speed is not None]
    return float(np.mean(measured)) if measured else None


def _position(values: "pd.Series[str]", order: Sequence[str]) -> "pd.Series[int]":
    rank = {name: place for place, name in reversed(list(enumerate(order)))}
    return values.map(lambda value: rank.get(value, len(order)))


def _markdown_rows(rows: pd.DataFrame) -> list[str]:
    """Return the heading and the table of the rows of one test set."""
    first = rows.iloc[0]
    limits = " ".join(percent(first[f"ceiling_top{k}"]) for k in _K)
    (no_bound,) = why_no_bound(rows.head(1))
    ceiling = f"Ceiling, top-1 to top-5: {limits}"
    if no_bound:
        ceiling = f"A mark, no bound, top-1 to top-5: {limits}. {markdown_text(no_bound)}"
    if pd.isna(first.ceiling_top1):
        ceiling = f"No ceiling. {markdown_text(no_bound)}"
    with_regret = rows["regret"].notna().any()
    header = ["model", "trained on", "rank", *(f"top-{k}" for k in _K), "raw top-1",
              *([] if no_bound else ["gap", "share"]),
              *(["regret"] if with_regret else []), "status"]  # fmt: skip
    lines = [
        f"### {markdown_text(first.test_set)} ({markdown_text(first.source)}, "
        f"{markdown_text(first.test_sha256)[:8]}), n = {first.n_test}",
        "",
        ceiling,
        "",
        *_bayes(first),
        "| " + " | ".join(header) + " |",
        "|" + " --- |" * len(header),
    ]
    for _, row in rows.iterrows():
        interval = f"{percent(row.top1)} ({percent(row.top1_low)}–{percent(row.top1_high)})"
        cells = [
            markdown_text(row.model), markdown_text(row.train_set), _rank(row), interval,
            *(percent(row[f"top{k}"]) for k in _K[1:]), percent(row.raw_top1),
            *([] if no_bound else [points(row.gap_top1), f"{percent(row.share_top1)} %"]),
            *([_regret(row)] if with_regret else []),
            markdown_text(row.status),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _bayes(row: "pd.Series[Any]") -> list[str]:
    """Say what is possible on noisy patterns, or that nobody knows."""
    spec = SetSpec.find(row.test_set)
    if spec is None or not spec.conditions:
        return []
    if pd.isna(row.bayes_top1):
        return [
            "No bound is known under these conditions; the ceiling is that of ideal patterns.",
            "",
        ]
    limits = " ".join(f"{100 * row[f'bayes_top{k}']:.1f}" for k in _K)
    error = 100 * max(row[f"bayes_error_top{k}"] for k in _K)
    return [f"Bayes ceiling under this noise, top-1 to top-5: {limits} (± {error:.2f})", ""]


def _regret(row: "pd.Series[Any]") -> str:
    if pd.isna(row.regret):
        return "–"
    # There is none without noise, and scores of earlier versions do not say.
    error = 0.0 if pd.isna(row.regret_error) else row.regret_error
    return f"{row.regret:.3f}" + (f" ± {error:.3f}" if error >= 0.0005 else "")


def _rank(row: "pd.Series[Any]") -> str:
    if pd.isna(row.rank_best):
        return "–"
    best, worst = int(row.rank_best), int(row.rank_worst)
    return f"{best}" if best == worst else f"{best}–{worst}"
