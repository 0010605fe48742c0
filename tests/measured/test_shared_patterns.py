"""Files that others made with thirty programs, held against the table that tells what each is."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from readme_table import SHARED, rows

from sgbench.errors import SgbenchError
from sgbench.measured import read_patterns

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(
    not (SHARED / "formats").is_dir(), reason="the patterns of others are not here"
)
EXPECTED = list(csv.DictReader((HERE / "shared.csv").read_text().splitlines()))
# The head of the first says 90, but the angles beside the counts go on to 130, and a second file of
# the same scan ends there; the second repeats two angles; the third is a table of 18 ranges.
DIFFERENT = {
    "dbws/dbws_FDATA.dbw": {"last"},
    "xy/xrdpattern_single_nohdr.csv": {"points"},
    "uxd/dxtools_sin2psi_18ranges.uxd": {"points"},
}
# Two files of one scan, and how far its angles and intensities may be apart.
PAIRS = (
    ("xrdml/joseto_7059.xrdml", "csv/joseto_7059_highscore.csv", 1e-6, 0),
    ("xrdml/joseto_7059.xrdml", "udf/joseto_7059.udf", 1e-6, 0),
    ("xrdml/yadg_210520.xrdml", "csv/yadg_highscore.csv", 1e-6, 0),
    ("xrdml/fairmat_918_powder.xrdml", "nexus/pynxtools_918_ref.nxs", 1e-9, 0),
    ("chi/peakpo_feooh.chi", "asc/peakpo_feooh.asc", 1e-6, 1e-6),
    ("brml/scimap_corundum.brml", "bruker_raw/scimap_v4_corundum.raw", 1e-4, 0),
    ("brml/dxtools_sin2psi_18scans.brml", "uxd/dxtools_sin2psi_18ranges.uxd", 1e-6, 0),
    ("bruker_raw/xylib_v3_BT86.raw", "uxd/xylib_BT86.uxd", 1e-3, 0),
    ("bruker_raw/importtool_v3_P3HT.raw", "uxd/importtool_P3HT_2theta.uxd", 1e-6, 0),
    ("lhpm/qarr_cpd-1a_lhpm.dat", "xy/pyobjcryst_cpd-1a.prn", 1e-6, 0),
    ("dbws/dbws_FDATA.dbw", "rietan_int/rietan_general_fapatite.int", 1e-6, 0),
    ("pdcif/easydiff_hrpt.cif", "xy/easydiff_LBCO_hrpt.xye", 1e-6, 0),
)


@cache
def patterns(name):
    """Return the patterns of a file, or why there are none."""
    try:
        return read_patterns(SHARED / name)
    except SgbenchError as error:
        return str(error)


@pytest.mark.parametrize("folder", ["formats", "misc", "pdcif", "thin-film-perovskites"])
def test_each_file_is_read_or_refused_for_what_it_is(folder):
    wrong = []
    for one in EXPECTED:
        if not one["file"].startswith(f"{folder}/"):
            continue
        found = patterns(one["file"])
        if isinstance(found, str):
            if not one["refused"] or one["refused"] not in found:
                wrong.append((one["file"], found))
            continue
        first = found[0]
        seen = {
            "refused": "", "scans": str(len(found)), "format": first.format,
            "first": f"{first.two_theta[0]:.6g}", "last": f"{first.two_theta[-1]:.6g}",
            "step": f"{first.step:.5g}", "points": str(len(first)),
            "wavelengths": " ".join(f"{line.value:.7g}" for line in first.wavelengths),
            "sigma": "no" if first.sigma is None else "yes",
        }  # fmt: skip
        wrong += [(one["file"], key, one[key], seen[key]) for key in seen if seen[key] != one[key]]
    assert wrong == []


def test_no_file_is_left_out():
    there = {
        str(path.relative_to(SHARED)) for path in SHARED.rglob("*")
        if path.is_file() and path.name != "README.md"
    }  # fmt: skip
    assert there == {one["file"] for one in EXPECTED}


def test_ranges_are_those_of_the_collections_own_table():
    wrong, seen = [], 0
    for name, told, _ in rows():
        found = patterns(f"formats/{name}")
        if isinstance(found, str):
            continue
        seen += 1
        first = found[0]
        values = (first.two_theta[0], first.two_theta[-1], first.step, len(first))
        for what, value, expected in zip(
            ("first", "last", "step", "points"), values, told, strict=True
        ):
            allowed = {"step": 0.03 * first.step, "points": 0}.get(what, 0.02)
            if expected is None or what in DIFFERENT.get(name, ()):
                continue
            if abs(value - expected) > allowed:
                wrong.append((name, what, value, expected))
    assert wrong == []
    assert seen >= 120


@pytest.mark.parametrize(("one", "other", "angle", "intensity"), PAIRS)
def test_two_files_of_one_scan_agree(one, other, angle, intensity):
    ours, theirs = patterns(f"formats/{one}"), patterns(f"formats/{other}")
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert np.abs(a.two_theta - b.two_theta).max() <= angle
        assert a.intensity == pytest.approx(b.intensity, rel=intensity, abs=1e-9)


def test_what_is_no_powder_pattern_is_never_read_silently():
    """The table marks some files so; a reader refuses them or says so."""
    silent = []
    for name, _, line in rows():
        found = patterns(f"formats/{name}")
        if "not a powder pattern" in line.lower() or "must not be read" in line:
            assert isinstance(found, str), name
        elif ("(not powder" in line or "(not a powder" in line) and not isinstance(found, str):
            silent += [name] if not found[0].notes else []
    assert silent == []
