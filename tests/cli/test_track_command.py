import pytest
from example_training import full_disk

DOWN = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((".",), "no MLflow store is named"),
        (("none", "--store", DOWN), "none is no folder"),
        ((".", "--store", DOWN), "refused"),
    ],
)
def test_what_cannot_be_sent(refused, arguments, words):
    assert words in refused("track", "sync", *arguments)


def test_a_training_whose_server_is_down(refused):
    assert "refused" in refused(
        "train", "fcn-wang2024", "ulbd-cubic", "--patterns", "8", "-o", "model.pt", "--store", DOWN
    )


def test_what_is_damaged_is_named(call, tmp_path):
    store = "sqlite:///mlflow.db"
    assert call("track", "sync", ".", "--store", store).stdout == "nothing is left to be sent\n"
    (tmp_path / "a.unsent").write_text("{}")
    done = call("track", "sync", ".", "--store", store, status=2)
    assert done.stdout.startswith("a.unsent: a.unsent is not a readable record")
    assert (
        done.stderr == "error: 1 record was not sent; expected all. Mend it and run this again.\n"
    )


def test_a_full_disk_ends_a_training_in_a_sentence(call, tmp_path):
    with full_disk():
        done = call(
            "train", "fcn-wang2024", "ulbd-cubic", "--patterns", 8, "--batch-size", 8,
            "--validations", 1, "--device", "cpu", "-o", "model.pt", status=2,
        )  # fmt: skip
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "model.pt.checkpoint failed" in error
    assert list(tmp_path.iterdir()) == []
