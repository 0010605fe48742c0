"""Rendering with torch, on whatever device the training runs."""

import math

import torch

from sgbench.diffraction._lines import LineList
from sgbench.diffraction._protocol import TAIL_SIGMAS, TAIL_WIDTHS, PatternProtocol
from sgbench.diffraction._pseudo_voigt import (
    GAUSSIAN_HEIGHT,
    LORENTZIAN_HEIGHT,
    SIGMA_OF_WIDTH,
    gaussian_area,
    pseudo_voigt,
)

# Lines are rendered in chunks whose temporaries stay below about 1 GiB.
_CHUNK_POINTS = 1 << 24


def render_lines(
    lines: LineList, protocol: PatternProtocol, device: "str | torch.device", scaled: bool = True
) -> torch.Tensor:
    """Render patterns, shape (n, n_points), each scaled to a maximum of 1 if asked."""
    widths = None
    if lines.profile is not None:
        width, eta = pseudo_voigt(lines.profile.gaussian, lines.profile.lorentzian)
        widths = torch.as_tensor(width, device=device), torch.as_tensor(eta, device=device)
    return render_tensors(
        torch.as_tensor(lines.offsets, device=device),
        torch.as_tensor(lines.two_theta, device=device),
        torch.as_tensor(lines.intensity, device=device),
        protocol,
        widths,
        scaled,
    )


def render_tensors(
    offsets: torch.Tensor,
    two_theta: torch.Tensor,
    intensity: torch.Tensor,
    protocol: PatternProtocol,
    widths: tuple[torch.Tensor, torch.Tensor] | None = None,
    scaled: bool = True,
) -> torch.Tensor:
    """Render from the three arrays of a `LineList` that already lie on the device.

    Lines with a profile of their own come with its width in degrees and its Lorentzian share.
    Positions are float64: in float32 a line at 90 degrees would be misplaced by 4e-6 degrees, which
    shows as 2e-5 of its height.
    """
    n_patterns, n_points = len(offsets) - 1, protocol.n_points
    if widths is None:
        reach = TAIL_SIGMAS * protocol.sigma
    else:
        width, eta = widths
        sigmas = TAIL_SIGMAS * SIGMA_OF_WIDTH * width
        reach = float(torch.maximum(sigmas, TAIL_WIDTHS * width * (eta > 0)).max())
    half = math.ceil(reach / protocol.step) + 1
    # Margins as wide as a profile take the tails outside the window, so no point needs a test.
    margin = 2 * half + 1
    row = n_points + 2 * margin
    patterns = torch.zeros(n_patterns * row, dtype=torch.float32, device=two_theta.device)
    owner = torch.repeat_interleave(
        torch.arange(n_patterns, device=two_theta.device), torch.diff(offsets)
    )
    window = torch.arange(-half, half + 1, device=two_theta.device)
    position = (two_theta - protocol.two_theta_min) / protocol.step
    nearest = position.round()
    shift = (position - nearest).to(torch.float32)
    reaching = (nearest >= -half) & (nearest < n_points + half)
    centre = owner * row + nearest.long() + margin
    scale = -0.5 * (protocol.step / protocol.sigma) ** 2
    unit = gaussian_area(protocol.sigma)
    size = max(1, _CHUNK_POINTS // len(window))
    for chunk in torch.split(torch.nonzero(reaching).flatten(), size):
        distance = window.to(torch.float32) - shift[chunk, None]
        if widths is None:
            shape = torch.exp(scale * distance * distance)
        else:
            shape = unit * _pseudo_voigt(
                distance * protocol.step, width[chunk, None], eta[chunk, None]
            )
        points = centre[chunk, None] + window
        patterns.index_add_(0, points.flatten(), (intensity[chunk, None] * shape).flatten())
    patterns = patterns.view(n_patterns, row)[:, margin : margin + n_points]
    if not scaled:
        return patterns
    top = patterns.amax(dim=1, keepdim=True)
    return patterns / torch.where(top > 0, top, torch.ones_like(top))


def _pseudo_voigt(distance: torch.Tensor, width: torch.Tensor, eta: torch.Tensor) -> torch.Tensor:
    """Return the value at each distance, with both parts cut as the compiled code cuts them."""
    x = distance / width
    gaussian = GAUSSIAN_HEIGHT * torch.exp(-4 * math.log(2) * x * x)
    gaussian = gaussian * (x.abs() <= TAIL_SIGMAS * SIGMA_OF_WIDTH)
    lorentzian = LORENTZIAN_HEIGHT / (1 + 4 * x * x) * (x.abs() <= TAIL_WIDTHS)
    return (((1 - eta) * gaussian + eta * lorentzian) / width).to(torch.float32)
