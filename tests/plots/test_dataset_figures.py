import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from example_crystals import COUNTS, crystal_set

from sgbench import plots
from sgbench.cli._figures import write_portrait
from sgbench.errors import SgbenchError
from sgbench.plots._datasets import _bins, _cell_text, _far_apart
from sgbench.structures import group_counts
from sgbench.symmetry import (
    Ceiling,
    extinction_classes,
    family_spacegroups,
    spacegroup_symbol,
)

# Where example_crystals.py is.
EXAMPLES = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def crystals():
    return crystal_set()


def bars(axes):
    """Return position and height of each bar that is seen."""
    return {round(p.get_x(), 6): p.get_height() for p in axes.patches if p.get_height() > 0}


def texts(figure, tmp_path):
    plots.save(figure, tmp_path / "figure.svg")
    svg = (tmp_path / "figure.svg").read_text()
    return [re.sub("<[^>]*>", "", text) for text in re.findall(r"<text[^>]*>.*?</text>", svg, re.S)]


def test_cell_histograms_count_every_structure(crystals):
    figure = plots.cell_histograms(crystals, {16: 62, 128: 128}, bin_width=0.5)
    for row, group in zip(figure.subfigs, (62, 128), strict=True):
        for number, axes in enumerate(row.axes):
            edges = crystals.cell[crystals.spacegroup == group, number]
            expected = Counter((np.floor(edges / 0.5) * 0.5).round(6).tolist())
            assert bars(axes) == expected
            assert sum(bars(axes).values()) == COUNTS[group]


def test_an_edge_on_the_boundary_of_a_bin_falls_into_the_upper_one():
    values = np.array([5.4, 5.6, 5.8, 6.0, 5.59999])
    left, counts = _bins(values, 0.2)
    np.testing.assert_allclose(left, [5.4, 5.6, 5.8, 6.0])
    np.testing.assert_array_equal(counts, [2, 1, 1, 1])


def test_titles_say_what_is_shown_and_what_the_paper_shows(crystals, tmp_path):
    found = texts(plots.cell_histograms(crystals, plots.portrait_groups(crystals)), tmp_path)
    assert "P n m a (62), 60 structures; the paper shows P 2 2 2, which has 4 here" in found
    assert "P 4/m n c (128), 25 structures" in found
    assert {"a (Å)", "b (Å)", "c (Å)", "structures"} <= set(found)


def test_the_papers_groups_are_shown_where_they_are_frequent():
    frequent = crystal_set({16: 20, 62: 90, 128: 20, 139: 50})
    assert plots.portrait_groups(frequent) == {16: 16, 128: 128}


def test_groups_in_place_of_the_papers(crystals):
    assert plots.portrait_groups(crystals) == {16: 62, 128: 128}
    # no orthorhombic structure at all: the most frequent group of any family
    assert plots.portrait_groups(crystal_set({225: 40, 128: 19, 139: 25})) == {16: 225, 128: 139}
    # the group that stands in for the first is not shown again
    assert plots.portrait_groups(crystal_set({225: 40, 167: 3})) == {16: 225, 128: 167}
    # unless there is no other
    assert plots.portrait_groups(crystal_set({225: 40})) == {16: 225, 128: 225}


def test_patterns_are_those_of_the_structures_named(crystals, tmp_path):
    figure = plots.patterns_of_one_group(crystals, 128, n=3)
    (axes,) = figure.axes
    assert len(axes.lines) == 3
    for height, line in enumerate(axes.lines):
        x, y = line.get_data()
        assert (x[0], x[-1], len(x)) == (5, 90, 8192)
        assert y.max() - 1.3 * height == pytest.approx(1)
    labels = [text for text in texts(figure, tmp_path) if "a = " in text]
    assert len(labels) == 3
    cells = {
        f"a = {a:.2f}, b = {b:.2f}, c = {c:.2f} Å"
        for a, b, c, *_ in crystals.cell[crystals.spacegroup == 128]
    }
    assert {label.split(": ")[1] for label in labels} <= cells


def test_fewer_structures_than_patterns_asked_for():
    figure = plots.patterns_of_one_group(crystal_set({28: 2}), n=5)
    assert len(figure.axes[0].lines) == 2


def test_chosen_cells_lie_far_apart():
    points = np.array([[1.0, 1], [1, 1.01], [1.01, 1], [1, 1.02], [3, 3], [1, 3]])
    assert _far_apart(points, 3).tolist()[1:] == [5, 4]


def test_free_angles_are_in_the_label():
    text = _cell_text(np.array([5, 6, 7, 90, 101.234, 90]))
    assert text == "a = 5.00, b = 6.00, c = 7.00 Å, β = 101.2°"


