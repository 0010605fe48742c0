"""The `sgbench` command. Exit status: 0 done, 1 a check did not hold, 2 the caller must mend."""

import errno
import os
import shutil
import sys
import textwrap

from sgbench.errors import SgbenchError
from sgbench.live import end_with_shell

# What ails the machine or a permission, and no line of code.
_OF_THE_MACHINE = {
    errno.EACCES, errno.EAGAIN, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE,
    errno.ENOMEM, errno.ENOSPC, errno.EPERM, errno.EROFS, errno.ESTALE,
}  # fmt: skip
_LONGEST_LINE, _GOES_ON = 200, "    "
# How libraries that raise no MemoryError say that there is none: torch, threads, the loader.
_NO_MEMORY = (
    "allocate memory", "not enough memory", "out of memory", "start new thread",
    "failed to map segment",
)  # fmt: skip


def main() -> None:
    """Run the command line; what a user can mend ends in one sentence and status 2."""
    end_with_shell()
    try:
        from sgbench.cli._app import app
        from sgbench.progress import shown

        try:
            with shown(sys.stderr):
                app()
        finally:
            sys.stdout.flush()
    except Exception as error:
        complaint = _complaint(error)
        if complaint is None:
            raise
        _let_go_of_output()
        from sgbench.text import plain

        print(_wrapped(plain(f"error: {complaint}", keep="\n")), file=sys.stderr)
        sys.exit(2)


def _wrapped(text: str) -> str:
    """Break lines between words at the width of the terminal, or of a log."""
    width = shutil.get_terminal_size().columns - 1 if sys.stderr.isatty() else _LONGEST_LINE
    lines = (
        textwrap.wrap(
            line, width, subsequent_indent=_GOES_ON, break_long_words=False, break_on_hyphens=False
        )
        or [""]
        for line in text.splitlines()
    )
    return "\n".join("\n".join(parts) for parts in lines)


def _let_go_of_output() -> None:
    """Forget what standard output does not take, which the end of the process would try again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complaint(error: Exception) -> str | None:
    """Return what a user can mend, or None where the error is ours."""
    if _is_lack_of_memory(error):
        return (
            "memory ran out; expected more. Free some, give the job more, or ask for less at a "
            "time (fewer workers or samples, a smaller batch)."
        )
    if isinstance(error, SgbenchError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        return (
            f"{error.filename or 'the output'} cannot be used ({error.strerror}); expected room "
            "and permission. Mend that and run again."
        )
    return None


def _is_lack_of_memory(error: BaseException | None) -> bool:
    """Tell it from an error or what lies behind it, which a library may have taken for damage."""
    while error is not None:
        if isinstance(error, MemoryError) or (
            isinstance(error, RuntimeError | ImportError | OSError)
            and any(words in str(error) for words in _NO_MEMORY)
        ):
            return True
        error = error.__cause__ or error.__context__
    return False
