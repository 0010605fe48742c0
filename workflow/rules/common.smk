import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from sgbench.errors import SgbenchError
from sgbench.live import hold_folder
from sgbench.models import NetworkSpec, base_name, get_model
from sgbench.plan import (
    SCALES,
    ceiling_sets,
    closing_words,
    crystal_datasets,
    designed_datasets,
    expected_jobs,
    expected_seconds,
    explain_costs,
    explain_scale,
    generated_families,
    kept_mark,
    on_gpu,
    read_rates,
    resolve_settings,
    runs,
    settings_name,
    training_seconds,
)
from sgbench.provenance import settings_json
from sgbench.sets import CELLS_OF, STEMS, SetSpec
from sgbench.submission import HOME, MOST_BYTES, submission_folders
from sgbench.symmetry import family_of
from sgbench.tracking import check_store

try:
    SETTINGS = resolve_settings(config, Path())
    RATES = read_rates(Path())
except SgbenchError as error:
    raise WorkflowError(str(error)) from None

# Where a run is logged and computed changes no result, so it reaches the commands by the
# environment and not as a parameter that would make them run again. A store that the user has set
# there goes before the one of the settings.
os.environ.update(
    MLFLOW_TRACKING_URI=os.environ.get("MLFLOW_TRACKING_URI")
    or SETTINGS["mlflow_store"],
    SGBENCH_DEVICE=SETTINGS["device"],
    SGBENCH_WORKFLOW=settings_name(SETTINGS),
    SGBENCH_SETTINGS=settings_json(workflow.config_settings.overwrite_config),
)


envvars:
    "MLFLOW_TRACKING_URI",
    "SGBENCH_DEVICE",
    "SGBENCH_WORKFLOW",
    "SGBENCH_SETTINGS",


SCALE = SETTINGS["scale"]
ON_GPU = on_gpu(SETTINGS)
if workflow.is_main_process:
    print(explain_scale(config.get("scale", "auto"), SCALE), file=sys.stderr)
    EXPECTED = expected_jobs(SETTINGS, RATES, ON_GPU)
    asked = workflow.resource_settings
    CORES = asked.cores or asked.nodes or os.cpu_count() or 1
    print(explain_costs(EXPECTED, CORES), file=sys.stderr)
    # What shows a run (snakemake_logger_plugin_sgbench) tells from it how long is left.
    logger.info(
        "",
        extra={
            "expected_seconds": expected_seconds(EXPECTED, CORES),
            "cores": CORES,
        },
    )


def hold_this_folder():
    """Refuse to run beside another run; end what a killed one left at work."""
    try:
        n_processes, n_files = hold_folder(Path())
    except SgbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    if n_processes or n_files:
        logger.info(
            f"An earlier run was killed: {n_processes} of its processes were still at work and were"
            f" ended, {n_files} unfinished files were deleted.",
            extra={"shown": True},
        )


# The table of all scales. That of a first look lies with its results: the other one is committed.
if SCALE == "smoke":
    ALL_SCALES = "results/smoke/all-scales"
else:
    ALL_SCALES = "results/leaderboard"
# Every model that is scored, by the folder of its files.
RUNS = {run.folder: run for run in runs(SETTINGS)}
# Datasets of structures that models are trained on or scored on, and their files.
STRUCTURES = crystal_datasets(SETTINGS)
CRYSTALS = {name: f"results/{SCALE}/datasets/{name}.parquet" for name in STRUCTURES}
# Random structures of the two space groups of Fig. 4 alone, enough of them for a histogram.
GENERATED = STEMS["random"]
PORTRAYED = f"{GENERATED}-portrayed"
DESIGNED = [spec.name for spec in designed_datasets(SETTINGS)]


wildcard_constraints:
    scale=SCALE,
    seed=r"\d+",
    model=r"[^/]+",
    dataset=r"[^/.]+",
    train_set=r"[^/]+",


# More than any machine has: snakemake scales it down to what --cores allows.
ALL_CORES = 1024
JOB_THREADS = SETTINGS["job_threads"] or ALL_CORES


def run_of(wildcards):
    return RUNS[f"{wildcards.train_set}/{wildcards.model}/seed{wildcards.seed}"]


# Options are lists of words, which `{params.…:q}` quotes one by one: whatever a name holds, a shell
# reads it as the word that it is.
def options(name, values):
    """An option that is given once for each value."""
    return [word for value in values for word in (name, str(value))]


def training_options(wildcards):
    """The training plan, as options of `sgbench train`; only a change of these retrains."""
    return list(run_of(wildcards).options)


def training_minutes(wildcards):
    """What a scheduler of a cluster should grant: twice what is expected, and ten minutes."""
    run = run_of(wildcards)
    on_gpu = ON_GPU and isinstance(get_model(run.model), NetworkSpec)
    return 10 + round(training_seconds(run.model, run.plan, RATES, on_gpu) / 30)


def training_crystals(wildcards):
    """The structures that a model is trained on, if it is on structures."""
    dataset = run_of(wildcards).train_set.dataset
    return [CRYSTALS[dataset]] if dataset else []


def crystals_options(wildcards, input):
    return options("--crystals", input.crystals)


