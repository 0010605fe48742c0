"""The registry of models, by name."""

import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from sgbench.errors import SgbenchError
from sgbench.models._index import described, read_index
from sgbench.models._specs import (
    EstimatorBuilder,
    EstimatorSpec,
    Features,
    InputScaling,
    ModelSpec,
    NetworkBuilder,
    NetworkSpec,
    Targets,
    TrainedSpec,
    UntrainedSpec,
)

#: The model that stands for the paper's network wherever one model is shown.
REFERENCE = "fcn-wang2024.sqrt-no-dropout"
#: The paper's network in the order of preference, for results that lack the first.
REFERENCE_MODELS = (REFERENCE, "fcn-wang2024.sqrt", "fcn-wang2024")
# Names that files of earlier versions carry.
_RENAMED = {"fcn-wang2024.sqrt-fresh": REFERENCE}

_LOOK_ALIKES = str.maketrans("01i", "oll")
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_REGISTRY: dict[str, "ModelSpec"] = {}
_TIMM = "timm:"
_OF_LENGTH = re.compile(r"(?P<base>.+)@(?P<patterns>[1-9]\d{0,11})\Z", re.ASCII)


def register_model(
    name: str,
    paper: str,
    input_scaling: InputScaling = "linear",
    targets: Targets = "labels",
    calibrated: bool = False,
    version: int = 1,
    defaults: Mapping[str, Any] = _NOTHING,
) -> Callable[[NetworkBuilder], NetworkBuilder]:
    """Enter a network's constructor in the registry; use as a decorator."""

    def enter(build: NetworkBuilder) -> NetworkBuilder:
        _REGISTRY[name] = NetworkSpec(
            name, build, input_scaling, paper, targets, calibrated, version, defaults
        )
        return build

    return enter


def register_estimator(
    name: str,
    paper: str,
    features: Features,
    version: int = 1,
    defaults: Mapping[str, Any] = _NOTHING,
) -> Callable[[EstimatorBuilder], EstimatorBuilder]:
    """Enter a scikit-learn classifier's constructor in the registry; use as a decorator."""

    def enter(build: EstimatorBuilder) -> EstimatorBuilder:
        _REGISTRY[name] = EstimatorSpec(name, build, features, paper, version, defaults)
        return build

    return enter


def register_untrained(spec: UntrainedSpec) -> None:
    """Enter a model that needs no training in the registry."""
    _REGISTRY[spec.name] = spec


def current_name(name: str) -> str:
    """Return how a model is called now, whatever an earlier version called it."""
    return _RENAMED.get(name, name)


def base_name(name: str) -> str:
    """Return a model's name without the length of its training: NAME for ``NAME@N``."""
    length = _OF_LENGTH.match(name)
    return length["base"] if length else name


def get_trained_model(name: str) -> TrainedSpec:
    """Look a model up that can be trained.

    Raises
    ------
    SgbenchError
        If no model has this name, or it needs no training.
    """
    spec = get_model(name)
    if isinstance(spec, UntrainedSpec):
        raise SgbenchError(
            f"'{name}' needs no training; expected a model that does. Predict with it at once: "
            f"`sgbench predict {name} --family FAMILY`."
        )
    return spec


def model_names() -> tuple[str, ...]:
    """Return the names of all models, sorted; any other ``timm:...`` can be asked for as well."""
    indexed = read_index()
    if not indexed:
        import_models()
    return tuple(sorted({*indexed, *_REGISTRY}))


def list_models() -> dict[str, Mapping[str, Any]]:
    """Return what is known of each model, by its name.

    Returns
    -------
    dict of str to mapping
        With ``kind`` (network, estimator or untrained), ``version``, ``paper``, ``input`` (how it
        sees a pattern) and, of a network, ``parameters``: its weights for 36 space groups.
    """
    known = {**read_index()}
    unknown = (_REGISTRY[name] for name in model_names() if name not in known)
    return dict(sorted({**known, **described(unknown)}.items()))


def is_reserved(name: str) -> bool:
    """Tell whether a name is, or reads like, that of a model of this package or a variant of it."""
    ours = {outline for known in model_names() for outline in _outlines(known)}
    return bool(_outlines(name) & ours)


def _outlines(name: str) -> set[str]:
    """Return what a name and its stem look like without separators and with look-alikes alike."""
    return {
        re.sub(r"[\W_]", "", part.lower()).translate(_LOOK_ALIKES)
        for part in (name, base_name(name), re.split(r"[.@]", name)[0])
    }


def get_model(name: str) -> ModelSpec:
    """Look a model up.

    Raises
    ------
    SgbenchError
        If no model has this name.
    """
    name = current_name(name)
    if length := _OF_LENGTH.match(name):
        of_any_length = get_trained_model(length["base"])
        return replace(
            of_any_length,
            name=f"{of_any_length.name}@{length['patterns']}",
            defaults={**of_any_length.defaults, "patterns": int(length["patterns"])},
        )
    entry = read_index().get(name)
    if entry and entry["kind"] != "untrained":
        return _indexed(name)
    if name not in _REGISTRY and entry:
        import_module(entry["module"])
    elif name not in _REGISTRY and not read_index():
        import_models()
    if name in _REGISTRY:
        return _REGISTRY[name]
    if name.startswith(_TIMM):
        from sgbench.models._timm import PAPER, timm_network

        return NetworkSpec(name, timm_network(name.removeprefix(_TIMM)), "sqrt", PAPER)
    near = dict.fromkeys([*get_close_matches(name, model_names(), n=3, cutoff=0.5), REFERENCE])
    raise SgbenchError(
        f"unknown model '{name}'; expected one such as {', '.join(near)}, or timm:NAME, perhaps "
        "with @PATTERNS behind it. `sgbench models` lists them."
    )


@cache
def import_models() -> Mapping[str, ModelSpec]:
    """Import all models, and return them as they entered themselves."""
    import sgbench.models as package

    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            import_module(f"{package.__name__}.{module.name}")
    return _REGISTRY


@cache
def _indexed(name: str) -> TrainedSpec:
    """Return what the index says of a model, whose module is imported when it is built."""
    entry = read_index()[name]

    def registered() -> Any:
        import_module(entry["module"])
        return _REGISTRY[name]

    paper, version, defaults = entry["paper"], entry["version"], entry["defaults"]
    if entry["kind"] == "network":
        return NetworkSpec(
            name, lambda n_outputs: registered().build(n_outputs), entry["input"], paper,
            entry["targets"], entry["calibrated"], version, defaults,
        )  # fmt: skip
    return EstimatorSpec(
        name,
        lambda seed: registered().build(seed),
        lambda patterns, protocol: registered().features(patterns, protocol),
        paper,
        version,
        defaults,
    )
