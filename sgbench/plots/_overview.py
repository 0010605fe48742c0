"""The benchmark in one picture: a pattern, the lines it lacks, its class, and the ceiling."""

from typing import TYPE_CHECKING

import numpy as np

from sgbench.diffraction import allowed_lines, free_parameters
from sgbench.plots._style import BLUE, GREY, ORANGE, page
from sgbench.structures import CrystalSet
from sgbench.symmetry import Ceiling, extinction_classes, family_spacegroups, spacegroup_symbol
from sgbench.text import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Rutile: a small cell, whose missing lines can be counted, and a class of three space groups.
_SHOWN = ("Rutile", 136)
_LARGEST_ANGLE = 70.0


def extinction_overview(crystals: CrystalSet) -> "Figure":
    """Show how a pattern leads to an extinction class, and the class to a ceiling.

    Parameters
    ----------
    crystals : CrystalSet
        Rutile is shown where it is there, else the crystal with the smallest cell among those whose
        class has reflection conditions and several space groups, else among all.
    """
    index = _chosen(crystals)
    group, family = int(crystals.spacegroup[index]), crystals.family[index]
    samples = crystals.samples([index])
    protocol, (pattern,) = samples.protocol, samples.patterns()
    free = free_parameters(family, crystals.cell[index])
    classes = extinction_classes(family_spacegroups(family))
    own = next(one for one in classes if group in one.spacegroups)
    lattice = allowed_lines(classes[0].spacegroups[0], free, protocol)
    present = {line.hkl for line in allowed_lines(group, free, protocol)}
    with page(1, 3, 2.5, width_ratios=(3.2, 2.2, 1.5)) as (figure, ((left, middle, right),)):
        left.plot(protocol.two_theta, pattern, color=BLUE)
        for line in lattice:
            if line.two_theta <= _LARGEST_ANGLE:
                missing = line.hkl not in present
                colour = ORANGE if missing else GREY
                left.plot([line.two_theta] * 2, [-0.16, -0.06], color=colour, linewidth=1.2)
                if missing:
                    name = "".join(map(str, line.hkl))
                    left.text(line.two_theta, -0.2, name, color=ORANGE, rotation=90,
                              ha="center", va="top", fontsize=6)  # fmt: skip
        left.set_xlim(protocol.two_theta_min, _LARGEST_ANGLE)
        left.set_ylim(-0.48, 1.05)
        left.set_yticks([])
        left.set_xlabel("2θ (degrees)")
        left.set_title(f"1. {crystals.name[index]} lacks lines of its lattice")
        _words(
            middle,
            "2. They name the class",
            [f"missing unless {condition}" for condition in own.conditions]
            + [f"class {own.symbol}:"]
            + [f"{spacegroup_symbol(n)} ({n})" for n in own.spacegroups],
        )
        ceiling = Ceiling.of_family(family)
        shares = [1 / len(own.spacegroups), ceiling.top[0]]
        right.barh([1, 0], [100 * share for share in shares], 0.5, color=(GREY, BLUE))
        for height, share in zip((1, 0), shares, strict=True):
            right.text(100 * share + 2, height, f"{percent(share)} %", va="center")
        right.set_yticks([1, 0], ["this class", f"all {ceiling.n_spacegroups}\n{family}\ngroups"])
        right.set_xlim(0, 100)
        right.set_xlabel("groups right, at best (%)")
        right.set_title("3. Hence a ceiling")
        return figure


def _chosen(crystals: CrystalSet) -> int:
    names, groups = np.array(crystals.name), crystals.spacegroup
    wanted = np.flatnonzero((names == _SHOWN[0]) & (groups == _SHOWN[1]))
    if len(wanted):
        return int(wanted[0])
    telling = {
        n
        for family in set(crystals.family)
        for one in extinction_classes(family_spacegroups(family))
        if one.conditions and len(one.spacegroups) > 1
        for n in one.spacegroups
    }
    found = [i for i, group in enumerate(groups.tolist()) if group in telling]
    return min(found or range(len(groups)), key=lambda i: (float(crystals.cell[i, :3].prod()), i))


def _words(axes: "Axes", title: str, lines: list[str]) -> None:
    axes.set_axis_off()
    axes.set_title(title)
    axes.text(0.5, 0.95, "\n".join(lines), ha="center", va="top", linespacing=1.8)
