"""Speed of the reference network's training step, beside plain torch operations."""

import time

import torch
from torch.nn import functional as F

from sgbench.models.fcn_wang2024 import Fcn

BATCH = 32


def plain_step(network: Fcn, optimizer, patterns, labels) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network.head(network.plain_features(patterns)).flatten(1)
    finish(optimizer, logits.float(), labels)


def step(network: Fcn, optimizer, patterns, labels) -> None:
    finish(optimizer, network(patterns), labels)


def finish(optimizer, logits, labels) -> None:
    loss = F.cross_entropy(logits, labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def test_training_step_against_plain_torch(benchmark):
    torch.manual_seed(0)
    network = Fcn(36).train()
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    arguments = (network, optimizer, torch.rand(BATCH, 1, 8192), torch.arange(BATCH) % 36)
    benchmark.pedantic(step, arguments, rounds=6, warmup_rounds=2)
    plain_step(*arguments)
    plain = float("inf")
    for _ in range(4):
        started = time.perf_counter()
        plain_step(*arguments)
        plain = min(plain, time.perf_counter() - started)
    ratio = plain / benchmark.stats.stats.min
    benchmark.extra_info["patterns_per_second"] = BATCH / benchmark.stats.stats.min
    benchmark.extra_info["times_plain_torch"] = ratio
    assert ratio > 1
