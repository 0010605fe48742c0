import json
import os
import sys
from pathlib import Path
from shlex import quote

import yaml
from snakemake.exceptions import WorkflowError

from sgbench.costs import expected_costs, explain_costs, training_seconds
from sgbench.datasets import is_held_out, mesh_of, training_family
from sgbench.decoder import INDEXED
from sgbench.errors import SgbenchError
from sgbench.evaluation import DECODER
from sgbench.models import NetworkSpec, get_model
from sgbench.plots import CELLS_OF
from sgbench.settings import SCALES, explain_scale, resolve_settings, settings_name
from sgbench.symmetry import PAPER_FAMILIES, family_of

try:
    SETTINGS = resolve_settings(config, Path())
except SgbenchError as error:
    raise WorkflowError(str(error)) from None

# Where a run is logged and computed changes no result, so it reaches the commands by the
# environment and not as a parameter that would make them run again.
os.environ.update(
    MLFLOW_TRACKING_URI=SETTINGS["mlflow_store"],
    SGBENCH_DEVICE=SETTINGS["device"],
    SGBENCH_WORKFLOW=settings_name(SETTINGS),
)


envvars:
    "MLFLOW_TRACKING_URI",
    "SGBENCH_DEVICE",
    "SGBENCH_WORKFLOW",


SCALE = SETTINGS["scale"]
with open(workflow.source_path("../rates.yaml")) as rates_file:
    RATES = yaml.safe_load(rates_file)
ON_GPU = SCALE == "paper" and SETTINGS["device"] != "cpu"
if workflow.is_main_process:
    print(explain_scale(config.get("scale", "auto"), SCALE), file=sys.stderr)
    print(explain_costs(expected_costs(SETTINGS, RATES, ON_GPU)), file=sys.stderr)


wildcard_constraints:
    scale=SCALE,
    family="|".join(SETTINGS["families"]),
    seed=r"\d+",
    model=r"[^/]+",
    dataset=r"[^/.]+",
    train_set=r"[^/]+",


# More than any machine has: snakemake scales it down to what --cores allows.
ALL_CORES = 1024
JOB_THREADS = SETTINGS["job_threads"] or ALL_CORES
# Datasets of structures, and those of them that models are scored on.
STRUCTURES = ("cddd", "gcdd")
# Random structures of the two space groups of Fig. 4 alone, enough of them for a histogram.
PORTRAYED = "gcdd-portrayed"
CRYSTALS = [
    f"results/{SCALE}/datasets/{dataset}.parquet"
    for dataset in STRUCTURES
    if any(name.startswith(dataset) for name in SETTINGS["test_sets"])
]
# The paper's families have generated structures as well; `all` is made of other datasets.
PAPERS = [family for family in SETTINGS["families"] if family in PAPER_FAMILIES]
DESIGNED = [f"ulbd-{family}" for family in SETTINGS["families"] if family != "all"]
if "cubic" in SETTINGS["families"]:
    DESIGNED.append("ulbd-cubic-imbalanced")


def training_options(wildcards):
    """The training plan, as options of `sgbench train`; only a change of these retrains."""
    plan = SETTINGS["training"][wildcards.train_set][wildcards.model]
    return " ".join(
        f"--{name.replace('_', '-')} {value}" for name, value in plan.items()
    )


def training_minutes(wildcards):
    """What a scheduler of a cluster should grant: twice what is expected, and ten minutes."""
    plan = SETTINGS["training"][wildcards.train_set][wildcards.model]
    on_gpu = ON_GPU and isinstance(get_model(wildcards.model), NetworkSpec)
    return 10 + round(training_seconds(wildcards.model, plan, RATES, on_gpu) / 30)


def training_crystals(wildcards):
    """The structures that a model is trained on, if it is on structures."""
    source = wildcards.train_set.partition("-")[0]
    return [path for path in CRYSTALS if Path(path).stem == source]


def training_crystals_option(wildcards, input):
    return f"--crystals {input[0]}" if input else ""


def test_sets_of(train_set):
    """What a model is scored on: sets that its training has not seen."""
    family = training_family(train_set)
    return [
        name
        for name in SETTINGS["test_sets"]
        if is_held_out(name, train_set)
        and (family in PAPERS or not name.startswith("gcdd"))
        and (name != "ulbd-imbalanced-in-mesh" or train_set == "ulbd-cubic-imbalanced")
    ]


def trainings():
    """Training sets and models that the configuration names, of the families that are run."""
    return [
        (train_set, model)
        for train_set, plans in SETTINGS["training"].items()
        if training_family(train_set) in SETTINGS["families"]
        for model in plans
    ]


def exact_ceiling_names(wildcards):
    """Designed datasets that models are scored on."""
    return " ".join(
        [*SETTINGS["families"], *(n for n in DESIGNED if n.endswith("imbalanced"))]
    )


def crystals_limit(wildcards):
    limit = SETTINGS["crystals_per_family"]
    return "" if limit is None else f"--limit {limit}"


def family_options(wildcards):
    return " ".join(f"--family {family}" for family in PAPERS)


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
    train_set = wildcards.get("train_set", f"ulbd-{wildcards.get('family')}")
    return " ".join(f"--test-set {name}" for name in test_sets_of(train_set))


def untrained_test_sets(wildcards):
    if wildcards.model == DECODER:
        return " ".join(
            f"--test-set {name}" for name in SETTINGS["decoder"]["test_sets"]
        )
    return test_set_options(wildcards)


def untrained_test_patterns(wildcards):
    if wildcards.model == DECODER:
        return SETTINGS["decoder"]["patterns_per_spacegroup"]
    return SETTINGS["test_patterns_per_spacegroup"]


def untrained():
    """Controls of all families, and the decoder for those whose cells it can find."""
    found = [
        (family, name)
        for family in SETTINGS["families"]
        for name in SETTINGS["controls"]
    ]
    return found + [
        (family, DECODER) for family in SETTINGS["families"] if family in INDEXED
    ]


def runs():
    """Folders of predictions and of scores, one a trained model or control."""
    trained = [
        f"{train_set}/{model}/seed{seed}"
        for train_set, model in trainings()
        for seed in SETTINGS["seeds"]
    ]
    return trained + [f"none-{family}/{name}/seed0" for family, name in untrained()]


def all_scores(wildcards):
    return [f"results/{SCALE}/scores/{run}" for run in runs()]


def scaling_scores(wildcards):
    """Scores of the trainings on sets with another mesh."""
    return [
        f"results/{SCALE}/scores/{run}"
        for run in runs()
        if mesh_of(run.partition("/")[0])
    ]


# The study of meshes, where the configuration has such trainings.
SCALING = [f"results/{SCALE}/scaling.csv"] if scaling_scores(None) else []


def submitted_scores(wildcards):
    """Scores of submissions at this scale, which `sgbench submission add` wrote."""
    return [
        str(path)
        for path in sorted(Path("submissions").glob("*/scores/*.json"))
        if json.loads(path.read_text())["provenance"].get("scale") == SCALE
    ]


def histories(wildcards):
    """Training curves; the figures show those of the reference network."""
    return [
        f"results/{SCALE}/models/{train_set}/{model}/seed{seed}/history.csv"
        for train_set, model in trainings()
        for seed in SETTINGS["seeds"]
        if model == SETTINGS["reference"]
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
