"""Check, time and train the networks of a scale on a machine with a GPU, a piece at a time.

The first call checks that the device gives the patterns and answers of the CPU, and times each
network; `results/SCALE/gpu_run.json` keeps what it found. Then networks are trained, seed by seed,
with the plans of `config/SCALE.yaml` and by the command of the workflow, to where the workflow has
them, so that `snakemake` goes on from there. When the time is over the training under way leaves a
checkpoint, and the next call goes on from it. Estimators and all that follows are left to the
workflow.

    python tools/gpu_run.py --minutes 10                 # scale full, in the project's folder
    python tools/gpu_run.py --scale smoke --minutes 1    # the same path on a CPU

Exit status 0 where every network is trained, 1 where some are left for the next call, 2 where
something is to be mended first.
"""

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import typer

from sgbench.checked import FileKind, Text, record
from sgbench.cli._app import app
from sgbench.designed import IntensityLaw, Ulbd
from sgbench.designed.on_device import UlbdOnDevice
from sgbench.diffraction import render
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.live import hold_folder
from sgbench.models import NetworkSpec, base_name, get_trained_model
from sgbench.plan import Run, kept_mark, read_config, resolve_settings, settings_name, trainings
from sgbench.sets import DESIGNED, designed_set, family_set
from sgbench.training import choose_device, hardware, load_model, train
from sgbench.version import __version__

CPU = torch.device("cpu")
# Of a pattern, whose maximum is 1, and of a probability.
PATTERNS_DIFFER, ANSWERS_DIFFER = 1e-5, 1e-3
# Steps of a timing; the first half warms up.
TIMED_STEPS = 40


@dataclass(frozen=True)
class Check:
    """What the device gives beside what the CPU gives.

    Attributes
    ----------
    what : str
    largest, allowed : float
        Difference.
    """

    what: str
    largest: float
    allowed: float


@dataclass(frozen=True)
class Timing:
    """How fast a network trains, and what memory it takes.

    Attributes
    ----------
    model, train_set : str
    batch_size : int
    patterns_per_second : float
    gibibytes : float
        Highest memory in use: of the device, or of this process on a CPU.
    """

    model: str
    train_set: str
    batch_size: int
    patterns_per_second: float
    gibibytes: float


_KIND = FileKind("a record of checks", "what this script writes. Delete it and run again.")
_FOUND = record(
    "Found",
    {
        **dict.fromkeys(("hardware", "torch", "sgbench", "scale"), Text),
        "checks": tuple[Check, ...],
        "timings": tuple[Timing, ...],
    },
)


class Project:
    """The networks of a scale, and where the workflow has their files."""

    def __init__(self, root: Path, scale: str) -> None:
        settings = resolve_settings({**read_config(root), "scale": scale}, root)
        self.root, self.settings, self.scale = root, settings, settings["scale"]
        self.results = root / "results" / self.scale
        self.device = choose_device(settings["device"])
        networks = (
            run for run in trainings(settings)
            if isinstance(get_trained_model(run.model), NetworkSpec)
        )  # fmt: skip
        self.networks = sorted(networks, key=lambda run: run.seed)

    def model(self, run: Run) -> Path:
        """Return where a trained network goes."""
        return self.results / "models" / run.folder / "model.pt"

    def checkpoint(self, run: Run) -> Path:
        """Return where the state of an unfinished training lies."""
        return self.results / "checkpoints" / f"{run.folder}.pt"

    def crystals(self, run: Run) -> list[Path]:
        """Return the files of structures that a network is trained on."""
        dataset = run.train_set.dataset if run.train_set else None
        return [self.results / "datasets" / f"{dataset}.parquet"] if dataset else []

    def waits(self, run: Run) -> bool:
        """Tell whether the structures that a network is trained on are not there yet."""
        return not all(path.is_file() for path in self.crystals(run))

    def is_done(self, run: Run) -> bool:
        """Tell whether a network was trained by this plan."""
        path = self.model(run)
        if not (path.is_file() and path.with_name("history.csv").is_file()):
            return False
        try:
            provenance = load_model(path, CPU).provenance
        except SgbenchError:  # damaged, and so to be made again
            return False
        return bool(provenance["plan_sha256"] == run.training_plan.sha256())

    def before_decay(self, run: Run) -> Path:
        """Return the file of the state that trainings of all lengths begin with."""
        folder = self.checkpoint(run).parents[1] / base_name(run.model)
        return folder / f"seed{run.seed}.before-decay.pt"

    def command(self, run: Run) -> list[str]:
        """Return the command of the workflow's rule `train`, after `sgbench`."""
        assert run.train_set is not None
        return [
            "train", run.model, run.train_set.name, "--output", str(self.model(run)),
            "--checkpoint", str(self.checkpoint(run)),
            "--before-decay", str(self.before_decay(run)),
            "--seed", str(run.seed), *run.options,
            *(word for path in self.crystals(run) for word in ("--crystals", str(path))),
            "--scale", self.scale,
        ]  # fmt: skip


