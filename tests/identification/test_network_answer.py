import sys
from dataclasses import replace
from subprocess import run
from unittest.mock import patch

import jsonschema
import numpy as np
import pytest
from example_decoded import ANGLESITE, CU, PYRITE, answered, pattern

import sgbench
from sgbench.decoder._found_lines import find_lines
from sgbench.decoder._lattices import LatticeSearch
from sgbench.identification import render_answers, summary_rows
from sgbench.identification._network import _session, ask_network
from sgbench.measured import Wavelength, measured_pattern


def asked(measured, fwhm=None):
    lines = find_lines(measured.two_theta, measured.intensity, None, CU)
    return ask_network(
        measured, lines if fwhm is None else replace(lines, fwhm=fwhm + 0 * lines.fwhm)
    )


PYRITES = pattern(205, PYRITE)


def test_the_network_knows_a_cubic_lattice():
    chances = asked(PYRITES).chances
    assert chances.shape == (230,)
    assert chances.sum() == pytest.approx(1, abs=1e-4)
    assert chances[194:].sum() > 0.5


def test_scale_changes_nothing_and_other_steps_little():
    before = asked(PYRITES).chances
    scaled = replace(PYRITES, intensity=PYRITES.intensity * 1e4)
    np.testing.assert_allclose(asked(scaled).chances, before, atol=1e-5)
    finer = np.arange(5.0, 90.0, 0.01)
    again = measured_pattern(
        finer, np.interp(finer, PYRITES.two_theta, PYRITES.intensity), wavelength=CU
    )
    assert np.abs(asked(again).chances - before).sum() < 0.5


def with_gap():
    kept = (PYRITES.two_theta < 30) | (PYRITES.two_theta > 60)
    return measured_pattern(PYRITES.two_theta[kept], PYRITES.intensity[kept], wavelength=CU)


def of_wavelength(value):
    return replace(PYRITES, wavelengths=(Wavelength(value, 1.0, "test"),))


def noisy(share):
    sigma = share * PYRITES.intensity.max()
    off = np.random.default_rng(0).normal(0, sigma, len(PYRITES))
    return replace(PYRITES, intensity=PYRITES.intensity + off)


@pytest.mark.parametrize(
    ("measured", "fwhm", "why"),
    [
        (
            pattern(205, PYRITE, last=60.0),
            None,
            "ranges from 15° or less to 70° or more at 1.541 Å",
        ),
        (PYRITES, 0.025, "and these have 0.025° there"),
        (PYRITES, 0.6, "and these have 0.600° there"),
        # Of molybdenum's line the same width is more than twice as wide at copper's.
        (of_wavelength(0.7093), 0.25, "full width at 1.541 Å, and these have 0.7"),
        (with_gap(), None, "no range with a gap"),
        (replace(PYRITES, intensity=PYRITES.intensity + 5e4), None, "backgrounds of up to a tenth"),
        (noisy(0.02), None, "noise of up to 1 % of the highest point, and here it has 2."),
        (of_wavelength(90.0), None, "nothing of this pattern lies between"),
    ],
)
def test_what_it_was_not_trained_on_it_is_not_asked(measured, fwhm, why):
    found = asked(measured, fwhm)
    assert found.chances is None
    assert why in found.not_asked


def test_both_are_told_and_what_they_say_together():
    best = answered(205, PYRITE).classes[0]
    assert best.symbol == "P a - -"
    assert 0 < best.network < 1
    assert best.decoder > 0.5


def test_without_the_network_the_decoder_answers_and_it_is_said(schema):
    short = answered(205, PYRITE, last=60.0)
    assert {one.network for one in short.classes} == {None}
    assert short.classes[0].symbol == "P a - -"
    assert "The network was not asked: it knows ranges" in str(short)
    assert short.as_dict()["network"]["not_asked"].startswith("it knows ranges")
    jsonschema.validate([short.as_dict()], schema)


@pytest.mark.parametrize("deep", [False, True])
def test_without_a_cell_the_network_is_told_and_nothing_is_claimed(schema, deep):
    measured = pattern(62, ANGLESITE)
    with patch(
        "sgbench.decoder._decode_pattern.candidate_lattices",
        lambda _, __, families, *___: LatticeSearch((), families),
    ):
        answer = sgbench.identify(measured.two_theta, measured.intensity, wavelength=CU, deep=deep)
    assert answer.verdict == "cannot tell"
    assert answer.cells == ()
    assert {(one.cell, one.decoder, one.evidence) for one in answer.classes} == {(None, 0.0, None)}
    assert sum(one.probability for one in answer.classes) > 0.3
    assert answer.classes[0].network > 0
    jsonschema.validate([answer.as_dict()], schema)
    assert summary_rows([answer, answer])[0]["cell"] == ""
    assert "Extinction classes" in render_answers([answer])
    assert ("were not searched" in str(answer)) != deep


def test_neither_torch_nor_the_workflow_is_imported():
    code = (
        "import sys, numpy as np, sgbench\n"
        "x = np.arange(5, 90, 0.02)\n"
        "y = 100 + 1000 * np.exp(-((x[:, None] - [30, 45, 60, 75]) / 0.06) ** 2).sum(1)\n"
        "sgbench.identify(x, y, wavelength=1.5406, time_limit=1)\n"
        "print(sorted({'torch', 'mlflow', 'snakemake', 'pandas', 'sklearn'} & set(sys.modules)))\n"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_is_the_committed_network_for_laboratory_patterns():
    torch = pytest.importorskip("torch")
    from sgbench.pretrained import load_pretrained
    from sgbench.sets import SetSpec, open_training_set

    session, told = _session()
    trained = load_pretrained(f"{told['train_set']}/{told['model']}", torch.device("cpu"))
    assert told["plan_sha256"] == trained.provenance["plan_sha256"]
    samples = open_training_set(SetSpec.parse(told["train_set"])).training_samples(0, 8, 419)
    assert samples.protocol.name == told["protocol"]
    assert told["spacegroups"] == list(range(1, 231))
    patterns = samples.patterns()
    with torch.inference_mode():
        logits = trained.network(trained.spec.scale_input(torch.as_tensor(patterns)))
    (found,) = session.run(["probability"], {"pattern": patterns})
    np.testing.assert_allclose(found, torch.softmax(logits, dim=1).numpy(), atol=1e-4)
