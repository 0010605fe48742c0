"""Settings of the workflow: a scale's file, overridden by what the user says, and checked."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from sgbench.datasets import training_family
from sgbench.errors import SgbenchError
from sgbench.models import get_model

SCALES = ("smoke", "laptop", "paper")


def resolve_settings(given: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return complete, checked settings.

    Parameters
    ----------
    given : mapping
        ``config/config.yaml`` with the command line's overrides. Its ``scale`` names the file
        ``config/<scale>.yaml``, over which the rest is laid, key by key.
    root : Path
        Folder of the project, with ``config/`` and ``workflow/schemas/``.

    Raises
    ------
    SgbenchError
        If a setting is missing, unknown or of the wrong kind; the message names it.
    """
    scale = given.get("scale", "auto")
    if scale == "auto":
        scale = "paper" if _has_cuda() else "laptop"
    if scale not in SCALES:
        raise SgbenchError(
            f"config: 'scale' is {scale!r}; expected auto, {', '.join(SCALES)}. "
            "Mend config/config.yaml or --config."
        )
    settings = _merge(_load(root / "config" / f"{scale}.yaml"), {**given, "scale": scale})
    schema = _load(root / "workflow" / "schemas" / "config.schema.yaml")
    error = best_match(Draft202012Validator(schema).iter_errors(settings))
    if error is not None:
        place = ".".join(str(part) for part in error.absolute_path) or "the top level"
        raise SgbenchError(
            f"config: at '{place}': {error.message}. Mend it in config/config.yaml, "
            f"config/{scale}.yaml or --config."
        )
    for train_set, plans in settings["training"].items():
        try:
            training_family(train_set)
            for name in plans:
                get_model(name)
        except SgbenchError as error:
            raise SgbenchError(f"config: at 'training.{train_set}': {error}") from None
    return settings


def settings_name(settings: Mapping[str, Any]) -> str:
    """Name settings by their scale and what they say, e.g. ``laptop-1a2b3c4d``."""
    text = json.dumps(settings, sort_keys=True)
    return f"{settings['scale']}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def explain_scale(asked: str, scale: str) -> str:
    """Say which scale runs and why."""
    if asked != "auto":
        return f"scale {scale}, as asked"
    reason = "a CUDA device is present" if scale == "paper" else "no CUDA device is present"
    return f"scale {scale}, since {reason} (scale: auto)"


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _load(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SgbenchError(
            f"{path} cannot be read ({type(error).__name__}); expected a YAML file. Restore it."
        ) from error
    if not isinstance(content, dict):
        raise SgbenchError(f"{path} holds no settings; expected keys and values. Restore it.")
    return content


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
