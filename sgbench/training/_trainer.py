"""Training on designed patterns: rendered where the network is, never stored, resumed exactly.

The recipes of step t, the dropout of step t and the rate of step t depend on the seed and t alone,
so a training that was killed and goes on from its checkpoint ends with the weights it would have
had. (On CUDA, atomic additions leave the last bits of a pattern undetermined.)
"""

import contextlib
import ctypes
import hashlib
import json
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from sgbench.datasets import ULBD, Recipes, Ulbd, training_dataset
from sgbench.datasets._ulbd_torch import UlbdOnDevice
from sgbench.diffraction import render
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.models import ModelSpec, get_model

_CHECKPOINT_SECONDS = 20.0
_VALIDATION_BATCH = 256


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
        Highest learning rate of the one-cycle schedule (Smith & Topin 2018, arXiv:1708.07120).
    warmup : float
        Share of the steps before the peak.
    seed : int
    validations : int
        How often to validate, evenly spread.
    validation_per_spacegroup : int
        Samples a space group of the validation split.
    patience : int
        Stop after so many validations without a better loss, though not before half of the steps,
        since networks often stay on a plateau at first; the best weights are kept.
    """

    model: str
    dataset: str
    patterns: int
    batch_size: int = 64
    peak_rate: float = 1e-3
    warmup: float = 0.1
    seed: int = 0
    validations: int = 20
    validation_per_spacegroup: int = 20
    patience: int = 8

    def __post_init__(self) -> None:
        for name in ("patterns", "batch_size", "validations", "validation_per_spacegroup"):
            if getattr(self, name) < 1:
                raise SgbenchError(f"{name} is {getattr(self, name)}; expected at least 1.")
        if not (0 < self.peak_rate < 1 and 0 < self.warmup < 1):
            raise SgbenchError(
                f"peak_rate {self.peak_rate} and warmup {self.warmup} must lie between 0 and 1."
            )

    @property
    def steps(self) -> int:
        """Optimizer steps; the last batch may hold a few patterns more than asked for."""
        return -(-self.patterns // self.batch_size)

    def sha256(self) -> str:
        """Return a SHA-256 that tells plans apart."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Progress:
    """One validation: where training stands.

    Attributes
    ----------
    step, patterns : int
    rate, train_loss, validation_loss : float
    top1, class_accuracy : float
        Fractions of validation samples whose space group, and whose extinction class, is right.
    patterns_per_second : float
    """

    step: int
    patterns: int
    rate: float
    train_loss: float
    validation_loss: float
    top1: float
    class_accuracy: float
    patterns_per_second: float


@dataclass(frozen=True)
class TrainedModel:
    """A trained network and where it comes from."""

    spec: ModelSpec
    network: torch.nn.Module
    provenance: dict[str, Any]

    @property
    def dataset(self) -> Ulbd:
        """The designed dataset that it was trained on."""
        return ULBD[self.provenance["plan"]["dataset"]]


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
    if name == "cuda" and not torch.cuda.is_available():
        raise SgbenchError(
            "no CUDA device is present; expected one for device 'cuda'. Use device 'auto' or 'cpu'."
        )
    return torch.device(name)


