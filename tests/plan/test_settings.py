from pathlib import Path

import pytest

from sgbench.conditions import CONDITIONS, every_condition
from sgbench.errors import SgbenchError
from sgbench.leaderboard import open_table, read_csv
from sgbench.models import REFERENCE, get_model
from sgbench.plan import SCALES, explain_scale, read_config, resolve_settings, trainings
from sgbench.sets import SetSpec

ROOT = Path(__file__).parents[2]
GIVEN = read_config(ROOT)
with open_table(ROOT / "results" / "published" / "laptop.tar.xz") as _table:
    PUBLISHED = read_csv(_table)
# The smallest scale's file that holds everything, with its trainings and defaults to be filled in.
SCALE = """
job_threads: 1
families: [cubic]
seeds: [0]
test_patterns_per_spacegroup: 2
test_sets: ["ulbd-{in,off}-mesh", ulbd-off-mesh]
crystals_per_family: null
decoder: {patterns_per_spacegroup: 1, test_sets: [ulbd-off-mesh]}
generated: {per_spacegroup: 1, portrayed: 2, seed: 0}
"""


@pytest.fixture
def resolved(tmp_path):
    """Resolve a scale's file that ends as is said, with the user's settings over it."""
    (tmp_path / "config").mkdir()
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")

    def resolve(text, **over):
        (tmp_path / "config" / "smoke.yaml").write_text(SCALE + text)
        return resolve_settings({**GIVEN, "scale": "smoke", **over}, tmp_path)

    return resolve


@pytest.mark.parametrize("scale", sorted({*PUBLISHED["scale"]}))
def test_a_scale_that_is_published_fixes_the_number_of_threads(scale):
    threads = resolve_settings({**GIVEN, "scale": scale}, ROOT)["job_threads"]
    assert threads is not None
    mine = (PUBLISHED["scale"] == scale) & (PUBLISHED["status"] == "reference")
    ours = PUBLISHED[mine]["hardware"].dropna()
    assert {hardware.rpartition(", ")[2] for hardware in ours} == {f"{threads} threads"}


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_is_complete(scale):
    settings = resolve_settings({**GIVEN, "scale": scale}, ROOT)
    assert settings["scale"] == scale
    trained = [SetSpec.parse(name) for name in settings["training"]]
    assert {spec.family for spec in trained} == set(settings["families"])
    assert [spec.name for spec in trained] == list(settings["training"])
    for plans in settings["training"].values():
        assert all("patterns" in {**get_model(name).defaults, **plans[name]} for name in plans)


def test_names_are_spelled_out(resolved):
    settings = resolved(
        """
training:
  ulbd-{cubic,tetragonal}@{0.1,2}x5, gcdd-cubic{,-stratified}: {"nearest-{neighbours}": 7}
  ulbd-tetragonal@3:10:0.1,3:15:0.1: {"{extra-trees, random-forest}-suzuki2020, cnn-park2017": 8}
"""
    )
    neighbours = {"nearest-neighbours": {"patterns": 7}}
    several = ("extra-trees-suzuki2020", "random-forest-suzuki2020", "cnn-park2017")
    assert settings["training"] == {
        "ulbd-cubic@0.1x5": neighbours,
        "ulbd-cubic@2x5": neighbours,
        "ulbd-tetragonal@0.1x5": neighbours,
        "ulbd-tetragonal@2x5": neighbours,
        "gcdd-cubic": neighbours,
        "gcdd-cubic-stratified": neighbours,
        "ulbd-tetragonal@3:10:0.1,3:15:0.1": {name: {"patterns": 8} for name in several},
    }
    assert settings["test_sets"] == ["ulbd-in-mesh", "ulbd-off-mesh"]


def test_a_plan_is_laid_over_the_defaults_of_its_model_and_these_over_its_architectures(resolved):
    training = resolved(
        """
defaults:
  fcn-wang2024: {warmup: 10, validations: 10, peak_rate: 1.0e-3}
  fcn-wang2024.sqrt: {validations: 5}
training:
  ulbd-cubic:
    fcn-wang2024, fcn-wang2024.sqrt, dense-vecsei2019: {peak_rate: 2.0e-3, patterns: 9}
"""
    )["training"]["ulbd-cubic"]
    plain = {"patterns": 9, "peak_rate": 2.0e-3, "warmup": 10, "validations": 10}
    assert training["fcn-wang2024"] == plain
    assert list(training["fcn-wang2024"]) == list(plain)  # a new order would train again
    assert training["fcn-wang2024.sqrt"] == {**plain, "validations": 5}
    assert training["dense-vecsei2019"] == {"patterns": 9, "peak_rate": 2.0e-3}


