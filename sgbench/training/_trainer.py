"""Training on patterns that are rendered where the network is, never stored, and resumed exactly.

The samples of step t, the dropout of step t and the rate of step t depend on the seed and t alone,
so a training that was killed and goes on from its checkpoint ends with the weights it would have
had. (On CUDA, atomic additions leave the last bits of a pattern undetermined.)
"""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from sgbench.designed import Ulbd
from sgbench.designed.on_device import UlbdOnDevice
from sgbench.diffraction import Samples
from sgbench.errors import SgbenchError
from sgbench.models import EstimatorSpec, NetworkSpec, TrainingPlan, get_trained_model
from sgbench.progress import task
from sgbench.sets import SetSpec, TrainingSet, open_training_set
from sgbench.symmetry import class_labels
from sgbench.training._calibration import divide_logits, fitted_temperature
from sgbench.training._device import autocast, hardware, keep_freed_memory, memory_in_words
from sgbench.training._estimators import fit_estimator
from sgbench.training._model_file import FittedEstimator, Trained, TrainedModel, save_model
from sgbench.training._progress import Progress
from sgbench.training._start import begin_from
from sgbench.training._torch_files import save_torch

_CHECKPOINT_SECONDS = 20.0
_VALIDATION_BATCH = 256
_FITTING_BATCH = 512
# Reading a loss waits for the device, so on a GPU it is done only now and then.
_LOSSES_AT_ONCE = {"cpu": 1, "cuda": 32}


@memory_in_words("training", "train on fewer patterns a step, or an estimator on fewer in all")
def train(
    plan: TrainingPlan,
    output: Path,
    checkpoint: Path,
    device: torch.device,
    report: Callable[[Progress], None] = lambda progress: None,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
    extra_provenance: Mapping[str, Any] = MappingProxyType({}),
    crystals: Sequence[Path] = (),
    before_decay: Path | None = None,
    on_start: Callable[[int], None] = lambda patterns: None,
    start: TrainedModel | None = None,
) -> Trained:
    """Train a model and write it to `output`.

    Parameters
    ----------
    plan : TrainingPlan
    output : Path
        File for the trained weights and their provenance.
    checkpoint : Path
        File that holds the state of an unfinished training; training goes on from there if the file
        belongs to the same plan and data. It is left for the caller to remove when all is done, so
        that a failure in what follows does not cost the training. An estimator, which is fitted at
        once, has none.
    device : torch.device
    report : callable, optional
        Called with each new `Progress`.
    on_step : callable, optional
        Called with the number and loss of a step, now and then.
    extra_provenance : mapping, optional
        What else to write beside the weights.
    crystals : sequence of Path, optional
        Files of line lists, for training sets of structures.
    before_decay : Path, optional
        File for the state before the decay, from which a longer training with the same beginning
        goes on. If it is there and belongs to this one's beginning, this one goes on from it.
    on_start : callable, optional
        Called once with the number of patterns after which the training of a network goes on.
    start : TrainedModel, optional
        The network that `plan.start` names, as `sgbench.pretrained.load_pretrained` returns it.

    Returns
    -------
    TrainedModel or FittedEstimator

    Raises
    ------
    SgbenchError
        If the plan begins from weights that do not fit the model, or the training diverges.
    """
    spec = get_trained_model(plan.model)
    dataset = open_training_set(SetSpec.parse(plan.dataset), crystals)
    dataset_sha256 = dataset.checksum()
    trained: Trained
    calibration: dict[str, float] = {}
    begun: dict[str, str] = {}
    if isinstance(spec, EstimatorSpec):
        if plan.start:
            raise SgbenchError(
                f"the plan begins from the weights '{plan.start}', and '{spec.name}' is an "
                "estimator, which has none; expected a network. Leave the start out."
            )
        started = time.monotonic()
        with task(f"drawing patterns for {spec.name}", plan.patterns) as drawn:
            classifier = fit_estimator(
                spec, _batches(dataset, plan), plan.seed, lambda n: drawn.advance(n - drawn.done)
            )
        seconds, history = time.monotonic() - started, []
        n_patterns, n_parameters = plan.patterns, 0
        trained = FittedEstimator(spec, classifier, {})
    else:
        state = _trained_state(
            plan, spec, dataset, dataset_sha256, checkpoint, before_decay, device, report, on_step,
            on_start, start,
        )  # fmt: skip
        seconds, history = state.seconds, state.history
        n_patterns = state.step * plan.batch_size
        n_parameters = sum(weight.numel() for weight in state.network.parameters())
        if state.temperature is not None:
            calibration = {"temperature": state.temperature}
        if state.start_sha256:
            begun = {"start_sha256": state.start_sha256}
        trained = TrainedModel(spec, state.network, {})
    trained.provenance.update(
        {
            "plan": plan.values(),
            "plan_sha256": plan.sha256(),
            "family": dataset.spec.family,
            "model_version": spec.version,
            "dataset_sha256": dataset_sha256,
            "hardware": hardware(device),
            "parameters": n_parameters,
            "train_patterns": n_patterns,
            "train_seconds": round(seconds, 1),
            "history": [asdict(progress) for progress in history],
            **calibration,
            **begun,
            **extra_provenance,
        }
    )
    save_model(output, trained)
    return trained


