"""What a run of the workflow is expected to cost, from rates that were measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sgbench.datasets import is_held_out, training_family
from sgbench.models import EstimatorSpec, get_model
from sgbench.symmetry import family_spacegroups

# Structures of the American Mineralogist database that pass, and those of a family in a test set;
# other sources differ.
_CRYSTALS, _CRYSTALS_A_FAMILY = 8_400, 1_400
# Beside the trainings' own.
_SINGLE_JOBS = (
    "ceilings", "exact_ceilings", "scale_table", "check", "leaderboard", "confusions", "figures",
    "scaling_study", "report_page", "site",
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


def training_seconds(
    model: str, plan: Mapping[str, Any], rates: Mapping[str, Any], gpu: bool
) -> float:
    """Return the seconds that a training is expected to take on one core, or on a GPU."""
    spec = get_model(model)
    patterns = float(plan.get("patterns", spec.defaults.get("patterns", 0)))
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
    seeds, per_group = len(settings["seeds"]), settings["test_patterns_per_spacegroup"]
    families = settings["families"]
    generated = settings["generated"]["per_spacegroup"]
    n_groups = {family: len(family_spacegroups(family)) for family in families}
    start, light = float(rates["start"]), float(rates["start_light"])
    seconds: dict[tuple[str, str], list[float]] = {}

    def add(rule: str, cost: float, unit: str = "core", jobs: int = 1) -> None:
        seconds.setdefault((rule, unit), []).extend([cost] * jobs)

    for train_set, plans in settings["training"].items():
        family = training_family(train_set)
        if family not in families:
            continue
        n_test = sum(
            per_group * n_groups[family] if name.startswith("ulbd") else _CRYSTALS_A_FAMILY
            for name in settings["test_sets"]
            if is_held_out(name, train_set)
        )
        for model, plan in plans.items():
            on_gpu = gpu and not isinstance(get_model(model), EstimatorSpec)
            unit = "GPU" if on_gpu else "core"
            rate = _rate(model, rates, on_gpu) * rates["predict_times_train"]
            add("train", training_seconds(model, plan, rates, on_gpu), unit, seeds)
            add("predict", start + n_test / rate, unit, seeds)
            add("evaluate", light + n_test * rates["evaluate"], jobs=seeds)
    for family in families:
        add("designed_lines", start + 3 * per_group * n_groups[family] * rates["designed_lines"])
        for _ in settings["controls"]:
            add("predict_control", light)
            add("evaluate", light)
    n_generated = generated * sum(n_groups.values())
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
    """Return training patterns a second on a core, or on a GPU."""
    on_core = float(rates["train"].get(model, rates["train_otherwise"]))
    return min(on_core * rates["gpu"]["times_a_core"], rates["gpu"]["at_most"]) if gpu else on_core