def test_a_name_can_say_the_length_and_a_plan_its_seeds(resolved):
    settings = resolved(
        """
defaults:
  fcn-wang2024: {validations: 10}
  fcn-wang2024.soft: {patterns: 40, warmup: 3}
training:
  ulbd-cubic: {"reference@5": {seeds: [1, 2]}, "fcn-wang2024.soft{,@10}": {}}
"""
    )
    assert settings["training"]["ulbd-cubic"] == {
        f"{REFERENCE}@5": {"validations": 10, "seeds": [1, 2]},
        "fcn-wang2024.soft": {"patterns": 40, "warmup": 3, "validations": 10},
        "fcn-wang2024.soft@10": {"warmup": 3, "validations": 10},
    }
    found = trainings(settings)
    seeds = {run.model: [one.seed for one in found if one.model == run.model] for run in found}
    assert seeds[f"{REFERENCE}@5"] == [1, 2]
    assert seeds["fcn-wang2024.soft"] == settings["seeds"]
    lengths = {run.model: run.training_plan.patterns for run in found}
    assert list(lengths.values()) == [5, 40, 10]
    assert "--seeds" not in found[0].options


def test_a_name_that_says_another_length_than_its_plan_is_refused(resolved):
    with pytest.raises(SgbenchError, match=r"ulbd-cubic.*5 patterns by its name, and 6 are asked"):
        resolved("training: {ulbd-cubic: {reference@5: 6}}".replace("reference", REFERENCE))


def test_numbers_that_a_command_line_leaves_as_texts_are_numbers(resolved):
    """As Snakemake passes `--config 'training={ulbd-cubic: {reference: 6}}'`."""
    settings = resolved(
        "training: {ulbd-cubic: {reference: {patterns: 5}}}",
        training={"ulbd-cubic": {"reference": {"patterns": "6", "peak_rate": "1e-3"}}},
        seeds=["3", "4"],
        crystals_per_family="null",
        kept="false",
        source={"name": "table", "location": "7"},
    )
    plan = {"patterns": 6, "peak_rate": 1e-3}
    assert settings["training"] == {"ulbd-cubic": {REFERENCE: plan}}
    assert (settings["seeds"], settings["crystals_per_family"]) == ([3, 4], None)
    assert settings["kept"] is False
    assert settings["source"]["location"] == "7"
    with pytest.raises(SgbenchError, match="many"):
        resolved("training: {}", seeds=["many"])


def test_a_later_key_adds_to_an_earlier_one(resolved):
    training = resolved(
        """
training:
  ulbd-{cubic,tetragonal}: {reference: {patterns: 5, warmup: 20}}
  ulbd-cubic: {reference: 6, nearest-neighbours: {}}
"""
    )["training"]
    assert training["ulbd-tetragonal"] == {REFERENCE: {"patterns": 5, "warmup": 20}}
    assert training["ulbd-cubic"] == {
        REFERENCE: {"patterns": 6, "warmup": 20},
        "nearest-neighbours": {},
    }


def test_the_reference_can_be_another_model(resolved):
    text = "training: {ulbd-cubic: {reference: 5}}"
    assert resolved(text)["reference"] == REFERENCE
    settings = resolved(text, reference="cnn-park2017")
    assert settings["reference"] == "cnn-park2017"
    assert list(settings["training"]["ulbd-cubic"]) == ["cnn-park2017"]


def test_names_of_earlier_versions_are_understood(resolved):
    settings = resolved(
        "training: {cddd-cubic-stratified: {reference: {patterns: 5, warmup: 20}}}",
        reference="fcn-wang2024.sqrt-fresh",
        test_sets=["cddd-paper-test"],
        training={"cddd-cubic-paper-split": {"fcn-wang2024.sqrt-fresh": 6}},
    )
    assert settings["reference"] == REFERENCE
    assert settings["test_sets"] == ["cddd-stratified-test"]
    plans = {REFERENCE: {"patterns": 6, "warmup": 20}}
    assert settings["training"] == {"cddd-cubic-stratified": plans}
    assert resolve_settings({**GIVEN, "scale": "paper"}, ROOT)["scale"] == "full"


def test_auto_takes_the_laptop_where_no_cuda_is(monkeypatch):
    monkeypatch.setattr("sgbench.plan._settings._has_cuda", lambda: False)
    assert resolve_settings(GIVEN, ROOT)["scale"] == "laptop"
    monkeypatch.setattr("sgbench.plan._settings._has_cuda", lambda: True)
    assert resolve_settings(GIVEN, ROOT)["scale"] == "full"


def test_what_the_user_says_wins_key_by_key():
    below = resolve_settings({**GIVEN, "scale": "smoke"}, ROOT)["training"]
    over = {"training": {"ulbd-cubic": {REFERENCE: {"patterns": 123}, "cnn-park2017": 7}}}
    training = resolve_settings({**GIVEN, "scale": "smoke", **over}, ROOT)["training"]
    assert training == {
        **below,
        "ulbd-cubic": {
            **below["ulbd-cubic"],
            REFERENCE: {**below["ulbd-cubic"][REFERENCE], "patterns": 123},
            "cnn-park2017": {"patterns": 7},
        },
    }


