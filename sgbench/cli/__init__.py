"""The `sgbench` command. Exit status: 0 done, 1 a check did not hold, 2 the caller must mend."""

import os
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
    except KeyboardInterrupt:
        print("stopped; what was done so far is kept", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe (head, say) has left; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
