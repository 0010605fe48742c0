"""What the workflow runs: settings, the runs that follow from them, and what these cost."""

from sgbench.plan._closing import closing_words
from sgbench.plan._costs import (
    ExpectedJob,
    expected_jobs,
    expected_seconds,
    explain_costs,
    read_rates,
    training_seconds,
)
from sgbench.plan._jobs import (
    Run,
    ceiling_sets,
    crystal_datasets,
    designed_datasets,
    generated_families,
    on_gpu,
    runs,
    test_sets_of,
    trainings,
    untrained,
)
from sgbench.plan._kept import KEPT, keep, kept_mark, take
from sgbench.plan._settings import (
    PLAN_FIELDS,
    SCALES,
    explain_scale,
    read_config,
    resolve_settings,
    settings_name,
)

__all__ = [
    "KEPT",
    "PLAN_FIELDS",
    "SCALES",
    "ExpectedJob",
    "Run",
    "ceiling_sets",
    "closing_words",
    "crystal_datasets",
    "designed_datasets",
    "expected_jobs",
    "expected_seconds",
    "explain_costs",
    "explain_scale",
    "generated_families",
    "keep",
    "kept_mark",
    "on_gpu",
    "read_config",
    "read_rates",
    "resolve_settings",
    "runs",
    "settings_name",
    "take",
    "test_sets_of",
    "training_seconds",
    "trainings",
    "untrained",
]
