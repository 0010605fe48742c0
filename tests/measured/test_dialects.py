"""Every format and dialect, as small files that are made here; none is named by its kind."""

import example_patterns as examples
import numpy as np
import pytest
from example_patterns import ANGLES, COUNTS, EXAMPLES, SIGMA

from sgbench.errors import SgbenchError
from sgbench.measured import FORMATS, read_pattern, read_patterns


@pytest.fixture
def read(tmp_path):
    def of(content, *arguments, **options):
        path = tmp_path / "pattern.dat"
        path.write_bytes(content)
        return read_pattern(path, *arguments, **options)

    return of


@pytest.fixture
def read_all(tmp_path):
    def of(content):
        path = tmp_path / "pattern.dat"
        path.write_bytes(content)
        return read_patterns(path)

    return of


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_dialect_gives_the_same_pattern(name, read):
    form, wavelengths, has_sigma, make = EXAMPLES[name]
    found = read(make())
    assert found.format == form
    assert len(found) == len(ANGLES)
    assert found.two_theta == pytest.approx(ANGLES, abs=2e-5)
    loss = 0.01 if "Philips" in name and form != "Philips UDF" and form != "Philips X00" else 1e-6
    assert found.intensity == pytest.approx(COUNTS, rel=loss)
    assert len(found.wavelengths) == wavelengths
    assert (found.sigma is not None) == has_sigma
    if has_sigma and name not in ("ILL", "pdCIF", "pdCIF of two blocks"):
        assert found.sigma == pytest.approx(SIGMA, abs=0.06)
    for one in found.wavelengths:
        assert one.source


