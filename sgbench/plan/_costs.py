"""What a run of the workflow is expected to cost, from rates that were measured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sgbench.checked import FileKind, Positive, Text, record
from sgbench.models import NetworkSpec, UntrainedSpec, get_model, get_trained_model
from sgbench.plan._jobs import crystal_datasets, designed_datasets, generated_families, runs
from sgbench.plan._settings import architecture
from sgbench.sets import CELLS_OF, STEMS
from sgbench.symmetry import family_spacegroups

# Structures of the American Mineralogist database that pass, and those of a family in a test set;
# other sources differ.
_CRYSTALS, _CRYSTALS_A_FAMILY = 8_400, 1_400
# Seconds that the decoder takes over a pattern.
_DECODING = 0.05
# Beside the trainings' own.
_SINGLE_JOBS = (
    "ceilings", "exact_ceilings", "submissions", "scale_table", "check", "leaderboard",
    "confusions", "figures", "scaling_study", "report_page", "site",
)  # fmt: skip
_KIND = FileKind("a file of rates", "workflow/rates.yaml as it was published. Restore it.")
_RATES = record(
    "Rates",
    {
        "train": dict[Text, Positive],
        "gpu": record("Gpu", dict.fromkeys(("times_a_core", "at_most"), Positive)),
        **dict.fromkeys(
            (
                "train_otherwise", "predict_times_train", "start", "start_light", "crystals",
                "random_structures", "designed_lines", "evaluate",
            ),
            Positive,
        ),
    },
)  # fmt: skip


@dataclass(frozen=True)
class ExpectedJob:
    """A job of the workflow, and what it is expected to cost.

    Attributes
    ----------
    rule : str
    name : str
        That of its log: ``train/ulbd-cubic/fcn-wang2024/seed0``, or the rule's own.
    seconds : float
        On one core, or on a GPU.
    unit : str
        ``core``, whose rates are measured, or ``GPU``, whose are estimated.
    """

    rule: str
    name: str
    seconds: float
    unit: str = "core"


def read_rates(root: Path) -> dict[str, Any]:
    """Return the measured rates of a project, the content of its ``workflow/rates.yaml``."""
    rates: dict[str, Any] = _KIND.read_yaml(root / "workflow" / "rates.yaml", _RATES)
    return rates


def training_seconds(
    model: str, plan: Mapping[str, Any], rates: Mapping[str, Any], gpu: bool
) -> float:
    """Return the seconds that a training is expected to take on one core, or on a GPU.

    Parameters
    ----------
    model : str
    plan : mapping
        As settings have it, with the patterns where they are not those published with the model.
    rates : mapping
        Content of ``workflow/rates.yaml``.
    gpu : bool
        Whether networks are trained on one; estimators never are.
    """
    published = get_trained_model(model).defaults.get("patterns", 0)
    patterns = float(plan.get("patterns", published))
    return float(rates["start"]) + patterns / _rate(model, rates, gpu)


def expected_jobs(
    settings: Mapping[str, Any], rates: Mapping[str, Any], gpu: bool
) -> tuple[ExpectedJob, ...]:
    """Return the jobs of the workflow, and what each is expected to cost.

    Parameters
    ----------
    settings : mapping
        As `resolve_settings` returns them.
    rates : mapping
        Content of ``workflow/rates.yaml``.
    gpu : bool
        Whether networks are trained on one; estimators and datasets never are.
    """
    per_group = settings["test_patterns_per_spacegroup"]
    start, light = float(rates["start"]), float(rates["start_light"])
    jobs: list[ExpectedJob] = []

    def add(rule: str, item: str, seconds: float, unit: str = "core") -> None:
        jobs.append(ExpectedJob(rule, f"{rule}/{item}" if item else rule, seconds, unit))

    for run in runs(settings):
        designed = run.per_spacegroup * len(family_spacegroups(run.family))
        n_test = sum(
            designed if one.origin == "designed" else _CRYSTALS_A_FAMILY for one in run.test_sets
        )
        spec = get_model(run.model)
        if isinstance(spec, UntrainedSpec):
            decodes = spec.status == "reference"
            add("predict", run.folder, start + n_test * _DECODING if decodes else light)
        else:
            unit = "GPU" if gpu and isinstance(spec, NetworkSpec) else "core"
            rate = _rate(run.model, rates, gpu) * rates["predict_times_train"]
            add("train", run.folder, training_seconds(run.model, run.plan, rates, gpu), unit)
            add("predict", run.folder, start + n_test / rate, unit)
        add("evaluate", run.folder, light + n_test * rates["evaluate"])
    for written in designed_datasets(settings):
        n_samples = 3 * per_group * len(family_spacegroups(written.family))
        add("designed_lines", written.name, start + n_samples * rates["designed_lines"])
    random, sizes = STEMS["random"], settings["generated"]
    portrayed = f"{random}-portrayed"
    groups = sum(len(family_spacegroups(family)) for family in generated_families(settings))
    structures = crystal_datasets(settings)
    generated = {random: sizes["per_spacegroup"] * groups} if random in structures else {}
    generated |= {portrayed: sizes["portrayed"] * len(CELLS_OF)} if structures else {}
    for name, n in generated.items():
        add("random_structures", name, start + n * rates["random_structures"])
    all_of_source = settings["crystals_per_family"] or _CRYSTALS
    for name in (*structures, *([portrayed] if structures else [])):
        n = generated.get(name, all_of_source)
        add("crystals", name, start + n * rates["crystals"])
        add("portrait", name, start)
    for rule in _SINGLE_JOBS:
        add(rule, "", light)
    return tuple(jobs)


def expected_seconds(jobs: Iterable[ExpectedJob], cores: int) -> dict[str, float]:
    """Return what each job adds to a run on a machine, by its name; a GPU does one job at a time.

    Parameters
    ----------
    jobs : iterable of ExpectedJob
    cores : int
        Of the machine.
    """
    return {job.name: job.seconds / (1 if job.unit == "GPU" else cores) for job in jobs}


def explain_costs(jobs: Sequence[ExpectedJob], cores: int) -> str:
    """Say how many minutes a whole run is expected to take on a machine, and what takes most."""
    seconds = expected_seconds(jobs, cores)
    rules: dict[str, list[float]] = {}
    for job in jobs:
        rules.setdefault(job.rule, []).append(seconds[job.name])
    total = sum(seconds.values())
    parts = sorted(((sum(of), len(of), rule) for rule, of in rules.items()), reverse=True)
    told = [part for part in parts if part[0] > 0.04 * total]
    words = [f"{rule} {_minutes(spent)} ({n} jobs)" for spent, n, rule in told]
    if rest := parts[len(told) :]:
        spent, n = sum(part[0] for part in rest), sum(part[1] for part in rest)
        words.append(f"the rest {_minutes(spent)} ({n} jobs)")
    where = f"on {cores} core{'s' if cores != 1 else ''}"
    if any(job.unit == "GPU" for job in jobs):
        where += " and a GPU, whose rate is estimated"
    return (
        f"a whole run is expected to take {_minutes(total)} min {where} (rates:"
        f" workflow/rates.yaml):\n  {', '.join(words)}"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:.0f}"


def _rate(model: str, rates: Mapping[str, Any], gpu: bool) -> float:
    """Return training patterns a second on a core, or on a GPU where it is a network."""
    known = rates["train"]
    rate = float(known.get(model, known.get(architecture(model), rates["train_otherwise"])))
    if gpu and isinstance(get_model(model), NetworkSpec):
        return min(rate * float(rates["gpu"]["times_a_core"]), float(rates["gpu"]["at_most"]))
    return rate
