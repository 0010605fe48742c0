"""Absences and point-group operations from spglib and cctbx, none of it by way of gemmi."""

import json
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import spglib


@cache
def _hall_numbers() -> dict[int, int]:
    """The first Hall number of each group: axis b, hexagonal axes, origin choice 1."""
    first: dict[int, int] = {}
    for hall in range(1, 531):
        first.setdefault(spglib.get_spacegroup_type(hall).number, hall)
    return first


@cache
def operations(spacegroup: int) -> tuple[np.ndarray, np.ndarray]:
    database = spglib.get_symmetry_from_database(_hall_numbers()[spacegroup])
    return database["rotations"], database["translations"]


def absences(spacegroup: int, hkl: np.ndarray) -> np.ndarray:
    """Absent exactly where an operation (R, t) has h R = h and h . t not an integer."""
    rotations, translations = operations(spacegroup)
    absent = np.zeros(len(hkl), dtype=bool)
    # 24 t is an integer; float32 products of such small integers are exact.
    shifts = np.rint(24 * translations).astype(np.float32)
    moved = hkl.astype(np.float32) @ np.concatenate(rotations - np.eye(3), axis=1).astype("f4")
    fixed = ~moved.reshape(len(hkl), -1, 3).any(axis=2)
    phases = hkl.astype(np.float32) @ shifts.T
    absent |= (fixed & (phases % 24 != 0)).any(axis=1)
    return absent


_CCTBX = """
import json, sys
from cctbx import sgtbx
from cctbx.array_family import flex
hkl = flex.miller_index([tuple(h) for h in json.load(sys.stdin)])
for number in range(1, 231):
    absent = sgtbx.space_group_info(number).group().is_sys_absent(hkl)
    print("".join("1" if x else "0" for x in absent))
"""


@pytest.fixture(scope="session")
def spglib_absences():
    return absences


@pytest.fixture(scope="session")
def spglib_operations():
    return operations


@pytest.fixture(scope="session")
def cctbx_absences():
    """A function from reflections to rows of absences, one a space group.

    In a process of its own: cctbx crashes one that has loaded gemmi or torch.
    """

    def ask(hkl: np.ndarray) -> np.ndarray:
        done = subprocess.run(
            [sys.executable, "-c", _CCTBX],
            input=json.dumps(hkl.tolist()),
            capture_output=True,
            text=True,
            check=True,
        )
        return np.array([[char == "1" for char in row] for row in done.stdout.split()])

    return ask


@pytest.fixture(scope="session")
def box():
    """All reflections with indices up to a limit, one of each Friedel pair at least."""

    def make(limit: int) -> np.ndarray:
        axis = np.arange(-limit, limit + 1, dtype=np.int32)
        grid = np.meshgrid(axis[limit:], axis, axis, indexing="ij")
        return np.stack(grid, axis=-1).reshape(-1, 3)

    return make
