import csv
import hashlib
import json
import os
import re
from dataclasses import replace

import mlcroissant
import numpy as np
import pyarrow.parquet as pq
import pytest
from example_crystals import COUNTS, EXCLUDED, crystal_file, crystal_set
from typer.testing import CliRunner

import sgbench
from sgbench.cards import (
    ARTICLE,
    IDEAL,
    _croissant,
    _crystals,
    _files,
    croissant,
    crystal_card,
    designed_card,
    write_card_files,
)
from sgbench.cli._app import app
from sgbench.designed import PHYSICAL, UNIFORM, MeshAxis
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD, write_designed
from sgbench.structures import group_counts, read_crystals
from sgbench.symmetry import FAMILIES, crystal_system

# Of the libraries that mlcroissant reads with.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]

HEXAGONAL = replace(
    ULBD["ulbd-trigonal-hexagonal"], name="small", axes=(MeshAxis(5, 6, 1), MeshAxis(6, 7, 1))
)


@pytest.fixture(scope="module")
def crystals():
    return crystal_set()


@pytest.fixture
def path(crystals, tmp_path):
    return crystal_file(tmp_path, crystals)


def rows(card, first):
    """Return the rows of the table whose header begins with `first`, as lists of cells."""
    table = card[card.index(f"| {first} |") :].split("\n\n")[0].strip().splitlines()
    cells = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in table]
    assert len({len(row) for row in cells[:1] + cells[2:]}) == 1
    return cells[2:]


def test_the_seven_crystal_systems():
    systems = [crystal_system(number) for number in FAMILIES["all"]]
    assert [systems.count(name) for name in dict.fromkeys(systems)] == [2, 13, 59, 68, 25, 27, 36]
    assert (systems[166], systems[167]) == ("trigonal", "hexagonal")


def test_counts_hold_every_group_of_the_families():
    counts = group_counts(crystal_set({225: 7, 230: 1}, families=("triclinic",)))
    assert [row["spacegroup"] for row in counts] == [1, 2, *range(195, 231)]
    assert {row["spacegroup"]: row["n"] for row in counts if row["n"]} == {225: 7, 230: 1}
    assert counts[-1] == {
        "spacegroup": 230, "symbol": "I a -3 d", "system": "cubic", "family": "cubic",
        "extinction_class": "I a - d", "n": 1,
    }  # fmt: skip


def test_the_card_counts_what_the_set_holds(crystals, path):
    card = crystal_card(crystals, path)
    contents = {row[0]: row[1] for row in rows(card, "quantity")}
    assert contents["structures"] == "261"
    assert contents["space groups"] == "9 of 230"
    assert contents["names (minerals or compounds)"] == "87"
    assert contents["lines"] == f"{len(crystals.lines.two_theta):,}"
    systems = rows(card, "crystal system")
    assert ["tetragonal", "56", "2", "68"] in systems
    assert ["trigonal", "20", "1", "25"] in systems
    assert sum(int(row[1]) for row in systems) == 261
    splits = {row[0]: [int(n) for n in row[1:]] for row in rows(card, "split")}
    assert splits["`split_paper`"] == [234, 0, 27]
    assert sum(splits["`split_grouped`"]) == 261
    assert rows(card, "reason") == [["unreadable", "2"], ["label and spglib disagree", "1"]]
    assert "3 of 264 entries" in card
    assert ["`wavelength`", "1.5406 Å"] in rows(card, "setting")
    assert ["`hkl_limit`", "complete"] in rows(card, "setting")
    assert ["package_version", "1.2.3"] in rows(card, "provenance")


def test_the_card_names_every_column_and_the_checksum(crystals, path):
    card = crystal_card(crystals, path)
    found = [row[0].strip("`") for row in rows(card, "column")]
    assert found == pq.read_schema(path).names
    units = {row[0].strip("`"): row[2] for row in rows(card, "column")}
    assert (units["a"], units["alpha"], units["two_theta"]) == ("Å", "degrees", "degrees")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert f"{path.stat().st_size:,} bytes" in card