def hardware(device: torch.device) -> str:
    """Name the hardware behind a device."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{_cpu_name()}, {torch.get_num_threads()} threads"


def train(
    plan: TrainingPlan,
    output: Path,
    checkpoint: Path,
    device: torch.device,
    report: Callable[[Progress], None] = lambda progress: None,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
    extra_provenance: Mapping[str, Any] = MappingProxyType({}),
) -> TrainedModel:
    """Train a network and write it to `output`.

    Parameters
    ----------
    plan : TrainingPlan
    output : Path
        File for the trained weights and their provenance.
    checkpoint : Path
        File that holds the state of an unfinished training; training goes on from there if the file
        belongs to the same plan, and it is removed at the end.
    device : torch.device
    report : callable, optional
        Called with each `Progress`, those of an earlier part of a resumed training first.
    on_step : callable, optional
        Called after each step with its number and loss.

    extra_provenance : mapping, optional
        What else to write beside the weights.

    Returns
    -------
    TrainedModel
    """
    spec, dataset = get_model(plan.model), training_dataset("", plan.dataset)
    if device.type == "cpu":
        _keep_freed_memory()
    torch.manual_seed(plan.seed)
    network = spec.build(len(dataset.spacegroups)).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=plan.peak_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=plan.peak_rate, total_steps=plan.steps, pct_start=plan.warmup,
        cycle_momentum=False,
    )  # fmt: skip
    source = _Source(dataset, spec, device)
    state = _State(network, optimizer, schedule)
    state.load(checkpoint, plan, device)
    for progress in state.history:
        report(progress)
    validation = dataset.held_out_recipes("validation", plan.validation_per_spacegroup)
    every = max(plan.steps // plan.validations, 1)
    saved = time.monotonic()
    with _stop_requests() as stop_requested:
        while state.step < plan.steps and not state.has_stalled(plan):
            started = time.monotonic()
            network.train()
            patterns, labels = source.training_batch(plan, state.step)
            # Dropout of this step, the same after a resume.
            torch.manual_seed(plan.seed * 1_000_003 + state.step + 1)
            with _autocast(device):
                loss = F.cross_entropy(network(patterns).float(), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            state.step += 1
            value = float(loss.detach())
            if not np.isfinite(value):
                raise SgbenchError(
                    f"training diverged at step {state.step}: the loss is {value}. Lower peak_rate."
                )
            state.losses.append(value)
            state.seconds += time.monotonic() - started
            on_step(state.step, value)
            if state.step % every == 0 or state.step == plan.steps:
                report(state.validated(plan, source, validation))
            if stop_requested() or time.monotonic() - saved > _CHECKPOINT_SECONDS:
                state.save(checkpoint, plan)
                saved = time.monotonic()
            if stop_requested():
                raise KeyboardInterrupt
    network.load_state_dict(state.best_weights)
    trained = TrainedModel(
        spec,
        network,
        {
            "plan": asdict(plan),
            "plan_sha256": plan.sha256(),
            "dataset_sha256": dataset.checksum(),
            "hardware": hardware(device),
            "parameters": sum(weight.numel() for weight in network.parameters()),
            "train_patterns": state.step * plan.batch_size,
            "train_seconds": round(state.seconds, 1),
            "history": [asdict(progress) for progress in state.history],
            **extra_provenance,
        },
    )
    save_model(output, trained)
    checkpoint.unlink(missing_ok=True)
    return trained


def save_model(path: Path, trained: TrainedModel) -> None:
    """Write weights and provenance; `load_model` reads them without unpickling objects."""
    with write_atomically(path) as temporary:
        torch.save(
            {
                "weights": trained.network.state_dict(),
                "provenance": json.dumps(trained.provenance),
            },
            temporary,
        )


def load_model(path: Path, device: torch.device) -> TrainedModel:
    """Read a trained network.

    Raises
    ------
    SgbenchError
        If the file is missing, truncated or something else.
    """
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        provenance = json.loads(content["provenance"])
        spec = get_model(provenance["plan"]["model"])
        dataset = ULBD[provenance["plan"]["dataset"]]
        network = spec.build(len(dataset.spacegroups)).to(device)
        network.load_state_dict(content["weights"])
    except SgbenchError:
        raise
    except Exception as error:  # torch.load fails in many ways, all of which mean the same here
        raise SgbenchError(
            f"{path} is not a readable model ({type(error).__name__}); expected a file that "
            "`sgbench train` writes. Train it again."
        ) from error
    return TrainedModel(spec, network, provenance)


def _validate(
    network: torch.nn.Module, source: "_Source", recipes: Recipes
) -> tuple[float, float, float]:
    """Return mean loss, top-1 accuracy and extinction-class accuracy."""
    network.eval()
    parts = []
    with torch.inference_mode():
        for first in range(0, len(recipes), _VALIDATION_BATCH):
            chunk = recipes.take(np.arange(first, min(first + _VALIDATION_BATCH, len(recipes))))
            parts.append(network(source.batch(chunk)[0]).double().cpu())
    logits = torch.cat(parts)
    dataset = source.dataset
    label = torch.as_tensor(recipes.spacegroup - dataset.spacegroups[0])
    classes = torch.as_tensor(dataset.labels)
    by_class = torch.zeros(len(logits), int(classes.max()) + 1, dtype=torch.float64)
    by_class.index_add_(1, classes, torch.softmax(logits, dim=1))
    return (
        float(F.cross_entropy(logits, label)),
        float((logits.argmax(1) == label).double().mean()),
        float((by_class.argmax(1) == classes[label]).double().mean()),
    )


def _autocast(device: torch.device) -> AbstractContextManager[object]:
    """Compute in bfloat16 on CUDA; the CPU's fast path chooses for itself."""
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


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