def _batches(dataset: TrainingSet, plan: TrainingPlan) -> Iterator[Samples]:
    for first in range(0, plan.patterns, _FITTING_BATCH):
        count = min(_FITTING_BATCH, plan.patterns - first)
        yield dataset.training_samples(first, count, plan.seed)


def _trained_state(
    plan: TrainingPlan,
    spec: NetworkSpec,
    dataset: TrainingSet,
    dataset_sha256: str,
    checkpoint: Path,
    before_decay: Path | None,
    device: torch.device,
    report: Callable[[Progress], None],
    on_step: Callable[[int, float], None],
    on_start: Callable[[int], None],
    start: TrainedModel | None,
) -> "_State":
    """Train a network; its best weights are in the state that is returned."""
    if device.type == "cpu":
        keep_freed_memory()
    torch.manual_seed(plan.seed)
    network = spec.build(len(dataset.spacegroups)).to(device)
    start_sha256 = begin_from(network, spec, plan, start)
    optimizer = torch.optim.Adam(network.parameters(), lr=plan.peak_rate, fused=True)
    source = _Source(dataset, spec, device)
    state = _State(network, optimizer, start_sha256)
    given = f"{dataset_sha256} {start_sha256}".rstrip()
    own, beginning = f"{plan.sha256()} {given}", f"{plan.beginning_sha256()} {given}"
    longest = 0
    if before_decay:
        longest = state.load(before_decay, beginning, device, plan.constant_steps)
    state.load(checkpoint, own, device, plan.steps)
    if before_decay and state.step == plan.constant_steps > longest:  # killed between the two
        state.without_validations().save(before_decay, beginning)
    on_start(state.step * plan.batch_size)
    validation = dataset.validation_samples(plan.validation_per_spacegroup)
    every = -(-plan.steps // plan.validations)
    pending: list[torch.Tensor] = []
    saved = time.monotonic()
    with _stop_requests() as stop_requested:
        while state.step < plan.steps and not state.has_stalled(plan):
            started = time.monotonic()
            rate = plan.rate(state.step)
            for group in optimizer.param_groups:
                group["lr"] = rate
            network.train()
            patterns, targets = source.training_batch(plan, state.step)
            # Dropout of this step, the same after a resume.
            torch.manual_seed(plan.seed * 1_000_003 + state.step + 1)
            with autocast(device):
                loss = F.cross_entropy(network(patterns).float(), targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            state.step += 1
            pending.append(loss.detach())
            validates = state.step % every == 0 or state.step == plan.steps
            saves = stop_requested() or time.monotonic() - saved > _CHECKPOINT_SECONDS
            if validates or saves or len(pending) == _LOSSES_AT_ONCE[device.type]:
                state.losses += _finite(pending, state.step)
                pending.clear()
                on_step(state.step, state.losses[-1])
            state.seconds += time.monotonic() - started
            validated = state.validated(plan, source, validation) if validates else None
            ends_beginning = bool(before_decay) and state.step == plan.constant_steps > longest
            if saves or ends_beginning or state.step == plan.steps:
                state.save(checkpoint, own)
                saved = time.monotonic()
            # After its own, which has the validations, too, so that a kill loses none of them.
            if before_decay and ends_beginning:
                state.without_validations().save(before_decay, beginning)
            if validated:
                report(validated)
            if saves and stop_requested():
                raise KeyboardInterrupt
    network.load_state_dict(state.best_weights)
    if spec.calibrated:
        logits, label = _validation_logits(network, source, validation)
        state.temperature = fitted_temperature(logits, label)
        divide_logits(network, state.temperature)
    return state


def _finite(losses: list[torch.Tensor], step: int) -> list[float]:
    values: list[float] = torch.stack(losses).tolist()
    if not np.isfinite(values).all():
        raise SgbenchError(
            f"training diverged by step {step}: the loss is not finite. Lower peak_rate."
        )
    return values


def _validation_logits(
    network: torch.nn.Module, source: "_Source", validation: Samples
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits, shape (n, n_spacegroups), and labels, shape (n,)."""
    network.eval()
    with torch.inference_mode():
        parts = [
            network(source.rendered(samples)).double().cpu()
            for samples in validation.batches(_VALIDATION_BATCH)
        ]
    label = torch.as_tensor(validation.spacegroup - source.dataset.spacegroups[0])
    return torch.cat(parts), label


def _validate(
    network: torch.nn.Module, source: "_Source", validation: Samples
) -> tuple[float, float, float]:
    """Return mean loss, top-1 accuracy and extinction-class accuracy."""
    logits, label = _validation_logits(network, source, validation)
    spacegroups = source.dataset.spacegroups
    classes = torch.as_tensor(class_labels(spacegroups))
    by_class = torch.zeros(len(logits), int(classes.max()) + 1, dtype=torch.float64)
    by_class.index_add_(1, classes, torch.softmax(logits, dim=1))
    return (
        float(F.cross_entropy(logits, label)),
        float((logits.argmax(1) == label).double().mean()),
        float((by_class.argmax(1) == classes[label]).double().mean()),
    )


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn SIGTERM and Ctrl-C into a request that is met between two steps."""
    requested = False

    def request(number: int, frame: object) -> None:
        nonlocal requested
        requested = True

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {s: signal.signal(s, request) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Source:
    """Batches of a training set on the training device."""

    def __init__(self, dataset: TrainingSet, spec: NetworkSpec, device: torch.device) -> None:
        self.dataset, self.spec, self.device = dataset, spec, device
        self._targets = _targets(dataset, spec).to(device)
        self._on_device: UlbdOnDevice | None = None
        if isinstance(dataset.designed, Ulbd) and device.type != "cpu":
            self._on_device = UlbdOnDevice(dataset.designed, device)

    def training_batch(self, plan: TrainingPlan, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return input and targets of a step, the latter of shape (batch, n_spacegroups)."""
        which = step * plan.batch_size, plan.batch_size, plan.seed
        if self._on_device is None:
            samples = self.dataset.training_samples(*which)
            spacegroup, patterns = samples.spacegroup, self.rendered(samples)
        else:
            recipes = self._on_device.dataset.training_recipes(*which)
            spacegroup = recipes.spacegroup
            patterns = self.spec.scale_input(self._on_device.patterns(recipes))
        labels = torch.as_tensor(spacegroup - self.dataset.spacegroups[0])
        return patterns, self._targets[labels.to(self.device)]

    def rendered(self, samples: Samples) -> torch.Tensor:
        """Return the network's input of samples."""
        on_device = self.device if self.device.type != "cpu" else None
        return self.spec.scale_input(torch.as_tensor(samples.patterns(on_device)))


def _targets(dataset: TrainingSet, spec: NetworkSpec) -> torch.Tensor:
    """Return what a network learns of a sample of each space group, as probabilities.

    Raises
    ------
    SgbenchError
        If it learns from posteriors and the set has none that are known.
    """
    if spec.targets == "labels":
        return torch.eye(len(dataset.spacegroups))
    if not dataset.spec.labels_are_coins:
        raise SgbenchError(
            f"'{spec.name}' learns how likely each space group is given a pattern, which nobody "
            f"knows of {dataset.name}; expected a designed set with the same cells and intensities "
            "for all groups of a class, such as ulbd-cubic. Train on one, or a model that learns "
            "from labels."
        )
    classes = torch.as_tensor(class_labels(dataset.spacegroups))
    alike = (classes[:, None] == classes).float()
    return alike / alike.sum(1, keepdim=True)


class _State:
    """What a training must remember to go on; the rest follows from the plan and the step."""

    def __init__(
        self,
        network: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        start_sha256: str,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        # Of the weights that it began from, where those were not random.
        self.start_sha256 = start_sha256
        self.step = 0
        self.seconds = 0.0
        self.seconds_validated = 0.0
        self.losses: list[float] = []
        self.history: list[Progress] = []
        self.best_weights: dict[str, torch.Tensor] = {}
        # Of a calibrated network, in the end.
        self.temperature: float | None = None

    def without_validations(self) -> "_State":
        """Return the state as of a training that has not validated: a longer one does elsewhere."""
        other = copy(self)
        other.history, other.best_weights, other.losses = [], {}, []
        other.seconds_validated = self.seconds
        return other

    def losses_after(self, step: int) -> list[float]:
        """Return the validation losses after a step; a lengthened training has others before."""
        return [one.validation_loss for one in self.history if one.step > step]

    def has_stalled(self, plan: TrainingPlan) -> bool:
        if 2 * self.step < plan.steps:
            return False
        patience = plan.patience
        losses = self.losses_after(plan.constant_steps)
        return len(losses) > patience and min(losses[-patience:]) > min(losses)

    def validated(
        self,
        plan: TrainingPlan,
        source: _Source,
        validation: Samples,
    ) -> Progress:
        loss, top1, class_accuracy = _validate(self.network, source, validation)
        patterns_since = len(self.losses) * plan.batch_size
        progress = Progress(
            step=self.step,
            patterns=self.step * plan.batch_size,
            rate=float(self.optimizer.param_groups[0]["lr"]),
            train_loss=float(np.mean(self.losses)),
            validation_loss=loss,
            top1=top1,
            class_accuracy=class_accuracy,
            patterns_per_second=patterns_since / max(self.seconds - self.seconds_validated, 1e-9),
        )
        self.seconds_validated = self.seconds
        self.losses = []
        decays = self.step > plan.constant_steps
        if decays and all(loss <= earlier for earlier in self.losses_after(plan.constant_steps)):
            weights = self.network.state_dict()
            self.best_weights = {name: value.detach().clone() for name, value in weights.items()}
        self.history.append(progress)
        return progress

    def save(self, path: Path, belongs_to: str) -> None:
        """Write a checkpoint, which only what it belongs to takes up."""
        rest = {
            "step": self.step,
            "seconds": self.seconds,
            "seconds_validated": self.seconds_validated,
            "losses": self.losses,
            "history": [asdict(progress) for progress in self.history],
        }
        content = {
            "belongs_to": belongs_to,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best_weights,
            "rest": json.dumps(rest),
        }
        save_torch(path, content)

    def load(self, path: Path, belongs_to: str, device: torch.device, last_step: int) -> int:
        """Take up a checkpoint, if there is one that belongs to this and is not beyond a step.

        Returns the step of one that belongs to this, taken up or not; else 0.
        """
        if not path.exists():
            return 0
        try:
            content = torch.load(path, map_location=device, weights_only=True)
            rest = json.loads(content["rest"])
            if content["belongs_to"] != belongs_to:
                return 0
            found = int(rest["step"])
            if found > last_step:
                return found
            self.network.load_state_dict(content["network"])
            self.optimizer.load_state_dict(content["optimizer"])
            self.best_weights = content["best"]
            self.step, self.losses = rest["step"], rest["losses"]
            self.seconds, self.seconds_validated = rest["seconds"], rest["seconds_validated"]
            self.history = [Progress(**entry) for entry in rest["history"]]
        except Exception as error:  # a damaged file fails in many ways, which all mean the same
            raise SgbenchError(
                f"the checkpoint {path} is damaged or none ({type(error).__name__}); expected one "
                "that a training left. Name another file, or delete it to start again."
            ) from error
        return found