def kept_results(wildcards):
    """What is kept of a training with this very plan; without it the training has to run."""
    run = run_of(wildcards)
    mark = kept_mark(run, SETTINGS, Path()) if run.train_set else None
    return local(str(mark)) if mark else "nothing is kept"


def model_file(wildcards):
    """The trained model of a run; a model that needs no training has no file."""
    run = run_of(wildcards)
    return f"results/{SCALE}/models/{run.folder}/model.pt" if run.train_set else []


def model_arguments(wildcards, input):
    if input.model:
        return [str(input.model)]
    run = run_of(wildcards)
    return [run.model, "--family", run.family]


def test_set_options(wildcards):
    return options("--test-set", [spec.name for spec in run_of(wildcards).test_sets])


def exact_ceiling_names(wildcards):
    """Designed datasets that models are scored on."""
    return [spec.name for spec in ceiling_sets(SETTINGS)]


def crystals_limit(wildcards):
    limit = SETTINGS["crystals_per_family"]
    return [] if limit is None else options("--limit", [limit])


def generated_options(wildcards):
    """Which random structures to generate, and how many."""
    sizes = SETTINGS["generated"]
    if wildcards.dataset == PORTRAYED:
        which = options("--spacegroup", CELLS_OF)
        return which + options("--per-spacegroup", [sizes["portrayed"]])
    which = options("--family", generated_families(SETTINGS))
    return which + options("--per-spacegroup", [sizes["per_spacegroup"]])


def structures_input(wildcards):
    """The structures that are generated first; a source's own need no file of the workflow."""
    if wildcards.dataset not in (GENERATED, PORTRAYED):
        return []
    return [f"results/{SCALE}/datasets/{wildcards.dataset}.structures.parquet"]


def dataset_name(wildcards):
    return GENERATED if wildcards.dataset == PORTRAYED else wildcards.dataset


def source_options(wildcards, input):
    if wildcards.dataset == PORTRAYED:
        families = sorted({family_of(number) for number in CELLS_OF})
        return options("--from", input) + options("--family", families)
    if wildcards.dataset == GENERATED:
        families = generated_families(SETTINGS)
        return options("--from", input) + options("--family", families)
    source = SETTINGS["source"]
    location = [] if source["location"] is None else [source["location"]]
    return options("--source", [source["name"]]) + options("--from", location)


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
        + [f"{folder}/figures/{PORTRAYED}/cells.svg" for _ in STRUCTURES[:1]]
    )


def all_scores(wildcards):
    return [f"results/{SCALE}/scores/{folder}" for folder in RUNS]


def scores_of_model(wildcards):
    """Scores of all seeds of a model that is trained on one set."""
    model = f"{wildcards.train_set}/{wildcards.model}/"
    return [
        f"results/{SCALE}/scores/{folder}"
        for folder in RUNS
        if folder.startswith(model)
    ]


def scaling_scores(wildcards):
    """Scores of the trainings on sets with another mesh."""
    return [
        f"results/{SCALE}/scores/{folder}"
        for folder, run in RUNS.items()
        if run.train_set and run.train_set.mesh
    ]


# The study of meshes, where the configuration has such trainings.
SCALING = [f"results/{SCALE}/scaling.csv"] if scaling_scores(None) else []


def submitted_files(wildcards):
    """What submissions are scored from; the scorer finds and checks the files itself."""
    return [
        local(str(folder / name))  # of the repository, wherever results are kept
        for folder in submission_folders(HOME)
        for name in MOST_BYTES
        if (folder / name).is_file()
    ]


# Sealed rounds, and the maintainers' file of verified models, where they are there.
ROUNDS = sorted(map(str, Path("rounds").glob("*.json")))
VERIFIED = [path for path in ["results/verified.json"] if Path(path).exists()]


def histories(wildcards):
    """Training curves; the figures show those of the reference network."""
    return [
        f"results/{SCALE}/models/{folder}/history.csv"
        for folder, run in RUNS.items()
        if run.model == SETTINGS["reference"]
    ]


def runs_of(scale):
    """What there is of another scale: what is local goes before what was published."""
    return [
        run
        for run in (f"results/{scale}", f"results/published/{scale}.tar.xz")
        if (Path(run) / "leaderboard.csv").exists() or Path(run).is_file()
    ]


# What the pages show of other scales as well; a first look is never published.
OTHERS = [scale for scale in SCALES if scale not in (SCALE, "smoke")]
OTHER_RUNS = [run for scale in OTHERS for run in runs_of(scale)]
# What changes when they do: a run ends with its table.
OTHER_TABLES = [
    run if Path(run).is_file() else f"{run}/leaderboard.csv" for run in OTHER_RUNS
]
# What is kept of scales that were neither run nor published as a whole.
OTHER_KEPT = [
    str(path)
    for scale in OTHERS
    if not runs_of(scale)
    for path in sorted(Path("results/kept", scale).glob("*/*/*/results.tar.xz"))
]
# The run under conditions, whose curves the report shows beside any other scale.
CONDITIONS = [] if SCALE == "robustness" else runs_of("robustness")[:1]
# Which class is taken for which; of curves, a hundred test sets of each model, nobody reads that.
CURVES = any(SetSpec.parse(name).is_graded for name in SETTINGS["test_sets"])
CONFUSIONS = [] if CURVES else [f"results/{SCALE}/confusions.csv"]
