import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgbench import plots
from sgbench.models import REFERENCE

LENGTHS = (1_000, 4_000, 16_000)


def rows(errors, family="cubic", model=REFERENCE, sha256="a", n=10_000):
    """Return rows of models of several lengths, the last of which is the model itself."""
    names = [f"{model}@{n}" for n in LENGTHS[: len(errors) - 1]] + [model]
    return pd.DataFrame(
        {
            "model": names,
            "family": family,
            "train_set": f"ulbd-{family}",
            "test_set": "ulbd-off-mesh",
            "class_scheme": "extinction",
            "test_sha256": sha256,
            "train_patterns": LENGTHS[: len(errors)],
            "top1": 1 - np.array(errors),
            "top1_low": 1 - np.array(errors) - 1.96 * np.sqrt(np.array(errors) / n) - 1e-4,
            "top1_high": 1 - np.maximum(np.array(errors) - 1.96 * np.sqrt(np.array(errors) / n), 0),
            "n_test": n,
            "seeds": 1,
        }
    )


@given(st.floats(0.2, 2.0), st.floats(0.01, 0.3))
def test_a_power_law_gives_its_exponent_and_what_it_asks_for(exponent, first):
    errors = [first * (n / LENGTHS[0]) ** -exponent for n in LENGTHS]
    (curve,) = plots.learning_curves(rows(errors))
    assert curve.exponent == pytest.approx(exponent)
    assert (curve.family, curve.model, curve.patterns) == ("cubic", REFERENCE, LENGTHS)
    assert curve.patterns_for(first / 2) == pytest.approx(LENGTHS[0] * 2 ** (1 / exponent))
    assert 0 < curve.uncertainty < 1


def test_the_exponent_scatters_as_its_standard_error_says():
    """Errors that are drawn as test patterns draw them, many times over."""
    draw, n = np.random.default_rng(0), 10_000
    true = np.array([0.2, 0.1, 0.05])
    curves = [
        next(plots.learning_curves(rows(draw.binomial(n, true) / n, n=n))) for _ in range(300)
    ]
    found = np.array([curve.exponent for curve in curves])
    stated = np.mean([curve.uncertainty for curve in curves])
    assert found.mean() == pytest.approx(0.5, abs=4 * stated / np.sqrt(300))
    assert found.std() == pytest.approx(stated, rel=0.2)


def test_what_makes_no_curve():
    one = rows([0.1])
    several = rows([0.1, 0.05])
    assert not list(plots.learning_curves(one))
    other_data = several.assign(test_sha256=["a", "b"])
    assert not list(plots.learning_curves(other_data))
    assert not list(plots.learning_curves(several.assign(train_set="ulbd-cubic@0.5x5")))
    assert not list(plots.learning_curves(several.assign(train_set="somebody-else's")))
    assert not list(plots.learning_curves(several.assign(class_scheme="spacegroup")))
    assert not list(plots.learning_curves(several.assign(train_patterns=np.nan)))


def test_an_error_of_nothing_is_no_point_of_the_law():
    (curve,) = plots.learning_curves(rows([0.2, 0.1, 0.0]))
    assert curve.exponent == pytest.approx(0.5)
    (flat,) = plots.learning_curves(rows([0.2, 0.0, 0.0]))
    assert (flat.exponent, flat.uncertainty, flat.patterns_for(0.1)) == (None, None, None)
    (rising,) = plots.learning_curves(rows([0.1, 0.2]))
    assert rising.patterns_for(0.05) is None


def test_the_figure_has_a_panel_a_family_and_a_curve_a_model(tmp_path):
    table = pd.concat(
        [
            rows([0.2, 0.1, 0.05], "cubic"),
            rows([0.2, 0.1, 0.0], "cubic", "fcn-wang2024.soft"),
            rows([0.4, 0.3, 0.2], "tetragonal"),
            rows([0.4, 0.3, 0.2], "all"),
            rows([0.4, 0.3, 0.2], "orthorhombic"),
        ]
    )
    figure = plots.learning_figure(list(plots.learning_curves(table)))
    titles = [panel.get_title() for panel in figure.axes if panel.get_title()]
    assert titles == ["cubic", "tetragonal", "all", "orthorhombic"]
    plots.save(figure, tmp_path / "learning.svg")
    svg = (tmp_path / "learning.svg").read_text()
    assert REFERENCE in svg
    assert "fcn-wang2024.soft" in svg
