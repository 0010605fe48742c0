"""Draw the numbers of the committed table into README.md and docs/findings.md.

python tools/findings.py
"""

import re
from pathlib import Path

import pandas as pd

from sgbench.models import REFERENCE, base_name
from sgbench.sets import SetSpec
from sgbench.text import percent

PROJECT = Path(__file__).parents[1]
PAGES = (PROJECT / "README.md", PROJECT / "docs" / "findings.md")
SOFT = "fcn-wang2024.soft"
_WORDS = {"trigonal-hexagonal": "trigonal + hexagonal", "all": "all 230 groups"}
_PAPER = ("cubic", "tetragonal", "trigonal-hexagonal")
_SHOWN = (*_PAPER, "all")


def read_rows() -> pd.DataFrame:
    """Return the rows of the committed table."""
    return pd.read_csv(PROJECT / "results" / "leaderboard.csv", dtype={"train_set": str})


def with_numbers(text: str, table: pd.DataFrame) -> str:
    """Return a page with the blocks that a table makes."""
    blocks = {
        "night": _night(table), "groups": _groups(table), "targets": _targets(table),
        "back": _back(table), "physical": _physical(table), "laboratory": _laboratory(table),
        "finding": _finding(table),
    }  # fmt: skip
    for name, block in blocks.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        pattern = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
        text = pattern.sub(lambda _, block=block: f"\n{block}\n\n", text)
    return text


def _night(table: pd.DataFrame) -> str:
    """Return what the network names after a night, by family."""
    lines = []
    for family in _SHOWN:
        train = f"ulbd-{family}"
        row = _longest(table, train)
        sets = ("ulbd-in-mesh", "ulbd-off-mesh", "cddd-in-domain", "cddd")
        found = [_one(table, row["model"], train, test, "overnight") for test in sets]
        half = "" if row["model"] == SOFT else f", {row['train_patterns']:,.0f} patterns so far"
        decoder = _maybe(table, "decoder-pawley", "none", "ulbd-off-mesh", "laptop", family)
        lines.append(
            [_words(family) + half]
            + [_interval(one) for one in found]
            + [percent(found[1]["data_ceiling_top1"])]
            + ["" if decoder is None else f"{percent(decoder['top1'])}, n {decoder['n_test']:,}"]
        )
    return _table(
        (
            "family", "in-mesh", "off-mesh", "real crystals in the trained range",
            "all real crystals", "ceiling", "decoder, off-mesh",
        ), lines,
    )  # fmt: skip


def _groups(table: pd.DataFrame) -> str:
    lines = []
    for family in _SHOWN:
        train = f"ulbd-{family}"
        row = _longest(table, train)
        one = _one(table, row["model"], train, "ulbd-off-mesh", "overnight", "spacegroup")
        tops, most = (
            " ".join(percent(one[f"{kind}{k}"]) for k in range(1, 6))
            for kind in ("top", "ceiling_top")
        )
        apart = max(one[f"ceiling_top{k}"] - one[f"top{k}"] for k in range(1, 6))
        lines.append([_words(family), tops, most, f"{100 * apart:.2f}"])
    return _table(("family", "accuracy", "ceiling", "largest gap (points)"), lines)


def _targets(table: pd.DataFrame) -> str:
    lines = []
    for family in _PAPER:
        for model, words in ((REFERENCE, "labels"), (SOFT, "posteriors")):
            one = _one(table, model, f"ulbd-{family}", "ulbd-off-mesh", "laptop")
            lines.append([_words(family), words, f"{one['train_patterns']:,.0f}", _interval(one)])
    return _table(("family", "learnt from", "patterns", "off-mesh"), lines)


