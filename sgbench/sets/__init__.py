"""Sets of labelled samples: the value that names one, the catalogue, and what they yield."""

from sgbench.sets._catalogue import CELLS_OF, ULBD, ULBD_ALL, designed_set, family_set
from sgbench.sets._export import (
    DESIGNED_FORMAT,
    export_crystals_hdf5,
    export_hdf5,
    write_designed,
)
from sgbench.sets._lattice_ranges import lattice_ranges
from sgbench.sets._spec import (
    DESIGNED,
    DESIGNED_SETS,
    IN_MESH,
    MEASURED_SETS,
    OFF_MESH,
    SEALED,
    STEMS,
    TEST_SETS,
    Mesh,
    SetSpec,
    designed_test_set,
)
from sgbench.sets._test_sets import TestSet, open_test_set, seen_in_training
from sgbench.sets._training_sets import TrainingSet, open_training_set

__all__ = [
    "CELLS_OF",
    "DESIGNED",
    "DESIGNED_FORMAT",
    "DESIGNED_SETS",
    "IN_MESH",
    "MEASURED_SETS",
    "OFF_MESH",
    "SEALED",
    "STEMS",
    "TEST_SETS",
    "ULBD",
    "ULBD_ALL",
    "Mesh",
    "SetSpec",
    "TestSet",
    "TrainingSet",
    "designed_set",
    "designed_test_set",
    "export_crystals_hdf5",
    "export_hdf5",
    "family_set",
    "lattice_ranges",
    "open_test_set",
    "open_training_set",
    "seen_in_training",
    "write_designed",
]