def test_the_card_computes_biases(crystals, path):
    card = crystal_card(crystals, path)
    assert "F m -3 m (225) alone holds 26.8 % of the structures" in card
    few = sum(n < 20 for n in COUNTS.values())
    assert f"{few} groups have fewer than 20, and 221 of the 230 groups" in card
    names = replace(crystals, name=("Spinel",) * 30 + crystals.name[30:])
    assert "(Spinel: 30, " in crystal_card(names, path)
    assert "25.3 % of the structures have mixed or partly occupied" in card


@pytest.mark.parametrize(("shared", "expected"), [(0, "0.0 %"), (1, "50.0 %"), (2, "100.0 %")])
def test_the_card_says_how_much_of_the_test_set_has_relatives(path, shared, expected):
    crystals = crystal_set({225: 4})
    crystals = replace(
        crystals,
        split_grouped=("train", "validation", "test", "test"),
        name=("A", "B", *("A", "A")[:shared], *("C", "B")[shared:]),
    )
    card = crystal_card(crystals, path)
    assert re.search(rf"of `split_grouped`, .* and {expected} the name of a training", card)


def test_a_set_without_test_structures_or_exclusions(path):
    crystals = replace(crystal_set({225: 2}), split_stratified=("train",) * 2, excluded=())
    card = crystal_card(crystals, path)
    assert "Of the test structures of `split_paper`, none have the prototype" in card
    assert "0 of 2 entries" in card


def test_a_quick_look_says_so(crystals, path):
    limited = replace(crystals, metadata={**crystals.metadata, "limit": 40})
    assert "at most 40 structures a family" in crystal_card(limited, path)
    assert "quick look" not in crystal_card(crystals, path)


@pytest.mark.parametrize("kind", ["crystals", "designed"])
def test_what_the_card_says_to_type_works(crystals, tmp_path, monkeypatch, kind):
    if kind == "crystals":
        path = crystal_file(tmp_path, crystals)
        write_card_files(crystals, path)
    else:
        path = tmp_path / "cubic.parquet"
        write_designed(ULBD["ulbd-cubic"], path, 1)
        write_card_files(ULBD["ulbd-cubic"], path)
    monkeypatch.chdir(tmp_path)
    snippets = re.findall(r"```python\n(.*?)```", path.with_suffix(".md").read_text(), re.S)
    assert len(snippets) == 3
    for snippet in snippets:
        names: dict[str, object] = {}
        exec(snippet, names)
        if "patterns" in names:
            assert names["patterns"].max(axis=1) == pytest.approx(1)


def test_the_card_of_a_designed_dataset():
    card = designed_card(HEXAGONAL)
    contents = {row[0]: row[1] for row in rows(card, "quantity")}
    assert contents["space groups"] == "52 of 52"
    assert "Each space group has the same number of samples" in card
    assert contents["extinction classes"] == "9"
    assert contents["mesh of a"] == "5 to 5 Å, step 1 Å"
    assert contents["cells with all edges equal"] == "left out"
    splits = {row[0]: row[2] for row in rows(card, "split")}
    assert splits["train"] == f"{HEXAGONAL.size('train'):,}"
    assert splits["in-mesh"] == f"{HEXAGONAL.size('in-mesh'):,}"
    assert HEXAGONAL.checksum() in card
    assert "MIT" in card
    assert "Wang" in card


def test_the_card_of_an_imbalanced_dataset():
    ranges = ((225, 5.0, 5.4), (195, 5.5, 5.55))
    axes = (MeshAxis(5, 6, 0.05),)
    card = designed_card(replace(ULBD["ulbd-cubic"], name="small", axes=axes, ranges=ranges))
    assert {row[0]: row[1] for row in rows(card, "quantity")}["space groups"] == "2 of 36"
    assert "lines of 2 cubic space groups" in card
    assert {row[0]: row[1] for row in rows(card, "quantity")}["extinction classes"] == "2"
    assert "only absences and the sizes of cells tell space groups apart" in card
    assert "from 2 to 9 cells, and 34 of 36 groups have none" in card
    assert "Each space group has the same number of samples" not in card


