"""Sources of measured patterns, against a server on this machine."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from example_collections import (
    columns,
    opxrd_pattern,
    rruff_files,
    serving,
    zipped,
)

from sgbench import fetching
from sgbench.collections import build_patterns
from sgbench.collections.sources import SOURCES, cod, open_pattern_source, rruff
from sgbench.errors import SgbenchError
from sgbench.sourced import Excluded

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(fetching, "_PAUSE", 0.0)
    monkeypatch.setattr(fetching, "_CHUNK", 2**10)
    monkeypatch.setattr(rruff, "_PAUSE", 0.0)
    monkeypatch.setattr(cod, "_PAUSE", 0.0)


def by_id(source):
    return {getattr(one, "pattern_id", getattr(one, "structure_id", "")): one
            for one in source.read()}  # fmt: skip


def test_rruff_is_fetched_once_and_goes_on_where_it_broke_off(tmp_path):
    with serving(rruff_files()) as files:
        files.break_off = 1
        source = open_pattern_source("rruff", files.address, tmp_path)
        again = open_pattern_source("rruff", files.address, tmp_path)
    asked = [part for path, part in files.requests if path == "/XY_Processed.zip"]
    assert asked[0] == ""
    assert asked[1].startswith("bytes=")
    assert len(files.requests) == 3
    assert source.provenance == again.provenance
    found = by_id(source)
    quartz = found["Quartz__R040031-1"]
    assert (quartz.substance, quartz.spacegroup) == ("Quartz", 154)
    assert quartz.pattern.wavelength == pytest.approx(1.541838)
    assert quartz.cell[2] == pytest.approx(5.4047)
    assert isinstance(found["Broken__R000002-1"], Excluded)


def test_the_audit_says_why_a_pattern_is_no_test(tmp_path):
    for name, content in rruff_files().items():
        (tmp_path / name).write_bytes(content)
    patterns = build_patterns(
        "measured-rruff", open_pattern_source("rruff", str(tmp_path), tmp_path)
    )
    assert [one.pattern_id for one in patterns.patterns] == [
        "Halite__R070292-1", "Quartz__R040031-1", "Quartz__R050125-1",
    ]  # fmt: skip
    assert {one.structure_id: one.reason for one in patterns.excluded} == {
        "Broken__R000002-1": "unreadable",
        "Nameless__R000001-1": "no space group",
        "Halite__R070292-2": "duplicate",
    }
    assert patterns.clusters == ("Halite", "Quartz", "Quartz")


def test_opxrd_is_what_its_record_says_it_is(tmp_path):
    archive = zipped(
        {
            "CNRS/a.json": opxrd_pattern(),
            "CNRS/simulated.json": opxrd_pattern(simulated=True, seed=1),
            "HKUST/mixture.json": opxrd_pattern(phases=2, seed=2),
            "HKUST/no-wavelength.json": opxrd_pattern(wavelength=(None, None), seed=3),
            "HKUST/no-label.json": opxrd_pattern(group=None, phases=0, seed=4),
            "HKUST/torn.json": opxrd_pattern()[:-40],
        }
    )
    with serving({"opXRD.zip": archive}) as files:
        link = {"self": f"{files.address}/opXRD.zip"}
        told = {"key": "opXRD.zip", "checksum": f"md5:{hashlib.md5(archive).hexdigest()}"}
        files.held["record"] = json.dumps({"files": [told | {"links": link}]}).encode()
        source = open_pattern_source("opxrd", f"{files.address}/record", tmp_path)
        found = build_patterns("measured-opxrd", source)
        told["checksum"] = f"md5:{hashlib.md5(b'other').hexdigest()}"
        files.held["record"] = json.dumps({"files": [told | {"links": link}]}).encode()
        with pytest.raises(SgbenchError, match=r"its md5 is .* not"):
            open_pattern_source("opxrd", f"{files.address}/record", tmp_path / "other")
    assert [one.pattern_id for one in found.patterns] == ["CNRS/a"]
    assert found.patterns[0].spacegroup == 225
    assert [line.value for line in found.patterns[0].pattern.wavelengths] == [1.54056, 1.54439]
    assert {one.structure_id: one.reason for one in found.excluded} == {
        "CNRS/simulated": "calculated pattern",
        "HKUST/mixture": "several phases declared",
        "HKUST/no-wavelength": "no wavelength",
        "HKUST/no-label": "no space group",
        "HKUST/torn": "unreadable",
    }
    assert not list(tmp_path.rglob("other/**/*.part"))


ROCK_SALT = """data_halite
_chemical_name_mineral Halite
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M '{group}'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na 0 0 0
Cl 0.5 0.5 0.5
"""


def profile(*places, wavelength=True, seed=0):
    text = columns(*places, seed=seed).decode().replace(",", " ")
    stated = "_diffrn_radiation_wavelength 1.5406\n" if wavelength else ""
    head = "loop_\n_pd_meas_2theta_scan\n_pd_meas_counts_total\n"
    return f"{stated}{head}{text}"


def test_entries_of_the_cod_are_fetched_one_by_one(tmp_path):
    right = ROCK_SALT.format(group="F m -3 m")
    held = {
        "1000001.cif": right + profile(27.3, 31.7, 45.4),
        "1000002.cif": right,
        "1000003.cif": right + profile(27.3, 31.7, 45.5, wavelength=False),
        "1000004.cif": ROCK_SALT.format(group="F -4 3 m") + profile(27.3, 31.7, 45.6),
    }
    (tmp_path / "ids.txt").write_text("1000001\n1000002\n1000003\n1000004\n1000001\n")
    with serving({name: text.encode() for name, text in held.items()}) as files:
        place = f"{files.address}?{tmp_path / 'ids.txt'}"
        found = build_patterns("measured-cod", open_pattern_source("cod", place, tmp_path))
        assert len(files.requests) == 4
    (one,) = found.patterns
    assert (one.substance, one.spacegroup, one.prototype) == ("Halite", 225, "AB_225_ab")
    assert {one.structure_id: one.reason for one in found.excluded} == {
        "1000002": "no measured profile",
        "1000003": "no wavelength",
        "1000004": "label is not the structure's own symmetry",
    }
    (tmp_path / "ids.txt").write_text("quartz\n")
    with pytest.raises(SgbenchError, match="list of COD numbers"):
        open_pattern_source("cod", str(tmp_path / "ids.txt"), tmp_path)


def test_a_folder_of_yours_needs_a_table_of_labels(tmp_path):
    (tmp_path / "a.xy").write_bytes(columns(27.3, 31.7, 45.4))
    (tmp_path / "b.xy").write_bytes(columns(20.9, 26.6, 50.1))
    (tmp_path / "labels.csv").write_text(
        "file,spacegroup,substance,wavelength\na.xy,Fm-3m,halite,CuKa\nb.xy,154,quartz,\n"
        "c.xy,1,nothing,1.54\n"
    )
    found = build_patterns("measured-mine", open_pattern_source("folder", str(tmp_path), tmp_path))
    assert [(one.pattern_id, one.spacegroup) for one in found.patterns] == [("a.xy", 225)]
    reasons = {one.structure_id: one.reason for one in found.excluded}
    assert reasons == {"b.xy": "no wavelength", "c.xy": "unreadable"}
    (tmp_path / "labels.csv").write_text("file,spacegroup\nc.xy,225\n")
    with pytest.raises(SgbenchError, match=r"of 1, c\.xy: unreadable, .*c\.xy"):
        build_patterns("measured-mine", open_pattern_source("folder", str(tmp_path), tmp_path))
    for name, words in (("../a.xy", "outside of the folder"), ("a\0.xy", "no name of a file")):
        (tmp_path / "labels.csv").write_text(f"file,spacegroup\n{name},225\n")
        with pytest.raises(SgbenchError, match=words):
            open_pattern_source("folder", str(tmp_path), tmp_path)


def test_arrays_of_development_data_say_that_they_are(tmp_path):
    path = tmp_path / "a.npz"
    angles = np.arange(5, 90, 0.02)
    rows = [100 * np.exp(-(((angles - at) / 0.1) ** 2)) for at in (20, 40, 60)]
    np.savez(path, two_theta=angles, intensity=np.array(rows), spacegroup=[225, 14, 62])
    found = build_patterns(
        "measured-a", open_pattern_source("rruff-a", str(path), tmp_path), development=True
    )
    assert found.source == "a (development data)"
    assert len(found.patterns[0].pattern.wavelengths) == 2
    np.savez(path, two_theta=angles, intensity=np.array(rows), spacegroup=[225])
    with pytest.raises(SgbenchError, match="shape"):
        open_pattern_source("rruff-a", str(path), tmp_path)


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_not_there_is_told(name, tmp_path):
    with pytest.raises(SgbenchError):
        list(open_pattern_source(name, str(tmp_path / "nowhere"), tmp_path).read())


def test_real_patterns_become_a_collection(tmp_path):
    held = SHARED / "patterns" / "misc"
    if not held.exists():
        pytest.skip("no shared patterns")
    rows = ["file,spacegroup,substance,wavelength"]
    for name, group in (("gsas_PbSO4_CuKa.XRA", "P n m a"), ("gsas_LaB6_Jan2018.raw", "221")):
        (tmp_path / name).write_bytes((held / name).read_bytes())
        rows.append(f"{name},{group},{name},CuKa")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    source = open_pattern_source("folder", str(tmp_path), tmp_path)
    found = build_patterns("measured-mine", source)
    assert {62, 221} >= set(found.spacegroup.tolist()) != set()
