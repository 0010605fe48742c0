"""How a model is trained."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from sgbench.errors import SgbenchError
from sgbench.models._registry import base_name

if TYPE_CHECKING:
    from sgbench.models._specs import EstimatorSpec, NetworkSpec


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that the weights of a trained network depend on.

    Attributes
    ----------
    model, dataset : str
        Names in the registries.
    patterns : int
        Training patterns, each drawn afresh from the training split.
    batch_size : int
    peak_rate : float
        Highest learning rate.
    warmup : int, optional
        Patterns over which the rate rises to its peak; a tenth of all at most, and if not said.
    decay : float
        Share of the steps, the last ones, over which it falls to nothing.
    seed : int
    validations : int
        How often to validate, evenly spread.
    validation_per_spacegroup : int
        Samples a space group of the validation split.
    patience : int
        Stop after so many validations without a better loss, of those after the constant rate and
        not before half of the steps, since networks often stay on a plateau at first. The best
        weights after the constant rate are kept.
    start : str
        Name of the reference weights (`sgbench.pretrained`) that it begins from; empty for random
        ones.
    """

    model: str
    dataset: str
    patterns: int
    batch_size: int = 64
    peak_rate: float = 1e-3
    warmup: int | None = None
    decay: float = 0.3
    seed: int = 0
    validations: int = 20
    validation_per_spacegroup: int = 20
    patience: int = 8
    start: str = ""

    def __post_init__(self) -> None:
        counts = ("patterns", "batch_size", "validations", "validation_per_spacegroup", "patience")
        for name in counts:
            if getattr(self, name) < 1:
                raise SgbenchError(
                    f"{name} is {getattr(self, name)}; expected at least 1. Mend the plan."
                )
        if not (0 < self.peak_rate < 1 and 0 < self.decay <= 1):
            raise SgbenchError(
                f"peak_rate {self.peak_rate} and decay {self.decay} must lie between 0 and 1. "
                "Mend the plan."
            )
        if self.warmup is not None and self.warmup < 0:
            raise SgbenchError(
                f"warmup is {self.warmup}; expected patterns, 0 or more. Mend the plan."
            )

    @property
    def steps(self) -> int:
        """Optimizer steps; the last batch may hold a few patterns more than asked for."""
        return -(-self.patterns // self.batch_size)

    @property
    def rise(self) -> float:
        """Patterns over which the rate rises."""
        tenth = self.patterns / 10
        return tenth if self.warmup is None else min(self.warmup, tenth)

    @property
    def constant_steps(self) -> int:
        """Steps before the decay."""
        return self.steps - max(1, round(self.decay * self.steps))

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: a rise, a constant and a decay.

        The decay is 1 - √x (Hägele et al. 2024, arXiv:2405.18392), x being how much of it is over.
        So with the same rise no step before the decay depends on the length of the training.
        """
        rise = min(1.0, (step + 1) * self.batch_size / max(self.rise, 1))
        over = max(0, step - self.constant_steps) / (self.steps - self.constant_steps)
        return self.peak_rate * min(rise, 1 - math.sqrt(over))

    @classmethod
    def of(
        cls,
        spec: "NetworkSpec | EstimatorSpec",
        dataset: str,
        seed: int,
        asked: Mapping[str, Any],
    ) -> Self:
        """Lay what is asked for over what was published with a model.

        Parameters
        ----------
        spec : NetworkSpec or EstimatorSpec
        dataset : str
        seed : int
        asked : mapping
            From names of the other fields to values.

        Raises
        ------
        SgbenchError
            If a value is none, if neither says how many patterns, or if the model's name says
            another number than is asked for.
        """
        values = {**spec.defaults, **asked}
        length = spec.defaults.get("patterns") if base_name(spec.name) != spec.name else None
        if length is not None and values["patterns"] != length:
            raise SgbenchError(
                f"'{spec.name}' is trained on {length:,} patterns by its name, and "
                f"{values['patterns']:,} are asked for. Leave --patterns out, or name "
                f"{base_name(spec.name)}."
            )
        if "patterns" not in values:
            raise SgbenchError(
                f"'{spec.name}' has no published number of training patterns; expected one. "
                "Name it with --patterns."
            )
        return cls(model=spec.name, dataset=dataset, seed=seed, **values)

    def sha256(self) -> str:
        """Return a SHA-256 that tells plans apart."""
        return _sha256(self.values())

    def beginning_sha256(self) -> str:
        """Return a SHA-256 that tells apart what the steps before the decay depend on.

        A model ``NAME@N`` begins as NAME does.
        """
        end = ("patterns", "decay", "validations", "validation_per_spacegroup", "patience")
        beginning = {key: value for key, value in self.values().items() if key not in end}
        return _sha256(beginning | {"model": base_name(self.model), "warmup": self.rise})

    def values(self) -> dict[str, Any]:
        """Return the fields by name; without `start` where it is empty, as before there was one."""
        return {key: value for key, value in asdict(self).items() if key != "start" or value}


def _sha256(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
