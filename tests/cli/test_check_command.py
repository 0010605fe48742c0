import pytest

from sgbench.leaderboard import read_csv, write_csv


@pytest.fixture
def table(call, tmp_path):
    """A leaderboard of a control, with the ceilings of its test sets."""
    call("predict", "control-oracle", "--family", "cubic", "--output", "predictions",
         "--test-set", "ulbd-off-mesh", "--per-spacegroup", 20)  # fmt: skip
    files = sorted((tmp_path / "predictions").glob("*.parquet"))
    call("evaluate", *files, "--output", "scores")
    call("ceilings", "cubic", "--exact", "--format", "csv", "--output", "exact.csv")
    call("leaderboard", "scores", "--exact", "exact.csv", "--output", "leaderboard.csv")
    return tmp_path / "leaderboard.csv"


def test_who_knows_the_class_stays_below(call, table):
    rows = read_csv(table)
    assert (rows["data_ceiling_top1"] > 0.47).all()
    assert "none of 2 rows" in call("check", table).stdout


def test_a_leak_is_named(call, table):
    rows = read_csv(table)
    rows.loc[rows["class_scheme"] == "spacegroup", "raw_top1"] = 0.8
    write_csv(table, rows)
    call("check", table)  # a control may know the labels
    rows["status"] = "self-reported"
    write_csv(table, rows)
    said = call("check", table, status=1).stderr
    assert "control-oracle" in said
    assert "80.0 %" in said
    assert "47.2 %" in said


def test_no_table(refused):
    assert "nothing.csv is missing" in refused("check", "nothing.csv")


def test_rows_of_another_scale_come_once(call, table, tmp_path):
    other = read_csv(table).assign(scale="full")
    write_csv(tmp_path / "full.csv", other)
    call("leaderboard", "--table", table, "--table", "full.csv", "--output", "both.csv")
    both = read_csv(tmp_path / "both.csv")
    assert len(both) == 2 * len(other)
    assert not both.duplicated(["scale", "class_scheme", "test_set"]).any()


def test_a_reference_of_other_data_is_said_to_be_so(call, table, tmp_path):
    rows = read_csv(table).assign(status="reference")
    write_csv(table, rows)
    call("check", table, "--reference", "r.yaml", "--update")
    assert call("check", table, "--reference", "r.yaml").stdout.endswith("r.yaml (2 rows)\n")
    worse = rows.assign(top1=0.1, top1_low=0.1, top1_high=0.1)
    write_csv(table, worse.assign(test_sha256="0" * 64))
    said = call("check", table, "--reference", "r.yaml").stdout
    assert "2 of them not compared, since their test data are others" in said
    write_csv(table, worse)
    assert (
        "dropped: control-oracle" in call("check", table, "--reference", "r.yaml", status=1).stderr
    )


def test_tables_without_a_checksum_of_the_test_data(call, table, tmp_path):
    write_csv(tmp_path / "old.csv", read_csv(table).assign(test_sha256=None))
    call("leaderboard", "--table", "old.csv", "--output", "new.csv")
    assert len(read_csv(tmp_path / "new.csv")) == 2