def read_records(path):
    described = mlcroissant.Dataset(str(path.with_suffix(".croissant.json")))
    issues = described.metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings
    (record_set,) = described.metadata.record_sets
    return described.metadata, list(described.records(record_set.id))


def assert_records_are_rows(records, path):
    table = pq.read_table(path)
    assert len(records) == table.num_rows
    for record, row in zip(records, table.to_pylist(), strict=True):
        found = {key.split("/")[1]: value for key, value in record.items()}
        assert list(found) == table.column_names
        for name, expected in row.items():
            value = found[name].decode() if isinstance(found[name], bytes) else found[name]
            assert value == expected, name
        assert {type(value) for value in found["two_theta"]} <= {np.float64}
        assert {type(value) for value in found["intensity"]} <= {np.float32}


def test_croissant_yields_the_rows_of_crystals(crystals, path):
    write_card_files(crystals, path)
    metadata, records = read_records(path)
    assert_records_are_rows(records, path)
    assert (metadata.name, metadata.version) == ("cddd", "2.0.0")
    (file,) = metadata.distribution
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert file.content_size == f"{path.stat().st_size} B"
    assert metadata.license == ["https://creativecommons.org/publicdomain/zero/1.0/"]


def test_any_name_of_a_file_will_do(crystals, tmp_path):
    path = crystal_file(tmp_path, crystals.take([3, 1]), "my first cddd.v2 (ü).parquet")
    written = write_card_files(crystals.take([3, 1]), path)
    assert written[0].name == "my first cddd.v2 (ü).md"
    assert_records_are_rows(read_records(path)[1], path)


@pytest.mark.parametrize("law", [UNIFORM, PHYSICAL])
def test_croissant_yields_the_rows_of_designed_samples(tmp_path, law):
    path = tmp_path / "designed.parquet"
    dataset = replace(HEXAGONAL, law=law)
    write_designed(dataset, path, 2)
    write_card_files(dataset, path)
    metadata, records = read_records(path)
    assert law.describe() in metadata.description
    assert IDEAL in metadata.description
    assert metadata.data_biases[0] == first_bias(dataset)
    assert_records_are_rows(records, path)
    assert len(records) == 3 * 2 * 52
    assert metadata.license == ["https://spdx.org/licenses/MIT.html"]


def test_croissant_notices_another_file(crystals, path):
    write_card_files(crystals, path)
    crystal_file(path.parent, crystal_set({225: 3}))
    with pytest.raises(mlcroissant.GenerationError) as caught:
        read_records(path)
    assert "not identical with the" in str(caught.value.__cause__)


def test_what_the_croissant_standard_demands(crystals, path):
    described = croissant(crystals, path)
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    for key in ("name", "description", "license", "url", "creator", "datePublished", "citeAs"):
        assert described[key], key
    (file,) = described["distribution"]
    assert file["contentUrl"] == "cddd.parquet"
    assert "application/vnd.apache.parquet" in file["encodingFormat"]
    fields = {f["name"]: f for f in described["recordSet"][0]["field"]}
    assert (fields["two_theta"]["isArray"], fields["two_theta"]["arrayShape"]) == (True, "-1")
    assert (fields["two_theta"]["dataType"], fields["intensity"]["dataType"]) == (
        "cr:Float64",
        "cr:Float32",
    )
    assert fields["a"]["description"].endswith("(Å)")
    assert len(described["rai:dataBiases"]) == len(_crystals._crystal_biases(crystals))


def test_a_licence_without_an_address_is_told_in_words(crystals, path):
    source = {**crystals.metadata["source"], "licence": "none stated; cite it"}
    described = croissant(replace(crystals, metadata={**crystals.metadata, "source": source}), path)
    assert described["license"] == {"@type": "sc:CreativeWork", "name": "none stated; cite it"}


def test_every_released_version_has_a_date():
    assert sgbench.__version__ in _croissant._PUBLISHED


