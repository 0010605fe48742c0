"""What torch writes: whole or not there, and a full disk is a sentence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sgbench.files import write_atomically


def save_torch(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and texts.

    Raises
    ------
    SgbenchError
        If the file cannot be written, or there is no room for it.
    """
    with write_atomically(path) as temporary, open(temporary, "wb") as handle:
        try:
            torch.save(dict(content), handle)
        except RuntimeError as error:
            # torch puts an error of its own over the one that says what is wrong.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise
