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
    assert "| counts-10000 | cubic | 2 | 2 (100 %) |" in capsys.readouterr().out


def test_cells_are_compared_as_lattices():
    same = decoder._same_lattice
    assert same((4, 5, 6, 90, 90, 90), (6, 4, 5, 90, 90, 90))
    assert not same((4, 5, 6, 90, 90, 90), (4, 5, 12, 90, 90, 90))


def test_reliability_counts_by_chance():
    answer = decoder.Answer("cubic", "ideal", 0, 221, 1, 0.995, "", 0.995, "1", "1", 1.0, "")
    assert "| 0.99 to 1 | 1 | 0.995 | 1 (100 %) |" in decoder.table([answer])