def kind_of(run: Run) -> tuple[str, str, str]:
    """Return what the speed of a training depends on, beside the device."""
    assert run.train_set is not None
    return run.model, run.family, run.train_set.origin


def checks(networks: Sequence[Run], device: torch.device) -> Iterator[Check]:
    """Compare designed patterns and the answers of fresh networks with those of the CPU."""
    seen: dict[tuple[str, IntensityLaw], Ulbd] = {}
    for run in networks:
        assert run.train_set is not None
        if run.train_set.origin == DESIGNED:
            designed = designed_set(replace(run.train_set, conditions=()))
            for part in (designed,) if isinstance(designed, Ulbd) else designed.parts:
                seen.setdefault((part.family, part.law), part)
    for part in seen.values():
        recipes = part.training_recipes(0, 64, seed=0)
        patterns = render(part.lines(recipes), part.protocol)
        theirs = UlbdOnDevice(part, device).patterns(recipes).cpu().numpy()
        yield Check(f"patterns of {part.name}", _largest(theirs, patterns), PATTERNS_DIFFER)
    samples = family_set("cubic").training_samples(0, 8, seed=0)
    for name in dict.fromkeys(run.model for run in networks):
        spec = get_trained_model(name)
        assert isinstance(spec, NetworkSpec)
        torch.manual_seed(0)
        network = spec.build(36).eval()
        shown = spec.scale_input(torch.as_tensor(samples.patterns()))
        with torch.inference_mode():
            mine = torch.softmax(network(shown).float(), dim=1).numpy()
            theirs = torch.softmax(network.to(device)(shown.to(device)).float(), dim=1)
        yield Check(f"answers of {name}", _largest(theirs.cpu().numpy(), mine), ANSWERS_DIFFER)


def _largest(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max())


def timings(project: Project) -> Iterator[Timing]:
    """Train each kind of network for some steps, by the plan of its first training."""
    first: dict[tuple[str, str, str], Run] = {}
    for run in project.networks:
        if not project.waits(run):
            first.setdefault(kind_of(run), run)
    for run in first.values():
        plan = run.training_plan
        short = replace(
            plan, patterns=TIMED_STEPS * plan.batch_size, validations=2,
            validation_per_spacegroup=1,
        )  # fmt: skip
        if project.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        with tempfile.TemporaryDirectory() as folder:
            trained = train(
                short, Path(folder) / "model.pt", Path(folder) / "state", project.device,
                crystals=project.crystals(run),
            )  # fmt: skip
        rate = trained.provenance["history"][-1]["patterns_per_second"]
        yield Timing(plan.model, plan.dataset, plan.batch_size, round(rate, 1), _memory(project))


def _memory(project: Project) -> float:
    if project.device.type == "cuda":
        used = torch.cuda.max_memory_allocated()
    else:
        used = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / 2**30, 2)


def examine(project: Project) -> bool:
    """Check and time once for a device and a version; tell whether the device is right."""
    path = project.results / "gpu_run.json"
    about = {
        "hardware": hardware(project.device), "torch": torch.__version__, "sgbench": __version__,
        "scale": project.scale,
    }  # fmt: skip
    known = _KIND.read_json(path, _FOUND) if path.is_file() else {}
    if {name: known.get(name) for name in about} == about:
        print(f"{path}: {about['hardware']} was checked and timed before")
        return all(one.largest <= one.allowed for one in known["checks"])
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    compared, timed = [], []
    for check in checks(project.networks, project.device):
        compared.append(check)
        verdict = "equal" if check.largest <= check.allowed else "DIFFERENT"
        print(f"{check.what}: {verdict}, {check.largest:.1e} apart", flush=True)
    if any(check.largest > check.allowed for check in compared):
        return False
    for one in timings(project):
        timed.append(one)
        print(
            f"{one.model} on {one.train_set}: {one.patterns_per_second:,.0f} patterns a second, "
            f"{one.gibibytes} GiB",
            flush=True,
        )
    found = {**about, "checks": [*map(asdict, compared)], "timings": [*map(asdict, timed)]}
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n")
    return True


