"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[
    str | None,
    typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow store; none records nothing."),
]
WorkflowOption = Annotated[
    str | None,
    typer.Option(envvar="SGBENCH_WORKFLOW", help="MLflow: parent of the run, by its name."),
]
ScaleOption = Annotated[
    str, typer.Option(help="Label of the run's size: smoke, laptop, overnight, robustness, full.")
]
DeviceOption = Annotated[str, typer.Option(envvar="SGBENCH_DEVICE", help="auto, cpu or cuda")]
#: Where the maintainers' file lies, from the project's root: outside of what strangers submit.
VERIFIED = Path("results/verified.json")
VerifiedOption = Annotated[
    Path,
    typer.Option(help="The maintainers' file, which alone makes rows verified; may be missing."),
]
DocsOption = Annotated[
    str | None,
    typer.Option(help="Where index.html of the documentation is, seen from the page, to link to."),
]
CrystalsOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="Line lists of structures (cddd, gcdd) or measured patterns, as `dataset build` "
        "writes them; once for each file."
    ),
]
