"""From a folder of measured patterns to scores, by commands."""

import json

import numpy as np


def test_a_folder_of_yours_becomes_a_set_and_its_scores(sgbench, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    angles = np.arange(10, 80, 0.02)
    rows = ["file,spacegroup,substance,wavelength"]
    for name, group, places in (("a", 225, (27.3, 31.7)), ("b", 14, (20.1, 40.2)), ("c", 0, (30,))):
        lines = sum(np.exp(-(((angles - at) / 0.1) ** 2)) for at in places)
        np.savetxt(folder / f"{name}.xy", np.column_stack([angles, 10 + 900 * lines]), "%.3f")
        rows.append(f"{name}.xy,{group},{name},CuKa")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    file = "measured-mine.parquet"
    done = sgbench("dataset", "build", "measured-mine", "--from", folder, "-o", file)
    assert "2 patterns of 2 substances" in done.stdout
    assert "c.xy,no space group" in (tmp_path / "measured-mine.excluded.csv").read_text()
    told = json.loads(sgbench("dataset", "describe", file, "--format", "json").stdout)
    assert (told[0]["patterns"], told[0]["excluded"]) == (2, "no space group: 1")
    answers = ("--test-set", "measured-mine", "--crystals", file, "-o", "answers")
    sgbench("predict", "control-uniform", "--family", "all", *answers)
    made = "answers/measured-mine.parquet"
    sgbench("evaluate", made, "--crystals", file, "-o", "scores")
    score = json.loads((tmp_path / "scores" / "measured-mine.spacegroup.json").read_text())
    assert (score["n_test"], score["ceiling"]) == (2, None)
    assert score["parts"]["unseen"]["n"] == 2
