"""What a run of the workflow is expected to cost, from rates that were measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sgbench.checked import FileKind, Positive, Text, record
from sgbench.models import NetworkSpec, UntrainedSpec, get_model, get_trained_model
from sgbench.plan._jobs import designed_datasets, generated_families, runs
from sgbench.plan._settings import architecture
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
class Cost:
    """Expected cost of a rule.

    Attributes
    ----------
    rule : str
    jobs : int
    hours : float
        Of the unit, all jobs together.
    unit : str
        ``core`` or ``GPU``.
    basis : str
        ``measured`` rates, or ``estimated`` ones.
    """

    rule: str
    jobs: int
    hours: float
    unit: str
    basis: str


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


def expected_costs(
    settings: Mapping[str, Any], rates: Mapping[str, Any], gpu: bool
) -> tuple[Cost, ...]:
    """Return what each rule of the workflow is expected to cost.

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
    seconds: dict[tuple[str, str], list[float]] = {}

    def add(rule: str, cost: float, unit: str = "core") -> None:
        seconds.setdefault((rule, unit), []).append(cost)

    for run in runs(settings):
        designed = run.per_spacegroup * len(family_spacegroups(run.family))
        n_test = sum(
            designed if one.origin == "designed" else _CRYSTALS_A_FAMILY for one in run.test_sets
        )
        spec = get_model(run.model)
        if isinstance(spec, UntrainedSpec):
            decodes = spec.status == "reference"
            add("predict", start + n_test * _DECODING if decodes else light)
        else:
            unit = "GPU" if gpu and isinstance(spec, NetworkSpec) else "core"
            rate = _rate(run.model, rates, gpu) * rates["predict_times_train"]
            add("train", training_seconds(run.model, run.plan, rates, gpu), unit)
            add("predict", start + n_test / rate, unit)
        add("evaluate", light + n_test * rates["evaluate"])
    for written in designed_datasets(settings):
        n_samples = 3 * per_group * len(family_spacegroups(written.family))
        add("designed_lines", start + n_samples * rates["designed_lines"])
    groups = sum(len(family_spacegroups(family)) for family in generated_families(settings))
    n_generated = settings["generated"]["per_spacegroup"] * groups
    add("random_structures", start + n_generated * rates["random_structures"])
    for n in (settings["crystals_per_family"] or _CRYSTALS, n_generated):
        add("crystals", start + n * rates["crystals"])
    for rule in _SINGLE_JOBS:
        add(rule, light)
    return tuple(
        Cost(rule, len(jobs), sum(jobs) / 3600, unit, "estimated" if unit == "GPU" else "measured")
        for (rule, unit), jobs in seconds.items()
    )


def explain_costs(costs: Iterable[Cost]) -> str:
    """Say what is expected, a rule a line."""
    lines = ["expected cost (rates: workflow/rates.yaml)"]
    for cost in sorted(costs, key=lambda cost: -cost.hours):
        spent = f"{cost.hours:>7.2f} {cost.unit}-hours, {cost.basis}"
        lines.append(f"  {cost.rule:<18} {cost.jobs:>4} jobs  {spent}")
    return "\n".join(lines)


def _rate(model: str, rates: Mapping[str, Any], gpu: bool) -> float:
    """Return training patterns a second on a core, or on a GPU where it is a network."""
    known = rates["train"]
    rate = float(known.get(model, known.get(architecture(model), rates["train_otherwise"])))
    if gpu and isinstance(get_model(model), NetworkSpec):
        return min(rate * float(rates["gpu"]["times_a_core"]), float(rates["gpu"]["at_most"]))
    return rate
