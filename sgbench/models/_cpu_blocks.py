"""Convolution blocks for training on a CPU: the plain blocks' function, several times as fast.

Activations are kept channels-last, in which oneDNN's convolutions need no reorder, and in bfloat16
where the processor multiplies it natively. Parameters stay ordinary float32 tensors.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from sgbench.models import _cpu_kernels as kernels

# From here on the weight gradient is faster as one matrix product than as oneDNN's convolution, by
# the numbers a product of that kind multiplies.
_MATRIX_PRODUCT_CHANNELS = {torch.bfloat16: 128, torch.float32: 32}


def training_dtype() -> torch.dtype:
    """Return bfloat16 where the processor has instructions for it, float32 elsewhere."""
    capabilities = torch.cpu.get_capabilities()
    native = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    return torch.bfloat16 if native else torch.float32


def pooled_blocks(
    x: torch.Tensor,
    convolutions: Sequence[torch.nn.Conv1d],
    slopes: Sequence[float],
    dropouts: Sequence[float],
    dtype: torch.dtype,
) -> torch.Tensor:
    """Apply blocks of Conv1d(k=3, same) → LeakyReLU → MaxPool(2) → Dropout.

    Parameters
    ----------
    x : torch.Tensor, shape (n, 1, length)
        float32; the length must be divisible by two as often as there are blocks.
    convolutions : sequence of torch.nn.Conv1d
        The first has one input channel.
    slopes, dropouts : sequence of float
        Negative slope (1 is no activation) and dropout rate (0 outside training) of each block.
    dtype : torch.dtype
        Of the activations, bfloat16 or float32.

    Returns
    -------
    torch.Tensor, shape (n, channels, length / 2**blocks)
        float32. Dropout draws its key from torch's default generator.
    """
    keys = torch.randint(0, 2**32, (len(convolutions), 2)).numpy().astype(np.uint32)
    for i, convolution in enumerate(convolutions):
        block = _Block if i else _FirstBlock
        x = block.apply(
            x, convolution.weight, convolution.bias, slopes[i], dropouts[i], keys[i], dtype
        )
    return x.squeeze(2).float()


def _raw(tensor: torch.Tensor) -> NDArray[Any]:
    """Return the memory as the kernels take it: float32, or the uint16 bits of bfloat16."""
    if tensor.dtype == torch.float32:
        return tensor.numpy()
    return tensor.view(torch.int16).numpy().view(np.uint16)


def _factors(slope: float, dropout: float) -> tuple[np.float32, np.float32]:
    scale = 1 / (1 - dropout)
    return np.float32(slope * scale), np.float32(scale)


class _FirstBlock(torch.autograd.Function):
    """(B, 1, L) float32 to (B, C, 1, L/2); the convolution is part of the compiled pass."""

    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, x, weight, bias, slope, dropout, key, dtype
    ) -> torch.Tensor:
        batch, channels, length = len(x), len(weight), x.shape[2]
        padded = F.pad(x.squeeze(1), (1, 1))
        out = torch.empty(batch, length // 2, channels, dtype=dtype)
        code = torch.empty(batch, length // 2, channels, dtype=torch.uint8)
        ctx.factors = _factors(slope, dropout)
        kernels.first_forward(
            padded.numpy(), weight.detach().squeeze(1).t().contiguous().numpy(),
            bias.detach().numpy(), *ctx.factors, np.uint32(dropout * 2**32), *key,
            _raw(out), code.numpy(),
        )  # fmt: skip
        ctx.save_for_backward(padded, code)
        return out.unsqueeze(1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        padded, code = ctx.saved_tensors
        given = gradient.permute(0, 2, 3, 1).reshape(code.shape)
        sums = torch.zeros(len(padded), 4, code.shape[2])
        kernels.first_backward(
            _raw(given), code.numpy(), *ctx.factors, padded.numpy(), sums.numpy()
        )
        total = sums.sum(0)
        return None, total[:3].t().unsqueeze(1), total[3], None, None, None, None


class _Block(torch.autograd.Function):
    """(B, C_in, 1, L) to (B, C, 1, L/2), both channels-last."""

    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, x, weight, bias, slope, dropout, key, dtype
    ) -> torch.Tensor:
        w = weight.detach().unsqueeze(2).to(dtype, memory_format=torch.channels_last)
        convolved = F.conv2d(x, w, None, 1, (0, 1))
        batch, channels, _, length = convolved.shape
        rows = convolved.permute(0, 2, 3, 1).view(batch * length, channels)
        out = torch.empty(len(rows) // 2, channels, dtype=dtype)
        code = torch.empty(len(rows) // 2, channels, dtype=torch.uint8)
        ctx.factors = _factors(slope, dropout)
        kernels.pool_forward(
            _raw(rows), bias.detach().numpy(), *ctx.factors, np.uint32(dropout * 2**32), *key,
            _raw(out), code.numpy(),
        )  # fmt: skip
        ctx.save_for_backward(x, w, code)
        return out.view(batch, 1, length // 2, channels).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        x, w, code = ctx.saved_tensors
        batch, c_in, _, length = x.shape
        rows, channels = code.shape
        given = gradient.permute(0, 2, 3, 1).reshape(rows, channels)
        spread = torch.empty(2 * rows, channels, dtype=given.dtype)
        kernels.pool_backward(_raw(given), code.numpy(), *ctx.factors, _raw(spread))
        d_bias = spread.sum(0).float()
        as_matrix = c_in >= _MATRIX_PRODUCT_CHANNELS[x.dtype]
        dx, dw, _ = torch.ops.aten.convolution_backward(
            spread.view(batch, 1, length, channels).permute(0, 3, 1, 2), x, w, None,
            [1, 1], [0, 1], [1, 1], False, [0, 0], 1,
            [ctx.needs_input_grad[0], not as_matrix, False],
        )  # fmt: skip
        if as_matrix:
            padded = F.pad(x.permute(0, 2, 3, 1).squeeze(1), (0, 0, 1, 1))  # (B, L + 2, C_in)
            windows = padded.as_strided(
                (batch, length, 3 * c_in), ((length + 2) * c_in, c_in, 1)
            ).reshape(batch * length, 3 * c_in)
            dw = (spread.t() @ windows).view(channels, 3, c_in).transpose(1, 2)
        return dx, dw.reshape(channels, c_in, 3).float(), d_bias, None, None, None, None