def _keep_freed_memory() -> None:
    """Let glibc keep freed memory: giving it back after each step costs a quarter of the time."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


class _Source:
    """Batches of designed patterns on the training device."""

    def __init__(self, dataset: Ulbd, spec: ModelSpec, device: torch.device) -> None:
        self.dataset, self.spec, self.device = dataset, spec, device
        self._on_device = UlbdOnDevice(dataset, device) if device.type != "cpu" else None

    def training_batch(self, plan: TrainingPlan, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        recipes = self.dataset.training_recipes(step * plan.batch_size, plan.batch_size, plan.seed)
        return self.batch(recipes)

    def batch(self, recipes: Recipes) -> tuple[torch.Tensor, torch.Tensor]:
        if self._on_device is None:
            patterns = torch.from_numpy(render(self.dataset.lines(recipes), self.dataset.protocol))
        else:
            patterns = self._on_device.patterns(recipes)
        labels = torch.as_tensor(recipes.spacegroup - self.dataset.spacegroups[0])
        return self.spec.scale_input(patterns), labels.to(self.device)


class _State:
    """What a training must remember to go on; the rest follows from the plan and the step."""

    def __init__(
        self,
        network: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> None:
        self.network, self.optimizer, self.schedule = network, optimizer, schedule
        self.step = 0
        self.seconds = 0.0
        self.seconds_validated = 0.0
        self.losses: list[float] = []
        self.history: list[Progress] = []
        self.best_weights: dict[str, torch.Tensor] = {}

    def has_stalled(self, plan: TrainingPlan) -> bool:
        if 2 * self.step < plan.steps:
            return False
        patience = plan.patience
        losses = [progress.validation_loss for progress in self.history]
        return len(losses) > patience and min(losses[-patience:]) > min(losses)

    def validated(self, plan: TrainingPlan, source: _Source, recipes: Recipes) -> Progress:
        loss, top1, class_accuracy = _validate(self.network, source, recipes)
        patterns_since = len(self.losses) * plan.batch_size
        progress = Progress(
            step=self.step,
            patterns=self.step * plan.batch_size,
            rate=float(self.schedule.get_last_lr()[0]),
            train_loss=float(np.mean(self.losses)),
            validation_loss=loss,
            top1=top1,
            class_accuracy=class_accuracy,
            patterns_per_second=patterns_since / max(self.seconds - self.seconds_validated, 1e-9),
        )
        self.seconds_validated = self.seconds
        self.losses = []
        if all(loss <= earlier.validation_loss for earlier in self.history):
            weights = self.network.state_dict()
            self.best_weights = {name: value.detach().clone() for name, value in weights.items()}
        self.history.append(progress)
        return progress

    def save(self, path: Path, plan: TrainingPlan) -> None:
        with write_atomically(path) as temporary:
            torch.save(
                {
                    "plan": plan.sha256(),
                    "network": self.network.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "schedule": self.schedule.state_dict(),
                    "best": self.best_weights,
                    "rest": json.dumps(
                        {
                            "step": self.step,
                            "seconds": self.seconds,
                            "seconds_validated": self.seconds_validated,
                            "losses": self.losses,
                            "history": [asdict(progress) for progress in self.history],
                        }
                    ),
                },
                temporary,
            )

    def load(self, path: Path, plan: TrainingPlan, device: torch.device) -> None:
        """Take up the state of an unfinished training of the same plan, if there is one."""
        if not path.exists():
            return
        try:
            content = torch.load(path, map_location=device, weights_only=True)
        except Exception as error:
            raise SgbenchError(
                f"the checkpoint {path} is damaged ({type(error).__name__}); expected one that an "
                "interrupted training left. Delete it to start again."
            ) from error
        if content["plan"] != plan.sha256():
            return
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.schedule.load_state_dict(content["schedule"])
        self.best_weights = content["best"]
        rest = json.loads(content["rest"])
        self.step, self.losses = rest["step"], rest["losses"]
        self.seconds, self.seconds_validated = rest["seconds"], rest["seconds_validated"]
        self.history = [Progress(**entry) for entry in rest["history"]]