def test_files_beside_the_dataset(crystals, path):
    written = write_card_files(crystals, path)
    assert [p.name for p in written] == ["cddd.md", "cddd.croissant.json", "cddd.excluded.csv"]
    assert {p.name for p in path.parent.iterdir()} == {path.name, *(p.name for p in written)}
    with open(written[2], newline="", encoding="utf-8") as handle:
        found = list(csv.reader(handle))
    assert found[0] == ["structure_id", "reason", "detail"]
    assert found[1:] == [[e.structure_id, e.reason, e.detail] for e in EXCLUDED]
    json.loads(written[1].read_text(encoding="utf-8"))


def test_files_depend_on_the_dataset_alone(crystals, path, tmp_path, monkeypatch):
    once = [p.read_bytes() for p in write_card_files(crystals, path)]
    other = tmp_path / "elsewhere"
    other.mkdir()
    copied = crystal_file(other, read_crystals(path))
    monkeypatch.setattr("time.time", lambda: 0.0)
    again = write_card_files(read_crystals(copied), copied)
    assert [p.read_bytes() for p in again] == once
    for content in once:
        assert os.fsencode(tmp_path) not in content


def test_an_interrupted_write_leaves_no_part(crystals, path, monkeypatch):
    before = [p.read_bytes() for p in write_card_files(crystals, path)]

    def failing(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_files, "exclusions", failing)
    with pytest.raises(KeyboardInterrupt):
        write_card_files(replace(crystals, excluded=()), path)
    left = sorted(p.name for p in path.parent.iterdir())
    assert left == ["cddd.croissant.json", "cddd.excluded.csv", "cddd.md", "cddd.parquet"]
    names = ("cddd.md", "cddd.croissant.json", "cddd.excluded.csv")
    assert [(path.parent / name).read_bytes() for name in names] == before


def test_a_folder_in_the_way_of_the_card(crystals, path):
    path.with_suffix(".md").mkdir()
    with pytest.raises(SgbenchError, match="it is a folder"):
        write_card_files(crystals, path)


def first_bias(dataset):
    return designed_card(dataset).split("## Known biases\n\n- ")[1].splitlines()[0]


@pytest.mark.parametrize("name", [name for name in ULBD if "physical-mineral" not in name])
def test_every_designed_card_tells_its_own_law(name):
    card, law = designed_card(ULBD[name]), ULBD[name].law
    assert law.describe() in card
    assert law.source in card
    assert f"| `largest_b` | {law.largest_b} Å² |" in card
    assert ("uniform on (0, 1]" in card) == (not law.wilson)
    assert ("Wilson's statistics" in card) == law.wilson
    bias = first_bias(ULBD[name])
    assert ("atoms at random positions" in bias) == law.wilson
    assert ("uniform distribution" in bias) == (not law.wilson)
    assert ("Amplitudes are drawn" in bias) == law.amplitude
    assert ("equivalent reflections" in bias) == (not law.multiplicity)
    assert ("weaker with angle" in bias) == (not law.largest_b)
    assert ("Laue class" in bias) == (not law.tells_groups_apart)


@pytest.mark.parametrize("name", ["ulbd-cubic", "ulbd-physical-cubic"])
def test_the_command_line_tells_the_law(name):
    law = ULBD[name].law
    done = CliRunner().invoke(app, ["dataset", "describe", name, "--format", "json"])
    (facts,) = json.loads(done.stdout)
    assert law.describe() in facts["intensities"]
    assert facts["ideal"] == IDEAL


def test_every_card_says_that_patterns_are_ideal(tmp_path):
    crystals = crystal_set()
    path = crystal_file(tmp_path, crystals)
    for card in (designed_card(ULBD["ulbd-cubic"]), crystal_card(crystals, path)):
        assert IDEAL in card
    assert IDEAL in croissant(crystals, path)["description"]
    for word in ("noise", "background", "impurity", "texture", "one profile width"):
        assert word in IDEAL
    assert ARTICLE in designed_card(ULBD["ulbd-cubic"])
