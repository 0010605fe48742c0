import os
import sys
from pathlib import Path
from shlex import quote

from snakemake.exceptions import WorkflowError

from sgbench.datasets import TEST_SETS
from sgbench.errors import SgbenchError
from sgbench.evaluation import CLASS_SCHEMES
from sgbench.plots import CELLS_OF
from sgbench.settings import SCALES, explain_scale, resolve_settings
from sgbench.symmetry import family_of

try:
    SETTINGS = resolve_settings(config, Path())
except SgbenchError as error:
    raise WorkflowError(str(error)) from None

# Where a run is logged and computed changes no result, so it reaches the commands by the
# environment and not as a parameter that would make them run again.
os.environ.update(
    MLFLOW_TRACKING_URI=SETTINGS["mlflow_store"], SGBENCH_DEVICE=SETTINGS["device"]
)


envvars:
    "MLFLOW_TRACKING_URI",
    "SGBENCH_DEVICE",


SCALE = SETTINGS["scale"]
if workflow.is_main_process:
    print(explain_scale(config.get("scale", "auto"), SCALE), file=sys.stderr)


wildcard_constraints:
    scale=SCALE,
    family="|".join(SETTINGS["families"]),
    seed=r"\d+",
    model=r"[^/]+",
    dataset=r"[^/.]+",


# More than any machine has: snakemake scales it down to what --cores allows.
ALL_CORES = 1024
# Datasets of structures, and those of them that models are scored on.
STRUCTURES = ("cddd", "gcdd")
# Random structures of the two space groups of Fig. 4 alone, enough of them for a histogram.
PORTRAYED = "gcdd-portrayed"
CRYSTALS = [
    f"results/{SCALE}/datasets/{dataset}.parquet"
    for dataset in STRUCTURES
    if any(name.startswith(dataset) for name in SETTINGS["test_sets"])
]
DESIGNED = [f"ulbd-{family}" for family in SETTINGS["families"]]
if "cubic" in SETTINGS["families"]:
    DESIGNED.append("ulbd-cubic-imbalanced")


def training_options(wildcards):
    """The training plan, as options of `sgbench train`; only a change of these retrains."""
    plan = SETTINGS["training"][wildcards.family][wildcards.model]
    return " ".join(
        f"--{name.replace('_', '-')} {value}" for name, value in plan.items()
    )


def crystals_limit(wildcards):
    limit = SETTINGS["crystals_per_family"]
    return "" if limit is None else f"--limit {limit}"


def family_options(wildcards):
    return " ".join(f"--family {family}" for family in SETTINGS["families"])


def generated_options(wildcards):
    """Which random structures to generate, and how many."""
    sizes = SETTINGS["generated"]
    if wildcards.dataset == PORTRAYED:
        groups = " ".join(f"--spacegroup {number}" for number in CELLS_OF)
        return f"{groups} --per-spacegroup {sizes['portrayed']}"
    return f"{family_options(wildcards)} --per-spacegroup {sizes['per_spacegroup']}"


def structures_input(wildcards):
    """The structures that are generated first; a source's own need no file of the workflow."""
    if wildcards.dataset == "cddd":
        return []
    return [f"results/{SCALE}/datasets/{wildcards.dataset}.structures.parquet"]


def source_options(wildcards, input):
    if wildcards.dataset == PORTRAYED:
        families = {family_of(number) for number in CELLS_OF}
        return f"--from {input[0]} {' '.join(f'--family {name}' for name in sorted(families))}"
    if wildcards.dataset == "gcdd":
        return f"--from {input[0]} {family_options(wildcards)}"
    source = SETTINGS["source"]
    location = (
        "" if source["location"] is None else f"--from {quote(source['location'])}"
    )
    return f"--source {source['name']} {location}"


def crystals_option(wildcards):
    return " ".join(f"--crystals {path}" for path in CRYSTALS)


def dataset_pages(wildcards):
    """Cards of all datasets, and portraits of those made of structures."""
    folder = f"results/{SCALE}"
    return (
        [f"{folder}/datasets/{name}.md" for name in (*STRUCTURES, *DESIGNED)]
        + [
            f"{folder}/figures/{name}/{figure}.svg"
            for name in STRUCTURES
            for figure in ("cells", "patterns", "samples")
        ]
        + [f"{folder}/figures/{PORTRAYED}/cells.svg"]
    )


def test_set_options(wildcards):
    return " ".join(f"--test-set {name}" for name in SETTINGS["test_sets"])


def predictions_of(wildcards):
    """Every predictions file of a model; a control guesses over classes separately."""
    folder = f"results/{SCALE}/predictions/{wildcards.family}/{wildcards.model}/seed{wildcards.seed}"
    endings = [".parquet"]
    if wildcards.model.startswith("control-"):
        endings.append(".extinction.parquet")
    return [
        f"{folder}/{name}{ending}"
        for name in SETTINGS["test_sets"]
        for ending in endings
    ]


def all_scores(wildcards):
    runs = [
        (family, model, seed)
        for family in SETTINGS["families"]
        for model in SETTINGS["training"].get(family, {})
        for seed in SETTINGS["seeds"]
    ]
    runs += [
        (family, control, 0)
        for family in SETTINGS["families"]
        for control in SETTINGS["controls"]
    ]
    return [
        f"results/{SCALE}/scores/{family}/{model}/seed{seed}/{name}.{scheme}.json"
        for family, model, seed in runs
        for name in SETTINGS["test_sets"]
        for scheme in CLASS_SCHEMES
    ]


def other_tables(wildcards):
    """Tables of other scales, which the leaderboard shows as well: local ones before published."""
    return [
        f"--table {table}"
        for scale in SCALES
        if scale != SCALE
        for table in (
            f"results/{scale}/leaderboard.csv",
            f"results/published/{scale}.csv",
        )
    ]
