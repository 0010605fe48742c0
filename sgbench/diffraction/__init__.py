"""From cells and structures to lines, and from lines to patterns."""

from sgbench.diffraction._cells import (
    FREE_PARAMETERS,
    coefficients,
    free_parameters,
    full_cell,
    hexagonal_axes,
    metric,
)
from sgbench.diffraction._lines import (
    AllowedLine,
    LineList,
    Profile,
    ReflectionTable,
    allowed_lines,
    lorentz_factor,
    reflection_table,
    two_theta_of,
)
from sgbench.diffraction._protocol import (
    CANONICAL,
    PROTOCOLS,
    PUBLISHED,
    TAIL_SIGMAS,
    TAIL_WIDTHS,
    PatternProtocol,
)
from sgbench.diffraction._pseudo_voigt import SIGMA_OF_WIDTH, part_widths, pseudo_voigt
from sgbench.diffraction._reference import reference_height
from sgbench.diffraction._render import render
from sgbench.diffraction._samples import Recording, Samples
from sgbench.diffraction._structure_factors import lines_of_reflections
from sgbench.diffraction._wilson import half_shapes

__all__ = [
    "CANONICAL",
    "FREE_PARAMETERS",
    "PROTOCOLS",
    "PUBLISHED",
    "SIGMA_OF_WIDTH",
    "TAIL_SIGMAS",
    "TAIL_WIDTHS",
    "AllowedLine",
    "LineList",
    "PatternProtocol",
    "Profile",
    "Recording",
    "ReflectionTable",
    "Samples",
    "allowed_lines",
    "coefficients",
    "free_parameters",
    "full_cell",
    "half_shapes",
    "hexagonal_axes",
    "lines_of_reflections",
    "lorentz_factor",
    "metric",
    "part_widths",
    "pseudo_voigt",
    "reference_height",
    "reflection_table",
    "render",
    "two_theta_of",
]
