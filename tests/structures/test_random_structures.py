import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import combinations_with_replacement, islice
from pathlib import Path

import gemmi
import numpy as np
import pyarrow.parquet as pq
import pytest
import spglib

from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.structures import _random, generate_gcdd, pyxtal_worker
from sgbench.structures._cleaning import clean
from sgbench.structures._random import USED
from sgbench.structures.sources.table import table
from sgbench.symmetry import FAMILIES
from sgbench.workers import CRASHED, KILLED, TIMED_OUT

PROJECT = Path(__file__).parents[2]

# One of each family, primitive and centred; rhombohedral (166), polar (99), with two origins in
# the International Tables (142, 227), and one that needs more atoms than the others (210).
GROUPS = (14, 62, 99, 142, 166, 194, 210, 227)


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A small set: its path and what was reported of it."""
    path = tmp_path_factory.mktemp("gcdd") / "gcdd.parquet"
    return path, generate_gcdd(path, GROUPS, 2, seed=1, workers=2)


def metadata(path):
    return json.loads(pq.read_schema(path).metadata[b"sgbench"])


def test_every_group_has_the_structures_asked_for(generated):
    path, report = generated
    rows = pq.read_table(path).to_pylist()
    assert [row["spacegroup"] for row in rows] == sorted(GROUPS * 2)
    assert report.structures == len(rows)
    assert report.short == {}
    for row in rows:
        seed, group, draw = row["structure_id"].removeprefix("gcdd-").split("-")
        assert (seed, int(group)) == ("s1", row["spacegroup"])
        assert len(draw) == 6
    assert len({row["structure_id"] for row in rows}) == len(rows)
    assert all("PyXtal" in row["citation"] for row in rows)
    # Nothing is left of the unfinished work.
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_table_is_read_back_and_every_structure_survives_the_cleaning(generated):
    path, report = generated
    entries = list(table(path).read())
    assert len(entries) == report.structures
    for entry in entries:
        structure = clean(entry, set(FAMILIES))
        assert structure.spacegroup == entry.spacegroup
        assert structure.ordered


def filled_cell(row):
    """Return cell vectors, positions and elements of all atoms, by another reader than ours."""
    block = gemmi.cif.read_string(row["cif"]).sole_block()
    small = gemmi.make_small_structure_from_block(block)
    assert small.spacegroup.number == row["spacegroup"]
    atoms = small.get_all_unit_cell_sites()
    lattice = np.array(small.cell.orth.mat).T
    positions = np.array([atom.fract.tolist() for atom in atoms])
    return lattice, positions, [atom.element.name for atom in atoms]


def test_every_structure_has_its_group_and_composition(generated):
    for row in pq.read_table(generated[0]).to_pylist():
        lattice, positions, elements = filled_cell(row)
        numbers = [gemmi.Element(element).atomic_number for element in elements]
        cell = (lattice.tolist(), positions.tolist(), numbers)
        assert spglib.get_symmetry_dataset(cell, symprec=0.01).number == row["spacegroup"]
        counts = Counter(elements)
        assert pyxtal_worker.formula(counts) == row["name"]
        assert 1 <= len(counts) <= 5
        most = pyxtal_worker.MOST_ATOMS_OF.get(row["spacegroup"], 30)
        assert all(count <= most for count in counts.values())


def test_atoms_keep_their_distance(generated):
    images = np.array([(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)])
    shortest = []
    for row in pq.read_table(generated[0]).to_pylist():
        lattice, positions, elements = filled_cell(row)
        offsets = (positions[:, None] - positions)[..., None, :] + images
        distances = np.linalg.norm(offsets @ lattice, axis=-1)
        distances[distances < 1e-6] = np.inf
        allowed = [[pyxtal_worker._tolerance(a, b) for a in elements] for b in elements]
        assert (distances.min(axis=2) > np.array(allowed) - 1e-4).all()
        shortest.append(distances.min())
    assert 0.5 < min(shortest) < max(shortest) < 10


def test_no_composition_is_used_twice(generated):
    rows = pq.read_table(generated[0]).to_pylist()
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names)
    # Nor in a group that was not built: each composition belongs to one group.
    assert all(pyxtal_worker.owner(row["name"]) == row["spacegroup"] for row in rows)


def test_compositions_are_shared_out_evenly():
    names = [f"{a}{n}O{m}" for a in ("Fe", "Si", "U") for n in range(1, 80) for m in range(1, 80)]
    shares = Counter(pyxtal_worker.owner(name) for name in names)
    assert set(shares) == set(range(1, 231))
    assert max(shares.values()) < 2 * len(names) / 230


def test_neither_workers_nor_other_groups_change_anything(generated, tmp_path):
    again = tmp_path / "again.parquet"
    generate_gcdd(again, [166, 142, 166], 1, seed=1, workers=1)
    rows = pq.read_table(generated[0]).to_pylist()
    assert pq.read_table(again).to_pylist() == [
        next(row for row in rows if row["spacegroup"] == group) for group in (142, 166)
    ]


def test_draws_differ():
    requests = [
        {"seed": seed, "spacegroup": group, "draw": draw}
        for seed in (0, 1)
        for group in (76, 77)
        for draw in (0, 1)
    ]
    answers = [pyxtal_worker.answer(request) for request in requests]
    assert len({answer["composition"] for answer in answers}) == len(requests)
    assert len({answer["cell"][0] for answer in answers}) == len(requests)
    assert [pyxtal_worker.answer(request) for request in requests[::-1]] == answers[::-1]


def test_the_processor_changes_nothing():
    command = (
        "import json, warnings; warnings.simplefilter('ignore')\n"
        "from sgbench.structures.pyxtal_worker import answer\n"
        "for group in (15, 62, 88, 166, 194, 205):\n"
        "    for draw in range(3):\n"
        "        print(json.dumps(answer({'seed': 5, 'spacegroup': group, 'draw': draw})))\n"
    )
    # What numpy and OpenBLAS do without the instructions of newer processors.
    older = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", command],
            env=os.environ | more,
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for more in ({}, older)
    ]
    said = [process.communicate()[0] for process in processes]
    assert said[0].count("sites") > 9
    assert said[0] == said[1]


def test_it_goes_on_where_it_was_killed(generated, tmp_path):
    path, report = generated
    again = tmp_path / "again.parquet"
    folder = tmp_path / ".again.parquet.parts"
    command = (
        "from pathlib import Path; from sgbench.structures import generate_gcdd\n"
        f"generate_gcdd(Path({str(again)!r}), {GROUPS}, 2, seed=1, workers=2)"
    )

    def answers():
        return sum(file.read_bytes().count(b"\n") for file in folder.glob("*.jsonl"))

    for wanted in (1, 10):
        process = subprocess.Popen([sys.executable, "-c", command], cwd=PROJECT)
        while answers() < wanted:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        # What a kill in the midst of writing, or a power failure, would leave.
        torn = max(folder.glob("*.jsonl"))
        torn.write_bytes(torn.read_bytes() + (b'{"draw": 3, "cell": [7.', b"\0\0\0\n")[wanted % 2])
    assert not again.exists()
    assert generate_gcdd(again, GROUPS, 2, seed=1) == report
    assert file_sha256(again) == file_sha256(path)
    assert not folder.exists()


def test_patience_ends(tmp_path):
    # Nearly all draws of group 202 show group 225, since atoms off its other mirrors are rare.
    path = tmp_path / "gcdd.parquet"
    report = generate_gcdd(path, [75, 202], 2, patience=4)
    assert report.structures == 2 + report.short[202] < 4
    assert report.failures[pyxtal_worker.OTHER_GROUP] >= 4
    said = metadata(path)
    assert sum(said["failures"]["202"].values()) >= 4
    assert said["short"] == {"202": report.short[202]}
    assert (said["seed"], said["per_spacegroup"], said["patience"]) == (0, 2, 4)
    assert said["software"].keys() >= {"pyxtal", "spglib", "numpy"}


def told(monkeypatch, answer):
    """Replace the worker processes by a function."""

    def answers_in_order(module, requests, workers, time_limit):
        assert module == "sgbench.structures.pyxtal_worker"
        for request in requests:
            yield answer(**request)

    monkeypatch.setattr(_random, "answers_in_order", answers_in_order)


def crystal(composition):
    return {"composition": composition, "cell": [5.0] * 3 + [90.0] * 3, "sites": [["Po", [0] * 3]]}


def test_only_failures_in_a_row_wear_patience_out(tmp_path, monkeypatch):
    path = tmp_path / "gcdd.parquet"

    def answer(seed, spacegroup, draw):
        found = draw in (2, 5, 8) and spacegroup == 75
        return crystal(f"A{draw}") if found else {"reason": "no luck"}

    told(monkeypatch, answer)
    report = generate_gcdd(path, [75, 76], 100, patience=3)
    assert report == _random.Generated(3, {75: 3, 76: 0}, {"no luck": 12})
    assert pq.read_table(path)["structure_id"].to_pylist() == [
        f"gcdd-s0-075-00000{draw}" for draw in (2, 5, 8)
    ]


def test_a_composition_is_kept_once(tmp_path, monkeypatch):
    path = tmp_path / "gcdd.parquet"
    told(monkeypatch, lambda seed, spacegroup, draw: crystal(f"A{draw // 3}B{spacegroup}"))
    report = generate_gcdd(path, [75, 76], 3)
    assert report == _random.Generated(6, {}, {USED: 8})
    assert pq.read_table(path)["name"].to_pylist() == [
        f"A{n}B{group}" for group in (75, 76) for n in range(3)
    ]


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """Generate in a way that leaves unfinished work behind."""

    def stop(*_):
        raise KeyboardInterrupt

    def generate(*arguments, **options):
        with monkeypatch.context() as context:
            context.setattr(_random, "_write", stop)
            with pytest.raises(KeyboardInterrupt):
                generate_gcdd(*arguments, **options)

    return generate


def test_unfinished_work_of_another_plan_is_not_used(tmp_path, monkeypatch, interrupted):
    path, other = tmp_path / "a.parquet", tmp_path / "b.parquet"
    told(monkeypatch, lambda seed, spacegroup, draw: crystal(f"A{draw}B{seed}"))
    interrupted(path, [75], 3, seed=1)
    assert (tmp_path / ".a.parquet.parts" / "075.jsonl").read_text().count("\n") == 3
    generate_gcdd(path, [75], 3, seed=2)
    generate_gcdd(other, [75], 3, seed=2)
    assert file_sha256(path) == file_sha256(other)
    interrupted(path, [75], 3, seed=2)
    monkeypatch.setattr(_random, "version", lambda package: "of tomorrow")
    asked = []
    told(
        monkeypatch,
        lambda seed, spacegroup, draw: asked.append(draw) or crystal(f"A{draw}"),
    )
    generate_gcdd(path, [75], 3, seed=2)
    assert asked[:3] == [0, 1, 2]


def test_unfinished_work_serves_a_larger_set(tmp_path, monkeypatch, interrupted):
    path, other = tmp_path / "a.parquet", tmp_path / "b.parquet"
    asked = []
    told(
        monkeypatch,
        lambda seed, spacegroup, draw: (
            asked.append((spacegroup, draw)) or crystal(f"A{draw}B{spacegroup}")
        ),
    )
    interrupted(path, [75], 2)
    asked.clear()
    generate_gcdd(path, [75, 80], 4)
    assert (75, 0) not in asked
    assert {(75, 3), (80, 0)} <= set(asked)
    generate_gcdd(other, [75, 80], 4)
    assert file_sha256(path) == file_sha256(other)


@pytest.mark.parametrize("kind", [CRASHED, TIMED_OUT, KILLED])
def test_a_draw_without_answer_is_an_error_after_which_it_goes_on(tmp_path, monkeypatch, kind):
    path = tmp_path / "gcdd.parquet"
    told(
        monkeypatch,
        lambda seed, spacegroup, draw: {kind: "why"} if draw == 1 else crystal(f"A{draw}"),
    )
    with pytest.raises(SgbenchError, match=rf"draw 1 of .* 75 failed .*{kind}: why.*goes on"):
        generate_gcdd(path, [75], 2)
    asked = []
    told(
        monkeypatch,
        lambda seed, spacegroup, draw: asked.append(draw) or crystal(f"A{draw}"),
    )
    assert generate_gcdd(path, [75], 2).structures == 2
    assert asked == [1]


def test_few_draws_are_made_in_vain(tmp_path, monkeypatch):
    made = []

    def answers_in_order(module, requests, workers, time_limit):
        under_way = []
        while under_way or not made:
            under_way += islice(requests, 8 - len(under_way))
            made.append(under_way[0])
            yield crystal(f"A{under_way[0]['draw']}B{under_way.pop(0)['spacegroup']}")

    monkeypatch.setattr(_random, "answers_in_order", answers_in_order)
    generate_gcdd(tmp_path / "gcdd.parquet", range(75, 95), 5)
    assert 100 <= len(made) < 108


def test_no_structure_at_all_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "gcdd.parquet"
    told(monkeypatch, lambda **_: {"reason": "no luck"})
    with pytest.raises(SgbenchError, match=r"no structure was found.*'no luck': 10"):
        generate_gcdd(path, [75, 76], 2, patience=5)
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"spacegroups": []}, "no space group"),
        ({"spacegroups": [75, 231]}, "space group 231 does not exist"),
        ({"per_spacegroup": 0}, "structures per space group: 0"),
        ({"seed": -1}, "seed: -1"),
        ({"patience": 0}, "patience: 0"),
        ({"workers": 0}, "0 workers"),
    ],
)
def test_arguments_that_make_no_sense(tmp_path, arguments, complaint):
    usual = {"spacegroups": [75], "per_spacegroup": 1}
    with pytest.raises(SgbenchError, match=complaint):
        generate_gcdd(tmp_path / "gcdd.parquet", **(usual | arguments))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(SgbenchError, match="it is a folder"):
        generate_gcdd(tmp_path, [75], 1)


def test_a_missing_package_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(_random, "_SOFTWARE", ("no-such-package",))
    with pytest.raises(SgbenchError, match="pip install no-such-package"):
        generate_gcdd(tmp_path / "gcdd.parquet", [75], 1)


def test_there_is_a_progress_bar(tmp_path, monkeypatch, capsys):
    told(monkeypatch, lambda seed, spacegroup, draw: crystal(f"A{draw}"))
    generate_gcdd(tmp_path / "gcdd.parquet", [75], 2, progress=True)
    assert "2/2" in capsys.readouterr().err


# The worker


@pytest.fixture(scope="module")
def groups():
    return {number: pyxtal_worker._group(number) for number in (1, 47, 142, 194, 221, 225)}


@pytest.mark.parametrize(
    ("number", "draw"),
    [(16, 0), (75, 0), (123, 2), (136, 0), (142, 4), (168, 2), (195, 1), (205, 1), (225, 0)],
)
def test_the_crystals_are_those_of_pyxtal(number, draw):
    from pyxtal import pyxtal
    from pyxtal.symmetry import Group

    group = pyxtal_worker._group(number)
    rngs = [np.random.default_rng([5, number, draw]) for _ in range(2)]
    composition = pyxtal_worker.draw_composition(group, rngs[0])
    assert pyxtal_worker.draw_composition(group, rngs[1]) == composition
    cell, sites = pyxtal_worker.search(group, composition, rngs[0])

    crystal = pyxtal()
    elements, counts = list(composition), list(composition.values())
    crystal.from_random(3, Group(number), elements, counts, random_state=rngs[1])
    assert crystal.lattice.get_para(degree=True) == pytest.approx(cell, abs=1e-6)
    ours = [
        (element, position)
        for element, wyckoff, start in sites
        for position in group.operators[wyckoff](np.array(start))
    ]
    theirs = [(site.specie, position) for site in crystal.atom_sites for position in site.coords]
    assert len(ours) == len(theirs)
    for element, position in ours:
        offsets = np.array([other for name, other in theirs if name == element]) - position
        assert np.abs(offsets - np.rint(offsets)).max(axis=1).min() < 1e-5


def test_what_fits_the_positions_is_what_pyxtal_says(groups):
    from pyxtal.symmetry import Group

    for number, most in ((47, 12), (142, 40), (194, 14), (221, 14), (225, 40)):
        theirs = Group(number)
        step = 1 if most < 20 else 4
        for counts in combinations_with_replacement(range(step, most, step), 2):
            counts = counts[::-1]
            assert groups[number].check_compatible(counts) == theirs.check_compatible(counts)
            assert groups[number].holds(counts) == theirs.check_compatible(counts)[0]


def test_the_setting_is_the_one_that_the_file_states():
    for number in range(1, 231):
        stated = gemmi.get_spacegroup_reference_setting(number).operations()
        ours = pyxtal_worker._group(number)[0].ops
        triplets = {gemmi.Op(op.as_xyz_str().replace(" ", "")).wrap().triplet() for op in ours}
        assert triplets == {op.wrap().triplet() for op in stated}


def test_rounding_leaves_special_positions_exact(groups):
    group = groups[194]
    letters = {wyckoff.letter: i for i, wyckoff in enumerate(group)}
    for letter, start, expected in (
        ("c", (0.33333331, 0.66666664, 0.25), [1 / 3, 2 / 3, 0.25]),
        ("f", (1 / 3, 2 / 3, 0.12345678), [1 / 3, 2 / 3, 0.123457]),
        ("h", (0.2000004, 0.4000008, 0.25), [0.2, 0.4, 0.25]),
        ("l", (-0.1, 1.3, 1.0), [0.9, 0.3, 0.0]),
    ):
        operators = group.operators[letters[letter]]
        assert pyxtal_worker._rounded(operators, np.array(start)) == expected


def test_compositions_are_drawn_from_all_that_fit(groups):
    for number, group in groups.items():
        drawn = [
            pyxtal_worker.draw_composition(group, np.random.default_rng(n)) for n in range(150)
        ]
        assert all(len(composition) <= 5 for composition in drawn)
        sizes = Counter(len(composition) for composition in drawn)
        assert sizes.keys() == set(group.numbers_of_elements) == {1, 2, 3, 4, 5}
        assert all(group.holds(tuple(composition.values())) for composition in drawn)
        counts = {n for composition in drawn for n in composition.values()}
        assert counts == set(group.counts), number
        assert len({e for composition in drawn for e in composition}) > 60
    assert groups[1].counts == tuple(range(1, 31))
    assert groups[225].counts == (4, 8, 12, 16, 24, 28)


def test_a_draw_without_outcome_says_why(monkeypatch):
    reasons = [
        pyxtal_worker.answer({"seed": 0, "spacegroup": 225, "draw": draw}).get("reason")
        for draw in range(12)
    ]
    assert set(reasons) >= {None, pyxtal_worker.OTHER_GROUP}
    assert pyxtal_worker.answer({"seed": 0, "spacegroup": 199, "draw": 16}) == {
        "reason": pyxtal_worker.NO_STRUCTURE
    }
    monkeypatch.setattr(pyxtal_worker, "owner", lambda composition: 0)
    assert pyxtal_worker.answer({"seed": 0, "spacegroup": 225, "draw": 0}) == {
        "reason": pyxtal_worker.NO_COMPOSITION
    }
