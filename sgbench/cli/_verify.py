"""`sgbench verify`, for maintainers."""

from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._options import VERIFIED, VerifiedOption
from sgbench.cli._submission import FolderArgument, MemoryOption, SecondsOption, find_folder, listed


def verify(
    name: FolderArgument,
    sealed: Annotated[Path, typer.Option(help="File of a sealed round whose secret you have.")],
    by: Annotated[str, typer.Option(help="Who answers for it: your name.")],
    verified: VerifiedOption = VERIFIED,
    seconds: SecondsOption = 600.0,
    memory: MemoryOption = 4.0,
) -> None:
    """Run a submitted model again without network or files, and record what is verified.

    Exit status 1 if it is better on public patterns than on sealed ones, beyond chance; then
    nothing is recorded.
    """
    from sgbench.leaderboard import record_verified
    from sgbench.submission import Limits, read_round, verify_submission

    compared, found = verify_submission(
        find_folder(name), read_round(sealed), by, Limits(seconds, memory)
    )
    listed([*compared.sealed, *compared.public])
    if not found:
        for gap in compared.gaps:
            typer.echo(f"not verified: {gap}", err=True)
        raise typer.Exit(1)
    record_verified(found, verified)
    typer.echo(f"{len(found)} rows are verified in {verified}")
