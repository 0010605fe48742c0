"""Mixtures: what kinds of diffractometers do to a pattern, each with amounts of its own.

Their parts are applied in the order of physics: first what the sample and the beam do to lines,
then the background, which is counted with them, then counting. The range is cut before these, since
background and counts are shares of the strongest point that is measured, and once more behind them.
A line at a low angle, of which the range may leave nothing, is many times as strong as those behind
it; a level that referred to it would drown these.
"""

from functools import partial

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind
from sgbench.conditions.background import BACKGROUND, HUMP
from sgbench.conditions.displacement import DISPLACEMENT
from sgbench.conditions.impurity import IMPURITY
from sgbench.conditions.noise import COUNTS
from sgbench.conditions.polarisation import POLARISATION
from sgbench.conditions.recording import END, START
from sgbench.conditions.shift import SHIFT
from sgbench.conditions.texture import TEXTURE
from sgbench.conditions.tube import DOUBLET
from sgbench.conditions.width import VOIGT, WIDTH
from sgbench.diffraction import Samples

Part = tuple[ConditionKind, Amount]


def mixture(
    name: str, text: str, source: str, parts: tuple[Part, ...], version: int = 1
) -> ConditionKind:
    """Return the condition that applies parts one after the other, with streams of its own.

    What cuts the range is applied again behind all others, to the same amount.
    """
    named = tuple((kind, amount.named(f"{name}/{kind.name}")) for kind, amount in parts)
    apply = partial(_apply, named)
    return ConditionKind(name, "", text, source, (), 0.0, 0.0, apply, version, named)


def _apply(parts: tuple[Part, ...], samples: Samples, amount: Amount) -> Samples:
    again = [(kind, drawn) for kind, drawn in parts if kind in (START, END)]
    for kind, drawn in (*parts, *again):
        samples = kind.apply(samples, drawn)
    return samples


#: A sealed tube of copper without a monochromator, a flat plate at 200 mm: what results are headed
#: by.
LABORATORY = mixture(
    "laboratory",
    "a diffractometer in a laboratory: Kα₁ and Kα₂, flat plate, short count",
    "values of this benchmark, after the spread of measured patterns",
    (
        (TEXTURE, Amount(0.7, 1)),
        (IMPURITY, Amount(0, 0.05, share=1 / 3)),
        (WIDTH, Amount(0.04, 0.15)),
        (VOIGT, Amount(0.2, 0.8)),
        (DOUBLET, Amount.fixed(0.5)),
        (DISPLACEMENT, Amount(-0.1, 0.1)),
        (SHIFT, Amount(-0.05, 0.05)),
        (START, Amount(5, 15)),
        (END, Amount(70, 90)),
        (BACKGROUND, Amount(0.01, 0.1)),
        (COUNTS, Amount(1e3, 1e5, "log-uniform")),
    ),
)
#: Kα₁ alone from a Ge 111 monochromator before the sample, whose Bragg angle (2θ 27.3°) polarises
#: the beam. Lines have a full width of 0.07 to 0.14 degrees (Louër & Langford 1988), the background
#: is lower, and counts are fewer, by the third that the monochromator passes.
MONOCHROMATED = mixture(
    "monochromated",
    "a diffractometer in a laboratory with a monochromator before the sample: Kα₁ alone",
    "widths after Louër & Langford (1988), J. Appl. Cryst. 21, 430",
    (
        (TEXTURE, Amount(0.7, 1)),
        (IMPURITY, Amount(0, 0.05, share=1 / 3)),
        (POLARISATION, Amount.fixed(0.79)),
        (WIDTH, Amount(0.03, 0.06)),
        (VOIGT, Amount(0.2, 0.8)),
        (DISPLACEMENT, Amount(-0.1, 0.1)),
        (SHIFT, Amount(-0.02, 0.02)),
        (START, Amount(5, 15)),
        (END, Amount(70, 90)),
        (BACKGROUND, Amount(0.005, 0.03)),
        (COUNTS, Amount(1e3, 3e4, "log-uniform")),
    ),
)
#: A capillary that spins in a parallel beam before a strip detector. Lines have a full width of
#: 0.03° and more at the instrument (Bergamaschi et al. 2010), and 0.07 to 0.12 degrees with the
#: sample's own and on this grid; the glass makes a hump, and zero and background are well known.
SYNCHROTRON = mixture(
    "synchrotron",
    "a powder diffractometer at a synchrotron: parallel beam, capillary, strip detector",
    "Bergamaschi et al. (2010), J. Synchrotron Rad. 17, 653",
    (
        (TEXTURE, Amount(0.9, 1)),
        (IMPURITY, Amount(0, 0.02, share=1 / 3)),
        (WIDTH, Amount(0.03, 0.05)),
        (VOIGT, Amount(0.2, 0.8)),
        (SHIFT, Amount(-0.005, 0.005)),
        (START, Amount(5, 8)),
        (BACKGROUND, Amount(0.001, 0.01)),
        (HUMP, Amount(0.001, 0.02)),
        (COUNTS, Amount(1e4, 1e6, "log-uniform")),
    ),
)
