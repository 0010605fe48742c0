"""`sgbench scaling`: how fine a mesh has to be."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sgbench.cli._listing import Format, show
from sgbench.errors import SgbenchError

if TYPE_CHECKING:
    from sgbench.sets import Mesh

_KEPT = (
    "model", "train_set", "step", "patterns_per_lattice", "test_set", "family", "class_scheme",
    "n_test", "seeds", "top1", "top1_low", "top1_high", "ceiling_top1", "gap_top1",
    "train_patterns", "train_seconds",
)  # fmt: skip


def scaling(
    scores: Annotated[list[Path], typer.Argument(help="Score files, or folders of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV; SVG goes beside it.")],
) -> None:
    """Tabulate and draw accuracy by lattice step and by patterns a lattice (Fig. S1).

    Scores of one model are used that was trained on sets named NAME@STEPxPATTERNS: the step in
    ångström, and how many patterns each lattice has. The plot is of space groups on designed sets.
    """
    from sgbench import plots
    from sgbench.evaluation import read_score
    from sgbench.leaderboard import build_table, open_scores
    from sgbench.sets import DESIGNED

    with open_scores(scores) as files:
        found = [read_score(file) for file in files]
    on_mesh = [one for one in found if _mesh(one.provenance["train_set"])]
    models = {(one.provenance["model"], one.family) for one in on_mesh}
    if len(models) != 1:
        named = ", ".join(" ".join(pair) for pair in sorted(models)) or "none"
        raise SgbenchError(
            "a scaling study is of one model and family, trained on sets NAME@STEPxPATTERNS; the "
            f"scores are of: {named}. Name the folders of one."
        )
    table = build_table(on_mesh)
    meshes = [_mesh(name) for name in table["train_set"]]
    table["step"] = [mesh.step for mesh in meshes if mesh]
    table["patterns_per_lattice"] = [mesh.patterns for mesh in meshes if mesh]
    table = table.sort_values(["class_scheme", "test_set", "step", "patterns_per_lattice"])
    designed = table[(table["class_scheme"] == "spacegroup") & (table["source"] == DESIGNED)]
    drawn, others = plots.of_one_data(designed)
    if drawn.empty:
        raise SgbenchError(
            "there is nothing to draw: no score is over space groups on a designed test set; "
            "expected files such as ulbd-in-mesh.spacegroup.json. Name these as well."
        )
    rows = [{name: row[name] for name in _KEPT} for _, row in table.iterrows()]
    show(rows, Format.csv, output)
    plots.save(plots.mesh_dependence(drawn), output.with_suffix(".svg"))
    left_out = f"; {len(others)} of other test data are not drawn" if len(others) else ""
    typer.echo(f"wrote {output} and {output.with_suffix('.svg')}: {len(table)} rows{left_out}")


def _mesh(train_set: str) -> "Mesh | None":
    from sgbench.sets import SetSpec

    spec = SetSpec.find(train_set)
    return spec.mesh if spec and spec.mesh and spec.mesh.step else None
