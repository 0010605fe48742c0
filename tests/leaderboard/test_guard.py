import pandas as pd
import pytest

from sgbench.errors import SgbenchError
from sgbench.leaderboard import below_reference, read_reference, write_reference

ROW = {
    "model": "fcn", "train_set": "ulbd-cubic", "test_set": "ulbd-in-mesh", "family": "cubic",
    "source": "designed", "test_sha256": "t", "class_scheme": "spacegroup", "scale": "laptop",
    "top1": 0.47, "top1_low": 0.458, "top1_high": 0.482, "status": "reference", "n_test": 7200,
}  # fmt: skip


# A row as an earlier version wrote it.
OLD = (
    "{model: x, train_set: ulbd-cubic, test_set: cddd, family: cubic, class_scheme: spacegroup, "
    "test_sha256: t, scale: laptop, top1: 0.5, top1_low: 0.4, top1_high: 0.6}"
)


TODAY = {name: value for name, value in ROW.items() if name not in ("status", "n_test")}


def table(**changes) -> pd.DataFrame:
    return pd.DataFrame([ROW | changes, ROW | {"model": "other"}])


def moved(points):
    return {name: ROW[name] + points / 100 for name in ("top1", "top1_low", "top1_high")}


@pytest.fixture
def reference(tmp_path):
    assert write_reference(tmp_path / "reference.yaml", table()) == 2
    return read_reference(tmp_path / "reference.yaml")


@pytest.mark.parametrize(
    ("points", "caught"), [(0, False), (-1, False), (-3, True), (-20, True), (+5, False)]
)
def test_a_drop_beyond_chance_is_caught(reference, points, caught):
    found = below_reference(table(**moved(points)), reference)
    assert found["model"].tolist() == (["fcn"] if caught else [])
    if caught:
        assert found["reference_top1"].iloc[0] == pytest.approx(0.47)
        assert 0.01 < found["tolerance"].iloc[0] < 0.03


def test_rows_of_another_scale_are_not_compared(reference):
    assert below_reference(table(scale="smoke", **moved(-20)), reference).empty


def test_controls_are_no_reference(tmp_path):
    assert write_reference(tmp_path / "r.yaml", table(status="control")) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is missing"),
        ("rows: [1", "expected the YAML"),
        ("rows: 3", "'rows' is 3, which should be a valid"),
        ("rows: [{model: x}]", r"'rows\.0\.train_set' is missing"),
        (f"rows: [{OLD}]", r"'rows\.0\.source' is missing"),
        ("- a", "it is .'a'., which should be"),
        ("", "it is empty"),
        (f"rows: [{TODAY | {'top1': 1.5}}]", r"'rows\.0\.top1' is 1\.5"),
        (f"rows: [{TODAY | {'top1': '.nan'}}]", r"'rows\.0\.top1'"),
        ("a: &a [1]\nrows: *a", "uses an alias"),
        ("rows: []\nrows: []", "'rows' is there twice"),
        ("[" * 5000, "RecursionError"),
    ],
)
def test_a_reference_that_says_something_else(tmp_path, text, message):
    path = tmp_path / "r.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SgbenchError, match=message):
        read_reference(path)
