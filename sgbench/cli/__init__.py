"""The `sgbench` command. Exit status: 0 done, 1 a check did not hold, 2 the caller must mend."""

import sys

from sgbench.errors import SgbenchError


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence and status 2."""
    from sgbench.cli._app import app

    try:
        app()
    except SgbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
