import numba
import pytest
import torch

from sgbench.models import REFERENCE, TrainingPlan
from sgbench.training import train

CPU = torch.device("cpu")


@pytest.fixture
def trained_on(tmp_path):
    """Train the reference network on so many threads, for sixteen steps."""
    plan = TrainingPlan(REFERENCE, "ulbd-cubic", patterns=256, batch_size=16, validations=1)
    before = torch.get_num_threads(), numba.get_num_threads()

    def train_on(threads):
        torch.set_num_threads(threads)
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        return train(plan, tmp_path / "model.pt", tmp_path / "checkpoint", CPU)

    yield train_on
    torch.set_num_threads(before[0])
    numba.set_num_threads(before[1])


def test_threads_change_a_training_little_and_are_recorded(trained_on):
    one, two = trained_on(1), trained_on(2)
    first, second = (
        torch.cat([values.flatten().double() for values in each.network.parameters()])
        for each in (one, two)
    )
    # Measured: 0.004. Sums are rounded in another order, and later steps build on it.
    assert (first - second).norm() / first.norm() < 0.03
    ends = [each.provenance["history"][-1] for each in (one, two)]
    assert ends[0]["validation_loss"] == pytest.approx(ends[1]["validation_loss"], abs=1e-3)
    assert ends[0]["top1"] == pytest.approx(ends[1]["top1"], abs=0.01)
    hardware = [each.provenance["hardware"] for each in (one, two)]
    assert [text.rpartition(", ")[2] for text in hardware] == ["1 threads", "2 threads"]
