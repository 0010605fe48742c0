"""The decoder as a model: it indexes the cell, fits all lines and weighs the extinction classes.

It is told the family, and looks for cells in the range of the family's designed dataset. Its method
follows Pawley's fit (J. Appl. Cryst. 14, 357, 1981) and Markvardsen et al., Acta Cryst. A57, 47
(2001).
"""

import numpy as np

from sgbench.decoder import INDEXED, decode_each, spacegroup_probabilities
from sgbench.designed import Ulbd
from sgbench.diffraction import FREE_PARAMETERS
from sgbench.models._registry import register_untrained
from sgbench.models._specs import Answer, UntrainedSpec
from sgbench.sets import TestSet, family_set


# A pattern without a cell is guessed, since every model answers every sample; its row of details
# says why.
def _answer(asked: TestSet, class_scheme: str) -> Answer:
    samples, family = asked.samples, asked.family
    dataset = family_set(family)
    assert isinstance(dataset, Ulbd)  # as all families are that the decoder takes
    found = decode_each(
        samples.patterns(), samples.protocol, family, dataset.largest_cell, dataset.shortest_edge
    )
    cells = dict(zip(FREE_PARAMETERS[family], found.cells.T, strict=True))
    return Answer(
        spacegroup_probabilities(found.class_probabilities, family).astype(np.float32),
        {**cells, "misfit": found.misfit, "reason": np.array(found.reason, dtype=object)},
    )


register_untrained(
    UntrainedSpec(
        "decoder-pawley",
        _answer,
        "Markvardsen et al., Acta Cryst. A57, 47 (2001)",
        status="reference",
        families=tuple(INDEXED),
        class_schemes=("spacegroup",),
        batch=256,
    )
)
