"""Where a training runs, and what is particular to that place."""

import contextlib
import ctypes
import platform
from collections.abc import Iterator
from pathlib import Path

import torch

from sgbench.errors import SgbenchError

# What torch says on a CPU, where it has no exception of its own, and oneDNN.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "could not create a memory")


def choose_device(name: str = "auto") -> torch.device:
    """Return the device to train on: CUDA where there is one, else the CPU.

    Raises
    ------
    SgbenchError
        If CUDA is asked for and absent, or the name is unknown.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise SgbenchError(f"unknown device '{name}'; expected auto, cpu or cuda. Choose one.")
    # Scores should not depend on the reduced precision that cuDNN uses by default; training asks
    # for bfloat16 in so many words.
    torch.backends.cudnn.allow_tf32 = False
    if name == "cuda" and not torch.cuda.is_available():
        raise SgbenchError(
            "no CUDA device is present; expected one for device 'cuda'. Use device 'auto' or 'cpu'."
        )
    return torch.device(name)


def hardware(device: torch.device) -> str:
    """Name the hardware behind a device, with all that the digits of a training depend on.

    A processor is named with its instructions, such as ``AMD EPYC (AVX512, bfloat16), 1 threads``.
    """
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    capable = torch.cpu.get_capabilities()
    instructions = torch.backends.cpu.get_cpu_capability()
    if capable.get("avx512_bf16") or capable.get("amx_bf16"):
        instructions += ", bfloat16"
    return f"{_cpu_name()} ({instructions}), {torch.get_num_threads()} threads"


def autocast(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Compute in bfloat16 on CUDA; the CPU's fast path chooses for itself."""
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def keep_freed_memory() -> None:
    """Let glibc keep freed memory: giving it back after each step costs a quarter of the time."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD


@contextlib.contextmanager
def memory_in_words(task: str, remedy: str) -> Iterator[None]:
    """Turn what numpy and torch raise where memory is too little into one sentence.

    Parameters
    ----------
    task : str
        What needs the memory.
    remedy : str
        What needs less of it, beside closing other programs.

    Raises
    ------
    SgbenchError
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
            words in str(error) for words in _NO_MEMORY
        ):
            raise SgbenchError(
                f"{task} needs more memory than there is; expected room for its batches. Close "
                f"other programs, or {remedy}."
            ) from error
        raise


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