def test_the_overview_leads_from_missing_lines_to_the_ceiling(tmp_path):
    # The triclinic cell lacks no line, so that one of the hexagonal ones is shown.
    figure = plots.extinction_overview(crystal_set({2: 1, 194: 3}))
    found = texts(figure, tmp_path)
    (own,) = (c for c in extinction_classes(family_spacegroups("trigonal-hexagonal"))
              if 194 in c.spacegroups)  # fmt: skip
    assert f"class {own.symbol}:" in found
    assert {f"missing unless {one}" for one in own.conditions} <= set(found)
    assert {f"{spacegroup_symbol(n)} ({n})" for n in own.spacegroups} <= set(found)
    ceiling = Ceiling.of_family("trigonal-hexagonal").top[0]
    assert {f"{100 / len(own.spacegroups):.1f} %", f"{100 * ceiling:.1f} %"} <= set(found)
    # (00l) with l odd is among the lines that are missing; (002) is not.
    assert "001" in found
    assert "002" not in found


def test_the_overview_of_crystals_that_lack_no_line(tmp_path):
    assert "class P -:" in " ".join(texts(plots.extinction_overview(crystal_set({2: 2})), tmp_path))


def test_every_space_group_is_a_bar_or_a_tick(crystals, tmp_path):
    figure = plots.samples_per_group(crystals)
    groups, systems = figure.axes
    present = {p.get_x() + 0.5: p.get_height() + 0.5 for p in groups.containers[0]}
    assert present == COUNTS
    (ticks,) = groups.lines
    rows = group_counts(crystals)
    assert ticks.get_xdata().tolist() == [r["spacegroup"] for r in rows if r["n"] == 0]
    heights = [bar.get_height() for bar in systems.containers[0]]
    assert heights == [9, 30, 64, 56, 20, 12, 70]
    names = ["triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal"]
    found = texts(figure, tmp_path)
    assert {*names, "cubic", "64"} <= set(found)
    assert f"cddd: 261 structures in 9 of {len(rows)} space groups" in found
    assert f"no structure ({len(rows) - 9} groups)" in found


def test_groups_outside_the_families_are_not_said_to_be_empty(tmp_path):
    figure = plots.samples_per_group(crystal_set({225: 3}, families=("tetragonal",)))
    (ticks,) = figure.axes[0].lines
    assert set(ticks.get_xdata()) == {*range(75, 143), *range(195, 231)} - {225}
    assert [bar.get_height() for bar in figure.axes[1].containers[0]] == [0, 3]


def test_a_set_without_gaps_has_no_legend():
    figure = plots.samples_per_group(crystal_set({1: 2, 2: 5}))
    assert figure.axes[0].get_legend() is None


@pytest.mark.parametrize("backwards", [False, True])
def test_files_are_the_same_whenever_they_are_made(crystals, tmp_path, monkeypatch, backwards):
    import matplotlib

    write_portrait(crystals, tmp_path / "one")
    if backwards:  # neither the reader's settings nor the order of drawing matters
        monkeypatch.setitem(matplotlib.rcParams, "font.size", 20)
        monkeypatch.setitem(matplotlib.rcParams, "svg.hashsalt", None)
    written = write_portrait(crystals, tmp_path / "two")
    assert [p.name for p in written] == [
        "overview.svg", "cells.svg", "patterns.svg", "samples.svg", "samples.csv",
    ]  # fmt: skip
    for path in written:
        content = path.read_bytes()
        assert content == (tmp_path / "one" / path.name).read_bytes()
        assert b"<dc:date>" not in content
        assert str(tmp_path).encode() not in content


def test_another_process_writes_the_same_bytes(crystals, tmp_path):
    plots.save(plots.samples_per_group(crystals), tmp_path / "here.svg")
    code = (
        "from pathlib import Path\n"
        "from example_crystals import crystal_set\n"
        "from sgbench import plots\n"
        f"plots.save(plots.samples_per_group(crystal_set()), Path({str(tmp_path / 'there.svg')!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=EXAMPLES)
    assert (tmp_path / "here.svg").read_bytes() == (tmp_path / "there.svg").read_bytes()


def test_the_numbers_behind_the_picture(crystals, tmp_path):
    *_, table = write_portrait(crystals, tmp_path)
    lines = table.read_text().splitlines()
    assert lines[0] == "spacegroup,symbol,system,family,extinction_class,n"
    assert "167,R -3 c,trigonal,trigonal-hexagonal,R - c,20" in lines
    assert "15,C 1 2/c 1,monoclinic,monoclinic,C - c -,0" in lines
    assert sum(int(line.rsplit(",", 1)[1]) for line in lines[1:]) == 261


def test_a_folder_that_cannot_be_written_to(crystals, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SgbenchError, match="cannot write"):
        write_portrait(crystals, tmp_path / "file")


def test_no_state_of_pyplot_is_touched():
    code = (
        "import sys\n"
        "from example_crystals import crystal_set\n"
        "from sgbench import plots\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plots.samples_per_group(crystal_set())\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=EXAMPLES)
