"""What a training step costs under the mixture laboratory, beside the ideal one, on one core."""

import time

import pytest
import torch
from torch.nn import functional as F

from sgbench.models import get_trained_model
from sgbench.sets import SetSpec, open_training_set

BATCH = 32
MODEL = get_trained_model("fcn-wang2024.soft")


class Step:
    """Steps of the reference network on a training set, and the time that each part took.

    Processor time, since a busy machine stretches that of the clock in steps of milliseconds.
    """

    def __init__(self, name: str) -> None:
        torch.manual_seed(0)
        self.dataset = open_training_set(SetSpec.parse(name))
        self.network = MODEL.build(len(self.dataset.spacegroups)).train()
        self.optimizer = torch.optim.Adam(self.network.parameters(), fused=True)
        self.count, self.making, self.whole = 0, [], []

    def __call__(self) -> None:
        started = time.process_time()
        samples = self.dataset.training_samples(BATCH * self.count, BATCH, 0)
        inputs = MODEL.scale_input(torch.as_tensor(samples.patterns()))
        made = time.process_time()
        labels = torch.as_tensor(samples.spacegroup - self.dataset.spacegroups[0])
        loss = F.cross_entropy(self.network(inputs).float(), labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.whole.append(time.process_time() - started)
        self.making.append(made - started)
        self.count += 1


@pytest.mark.parametrize("family", ["cubic", "tetragonal", "trigonal-hexagonal", "all"])
def test_a_step_under_laboratory_against_the_ideal_one(benchmark, family):
    ideal, laboratory = Step(f"ulbd-{family}"), Step(f"ulbd-{family}+laboratory")

    def one_each() -> None:
        ideal()
        laboratory()

    benchmark.pedantic(one_each, rounds=20, warmup_rounds=3)
    # The quickest of steps that took turns: what else the machine did disturbs neither.
    plain, mixed = min(ideal.whole), min(laboratory.whole)
    benchmark.extra_info["ideal_ms_per_pattern"] = 1e3 * plain / BATCH
    benchmark.extra_info["times_ideal"] = mixed / plain
    benchmark.extra_info["share_of_making_patterns"] = min(laboratory.making) / mixed
    benchmark.extra_info["ideal_share_of_making_patterns"] = min(ideal.making) / plain
    assert mixed < 1.5 * plain
