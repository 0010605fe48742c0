"""Settings of the workflow: a scale's file, overridden by what the user says, and checked."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from sgbench.checked import FileKind, printed
from sgbench.conditions import every_condition
from sgbench.errors import SgbenchError
from sgbench.models import CONTROLS, REFERENCE, TrainingPlan, base_name, get_trained_model
from sgbench.pretrained import read_pretrained
from sgbench.sets import OFF_MESH, TEST_SETS, SetSpec, designed_set
from sgbench.structures.sources import SOURCES
from sgbench.symmetry import FAMILIES

SCALES = ("smoke", "laptop", "overnight", "robustness", "full")
#: What a plan of a training may say, in the order of resolved plans.
PLAN_FIELDS = (
    "patterns", "batch_size", "peak_rate", "warmup", "decay", "validations",
    "validation_per_spacegroup", "patience", "start",
)  # fmt: skip

_KIND = FileKind("a file of settings", "keys and values in YAML. Restore it.")


def _is_integer(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _is_number(_: object, value: object) -> bool:
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


# JSON Schema takes 8.0 for an integer, which no loop does, and .nan for a number within any limits.
_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, type_checker=_CHECKER.redefine("number", _is_number)
)
_WORDS = {"null": None, "true": True, "false": False}
# What the schema's lists of names are filled from.
_KNOWN: dict[str, Iterable[str]] = {
    "family": FAMILIES,
    "control": CONTROLS,
    "source": [name for name in SOURCES if name != "generated"],
}


def read_config(root: Path) -> dict[str, Any]:
    """Return the content of ``config/config.yaml``.

    Parameters
    ----------
    root : Path
        Folder of the project.

    Raises
    ------
    SgbenchError
        If the folder is no project, or the file is damaged.
    """
    if not (root / "config").is_dir():
        raise SgbenchError(
            f"{root.absolute()} has no folder 'config'; expected the settings of the workflow "
            "there. Change to the folder of the project."
        )
    return read_yaml(root / "config" / "config.yaml")


def resolve_settings(given: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return complete, checked settings.

    Parameters
    ----------
    given : mapping
        ``config/config.yaml`` with the command line's overrides. Its ``scale`` names the file
        ``config/<scale>.yaml``, over which the rest is laid, key by key.
    root : Path
        Folder of the project, with ``config/`` and ``workflow/schemas/``.

    Returns
    -------
    dict
        Its ``training`` maps the name of each training set to the models that are trained on it,
        and each model to its plan, with ``seeds`` where they are not those of the settings: lists
        of names are spelled out, names of earlier versions are the present ones, and the defaults
        are filled in.

    Raises
    ------
    SgbenchError
        If a setting is missing, unknown or of the wrong kind; the message names it.
    """
    given = {name: value if name == "source" else _typed(value) for name, value in given.items()}
    scale = given.get("scale", "auto")
    if scale == "auto":
        scale = "full" if _has_cuda() else "laptop"
    scale = "full" if scale == "paper" else scale  # what it was called at first
    if scale not in SCALES:
        raise SgbenchError(
            f"config: 'scale' is {scale!r}; expected auto, {', '.join(SCALES)}. "
            "Mend config/config.yaml or --config."
        )
    own = {"reference": REFERENCE, **read_yaml(root / "config" / f"{scale}.yaml")}
    settings = _merge(own, {**given, "scale": scale})
    schema = read_yaml(root / "workflow" / "schemas" / "config.schema.yaml")
    schema["$defs"] |= {name: {"enum": list(known)} for name, known in _KNOWN.items()}
    _check(settings, schema, scale)
    for one in (own, given):
        # What the other covers is not in the whole, and is spelled out all the same.
        _check({"training": one.get("training", {})}, {**schema, "required": []}, scale)
    with _at("reference"):
        reference = get_trained_model(settings["reference"]).name
    defaults = _plans(settings.pop("defaults", {}), reference, "defaults")
    trainings = [_trainings(one.get("training", {}), reference) for one in (own, given)]
    return settings | {
        "reference": reference,
        "test_sets": _test_sets(settings["test_sets"], "test_sets"),
        "family_test_sets": {
            family: _test_sets(names, f"family_test_sets.{family}")
            for family, names in settings.get("family_test_sets", {}).items()
        },
        "decoder": settings["decoder"]
        | {"test_sets": _test_sets(settings["decoder"]["test_sets"], "decoder.test_sets")},
        "training": {
            train_set: {
                model: _complete(train_set, model, plan, defaults) for model, plan in plans.items()
            }
            for train_set, plans in _merge(*trainings).items()
        },
    }


def settings_name(settings: Mapping[str, Any]) -> str:
    """Name settings by their scale and what they say, e.g. ``laptop-1a2b3c4d``."""
    text = json.dumps(settings, sort_keys=True)
    return f"{settings['scale']}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def explain_scale(asked: str, scale: str) -> str:
    """Say which scale runs and why."""
    if asked != "auto":
        return f"scale {scale}, as asked"
    reason = "a CUDA device is present" if scale == "full" else "no CUDA device is present"
    return f"scale {scale}, since {reason} (scale: auto)"


def architecture(model: str) -> str:
    """Return what the variants of a network have in common: the name before the first dot."""
    return base_name(model).partition(".")[0]


