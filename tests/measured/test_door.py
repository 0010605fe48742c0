"""What no file may do: end in a traceback, take memory, or pass as a pattern though it is none."""

import struct
import tracemalloc
import zipfile

import example_patterns as examples
import numpy as np
import pytest
from example_patterns import ANGLES, COUNTS, columns

from sgbench.errors import SgbenchError
from sgbench.measured import measured_pattern, read_pattern, read_patterns


@pytest.fixture
def refused(tmp_path):
    def of(content):
        path = tmp_path / "x.xy"
        path.write_bytes(content)
        with pytest.raises(SgbenchError) as caught:
            read_patterns(path)
        text = str(caught.value)
        assert text.isprintable()
        assert len(text) < 600
        return text

    return of


def pairs(*rows):
    return "".join(f"{x} {y}\n" for x, y in rows).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"), (b" \n\r\n ", "empty"), (bytes(range(256)) * 40, "binary"),
        (pairs((10, 5)), "1 points"),
        (pairs(*((x / 10, 0) for x in range(100))), "every intensity"),
        (pairs(*((x / 10, 7) for x in range(100))), "every intensity"),
        (pairs(*((x / 10, int(x == 50)) for x in range(100))), "zero"),
        (pairs(*((x / 10, "nan") for x in range(100))), "all but one"),
        (pairs(*((x, x) for x in range(100))), "apart"),
        (pairs(*((-x, x) for x in range(100))), "no 2θ"),
        (pairs(*((x / 10, x) for x in range(1000, 4000))), "time of flight"),
        (b"10\n" * 50, "one column"), (b"\n".join(b"%d" % n for n in range(99)), "one column"),
        (b"RAW1.01", "cut short"), (b"RAW4.00" + bytes(60), "no range"), (b"RAW2", "cut short"),
        (b"RAW " + bytes(200), "points"), (b"FI\0\0" + bytes(200), "cut short"),
        (b"PK\x03\x04" + bytes(60), "damaged"), (b"\x89HDF\r\n\x1a\n" + bytes(60), "damaged"),
        (b"<xrdMeasurements>", "damaged"), (b"<a/>", "no diffractometer"),
        (b"data_x\nloop_\n_a\n'", "damaged"),
        (b"*RAS_DATA_START\n", "RAS_INT_START"), (b"_FILEVERSION=2\n", "no range"),
        (b"SampleIdent,x\n", "RawScan"), (b"[Measurement conditions]\n", "Scan points"),
        (b"inXitu\n", "Data"), (b"!@!\n", "no points"), (b"HR-XRDScan\n", "ScanData"),
        (b".RAW\rx\r", "how many points"), (b"BANK 1 x\n", "no columns"),
        (b"BANK 1 1000 10 CONST\n1 2\n", "BANK line"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_hostile_file_gets_a_sentence(content, words, refused):
    assert words in refused(content)


def test_descending_unsorted_and_repeated_angles_are_put_in_order_and_told(tmp_path):
    path = tmp_path / "x.xy"
    path.write_bytes(pairs(*reversed(list(zip(ANGLES, COUNTS, strict=True)))))
    found = read_pattern(path)
    assert (found.intensity == COUNTS).all()
    assert any("descend" in note for note in found.notes)
    mixed = np.random.default_rng(0).permutation(len(ANGLES))
    found = measured_pattern(ANGLES[mixed], COUNTS[mixed])
    assert (found.intensity == COUNTS).all()
    assert any("out of order" in note for note in found.notes)
    twice = np.sort(np.concatenate([ANGLES, ANGLES[:10]]))
    found = measured_pattern(twice, np.arange(len(twice)), np.ones(len(twice)))
    assert len(found) == len(ANGLES)
    assert found.intensity[0] == 0.5
    assert found.sigma[0] == pytest.approx(1 / np.sqrt(2))
    assert any("repeat" in note for note in found.notes)


def test_points_without_a_number_are_left_out_and_told():
    y = COUNTS.copy()
    y[100:110] = np.nan
    sigma = np.ones(len(y))
    sigma[:5] = -1
    found = measured_pattern(ANGLES, y, sigma)
    assert len(found) == len(ANGLES) - 10
    assert np.isnan(found.sigma[:5]).all()
    assert {"points without a number were left out (10)", "points without σ: 5"} <= set(found.notes)


def test_ten_million_points_are_refused_before_they_take_memory(tmp_path):
    raw = examples.bruker_3()
    for name, content in {
        "xy": b"1 1\n" * 10_000_000,
        "words": b"10 0.000001 20\n" + b"1 " * 10_000_000,
        "lines": b"\n" * 10_000_000 + b"1 2",
        "raw": raw[:716] + struct.pack("<I", 10_000_000) + raw[720:],
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        del content
        tracemalloc.start()
        with pytest.raises(SgbenchError, match=r"1000000|points"):
            read_pattern(path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 400 * 2**20, (name, most)
        path.unlink()
    path = tmp_path / "large"
    with path.open("wb") as handle:
        handle.truncate(2**27)
    with pytest.raises(SgbenchError, match="more than 67108864 bytes"):
        read_pattern(path)


@pytest.mark.parametrize("name", ["Experiment0/RawData0.xml", "Data0/Profile0.txt"])
def test_a_bomb_of_zeros_is_refused(name, tmp_path, refused):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, bytes(2**26 + 1))
    assert "unpacks to more than" in refused(path.read_bytes())


def test_an_archive_that_lies_about_sizes_is_refused(refused):
    content = bytearray(examples.brml())
    place = content.find(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 10)
    assert "damaged" in refused(bytes(content))


def test_entities_are_refused(refused):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    for content in (
        examples.xrdml(doctype=bomb),
        examples.xrdml(doctype=bomb).decode().encode("utf-16"),
    ):
        assert "DOCTYPE" in refused(content.replace(b'<?xml version="1.0"?>', b""))
    many = examples.zipped({"Experiment0/RawData0.xml": b"<a>" + b"<b/>" * 3_000_001 + b"</a>"})
    assert "more elements" in refused(many)


def test_nothing_of_a_file_reaches_a_terminal_as_it_is(tmp_path, refused):
    path = tmp_path / "x.xy"
    path.write_bytes(b"# sample: \x1b[31mred\x07 \xe2\x80\xae<script>\n" + columns())
    found = read_pattern(path)
    assert found.metadata["sample"].isprintable()
    assert "\x1b" not in found.metadata["sample"]
    assert "\x1b" not in refused(b"<\x1b[31m/>")
    refused(examples.xrdml("\x1b[31m".replace("\x1b", "&#x9b;")))


def test_a_file_that_is_not_there_and_a_folder_get_a_sentence(tmp_path):
    for path in (tmp_path / "no.xy", tmp_path):
        with pytest.raises(SgbenchError):
            read_pattern(path)
