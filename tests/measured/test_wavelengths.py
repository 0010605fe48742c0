"""No wavelength without a source: that of the file, the caller's, or an error that says how."""

import pytest
from example_patterns import ANGLES, COUNTS, columns, highscore

from sgbench.errors import SgbenchError
from sgbench.measured import measured_pattern, read_pattern
from sgbench.measured._wavelengths import given, in_text


def test_without_a_wavelength_the_pattern_reads_and_says_how_to_give_one(tmp_path):
    path = tmp_path / "x.xy"
    path.write_bytes(columns())
    found = read_pattern(path)
    assert found.wavelengths == ()
    with pytest.raises(SgbenchError, match=r"not known.*--wavelength CuKa"):
        _ = found.wavelength
    assert read_pattern(path, 0.7).wavelength == 0.7
    assert read_pattern(path, "0.7").wavelengths[0].source == "given by the caller"


def test_the_callers_wavelength_replaces_that_of_the_file_and_this_is_told(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(highscore())
    assert read_pattern(path).wavelength == 1.540598
    found = read_pattern(path, "MoKa1")
    assert found.wavelength == pytest.approx(0.70932, abs=1e-5)
    assert any("states 1.5406 Å" in note for note in found.notes)
    assert not any("states" in note for note in read_pattern(path, "CuKa").notes)


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        (1.5406, [1.5406]), ("1.5406", [1.5406]), ("1.5406,1.5444", [1.5406, 1.5444]),
        ((0.7, 0.71), [0.7, 0.71]), ("CuKa1", [1.5405929]), ("cu", [1.5405929, 1.5444274]),
        ("Co Kα", [1.788996, 1.792835]), ("Mo-Kalpha2", [0.713607]),
    ],
)  # fmt: skip
def test_what_a_caller_can_give(wanted, values):
    assert [one.value for one in given(wanted)] == values


@pytest.mark.parametrize("wanted", ["", "Xx", "15.4", 0, -1, "1,2,3", (), "nan", float("inf")])
def test_what_is_no_wavelength_is_refused(wanted):
    with pytest.raises(SgbenchError, match="no wavelength"):
        given(wanted)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("Calibrated wavelength = 0.413529", [0.413529]), ("# Wavelength: 4.066e-11 m", [0.4066]),
        ("wavelength (nm) 0.15406", [0.15406]), ("lambda=  2.45010, T=1", [2.4501]),
        ("K2SO4 l=2.343 A (Ge004)", [2.343]), ("CTI, 1.7037 A, H.I  WL: 1.7013", [1.7013]),
        ("SI3N4  RR  1.470 ANG 295.0 K", [1.47]), ("Fe3O4() 1.8876A  x", [1.8876]),
        ("Anode Cu Alpha1 1.54056 Alpha2 1.54439 Ratio 0.5", [1.54056, 1.54439]),
        ('Anode: "Co"', [1.788996, 1.792835]), ("CeO2 CuKalpha", [1.5405929, 1.5444274]),
        # What no word and no unit explains is no wavelength.
        ("Y3FE2 RT 1.909", []), ("CoKaPeak = 470", []), ("Co", []), ("a=5.431 A", []),
        ("wavelength unknown", []), ("start 13 keV", []),
    ],
)  # fmt: skip
def test_what_prose_states(line, values):
    assert [one.value for one in in_text([line])] == pytest.approx(values)


def test_arrays_come_through_the_same_door():
    found = measured_pattern(ANGLES[::-1], COUNTS[::-1], wavelength="CuKa")
    assert (found.two_theta == ANGLES).all()
    assert found.wavelength == pytest.approx(1.54059, abs=1e-5)
    with pytest.raises(SgbenchError, match="no powder pattern"):
        measured_pattern([1, 2], [3, 4])