def expand(names: str) -> list[str]:
    """Spell out a list of names: ``a-{b,c}, d`` stands for a-b, a-c and d.

    A comma without a space separates choices in a brace only, since names of meshes have commas.
    """
    found: list[str] = []
    for name in re.split(r",\s+(?![^{]*\})", names):
        before, *brace = re.split(r"\{([^{}]*)\}", name, maxsplit=1)
        if brace:
            choices, after = brace
            for choice in choices.split(","):
                found += expand(before + choice.strip() + after)
        else:
            found.append(name)
    return found


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the keys and values of a YAML file of the project.

    Raises
    ------
    SgbenchError
        If the file is missing or damaged.
    """
    content: dict[str, Any] = _KIND.read_yaml(path)
    return content


def _check(settings: object, schema: Mapping[str, Any], scale: str) -> None:
    error = best_match(_Validator(schema).iter_errors(settings))
    if error is not None:
        place = ".".join(str(part) for part in error.absolute_path) or "the top level"
        raise SgbenchError(
            f"config: at '{printed(place)}': {printed(error.message)}. Mend it in "
            f"config/config.yaml, config/{scale}.yaml or --config."
        )


def _test_sets(names: list[str], where: str) -> list[str]:
    found: dict[str, None] = {}
    for place, text in enumerate(names):
        with _at(f"{where}.{place}"):
            for spec in map(SetSpec.parse, chain.from_iterable(map(_under, expand(text)))):
                if replace(spec, conditions=()) not in TEST_SETS:
                    raise SgbenchError(
                        f"'{spec.name}' is no set to score on; expected one. "
                        "`sgbench dataset test-sets` lists them."
                    )
                found[spec.name] = None
    return list(found)


def _under(name: str) -> list[str]:
    """Spell out ``SET+*``, every condition at every severity, and ``SET+KIND-*``, those of one."""
    if not name.endswith("*"):
        return [name]
    base, _, kind = name[:-1].rpartition("+")
    wanted = kind.removesuffix("-")
    found = [f"{base}+{one}" for one in every_condition() if wanted in ("", one.name)]
    if not base or not found:
        raise SgbenchError(
            f"'{name}' stands for no sets; expected a star behind a set, such as "
            f"{OFF_MESH.name}+* for all conditions or {OFF_MESH.name}+counts-* for one. Mend it."
        )
    return found


def _trainings(given: Mapping[str, Any], reference: str) -> dict[str, Any]:
    """Spell out what a file says of the trainings; later keys are laid over earlier ones."""
    found: dict[str, Any] = {}
    for names, plans in given.items():
        where = f"training.{names}"
        _check_name(names, where)
        spelled_out = _plans(plans, reference, where)
        with _at(where):
            for name in map(_training_set, expand(names)):
                found = _merge(found, {name: spelled_out})
    return found


def _check_name(name: object, where: str) -> None:
    if not isinstance(name, str):
        raise SgbenchError(
            f"config: at '{where}': the key {name!r} is no name; expected text, such as ulbd-cubic "
            "or reference. Mend it."
        )


def _plans(given: Mapping[str, Any], reference: str, where: str) -> dict[str, Any]:
    """Return a plan for each model; a bare number is that of its patterns."""
    found: dict[str, Any] = {}
    with _at(where):
        for names, plan in given.items():
            _check_name(names, where)
            values = plan if isinstance(plan, Mapping) else {"patterns": plan}
            for name in expand(names):
                spelled_out = reference + name[9:] if base_name(name) == "reference" else name
                model = get_trained_model(spelled_out).name
                found = _merge(found, {model: values})
    return found


def _training_set(name: str) -> str:
    """Return the present name of a training set, and check that there is one."""
    spec = SetSpec.parse(name)
    if spec.part != "train":
        raise SgbenchError(
            f"'{name}' is a set to score on; expected a training set such as ulbd-cubic or "
            "cddd-cubic. Mend the name."
        )
    if spec.origin == "designed":
        designed_set(replace(spec, conditions=()))
    return spec.name


def _complete(
    train_set: str,
    model: str,
    plan: Mapping[str, Any],
    defaults: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Lay a plan over the defaults of its model and, below these, of the model's architecture."""
    base = base_name(model)
    shared = {**defaults.get(architecture(model), {}), **defaults.get(base, {})}
    if model != base:  # its name says how many
        shared.pop("patterns", None)
    full = {**shared, **defaults.get(model, {}), **plan}
    asked = {name: full[name] for name in PLAN_FIELDS if name in full}
    with _at(f"training.{train_set}.{model}"):
        start = TrainingPlan.of(get_trained_model(model), train_set, 0, asked).start
        if start:
            read_pretrained(start)
    return asked | ({"seeds": full["seeds"]} if "seeds" in full else {})


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Say in an error's message which setting is wrong."""
    try:
        yield
    except SgbenchError as error:
        raise SgbenchError(f"config: at '{place}': {error}") from None


def _typed(value: Any) -> Any:
    """Return numbers, null and truths for their texts, which Snakemake leaves as they are typed."""
    if isinstance(value, Mapping):
        return {name: _typed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_typed(one) for one in value]
    if not isinstance(value, str):
        return value
    if value in _WORDS:
        return _WORDS[value]
    for number in (int, float):
        with suppress(ValueError):
            return number(value)
    return value


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
