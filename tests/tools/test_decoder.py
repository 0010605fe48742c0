from maintainers_tools import tool

decoder = tool("decoder")


def test_a_run_goes_on_and_ends_with_a_table(tmp_path, capsys):
    output = tmp_path / "answers.csv"
    asked = ["--families", "cubic", "--condition", "counts-10000", "--output", str(output)]
    assert decoder.main([*asked, "--patterns", "1"]) == 0
    assert decoder.main([*asked, "--patterns", "2"]) == 0
    answers = decoder.kept_answers(output)
    assert [one.number for one in answers] == [0, 1]
    assert all(one.cell == "1" and one.rank >= 1 for one in answers)
    assert "| counts-10000 | cubic | 2 | 100.0 (34.2–100.0) |" in capsys.readouterr().out


def test_cells_are_compared_as_lattices():
    same = decoder._same_lattice
    assert same((4, 5, 6, 90, 90, 90), (6, 4, 5, 90, 90, 90))
    assert not same((4, 5, 6, 90, 90, 90), (4, 5, 12, 90, 90, 90))


def answer(rank, chance, reason=""):
    return decoder.Answer(
        "cubic", "ideal", 2026, 0, 221, rank, chance, "", chance, "1", "1", 1.0, reason
    )


def test_the_surest_answers_come_first():
    answers = [answer(1, 0.9), answer(1, 0.99), answer(2, 0.2), answer(1, 0.5)]
    coverage, risk = decoder.risk_and_coverage(answers)
    assert coverage.tolist() == [25, 50, 75, 100]
    assert risk.tolist() == [0, 0, 0, 25]


def test_reliability_counts_by_chance(tmp_path):
    answers = [answer(1, 0.995), answer(2, 0.6), answer(1, 0.7), answer(0, 0.0, "no cell")]
    text = decoder.table(answers)
    assert "| ideal | 0.99 to 1 | 1 | 99.5 | 100.0 (20.7–100.0) |" in text
    assert "| ideal | 0.5 to 0.8 | 2 | 65.0 | 50.0 (9.5–90.5) |" in text
    assert "0 to 0.5" not in text
    decoder.draw_reliability(answers, tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "<svg" in drawn
    # A point for each of the two bins.
    assert drawn.count("<use ") >= 2