def test_a_star_stands_for_conditions_at_every_severity(resolved):
    widths = [f"ulbd-off-mesh+width-{one:g}" for one in CONDITIONS["width"].severities]
    counts = [f"ulbd-off-mesh+counts-{one:g}" for one in CONDITIONS["counts"].severities]
    every = resolved("training: {}", test_sets=["ulbd-off-mesh", "ulbd-off-mesh+*"])["test_sets"]
    assert set(every) > {"ulbd-off-mesh", "ulbd-off-mesh+laboratory", *widths, *counts}
    n = sum(max(1, len(kind.severities)) for kind in CONDITIONS.values())
    assert len(every) == 1 + n
    some = resolved("training: {}", test_sets=["ulbd-off-mesh+{width,counts}-*"])["test_sets"]
    assert some == widths + counts


def test_scale_robustness_tests_under_every_condition():
    """Every condition is there, at whatever severities the catalogue has."""
    tested = resolve_settings({**GIVEN, "scale": "robustness"}, ROOT)["test_sets"]
    assert {name.partition("+")[2] for name in tested} == {"", *map(str, every_condition())}


@pytest.mark.parametrize(
    ("over", "names"),
    [
        ({"test_sets": ["ulbd-off-mesh+wide-*"]}, ["test_sets.0", "ulbd-off-mesh+wide-*"]),
        ({"test_sets": ["*"]}, ["test_sets.0", "ulbd-off-mesh+*"]),
        ({"family_test_sets": {"cubik": ["cddd"]}}, ["family_test_sets", "cubik"]),
        ({"family_test_sets": {"cubic": ["cdd"]}}, ["family_test_sets.cubic.0", "cdd"]),
        ({"scale": "smal"}, ["scale", "smal", "smoke"]),
        ({"families": []}, ["families"]),
        ({"families": ["cubik"]}, ["families.0", "cubik"]),
        ({"seeds": 3}, ["seeds"]),
        ({"sedes": [1]}, ["sedes"]),
        ({"device": "gpu"}, ["device", "gpu", "cuda"]),
        ({"test_sets": ["cdd"]}, ["test_sets.0", "cdd"]),
        ({"test_sets": ["ulbd-sealed"]}, ["test_sets.0", "ulbd-sealed"]),
        ({"controls": ["control-prior", "oracle"]}, ["controls.1", "oracle", "control-oracle"]),
        ({"source": {"name": "icsd", "location": None}}, ["source.name", "icsd", "amcsd"]),
        ({"reference": "resnet"}, ["reference", "resnet", "fcn-wang2024"]),
        ({"defaults": {"resnet": 5}}, ["defaults", "resnet", "fcn-wang2024"]),
        ({"training": {"ulbd-cubic": {"reference": 0}}}, ["training.ulbd-cubic", "0"]),
        ({"training": {"cddd-test": {"reference": 5}}}, ["training.cddd-test", "to score on"]),
        ({"training": {"ulbd-{cubic": {"reference": 5}}}, ["unknown set 'ulbd-{cubic'"]),
        (
            {"training": {"ulbd-cubic": {"control-prior": 5}}},
            ["training.ulbd-cubic", "control-prior", "needs no training"],
        ),
        (
            {"training": {"ulbd-cubic": {"fcn-wang2024": {"patterns": "many"}}}},
            ["training.ulbd-cubic"],
        ),
        ({"training": {"ulbd-cubik": {"fcn-wang2024": {"patterns": 1}}}}, ["ulbd-cubik"]),
        (
            {"training": {"ulbd-cubic": {"resnet": {"patterns": 1}}}},
            ["training.ulbd-cubic", "resnet", "fcn-wang2024"],
        ),
    ],
)
def test_a_wrong_setting_is_named(over, names):
    with pytest.raises(SgbenchError) as caught:
        resolve_settings({**GIVEN, "scale": "smoke", **over}, ROOT)
    message = str(caught.value)
    assert any(
        advice in message for advice in ("Mend", "Choose", "lists them", "list them", "Predict")
    )
    for name in names:
        assert name in message


def test_a_key_that_is_no_text():
    for training in ({3: {"reference": 5}}, {"ulbd-cubic": {7: 5}}):
        with pytest.raises(SgbenchError, match=r"the key [37] is no name"):
            resolve_settings({"scale": "smoke", **read_config(ROOT), "training": training}, ROOT)


def test_a_missing_setting_is_named(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "smoke.yaml").write_text("seeds: [0]\n")
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    with pytest.raises(SgbenchError, match=r"'training' is a required property|is a required"):
        resolve_settings({**GIVEN, "scale": "smoke"}, tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "smoke.yaml").write_text("seeds: [0\n")
    with pytest.raises(SgbenchError, match=r"smoke.yaml is not a file of settings"):
        resolve_settings({**GIVEN, "scale": "smoke"}, tmp_path)


def test_the_scale_is_explained():
    assert explain_scale("smoke", "smoke") == "scale smoke, as asked"
    assert "no CUDA" in explain_scale("auto", "laptop")
    assert "CUDA device is present" in explain_scale("auto", "full")
