"""What a run of the workflow says in the end: where its pages are, and its first numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sgbench.sets import DESIGNED, OFF_MESH, SetSpec
from sgbench.text import percent

_PAGES = {"page": "site/index.html", "report": "report/index.html"}


def closing_words(settings: Mapping[str, Any], root: Path) -> str:
    """Return the paths of page, report and table, and the reference network's accuracies.

    Parameters
    ----------
    settings : mapping
        As `resolve_settings` returns them.
    root : Path
        Folder of the project.

    Returns
    -------
    str
        A line each; of what is not there, none.
    """
    results = root / "results"
    places = {name: results / path for name, path in _PAGES.items()}
    table = places["table"] = results / settings["scale"] / "leaderboard.csv"
    lines = [f"{name:<7} {path}" for name, path in places.items() if path.exists()]
    if table.exists():
        lines += _headlines(table, settings)
    return "\n".join(lines)


def _headlines(table: Path, settings: Mapping[str, Any]) -> list[str]:
    from sgbench.leaderboard import read_csv

    rows = read_csv(table)
    model = settings["reference"]
    mine = rows[
        (rows["model"] == model)
        & (rows["test_set"] == OFF_MESH.name)
        & (rows["class_scheme"] == "spacegroup")
    ].set_index("train_set")
    told = []
    for family in settings["families"]:
        name = SetSpec(DESIGNED, family=family).name
        if name in mine.index:
            row = mine.loc[name]
            told.append(
                f"  {family:<20} {percent(row['top1']):>5} % of at most"
                f" {percent(row['ceiling_top1'])} % (n = {row['n_test']})"
            )
    head = f"space groups that {model} gets right in cells that it has not seen ({OFF_MESH.name}):"
    return [head, *told] if told else []
