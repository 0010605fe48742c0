"""Names that earlier versions wrote into files, as they are now."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sgbench.models import current_name
from sgbench.sets import DESIGNED, SetSpec

_SCALES = {"paper": "full"}


@lru_cache
def current_set(name: str) -> str:
    """Return how a set is called now; foreign names stay as they are."""
    spec = SetSpec.find(name)
    return name if spec is None else spec.name


@lru_cache
def earlier_source(test_set: str) -> str:
    """Return the source of a test set for files of earlier versions, which do not say it."""
    spec = SetSpec.find(test_set)
    return DESIGNED if spec and spec.origin == DESIGNED else "unrecorded"


def _current_scale(name: str) -> str:
    return _SCALES.get(name, name)


_CURRENT: dict[str, Callable[[str], str]] = {
    "model": current_name,
    "train_set": current_set,
    "test_set": current_set,
    "scale": _current_scale,
}


def current_name_of(kind: str, name: str) -> str:
    """Return how a ``model``, ``train_set``, ``test_set`` or ``scale`` is called now."""
    return _CURRENT[kind](name)


def current_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with the models, sets and scales among them by the names they have now."""
    return {
        key: current_name_of(key, value) if key in _CURRENT and isinstance(value, str) else value
        for key, value in values.items()
    }