def train_all(project: Project, over: threading.Event) -> dict[str, str]:
    """Train until the time is over; return what became of each network, by its folder.

    That is ``done``, ``failed``, ``left``, or ``waits`` where its structures are missing.
    """
    became = {}
    for run in project.networks:
        if kept_mark(run, project.settings, project.root):
            became[run.folder] = "done"  # the workflow takes its scores
        elif project.waits(run):
            became[run.folder] = "waits"
        elif project.is_done(run):
            became[run.folder] = "done"
        elif over.is_set():
            became[run.folder] = "left"
        else:
            became[run.folder] = trained(project, run, over)
    return became


def trained(project: Project, run: Run, over: threading.Event) -> str:
    """Train a network; return ``done``, ``failed``, or ``left`` where a signal stopped it."""
    store = os.environ.get("MLFLOW_TRACKING_URI") or project.settings["mlflow_store"]
    record = ["--store", store, "--workflow", settings_name(project.settings)]
    words = [*project.command(run), "--device", project.device.type, *record]
    try:
        # In this process, since torch and MLflow take longer to start than many a network to train.
        stopped = app(words, prog_name="sgbench", standalone_mode=False)
    except SgbenchError as error:
        print(f"error: {run.folder}: {error}", file=sys.stderr)
        return "failed"
    except (typer.Abort, KeyboardInterrupt):  # before or after its steps
        stopped = True
    if stopped:
        over.set()
    return "left" if stopped else "done"


def report(project: Project, became: Mapping[str, str]) -> int:
    """Print what is done and what is left; return the exit status."""
    rows: dict[str, Counter[str]] = {}
    for folder, state in became.items():
        rows.setdefault(folder.rpartition("/")[0], Counter())[state] += 1
    for name, counts in rows.items():
        print(f"{name}: " + ", ".join(f"{n} {state}" for state, n in counts.items()))
    of_state = {
        state: [run for run in project.networks if became[run.folder] == state]
        for state in ("done", "left", "waits", "failed")
    }
    done, left = len(of_state["done"]), of_state["left"]
    begun = sum(project.checkpoint(run).is_file() for run in left)
    patterns = sum(run.training_plan.patterns for run in left)
    print(
        f"{done} of {len(became)} networks are trained, {len(left)} are left, {begun} of them "
        f"begun ({patterns:,} patterns)"
    )
    if of_state["waits"]:
        missing = {str(path) for run in of_state["waits"] for path in project.crystals(run)}
        print(
            f"{len(of_state['waits'])} wait for structures: snakemake --cores all --config "
            f"scale={project.scale} -- {' '.join(sorted(missing))}"
        )
    if left:
        return 1
    return 0 if done == len(became) else 2


@contextmanager
def limited(minutes: float) -> Iterator[threading.Event]:
    """End what is inside after some minutes, or at SIGTERM, by KeyboardInterrupt.

    A training that is under way takes SIGTERM itself, and leaves a checkpoint.
    """
    over = threading.Event()

    def at_alarm(number: int, frame: object) -> None:
        over.set()
        signal.raise_signal(signal.SIGTERM)

    def at_term(number: int, frame: object) -> None:
        over.set()
        raise KeyboardInterrupt

    handlers = {signal.SIGALRM: at_alarm, signal.SIGTERM: at_term}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    signal.setitimer(signal.ITIMER_REAL, 60 * minutes)
    try:
        yield over
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def main(words: Sequence[str] | None = None) -> int:
    """Go on for some minutes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", default="full")
    parser.add_argument("--minutes", type=float, default=10.0, help="stop after so many")
    asked = parser.parse_args(words)
    try:
        project = Project(Path(), asked.scale)
        hold_folder(Path())
        with limited(asked.minutes) as over:
            if not examine(project):
                raise SgbenchError(
                    "the device gives other patterns or answers than the CPU; expected the same. "
                    "Nothing was trained: mend the driver or torch."
                )
            became = train_all(project, over)
        return report(project, became)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 1
    except SgbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
