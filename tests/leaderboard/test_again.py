import json
import shlex

import pytest

from sgbench.leaderboard import command_again

ROW = {
    "model": "fcn-wang2024.sqrt", "train_set": "ulbd-cubic", "test_set": "ulbd-off-mesh",
    "family": "cubic", "scale": "laptop", "status": "reference", "commit": "1a" * 20,
    "lock_sha256": "f" * 64, "settings": "{}",
}  # fmt: skip


def target(command):
    steps = [shlex.split(step) for step in command.split(" && ")]
    return next(step for step in steps if step[0] == "snakemake")[-1]


def test_a_trained_model():
    place = "../again-1a1a1a1-f12fff6"
    assert command_again(ROW) == (
        f"git worktree add --quiet --detach {place} {'1a' * 20} && cd {place} && make setup && "
        ". .venv/bin/activate && snakemake --cores all --config scale=laptop kept=false -- "
        "results/laptop/rows/ulbd-cubic/fcn-wang2024.sqrt.csv"
    )


def test_each_row_of_a_commit_has_a_folder_of_its_own():
    others = [ROW, ROW | {"train_set": "ulbd-all"}, ROW | {"settings": '{"seeds": [1]}'}]
    assert len({shlex.split(command_again(row))[5] for row in others}) == 3


def test_an_untrained_model_has_a_folder_for_each_family():
    row = ROW | {"model": "control-oracle", "train_set": "none", "status": "control"}
    assert target(command_again(row)) == "results/laptop/rows/none-cubic/control-oracle.csv"


@pytest.mark.parametrize("status", ["self-reported", "verified"])
def test_a_submission(status):
    command = command_again(ROW | {"model": "mine", "status": status})
    assert target(command) == "results/laptop/submissions"
    assert command.endswith("sgbench leaderboard results/laptop/submissions/mine --output row.csv")


def test_what_was_laid_over_the_settings_is_laid_over_them_again():
    given = {"families": ["cubic"], "training": {"ulbd-cubic": {"a b": 5}}}
    words = shlex.split(command_again(ROW | {"settings": json.dumps(given)}))
    assert 'families=["cubic"]' in words
    assert 'training={"ulbd-cubic": {"a b": 5}}' in words


@pytest.mark.parametrize(
    "other",
    [
        {"commit": None},
        {"commit": float("nan")},
        {"commit": ""},
        {"commit": "HEAD"},
        {"commit": f"{'1a' * 20} {'2b' * 20}"},  # seeds of several commits
        {"commit": f"{'1a' * 20} --force"},
        {"commit": "1a" * 20 + "\nrm"},
        {"settings": None},
        {"settings": float("nan")},
        {"settings": "[]"},
        {"settings": "{"},
        {"settings": '{"a;b": 1}'},
        {"settings": "[" * 100_000},
        {"settings": '{"scale": "full"}'},
        {"settings": '{"kept": true}'},
        {"settings": '{"mlflow_store": "http://elsewhere"}'},
        {"settings": json.dumps({"source": {"name": "table", "location": "mine.csv"}})},
    ],
)
def test_what_nobody_else_could_make_has_no_command(other):
    assert command_again(ROW | other) is None


@pytest.mark.parametrize(
    "name",
    ["a; touch PWNED", "$(touch PWNED)", "a'b", "a\nb", "a\rb", "a\x03b", "a\x1b[201~b", "a b",
     "-a", "--output", "..", "../a", "a/b", "", "é"],
)  # fmt: skip
@pytest.mark.parametrize("column", ["model", "train_set", "scale"])
@pytest.mark.parametrize("status", ["reference", "self-reported"])
def test_names_that_are_none_of_the_workflow_have_no_command(name, column, status):
    assert command_again(ROW | {column: name, "status": status}) is None


@pytest.mark.parametrize(
    "name", ["timm:resnet18", "fcn@100", "ulbd-cubic@0.1x5", "ulbd-cubic@2:9:0.5,3:4:0.1", "a+b"]
)
def test_names_of_the_workflow_have_one(name):
    words = shlex.split(command_again(ROW | {"model": name, "train_set": name}))
    assert words[-1] == f"results/laptop/rows/{name}/{name}.csv"


def test_values_of_settings_stay_words():
    value = "'; touch PWNED; $(touch PWNED)\n\x03"
    words = shlex.split(command_again(ROW | {"settings": json.dumps({"reference": value})}))
    assert f"reference={json.dumps(value)}" in words
    assert not {"touch", "PWNED;"} & set(words)
    assert command_again(ROW | {"settings": json.dumps({"reference": value})}).isprintable()
