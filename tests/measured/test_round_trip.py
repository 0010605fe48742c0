"""What is written reads as it was, in every form and from every dialect."""

import numpy as np
import pytest
from example_patterns import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sgbench.errors import SgbenchError
from sgbench.measured import WRITTEN, measured_pattern, read_pattern, write_pattern

INTENSITIES = arrays(
    float, st.integers(25, 120), elements=st.floats(0, 1e9, allow_nan=False, allow_subnormal=False)
)
WAVELENGTHS = st.one_of(
    st.none(), st.floats(0.06, 9).map(lambda x: round(x, 7)),
    st.sampled_from(["CuKa", "MoKa1", "1.54056,1.54439"]),
)  # fmt: skip


@settings(max_examples=60)
@given(
    INTENSITIES,
    st.floats(0.5, 60),
    st.floats(0.001, 0.45),
    WAVELENGTHS,
    st.sampled_from(sorted(WRITTEN)),
)
def test_what_is_written_reads_as_it_was(tmp_path_factory, y, start, step, wavelength, form):
    x = start + step * np.arange(len(y))
    try:
        pattern = measured_pattern(x, y, np.sqrt(y + 1), wavelength)
    except SgbenchError:
        return
    path = tmp_path_factory.mktemp("x") / f"x.{form}"
    write_pattern(pattern, path)
    again = read_pattern(path)
    assert (again.two_theta == pattern.two_theta).all()
    assert (again.intensity == pattern.intensity).all()
    if form != "xy":
        assert again.sigma is not None
        assert (again.sigma == pattern.sigma).all()
    if form in ("csv", "cif"):
        assert [(one.value, one.weight) for one in again.wavelengths] == [
            (one.value, one.weight) for one in pattern.wavelengths
        ]
    else:
        assert again.wavelengths == ()


@pytest.mark.parametrize("form", WRITTEN)
def test_every_format_converts(form, tmp_path):
    for name in ("xye", "UXD", "XRDML", "pdCIF", "Bruker 3"):
        path = tmp_path / "one"
        path.write_bytes(EXAMPLES[name][3]())
        pattern = read_pattern(path)
        if form == "xye" and pattern.sigma is None:
            with pytest.raises(SgbenchError, match="no σ"):
                write_pattern(pattern, tmp_path / "x", form)
            continue
        write_pattern(pattern, tmp_path / "x", form)
        again = read_pattern(tmp_path / "x")
        assert (again.intensity == pattern.intensity).all()


def test_an_unknown_form_is_refused(tmp_path):
    pattern = measured_pattern(np.arange(10, 20, 0.1), np.arange(100))
    with pytest.raises(SgbenchError, match=r"'raw' is no form.*xy, xye, csv, cif"):
        write_pattern(pattern, tmp_path / "x.raw")
    assert list(tmp_path.iterdir()) == []
