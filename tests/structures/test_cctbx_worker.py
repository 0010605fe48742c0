"""The worker by its answers; cctbx itself is never imported here."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from reference_lines import ask, lines_of, reflections, structure_of, two_theta_of

from sgbench.diffraction import CANONICAL, PUBLISHED, PatternProtocol
from sgbench.structures._cleaning import DISAGREEMENT, OTHER_FAMILY
from sgbench.structures.sources import Entry
from sgbench.symmetry import absences
from sgbench.workers import CRASHED, KILLED, answers_in_order

PROJECT = Path(__file__).parents[2]


def cubic(spacegroup: int, edge: float, *atoms: tuple[str, tuple[float, float, float]]) -> Entry:
    group = gemmi.find_spacegroup_by_number(spacegroup)
    elements, positions = zip(*atoms, strict=True)
    return Entry(
        structure_id="made-up",
        name="Made up",
        spacegroup=spacegroup,
        cell=(edge, edge, edge, 90.0, 90.0, 90.0),
        operators=tuple(op.triplet() for op in group.operations()),
        elements=elements,
        positions=positions,
        occupancies=(1.0,) * len(elements),
        citation="Nobody",
    )


ORIGIN, MIDDLE = (0.0, 0.0, 0.0), (0.5, 0.5, 0.5)
HALITE = cubic(225, 5.64, ("Na", ORIGIN), ("Cl", MIDDLE))
CAESIUM_CHLORIDE = cubic(221, 4.12, ("Cs", ORIGIN), ("Cl", MIDDLE))
# Chiral, and 300 of its screw axes falls on 221
ULLMANNITE = cubic(198, 5.886, ("Ni", (-0.024,) * 3), ("Sb", (0.625,) * 3), ("S", (0.39,) * 3))


def test_an_answer_holds_the_structure_and_its_lines():
    (answer,) = ask([HALITE])
    assert set(answer) == {"structure", "two_theta", "intensity"}
    structure = structure_of(answer)
    assert (structure.structure_id, structure.citation) == ("made-up", "Nobody")
    assert structure.spacegroup == 225
    lines = lines_of(answer)
    assert len(lines.two_theta) == len(lines.intensity) > 5
    assert (np.diff(lines.two_theta) > 0).all()
    low, high = CANONICAL.line_range
    assert low < lines.two_theta.min()
    assert lines.two_theta.max() < high
    assert (lines.intensity > 0).all()
    np.testing.assert_array_equal(lines.intensity, lines.intensity.astype(np.float32))
    assert lines.two_theta[lines.intensity.argmax()] == pytest.approx(31.7, abs=0.05)  # 200


def test_an_exclusion_has_a_reason_and_a_detail():
    entries = [
        replace(HALITE, spacegroup=216),
        cubic(221, 4.0, ("Qq", ORIGIN)),
        cubic(221, 1.05, ("H", ORIGIN)),
    ]
    label, element, tiny = (answer["excluded"] for answer in ask(entries))
    assert label == [DISAGREEMENT, "label 216, spglib 225"]
    assert element[0] == "structure factors not calculated"
    assert "Qq" in element[1]
    assert "\n" not in element[1]
    assert tiny == ["no line in the window", ""]


def test_other_families_are_not_calculated():
    request = {"entry": asdict(HALITE), "families": ["triclinic"], "protocol": asdict(CANONICAL)}
    (answer,) = answers_in_order("sgbench.structures.cctbx_worker", [request])
    assert answer == {"excluded": [OTHER_FAMILY, "cubic"]}


def test_a_bad_structure_does_not_take_the_others_with_it():
    bad = [
        cubic(221, 4.0, ("Qq", ORIGIN)),
        replace(HALITE, cell=(4.0, 5.0, 6.0, 90.0, 90.0, 90.0)),
        replace(HALITE, positions=((float("inf"),) * 3,) * 2),
        replace(HALITE, operators=()),
        replace(HALITE, occupancies=(0.0, 0.0)),
    ]
    answers = list(ask([HALITE, *bad, HALITE]))
    assert answers[0] == answers[-1]
    assert all("excluded" in answer for answer in answers[1:-1])


def test_a_request_that_is_none_costs_one_answer():
    good = {"entry": asdict(HALITE), "families": ["cubic"], "protocol": asdict(CANONICAL)}
    answers = list(answers_in_order("sgbench.structures.cctbx_worker", [{}, good]))
    assert answers[0] == {CRASHED: "KeyError: 'entry'"}
    assert "structure" in answers[1]


@pytest.mark.parametrize(
    ("end", "answer"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", {CRASHED: "SIGSEGV"}),
        ("signal.raise_signal(signal.SIGABRT)", {CRASHED: "SIGABRT"}),
        ("(_ for _ in ()).throw(MemoryError)", {KILLED: "MemoryError"}),
    ],
)
def test_how_a_calculation_ends_the_worker(tmp_path, monkeypatch, end, answer):
    """A fault of cctbx is one of the structure; too little memory is not."""
    (tmp_path / "failing_worker.py").write_text(
        "from sgbench.structures import cctbx_worker\n"
        "import os, signal\n"
        f"cctbx_worker.reflections = lambda *_: {end}\n"
        "cctbx_worker.serve(cctbx_worker.answer)\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(PROJECT)]))
    request = {"entry": asdict(HALITE), "families": ["cubic"], "protocol": asdict(CANONICAL)}
    assert list(answers_in_order("failing_worker", [request])) == [answer]


@pytest.mark.parametrize(
    "protocol",
    [
        PatternProtocol("molybdenum", wavelength=0.7107),
        PatternProtocol("narrow", two_theta_min=40, two_theta_max=50, sigma=0.05),
        PatternProtocol("from zero", two_theta_min=0.1, two_theta_max=60),
        PatternProtocol("to the end", two_theta_max=179.9, n_points=20_000),
    ],
    ids=lambda p: p.name,
)
def test_the_protocol_decides_which_lines(protocol):
    """All spacings that caesium chloride has in the window, none of which is weak."""
    (answer,) = ask([CAESIUM_CHLORIDE], protocol)
    n = np.unique([h**2 + k**2 + m**2 for h in range(14) for k in range(14) for m in range(14)])[1:]
    n = n[np.sqrt(n) / 4.12 < 2 / protocol.wavelength]
    positions = two_theta_of(n / 4.12**2, protocol)
    low, high = protocol.line_range
    expected = positions[(positions > low) & (positions < high)]
    np.testing.assert_allclose(answer["two_theta"], expected, atol=1e-9)


def test_the_published_protocol_cuts_indices():
    large = replace(HALITE, cell=(20.0, 20.0, 20.0, 90.0, 90.0, 90.0))
    (answer,) = ask([large], PUBLISHED)
    hkl, q = reflections(large.cell, PUBLISHED)
    assert np.abs(hkl).max() == 10
    present = two_theta_of(np.unique(np.round(q[~absences(225, hkl)], 12)), PUBLISHED)
    np.testing.assert_allclose(answer["two_theta"], present, atol=2e-6)
    (complete,) = ask([large], CANONICAL)
    assert len(complete["two_theta"]) > len(answer["two_theta"])


def test_the_published_protocol_loses_lines_behind_absent_reflections():
    """Of 300 and 221 of a P 21 3 crystal, -3 0 0 comes first, and it is absent."""
    position = two_theta_of(9 / 5.886**2)
    canonical, published = (
        np.array(next(ask([ULLMANNITE], protocol))["two_theta"])
        for protocol in (CANONICAL, PUBLISHED)
    )
    assert np.abs(canonical - position).min() < 1e-9
    assert np.abs(published - position).min() > 0.1


def test_centring_extinguishes_in_both_protocols():
    """What cctbx would not do by itself where all reflections are listed."""
    for protocol in (CANONICAL, PUBLISHED):
        (answer,) = ask([HALITE], protocol)
        position = two_theta_of(1 / 5.64**2, protocol)  # 100
        assert np.abs(np.array(answer["two_theta"]) - position).min() > 1


def test_the_answer_is_the_same_every_time():
    entries = [HALITE, CAESIUM_CHLORIDE, ULLMANNITE, HALITE]
    first = list(ask(entries))
    assert list(ask(entries[::-1])) == first[::-1]
    assert first[0] == first[-1]


def test_equal_structures_keep_their_names():
    """They are computed once, but each is answered for itself."""
    twin = replace(HALITE, structure_id="twin", name="", citation="Somebody")
    first, second = ask([HALITE, twin])
    names = {"structure_id": "twin", "name": "ClNa", "citation": "Somebody"}
    assert second == first | {"structure": first["structure"] | names}
    relabelled = replace(twin, spacegroup=216)
    answers = list(ask([twin, relabelled, HALITE]))
    assert ["structure" in answer for answer in answers] == [True, False, True]


def test_it_runs_by_itself():
    """Nothing but answers on standard output, and no word on standard error."""
    request = {"entry": asdict(HALITE), "families": ["cubic"], "protocol": asdict(CANONICAL)}
    done = subprocess.run(
        [sys.executable, "-m", "sgbench.structures.cctbx_worker"],
        input=json.dumps(request) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    ready, answer = done.stdout.splitlines()
    assert "ready" in json.loads(ready)
    assert json.loads(answer)["structure"]["spacegroup"] == 225
    assert (done.returncode, done.stderr) == (0, "")


def prototype_of(entry: Entry) -> str:
    (answer,) = ask([entry])
    return answer["structure"]["prototype"]


def test_a_prototype_does_not_depend_on_the_choice_of_origin():
    perovskites = [
        cubic(221, 3.9, ("Sr", ORIGIN), ("Ti", MIDDLE), ("O", (0.5, 0.5, 0.0))),
        cubic(221, 3.9, ("Sr", MIDDLE), ("Ti", ORIGIN), ("O", (0.5, 0.0, 0.0))),
    ]
    assert {prototype_of(entry) for entry in perovskites} == {"ABC3_221_abc"}
    blendes = [
        cubic(216, 5.41, ("Zn", start), ("S", tuple(x + 0.25 for x in start)))
        for start in (ORIGIN, MIDDLE, (0.25,) * 3, (0.75,) * 3)
    ]
    assert {prototype_of(entry) for entry in blendes} == {"AB_216_ac"}
    assert prototype_of(HALITE) == "AB_225_ab"
    assert prototype_of(CAESIUM_CHLORIDE) == "AB_221_ab"
