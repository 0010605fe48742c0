"""Signatures as they are written: `NDArray[float64]`, and not what numpy makes of it."""

import re
from typing import Any

from numpy.typing import ArrayLike
from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

_ARRAY_LIKE = stringify_annotation(ArrayLike, "smart")
# One pair of brackets may stand inside, as in floating[Any].
_ARRAY = re.compile(
    r"~?(numpy\.)?ndarray\[tuple\[~?(typing\.)?Any, \.\.\.\], "
    r"~?(numpy\.)?dtype\[(?P<kind>([^\[\]]|\[[^\[\]]*\])+)\]\]"
)


def _shorten(text: str | None) -> str | None:
    if text is None:
        return None
    text = text.replace(_ARRAY_LIKE, "~numpy.typing.ArrayLike")
    return _ARRAY.sub(r"~numpy.typing.NDArray[\g<kind>]", text)


def _process(
    _app: Sphinx, _kind: str, _name: str, _value: Any, _options: Any, given: str, returned: str
) -> tuple[str | None, str | None]:
    return _shorten(given), _shorten(returned)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the writing of signatures."""
    app.connect("autodoc-process-signature", _process)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
