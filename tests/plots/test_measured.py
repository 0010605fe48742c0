import numpy as np
import pytest

from sgbench.errors import SgbenchError
from sgbench.measured import measured_pattern
from sgbench.plots import draw_pattern


@pytest.fixture
def pattern():
    x = np.arange(10, 20, 0.1)
    return measured_pattern(x, 100 + x, np.sqrt(x), "CuKa")


def test_a_pattern_is_drawn_with_its_title_as_it_is(pattern, tmp_path):
    draw_pattern(pattern, tmp_path / "x.svg", r"$\alpha$ <b>&")
    text = (tmp_path / "x.svg").read_text()
    assert r"$\alpha$ &lt;b&gt;&amp;" in text
    assert "1.5406, 1.5444 Å" in text
    draw_pattern(pattern, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


def test_another_ending_is_refused(pattern, tmp_path):
    with pytest.raises(SgbenchError, match=r"expected \.svg or \.png"):
        draw_pattern(pattern, tmp_path / "x.gif")
    assert list(tmp_path.iterdir()) == []
