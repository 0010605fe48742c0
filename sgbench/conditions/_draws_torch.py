"""The draws of `_draws` with torch, from the same blocks of Philox."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from sgbench.conditions._draws import SMALL_MEAN
from sgbench.philox import philox4x32


def count_on_device(
    patterns: torch.Tensor,
    per_unit: NDArray[np.float64],
    names: NDArray[np.int64],
    key: tuple[int, int],
) -> torch.Tensor:
    """Do what `_draws.count` does."""
    scale = torch.as_tensor(per_unit, device=patterns.device)[:, None]
    means = (patterns * scale).clamp_(min=0)
    counts = torch.zeros_like(means)
    words = torch.as_tensor(names, device=patterns.device)

    small = (means > 0) & (means < SMALL_MEAN)
    counts[small] = _inverted(means[small], _units(small.nonzero(as_tuple=True), 0, words, key)[0])
    row, point = (means >= SMALL_MEAN).nonzero(as_tuple=True)
    attempt = 0
    while len(row):
        mean = means[row, point]
        number, accepted = _attempted(mean, *_units((row, point), attempt, words, key))
        counts[row[accepted], point[accepted]] = number[accepted]
        row, point = row[~accepted], point[~accepted]
        attempt += 1
    return torch.where(scale > 0, counts / scale, patterns).to(torch.float32)


def add_normal_on_device(
    patterns: torch.Tensor,
    sigma: NDArray[np.float64],
    names: NDArray[np.int64],
    key: tuple[int, int],
) -> torch.Tensor:
    """Do what `_draws.add_normal` does."""
    n, n_points = patterns.shape
    words = torch.as_tensor(names, device=patterns.device)
    block = torch.arange((n_points + 3) // 4, device=patterns.device)
    drawn = philox4x32((block, 0 * block, words[:, :1], words[:, 1:]), key)
    w0, w1, w2, w3 = ((word.to(torch.float64) + 0.5) * 2.0**-32 for word in drawn)
    radius = torch.sqrt(-2 * torch.log(torch.stack([w0, w2], dim=2)))
    angle = 2 * math.pi * torch.stack([w1, w3], dim=2)
    pairs = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=3)
    noise = pairs.reshape(n, -1)[:, :n_points]
    return (patterns + torch.as_tensor(sigma, device=patterns.device)[:, None] * noise).to(
        torch.float32
    )


def _units(
    at: tuple[torch.Tensor, ...], attempt: int, words: torch.Tensor, key: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    row, point = at
    drawn = philox4x32(
        (point // 2, torch.full_like(point, attempt), words[row, 0], words[row, 1]), key
    )
    odd = point % 2 == 1
    first, second = torch.where(odd, drawn[2], drawn[0]), torch.where(odd, drawn[3], drawn[1])
    return (first.double() + 0.5) * 2.0**-32, (second.double() + 0.5) * 2.0**-32


def _inverted(mean: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
    chance = torch.exp(-mean)
    reached, number = chance.clone(), torch.zeros_like(mean)
    step = 0
    while bool((beyond := unit > reached).any()):
        step += 1
        number += beyond
        chance = chance * (mean / step)
        reached = reached + chance
    return number


def _attempted(
    mean: torch.Tensor, u: torch.Tensor, v: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a number for each mean, and whether it is accepted."""
    b = 0.931 + 2.53 * torch.sqrt(mean)
    a = -0.059 + 0.02483 * b
    u = u - 0.5
    us = 0.5 - u.abs()
    number = torch.floor((2 * a / us + b) * u + mean + 0.43)
    at_once = (us >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2))
    possible = (number >= 0) & ((us >= 0.013) | (v <= us))
    hat = v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (us * us) + b)
    below = torch.log(hat) <= number * torch.log(mean) - mean - torch.lgamma(number + 1)
    return number, at_once | (possible & below)
