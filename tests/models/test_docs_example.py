"""The page about models: its example works as it stands, and its table is complete."""

import re
from pathlib import Path

import pytest
import torch
import yaml

from sgbench.models import NetworkSpec, TrainingPlan, _registry, get_model, model_names
from sgbench.training import load_model, train

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()


def block(language):
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture
def my_net(monkeypatch):
    """Execute the example, and forget what it registers afterwards."""
    assert len(model_names()) > 1
    monkeypatch.setattr(_registry, "_REGISTRY", dict(_registry._REGISTRY))
    code = block("python")
    assert len(code.splitlines()) <= 60
    exec(compile(code, "sgbench/models/my_net.py", "exec"), {"__name__": "my_net"})
    return get_model("my-net")


def test_the_example_trains_and_is_loaded_again(my_net, tmp_path):
    (line,) = yaml.safe_load(block("yaml"))["training"].items()
    dataset, ((name, settings),) = line[0], line[1].items()
    assert name == my_net.name
    plan = TrainingPlan(
        model=name,
        dataset=dataset,
        **{**my_net.defaults, **settings, "patterns": 24, "batch_size": 8},
        validations=1,
        validation_per_spacegroup=1,
    )
    progress = []
    trained = train(
        plan, tmp_path / "model.pt", tmp_path / "state.pt", torch.device("cpu"), progress.append
    )
    assert progress[-1].step == 3
    assert trained.provenance["plan"] == plan.values()
    patterns = my_net.scale_input(torch.rand(2, 8192))
    again = load_model(tmp_path / "model.pt", torch.device("cpu"))
    with torch.inference_mode():
        expected = trained.network.eval()(patterns)
        assert expected.shape == (2, 36)
        assert again.network.eval()(patterns).equal(expected)


def rows():
    cells = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row for row in cells}


def test_the_table_lists_every_model():
    assert set(rows()) == set(model_names())


def test_the_table_counts_parameters():
    for name, (_, _, parameters, _) in rows().items():
        spec = get_model(name)
        if isinstance(spec, NetworkSpec):
            with torch.device("meta"):  # counts, without drawing weights
                count = spec.n_parameters(36)
            assert parameters == f"{count:,}", name
            assert rows()[name][3].startswith(spec.input_scaling)
        else:
            assert parameters == "–"
