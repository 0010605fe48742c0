"""What the network that was trained under laboratory conditions makes of a measured pattern."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder import standard_uncertainty
from sgbench.diffraction import PROTOCOLS, PatternProtocol
from sgbench.errors import SgbenchError
from sgbench.measured import UNTREATED, MeasuredPattern, treat

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from sgbench.decoder import FoundLines

# `sgbench export-onnx pretrained:NAME`, with the name that it holds, writes it.
_FILE = "laboratory.onnx"
# What the mixture `laboratory` has: where ranges begin at the latest and end at the earliest, the
# full widths of lines, background and noise as shares of the strongest point. A little more is let
# pass, since cells were drawn to where ranges end, and backgrounds are not flat.
_START, _END, _SLACK = 15.0, 70.0, 0.5
# Lines may be narrower, since under `monochromated`, where they are and which it was not trained
# under, it is right as often and as surely (docs/reference-weights.md).
_NARROWEST, _WIDEST = 0.07, 0.36
_BACKGROUND = 0.2
# The noise of a thousand counts in the strongest point, on a tenth of it, as a share of that point.
_NOISE = 0.01
# Points of that range that may be missing.
_MISSING = 0.02


@dataclass(frozen=True, eq=False)
class NetworkAnswer:
    """What the network says.

    Attributes
    ----------
    name : str
        Training set and model, as `sgbench.pretrained` has them.
    chances : ndarray of float64, shape (230,), or None
        Probabilities of the space groups; None where it was not asked.
    not_asked : str
        How the pattern differs from those it was trained on; empty where it was asked.
    """

    name: str
    chances: NDArray[np.float64] | None
    not_asked: str = ""


def ask_network(pattern: MeasuredPattern, lines: "FoundLines") -> NetworkAnswer:
    """Return what the network says of a pattern, where it is like those it was trained on.

    Parameters
    ----------
    pattern : MeasuredPattern
        With a wavelength.
    lines : FoundLines
        Those that were found in it.
    """
    session, told = _session()
    protocol = PROTOCOLS[told["protocol"]]
    name = f"{told['train_set']}/{told['model']}"
    try:
        treated = treat(pattern, UNTREATED, protocol)
    except SgbenchError as error:
        return NetworkAnswer(name, None, str(error).partition(";")[0])
    unlike = (
        _range(treated.known, protocol)
        or _width(pattern, lines, protocol)
        or _background(treated.intensity[treated.known])
        or _noise(pattern, protocol)
    )
    if unlike:
        return NetworkAnswer(name, None, unlike)
    (chances,) = session.run(["probability"], {"pattern": treated.intensity[None, :]})[0]
    return NetworkAnswer(name, np.asarray(chances, dtype=np.float64))


def _range(known: NDArray[np.bool_], protocol: PatternProtocol) -> str:
    grid = protocol.two_theta
    measured = grid[known]
    least = (grid >= _START + _SLACK) & (grid <= _END - _SLACK)
    if measured[0] > _START + _SLACK or measured[-1] < _END - _SLACK:
        return (
            f"it knows ranges from {_START:g}° or less to {_END:g}° or more at "
            f"{protocol.wavelength:.4g} Å, and this one goes from {measured[0]:.1f} to "
            f"{measured[-1]:.1f}° there"
        )
    if (~known[least]).mean() > _MISSING:
        return "it knows no range with a gap"
    return ""


def _width(pattern: MeasuredPattern, lines: "FoundLines", protocol: PatternProtocol) -> str:
    if not len(lines):
        return "no line was found"
    ratio = protocol.wavelength / pattern.wavelength
    sine = np.sin(np.radians(lines.two_theta / 2))
    there = ratio * sine < 1
    if not there.any():
        return "no line was found where it looks"
    cosines = np.sqrt(1 - sine[there] ** 2), np.sqrt(1 - (ratio * sine[there]) ** 2)
    width = float(np.median(lines.fwhm[there] * ratio * cosines[0] / cosines[1]))
    if _NARROWEST <= width <= _WIDEST:
        return ""
    return (
        f"it knows lines of {_NARROWEST:g} to {_WIDEST:g}° full width at "
        f"{protocol.wavelength:.4g} Å, and these have {width:.3f}° there"
    )


def _background(intensity: NDArray[np.float32]) -> str:
    level = float(np.median(intensity) / intensity.max())
    if level <= _BACKGROUND:
        return ""
    return (
        f"it knows backgrounds of up to a tenth of the highest point, and half of these points "
        f"are above {level:.2f} of it"
    )


def _noise(pattern: MeasuredPattern, protocol: PatternProtocol) -> str:
    sigma = pattern.sigma
    if sigma is None or np.isnan(sigma).all():
        sigma = standard_uncertainty(pattern.intensity)
    # Finer points are averaged on the way to the grid.
    averaged = np.sqrt(min(pattern.step / protocol.step, 1.0))
    level = float(np.nanmedian(sigma) * averaged / pattern.intensity.max())
    if level <= _NOISE:
        return ""
    return (
        f"it knows noise of up to {100 * _NOISE:g} % of the highest point, and here it has "
        f"{100 * level:.1f} %"
    )


@cache
def _session() -> "tuple[InferenceSession, dict[str, Any]]":
    """Return the network, and what its file says of it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    content = files(__package__).joinpath(_FILE).read_bytes()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session, json.loads(session.get_modelmeta().custom_metadata_map["sgbench"])
