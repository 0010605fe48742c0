"""Files of others whose crystals are known, answered from the file to the class."""

from pathlib import Path

import pytest

from sgbench.identification import identify_pattern
from sgbench.measured import read_pattern

SHARED = Path(__file__).parents[3] / "shared/data/patterns"
pytestmark = pytest.mark.skipif(
    not (SHARED / "formats").is_dir(), reason="the patterns of others are not here"
)


@pytest.mark.parametrize(
    ("file", "wavelength", "symbol", "spacegroup", "edges"),
    [
        ("formats/brml/scimap_corundum.brml", None, "R - c", 167, (4.76, 12.99)),
        ("formats/pdcif/pdcifplotter_ALUMINA.cif", None, "R - c", 167, (4.76, 12.99)),
        ("formats/gsas/gsas2_NIST660C.gsas", "CuKa", "P - - -", 221, (4.157,)),
    ],
)
def test_a_known_crystal_is_found(file, wavelength, symbol, spacegroup, edges):
    found = identify_pattern(read_pattern(SHARED / file, wavelength))
    assert found.verdict == "one class"
    assert found.classes[0].symbol == symbol
    assert found.classes[0].spacegroups[0].number == spacegroup
    a, _, c = found.cells[0].cell[:3]
    assert (a, c)[: len(edges)] == pytest.approx(edges, rel=2e-3)


@pytest.mark.parametrize(
    ("file", "wavelength", "symbol", "edges"),
    [
        ("formats/xy/powdR_quartz.xy", "CuKa", "P 31 - -", (4.915, 5.406)),
        ("formats/bruker_raw/dash_v3_tutorial06.raw", None, "P 21 - -", (9.168, 9.168)),
        ("formats/bruker_raw/scimap_v4_corundum.raw", None, "R - c", (4.760, 12.995)),
    ],
)
def test_superlattices_that_fit_better_than_the_lattice_are_not_believed(
    file, wavelength, symbol, edges
):
    """Quartz, cubic ZrW2O8 and corundum, whose profiles are not those of the fit."""
    found = identify_pattern(read_pattern(SHARED / file, wavelength))
    assert found.verdict in ("one class", "several classes")
    assert found.classes[0].symbol == symbol
    a, _, c = found.cells[0].cell[:3]
    assert (a, c) == pytest.approx(edges, rel=1e-3)


def test_a_file_that_hides_its_second_wavelength_is_told_so():
    """LaB6 with K-alpha-1 and K-alpha-2, of which the file states one."""
    found = identify_pattern(read_pattern(SHARED / "formats/xy/rietserv_LaB6.xye"))
    assert found.verdict == "cannot tell"
    assert "try CuKa as the wavelength" in found.doubts[0]
    told = identify_pattern(read_pattern(SHARED / "formats/xy/rietserv_LaB6.xye", "CuKa"))
    assert told.verdict == "one class"
    assert told.classes[0].symbol == "P - - -"


def test_a_mixture_is_none():
    """Of several phases that do not share a cell nothing is claimed."""
    found = identify_pattern(read_pattern(SHARED / "formats/xrdml/dara_GeO2-ZnO_700C.xrdml"))
    assert found.verdict == "cannot tell"
