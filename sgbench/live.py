"""One run of the workflow at a time in a folder, and an end to what a kill leaves at work."""

import atexit
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from sgbench.errors import SgbenchError
from sgbench.files import remove_unfinished

# In the environment of every process of a run, down to the workers of its jobs: the run's own
# process, a space and the folder.
_MARK = "SGBENCH_RUN"
_PR_SET_PDEATHSIG = 1
# Seconds that killed processes may take to die.
_PATIENCE = 30


def hold_folder(folder: Path) -> tuple[int, int]:
    """Make this process the one run of the workflow in a folder, until it ends.

    The operating system frees the lock however the process ends, so nobody has to break it. Whoever
    holds it knows that what still works for another run of this folder is an orphan of a killed
    one, which would write the same files again: orphans are killed, and unfinished files deleted.

    Parameters
    ----------
    folder : Path
        Where the workflow runs.

    Returns
    -------
    n_processes, n_files : int
        How many orphans were killed, and how many unfinished files deleted.

    Raises
    ------
    SgbenchError
        If another run is live in the folder, or an orphan cannot be killed.
    """
    from filelock import FileLock, Timeout

    folder = folder.resolve()
    path = folder / ".snakemake" / "run.lock"
    path.parent.mkdir(exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise SgbenchError(
            f"another run of the workflow is live in {folder} (process {path.read_text()}); "
            "expected to be the only one there. Wait until it has ended, or stop it."
        ) from None
    atexit.register(lock.release)  # keeps the lock from being collected as garbage before
    path.write_text(str(os.getpid()))
    n_processes = _kill_orphans(str(folder))
    os.environ[_MARK] = f"{os.getpid()} {folder}"
    return n_processes, remove_unfinished(folder / "results")


def end_with_shell() -> None:
    """Have the operating system kill this process when its parent dies, if a run started it.

    Snakemake takes a job for failed when its shell is killed, and deletes its outputs. A command
    that went on would write them again, perhaps not all, and a later run take them for complete.
    Only Linux can do it.
    """
    if _MARK not in os.environ or not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.getppid()
    try:
        of_a_run = f"{_MARK}=".encode() in Path(f"/proc/{parent}/environ").read_bytes()
    except OSError:  # what belongs to others cannot be read
        of_a_run = False
    # A parent that is none of the run has adopted this process: the shell died before. The run
    # itself, which marked its own environment later, may have started a command without a shell.
    if not of_a_run and str(parent) != os.environ[_MARK].partition(" ")[0]:
        os.kill(os.getpid(), signal.SIGKILL)


def _kill_orphans(folder: str) -> int:
    import psutil

    # A run may be a child of what carries the mark, such as a shell that a job opened.
    own = {psutil.Process(), *psutil.Process().parents()}

    def is_orphan(process: psutil.Process) -> bool:
        with suppress(psutil.Error):  # it has just ended, or belongs to somebody else
            mark = process.environ().get(_MARK, "")
            return mark.partition(" ")[2] == folder and process not in own
        return False

    killed = set()
    deadline = time.monotonic() + _PATIENCE
    # Again and again, since dying takes a moment and a process may have started one more before.
    while orphans := {process for process in psutil.process_iter() if is_orphan(process)}:
        if time.monotonic() > deadline:
            raise SgbenchError(
                f"process {min(orphan.pid for orphan in orphans)} of a killed run does not end; "
                "expected it to, since it writes the same files. End it, or restart the machine."
            )
        for orphan in orphans:
            with suppress(psutil.Error):
                orphan.kill()
        killed |= orphans
        time.sleep(0.05)
    return len(killed)
