"""Answers as one page: the pattern to zoom into, with the marks of cells and classes below it."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from sgbench.identification._answer import Identification
from sgbench.identification._text import (
    allowed_text,
    cell_rows,
    cell_text,
    class_rows,
    forbidden_text,
    head_text,
    hkl_text,
    intensity_text,
    line_words,
    missing_lines,
    network_text,
    summary_rows,
    telling,
)
from sgbench.links import citation
from sgbench.pages import environment, source_hash
from sgbench.version import __version__

# More points than this are thinned for the page, the lowest and the highest of each stretch kept.
_MOST_POINTS = 20_000


def render_answers(
    answers: Sequence[Identification], refused: Sequence[tuple[str, str]] = ()
) -> str:
    """Return answers as one HTML file, the same for the same answers.

    The file needs nothing but itself. A content security policy names the one script and the one
    style sheet by their hashes, so that nothing that a file's name or head smuggles in could run.

    Parameters
    ----------
    answers : sequence of Identification
    refused : sequence of (str, str)
        Names of files that were no patterns, and why.
    """
    folder = Path(str(files(__package__)))
    script, style = (
        (folder / name).read_text(encoding="utf-8") for name in ("answer.js", "answer.css")
    )
    return environment(folder).get_template("answer.html.jinja").render(
        answers=[_shown(one) for one in answers],
        summary=summary_rows(answers),
        refused=refused,
        version=__version__,
        citation=citation(),
        script=Markup(script),  # this package's own files
        style=Markup(style),
        script_hash=source_hash(script),
        style_hash=source_hash(style),
    )  # fmt: skip


def _shown(answer: Identification) -> dict[str, Any]:
    """Return an answer as the template shows it."""
    return {
        "name": answer.name or "Pattern",
        "head": head_text(answer),
        "answer": answer,
        "cells": cell_rows(answer),
        "classes": class_rows(answer),
        "network": network_text(answer),
        "evidence": [
            {
                "symbol": one.symbol,
                "axes": cell_text(one.family, one.evidence.cell),
                "conditions": one.conditions,
                "counts": forbidden_text(one.evidence),
                "lines": [
                    (line, hkl_text(line), intensity_text(line), line_words(line))
                    for line in telling(one.evidence)
                ],
                "allowed": allowed_text(one.evidence),
                "missing": [hkl_text(line) for line in missing_lines(one.evidence)],
            }
            for one in answer.classes
            if one.evidence
        ],
        "plot": _plot(answer),
    }


def _plot(answer: Identification) -> dict[str, Any]:
    """Return what the script draws: curves, lines that were found, and marks of classes."""
    pattern, fit = answer.pattern, answer.fit
    curves = {"measured": _thinned(pattern.two_theta, pattern.intensity)}
    if fit is not None:
        curves["fit"] = _thinned(fit.two_theta, fit.fitted)
        curves["background"] = _thinned(fit.two_theta, fit.background)
    return {
        "curves": curves,
        "peaks": [[round(one.two_theta, 4), one.explained] for one in answer.peaks],
        "marks": [
            {
                "name": one.symbol,
                "lines": [
                    [round(line.two_theta, 4), hkl_text(line), line.allowed, line.state]
                    for line in one.evidence.lines
                ],
            }
            for one in answer.classes
            if one.evidence
        ],
    }  # fmt: skip


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[float]]:
    """Return a curve as two lists of a few digits; of very many points some are left out."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) > _MOST_POINTS:
        stretch = 2 * -(-len(x) // _MOST_POINTS)
        starts = np.arange(0, len(x), stretch)
        ends = np.append(starts[1:], len(x))
        kept = np.unique(
            [
                start + place
                for start, end in zip(starts, ends, strict=True)
                for place in (int(np.argmin(y[start:end])), int(np.argmax(y[start:end])))
            ]
        )
        x, y = x[kept], y[kept]
    return [[float(f"{value:.7g}") for value in x], [float(f"{value:.5g}") for value in y]]
