"""The one interface to pattern rendering, with a compiled CPU and a torch implementation."""

from typing import TYPE_CHECKING, Any

from sgbench.diffraction._lines import LineList
from sgbench.diffraction._protocol import PatternProtocol
from sgbench.errors import SgbenchError

if TYPE_CHECKING:
    import torch


def render(
    lines: LineList,
    protocol: PatternProtocol,
    device: "str | torch.device | None" = None,
    scaled: bool = True,
) -> Any:
    """Render line lists as patterns: profiles, summed, scaled to a maximum of 1.

    Profiles are the protocol's Gaussian, or pseudo-Voigt functions where the lines have widths of
    their own (`Profile`).

    Parameters
    ----------
    lines : LineList
        Lines of n patterns.
    protocol : PatternProtocol
        Window, grid and profile width.
    device : str or torch.device, optional
        None renders with the compiled CPU code and returns an ndarray; a torch device renders with
        torch there and returns a tensor on it.
    scaled : bool
        Without it, a line of the protocol's profile is as high as its intensity, and any other has
        the same area.

    Returns
    -------
    ndarray or torch.Tensor of float32, shape (n, n_points)

    Raises
    ------
    SgbenchError
        If a pattern has no line that reaches the window.
    """
    patterns: Any
    if device is None:
        from sgbench.diffraction._render_numba import render_lines

        patterns = render_lines(lines, protocol, scaled)
        empty = ~(patterns.max(axis=1) > 0)
    else:
        from sgbench.diffraction.render_torch import render_lines as render_on_device

        tensor = render_on_device(lines, protocol, device, scaled)
        patterns = tensor
        empty = (~(tensor.amax(dim=1) > 0)).cpu().numpy()
    if empty.any():
        raise SgbenchError(
            f"{int(empty.sum())} of {len(lines)} patterns have no line in the window "
            f"{protocol.two_theta_min:g}-{protocol.two_theta_max:g} degrees; expected at least one "
            "each. Leave them out or widen the window."
        )
    return patterns
