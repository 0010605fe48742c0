"""A measured pattern as a figure."""

from pathlib import Path
from typing import TYPE_CHECKING

from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.plots._style import BLUE, page, save, style

if TYPE_CHECKING:
    from sgbench.measured import MeasuredPattern

_DOTS_AN_INCH = 200


def draw_pattern(pattern: "MeasuredPattern", path: Path, title: str = "") -> None:
    """Draw a measured pattern as SVG or PNG, by the ending of the name.

    Parameters
    ----------
    pattern : MeasuredPattern
    path : Path
    title : str
        Shown as it is.

    Raises
    ------
    SgbenchError
        If the name ends otherwise, or the place cannot be written to.
    """
    ending = path.suffix.lower()
    if ending not in (".svg", ".png"):
        raise SgbenchError(f"{path} ends in '{ending}'; expected .svg or .png. Name the figure so.")
    with page(1, 1, 2.6) as (figure, panels):
        axes = panels[0, 0]
        axes.plot(pattern.two_theta, pattern.intensity, color=BLUE)
        if pattern.sigma is not None:
            low, high = pattern.intensity - pattern.sigma, pattern.intensity + pattern.sigma
            axes.fill_between(pattern.two_theta, low, high, color=BLUE, alpha=0.25, linewidth=0)
        # Dollar signs of a name are no formula.
        axes.set_title(title, parse_math=False)
        lines = ", ".join(f"{one.value:.5g}" for one in pattern.wavelengths)
        axes.set_xlabel("2θ / °" + (f"  (wavelength {lines} Å)" if lines else ""))
        axes.set_ylabel("intensity")
        axes.margins(x=0.01)
    if ending == ".svg":
        save(figure, path)
        return
    with style(), write_atomically(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DOTS_AN_INCH, metadata={"Software": None})
