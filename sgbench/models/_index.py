"""What models are, as data: listing and planning them then need no torch, which takes seconds.

`tools/index_models.py` writes ``index.json`` from the registry, and a test compares the two. The
file says of which sources it was made; beside other ones, as while a model is being written, it is
not used.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sgbench.models._specs import EstimatorSpec, ModelSpec, NetworkSpec

PATH = Path(__file__).with_name("index.json")
#: Weights depend on the number of outputs; they are counted for the cubic space groups.
N_OUTPUTS = 36


def read_index() -> Mapping[str, Mapping[str, Any]]:
    """Return what is known of each model by its name, or nothing if the file is not of now."""
    import sgbench.models as package

    return _read(tuple(package.__path__))


def index_text(specs: Iterable[ModelSpec]) -> str:
    """Return the content of the file."""
    import sgbench.models as package

    index = {"sources": _sources(tuple(package.__path__)), "models": described(specs)}
    return json.dumps(index, indent=1) + "\n"


def described(specs: Iterable[ModelSpec]) -> dict[str, dict[str, Any]]:
    """Return what the index says of models, by their names."""
    return {spec.name: _entry(spec) for spec in sorted(specs, key=lambda spec: spec.name)}


def _entry(spec: ModelSpec) -> dict[str, Any]:
    common = {"version": spec.version, "paper": spec.paper}
    if isinstance(spec, NetworkSpec):
        return common | {
            "kind": "network",
            "module": _module(spec.build),
            "defaults": dict(spec.defaults),
            "input": spec.input_scaling,
            "targets": spec.targets,
            "calibrated": spec.calibrated,
            "parameters": spec.n_parameters(N_OUTPUTS),
        }
    if isinstance(spec, EstimatorSpec):
        return common | {
            "kind": "estimator",
            "module": _module(spec.build),
            "defaults": dict(spec.defaults),
            "input": spec.features.__name__,
        }
    return common | {"kind": "untrained", "module": _module(spec.answer), "input": "patterns"}


def _module(function: Any) -> str:
    return str(getattr(function, "func", function).__module__)


@cache
def _read(folders: tuple[str, ...]) -> Mapping[str, Mapping[str, Any]]:
    found = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    return found["models"] if found.get("sources") == _sources(folders) else {}


def _sources(folders: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in Path(folder).glob("*.py")):
        digest.update(f"{path.name}\n{path.read_text(encoding='utf-8')}\n".encode())
    return digest.hexdigest()
