"""A training of seconds, and a disk that is full."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from sgbench.models import TrainingPlan, _registry, register_model

TWO_CELLS = "ulbd-cubic@6:6.1:0.05"
PLAN = TrainingPlan("tiny", TWO_CELLS, 64, 8, validations=4, validation_per_spacegroup=1)


@contextmanager
def tiny_network() -> Iterator[None]:
    """Register a network of one layer with dropout, named tiny."""

    @register_model("tiny", paper="none", input_scaling="sqrt")
    def build(n_outputs):
        return nn.Sequential(
            nn.MaxPool1d(16), nn.Flatten(), nn.Dropout(0.1), nn.Linear(512, n_outputs)
        )

    yield
    del _registry._REGISTRY["tiny"]


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond what a record of a training takes.

    A database, a model or a checkpoint is larger by far.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