def test_every_format_of_the_table_is_made_here():
    assert {one.name for one in FORMATS} == {form for form, *_ in EXAMPLES.values()}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (examples.ras("Omega"), "rocking curve"),
        (examples.ras("Phi"), "phi scan"),
        (examples.rigaku_asc("beta"), "pole figure"),
        (examples.uxd("THETA"), "rocking curve"),
        (examples.bruker_3(3), "rocking curve"),
        (examples.xrdml("Omega"), "rocking curve"),
        (examples.xrdml(kind="Area measurement"), "map"),
        (examples.rasx("RAS_3DE_RSM", scans=3), "map"),
        (examples.gsas("ALT"), "time of flight"),
        (b"# chi_Q chi_I\n" + examples.columns(), "scattering vector Q"),
        (b"# The X-axis unit is\n# Time-of-flight  Y\n" + examples.columns(), "time of flight"),
        (b"Energy (keV),Counts\n" + examples.columns(","), "an energy"),
        (b"\n".join(b"%d %d %d 3.5 0.2" % (h, k, 1) for h in range(9) for k in range(9)),
         "Miller"),
        (b"#MeasParameter\n#TextureParameter\n&H=2\n", "pole figure"),
        (b"XR01\n\n&b\n", "single crystal"),
        (b"INS   BANK      1\nINS  1 ICONS 0.41\n", "instrument parameters"),
        (b"data_x\n_cell_length_a 5.4\n", "without a measured profile"),
        (b"data_x_simulated\nloop_\n_pd_meas_2theta_scan\n_pd_meas_intensity_total\n1 2\n2 3\n",
         "calculated"),
        (b"<svg/>", "XML"), (b"\x89PNG\r\n\x1a\n....", "picture"), (b"%PDF-1.4", "document"),
        (b"\x1f\x8b....", "compressed"), (b"Once upon a time\nthere was a line.\n", "no columns"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_no_powder_pattern_is_refused_for_what_it_is(content, words, read):
    with pytest.raises(SgbenchError, match=words):
        read(content)


def test_a_reflectivity_curve_is_no_powder_pattern(read):
    curve = "".join(f"{x / 100:.2f} {1e6 / (1 + x) ** 3:.4f}\n" for x in range(500))
    with pytest.raises(SgbenchError, match="reflectivity"):
        read(curve.encode())


def test_a_file_of_several_scans_asks_which(read, read_all):
    content = examples.uxd(ranges=3)
    assert [one.scan for one in read_all(content)] == [1, 2, 3]
    with pytest.raises(SgbenchError, match=r"3 scans.*--scan"):
        read(content)
    assert read(content, scan=2).metadata["chi"] == "1"
    with pytest.raises(SgbenchError, match="no scan 4"):
        read(content, scan=4)


def test_columns_that_begin_anew_are_scans_and_parts_that_overlap_are_one(read, read_all):
    one = examples.columns()
    assert len(read_all(one + one)) == 2
    later = b"".join(b"%.2f 7\n" % (29.5 + 0.02 * n) for n in range(100))
    found = read(one + later)
    assert found.two_theta[-1] == pytest.approx(31.48)
    assert any("out of order" in note for note in found.notes)


def test_scans_that_are_none_are_left_out_and_told(read):
    content = examples.ras() + examples.ras("Omega")
    found = read(content)
    assert any("1 of 2 scans" in note for note in found.notes)


def test_the_block_of_another_program_is_told(read):
    notes = read(EXAMPLES["pdCIF"][3]()).notes
    assert any("simulated" in note for note in notes)


def test_ranges_that_differ_are_told(read):
    text = b"data_x\n_pd_meas_2theta_range_min 10\n_pd_meas_2theta_range_max 29.98\n"
    text += b"_pd_meas_2theta_range_inc 0.02\n_pd_proc_2theta_range_min 10.1\n"
    text += b"_pd_proc_2theta_range_max 30.08\n_pd_proc_2theta_range_inc 0.02\n"
    rows = b"".join(b"%d\n" % value for value in COUNTS)
    found = read(text + b"loop_ _pd_meas_counts_total\n" + rows)
    assert found.two_theta == pytest.approx(ANGLES)
    assert any("10.1 to 30.08 as processed" in note for note in found.notes)


def test_numbers_that_have_grown_together_are_parted(read):
    rows = [
        f"{x:7.5g}".rstrip() if False else f"{x:.4f}" for x in 10.0312 + 0.0496 * np.arange(400)
    ]
    lines = [
        f"{x}{40000 + n}" if 100 < n < 140 else f"{x} {200 + n % 7}" for n, x in enumerate(rows)
    ]
    found = read("\n".join(lines).encode())
    assert len(found) == 400
    assert found.intensity[120] == 40120
    assert any("grown together" in note for note in found.notes)


def test_more_or_fewer_points_than_the_head_says_are_told(read):
    fewer = read(examples.steps("10 0.02 30.98 x"))
    assert len(fewer) == 1000
    assert any("1050 points" in note or "1050" in note for note in fewer.notes)
    more = read(examples.steps("10 0.02 27.98 x"))
    assert len(more) == 900
    assert any("left out" in note for note in more.notes)


def test_a_calculated_column_is_not_taken_for_sigma(read):
    rows = "".join(f"{x:.2f} {y:.1f} {y * 1.01:.1f}\n" for x, y in zip(ANGLES, COUNTS, strict=True))
    found = read(rows.encode())
    assert found.sigma is None
    assert any("calculated" in note for note in found.notes)


def test_names_choose_among_many_columns(read):
    head = "Nr.\tPos. [°2Th.]\tQ [1/Å]\tIback [cts]\tStd.Abw.\tIntensity [Counts]\n"
    rows = "".join(
        f"{n}\t{x:.4f}\t1.2\t\t{s:.4f}\t{y:.1f}\n"
        for n, (x, y, s) in enumerate(zip(ANGLES, COUNTS, SIGMA, strict=True))
    )
    found = read(b"\xef\xbb\xbf" + (head + rows).encode())
    assert found.two_theta == pytest.approx(ANGLES, abs=1e-4)
    assert found.intensity == pytest.approx(COUNTS)
    assert found.sigma == pytest.approx(SIGMA, abs=1e-4)


def test_a_list_of_lines_is_no_profile(read):
    places = np.cumsum(np.random.default_rng(1).exponential(0.3, 200)) + 5
    rows = "".join(f"{x:.4f} {y:.1f}\n" for x, y in zip(places, COUNTS, strict=False))
    with pytest.raises(SgbenchError, match="list of lines"):
        read(rows.encode())


def test_heads_of_other_languages(read):
    found = read("Winkel;Intensität;σ\n".encode() + examples.columns(";", 4, True))
    assert found.sigma == pytest.approx(SIGMA, abs=1e-4)
