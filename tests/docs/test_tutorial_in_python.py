"""docs/tutorials/python.md, word for word: its blocks are one program."""

import re

from page_commands import PROJECT, blocks

from sgbench.submission import _track


def test_every_kind_of_model_is_scored_as_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(_track.PER_SPACEGROUP, "smoke", 1)
    page = PROJECT / "docs" / "tutorials" / "python.md"
    names = {}
    exec("\n".join(one["text"] for one in blocks(page, ("python",))), names)
    said = capsys.readouterr().out
    for model in ("<lambda>", "ExtraTreesClassifier", "Sequential", "trees"):
        assert f"{model} on ulbd-cubic at scale smoke" in said
    assert (tmp_path / "trees.png").stat().st_size > 10_000
    # A file scores what the estimator scores that was written into it.
    tables = [part.splitlines()[1:7] for part in re.split(r"^.* in percent$", said, flags=re.M)[1:]]
    assert len(tables) == 5
    assert tables[1] == tables[3] == tables[4] != tables[2]
