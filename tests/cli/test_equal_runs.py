"""Two runs of the same commands write the same bytes, but for what a clock says."""

from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from sgbench.evaluation import _predict
from sgbench.training import _trainer

COMMANDS = (
    "train fcn-wang2024 ulbd-cubic --patterns 8 --batch-size 8 --validations 1 --device cpu"
    " -o smoke/models/ulbd-cubic/fcn-wang2024/seed0/model.pt",
    "predict smoke/models/ulbd-cubic/fcn-wang2024/seed0/model.pt --test-set ulbd-in-mesh"
    " --per-spacegroup 1 --device cpu --scale smoke -o smoke/p",
    "evaluate smoke/p/ulbd-in-mesh.parquet -o smoke/scores/ulbd-cubic/fcn-wang2024/seed0",
    "leaderboard smoke/scores -o smoke/leaderboard.csv",
    "report --scale-folder smoke -o report",
    "site --table smoke/leaderboard.csv --scores smoke/scores -o site",
    "dataset export ulbd-cubic --per-spacegroup 1 -o smoke/ulbd-cubic.h5",
)


@pytest.fixture
def files(call, tmp_path, monkeypatch):
    """Run the commands in a folder, by a clock that only counts; return the files by name."""

    def run(folder):
        tick = SimpleNamespace(monotonic=count(1.0).__next__, perf_counter=count(1.0).__next__)
        for module in (_trainer, _predict):
            monkeypatch.setattr(module, "time", tick)
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        for command in COMMANDS:
            call(*command.split())
        return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}

    return run


def test_equal_runs_write_equal_files(files):
    one, other = files("one"), files("other")
    assert len(one) == 14
    assert [name for name in one if one[name] != other.get(name)] == []
    assert one.keys() == other.keys()