def _back(table: pd.DataFrame) -> str:
    lines = []
    for family in _PAPER:
        for train, words in (
            (f"cddd-{family}-stratified", "crystals"), (f"ulbd-{family}", "designed patterns")
        ):  # fmt: skip
            real, designed = (
                _one(table, REFERENCE, train, test, "laptop")
                for test in ("cddd-stratified-test", "ulbd-in-mesh")
            )
            difference = 100 * (designed["top1"] - real["top1"])
            found = (f"{_interval(real)}, n {real['n_test']:,}", _interval(designed))
            lines.append([_words(family), words, *found, f"{difference:+.0f}".replace("-", "−")])
    head = ("family", "trained on", "held-out crystals", "designed patterns", "difference")
    return _table(head, lines)


def _physical(table: pd.DataFrame) -> str:
    tests = {"real crystals in the trained range": "cddd-in-domain", "off-mesh": "ulbd-off-mesh"}
    trained = {"uniform": "ulbd-cubic", "physical": "ulbd-physical-cubic"}
    return _trainings(table, REFERENCE, "intensities in training (cubic)", trained, tests)


def _laboratory(table: pd.DataFrame) -> str:
    tests = {
        "ideal patterns": "ulbd-off-mesh",
        "`laboratory` patterns": "ulbd-off-mesh+laboratory",
    }
    trained = {"ideal": "ulbd-cubic", "laboratory": "ulbd-cubic+laboratory"}
    return _trainings(table, SOFT, "trained on (cubic)", trained, tests)


def _trainings(
    table: pd.DataFrame, model: str, head: str, trained: dict[str, str], tests: dict[str, str]
) -> str:
    """Return a table of trainings at scale laptop, a column a test set, by their words."""
    lines = [
        [words, *(_interval(_one(table, model, train, test, "laptop")) for test in tests.values())]
        for words, train in trained.items()
    ]
    return _table((head, *tests), lines)


def _finding(table: pd.DataFrame) -> str:
    real, back = (
        percent(_one(table, REFERENCE, "cddd-cubic-stratified", test, "laptop")["top1"])
        for test in ("cddd-stratified-test", "ulbd-in-mesh")
    )
    own, carried = (
        percent(_one(table, REFERENCE, "ulbd-cubic", test, "laptop")["top1"])
        for test in ("ulbd-in-mesh", "cddd-stratified-test")
    )
    return (
        "**A finding.** A network that was trained on cubic minerals names the classes of "
        f"{real} % of the minerals that a random\n"
        f"split holds out, but of only {back} % of the designed patterns. A network that was "
        "trained on designed patterns names\n"
        f"{own} % there and {carried} % of the same minerals, so what it has learnt carries over "
        "far better."
    )


def _longest(table: pd.DataFrame, train: str) -> pd.Series:
    """Return a row of the longest training on posteriors that the night has finished."""
    of_night = (table["scale"] == "overnight") & (table["train_set"] == train)
    rows = table[of_night & (table["model"].map(base_name) == SOFT)]
    return rows.loc[rows["train_patterns"].idxmax()]


def _one(
    table: pd.DataFrame, model: str, train: str, test: str, scale: str, scheme: str = "extinction"
) -> pd.Series:
    family = SetSpec.parse(train).family
    found = _maybe(table, model, train, test, scale, family, scheme)
    assert found is not None, (model, train, test, scale, scheme)
    return found


def _maybe(
    table: pd.DataFrame,
    model: str,
    train: str,
    test: str,
    scale: str,
    family: str,
    scheme: str = "extinction",
) -> pd.Series | None:
    asked = {"model": model, "train_set": train, "test_set": test, "scale": scale,
             "class_scheme": scheme, "family": family}  # fmt: skip
    mask = pd.Series(True, index=table.index)
    for column, value in asked.items():
        mask &= table[column] == value
    return table[mask].iloc[0] if mask.any() else None


def _words(family: str) -> str:
    return _WORDS.get(family, family)


def _interval(one: pd.Series) -> str:
    return f"{percent(one['top1'])} ({percent(one['top1_low'])}–{percent(one['top1_high'])})"


def _table(header: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    rows = read_rows()
    for page in PAGES:
        page.write_text(with_numbers(page.read_text(encoding="utf-8"), rows), encoding="utf-8")
