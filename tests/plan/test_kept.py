"""Results that are kept are taken for the same plan alone, and as they were."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from example_results import history, made_up_scores

from sgbench.archives import read_archive, write_archive
from sgbench.conditions import CONDITIONS
from sgbench.errors import SgbenchError
from sgbench.evaluation import write_score
from sgbench.models import REFERENCE, get_model
from sgbench.plan import (
    KEPT,
    _kept,
    keep,
    kept_mark,
    read_config,
    resolve_settings,
    take,
    trainings,
)

ROOT = Path(__file__).parents[2]


PACK = "results.tar.xz"


def settings(**over):
    return resolve_settings({**read_config(ROOT), "scale": "smoke", **over}, ROOT)


SMOKE = settings()
RUN = next(run for run in trainings(SMOKE) if run.folder == f"ulbd-cubic/{REFERENCE}/seed0")


def score(folder, test_set, **origin):
    """Write the scores of the run on a test set."""
    known = {"model": RUN.model, "plan_sha256": RUN.training_plan.sha256(), **origin}
    for one in made_up_scores("ulbd-cubic", test_set, "cubic", 0.9, **known):
        write_score(folder / f"{one.test_set}.{one.class_scheme}.json", one)


@pytest.fixture
def project(tmp_path):
    """A project in which one training is finished, and evaluated."""
    results = tmp_path / "results" / "smoke"
    for spec in RUN.test_sets:
        score(results / "scores" / RUN.folder, spec.name)
    place = results / "models" / RUN.folder
    place.mkdir(parents=True)
    history(0.5).to_csv(place / "history.csv", index=False)
    return tmp_path


def unpacked(mark):
    return read_archive(mark.with_name(PACK))


def packed(mark, files):
    write_archive(mark.with_name(PACK), files)


def test_what_is_finished_is_kept_once_and_laid_out_again(project, tmp_path):
    assert kept_mark(RUN, SMOKE, project) is None
    assert list(keep(SMOKE, project)) == [RUN]
    assert list(keep(SMOKE, project)) == []
    mark = kept_mark(RUN, SMOKE, project)
    assert {path.name for path in mark.parent.iterdir()} == {"run.json", PACK}
    kept = unpacked(mark)
    assert "history.csv" in kept
    assert len(kept) == 1 + 7 * 4  # two scores a test set, each with its answers
    out = tmp_path / "out"
    take(mark, out / "history.csv", out / "scores")
    before = project / "results" / "smoke" / "scores" / RUN.folder
    for path in before.iterdir():
        assert (out / "scores" / path.name).read_bytes() == path.read_bytes()
    assert sorted(path.name for path in (out / "scores").iterdir()) == sorted(
        path.name for path in before.iterdir()
    )
    assert (out / "history.csv").read_text() == history(0.5).to_csv(index=False)


def test_what_conditions_do_is_part_of_what_is_kept(monkeypatch):
    """Of the training set and of test sets, through mixtures that a condition is a part of."""
    names = {"training": {"ulbd-cubic+laboratory": {"reference": 64}}}
    for over in (names, {"test_sets": ["ulbd-off-mesh+laboratory"]}):
        changed = settings(**over)
        run = next(
            run
            for run in trainings(changed)
            if "+" in str(run.train_set.name) + "".join(spec.name for spec in run.test_sets)
        )
        before = _kept._run_sha256(run, changed)
        assert _kept._run_sha256(run, changed) == before
        part, amount = CONDITIONS["laboratory"].parts[0]
        newer = replace(part, version=part.version + 1)
        parts = ((newer, amount), *CONDITIONS["laboratory"].parts[1:])
        with monkeypatch.context() as patch:
            patch.setitem(CONDITIONS, "laboratory", replace(CONDITIONS["laboratory"], parts=parts))
            assert _kept._run_sha256(run, changed) != before


@pytest.mark.parametrize(
    "over",
    [
        {"training": {"ulbd-cubic": {"reference": 7000}}},
        {"training": {"ulbd-cubic": {"reference": {"peak_rate": 2e-3}}}},
        {"test_sets": ["ulbd-in-mesh"]},
        {"test_patterns_per_spacegroup": 21},
        {"source": {"name": "optimade", "location": "https://example.org"}},
        {"crystals_per_family": 61},
    ],
    ids=str,
)
def test_another_plan_does_without(project, over):
    assert list(keep(SMOKE, project)) == [RUN]
    other = settings(**over)
    run = next(one for one in trainings(other) if one.folder == RUN.folder)
    assert kept_mark(run, other, project) is None


def test_what_was_changed_is_not_taken(project, tmp_path):
    list(keep(SMOKE, project))
    mark = kept_mark(RUN, SMOKE, project)
    files = unpacked(mark)
    name = next(name for name in files if name.endswith(".json"))
    packed(mark, files | {name: files[name].replace(b'"top1": 0', b'"top1": 1', 1)})
    with pytest.raises(SgbenchError, match=f"{name} is not the file that it names"):
        take(mark, tmp_path / "h.csv", tmp_path / "scores")
    assert list((tmp_path / "scores").iterdir()) == []
    assert not (tmp_path / "h.csv").exists()


@pytest.mark.parametrize(
    "damage", [lambda pack: b"", lambda pack: pack[:-200], lambda pack: b"x" * 99]
)
def test_a_damaged_archive_is_not_taken(project, tmp_path, damage):
    list(keep(SMOKE, project))
    mark = kept_mark(RUN, SMOKE, project)
    pack = mark.with_name(PACK)
    pack.write_bytes(damage(pack.read_bytes()))
    with pytest.raises(SgbenchError, match="is not an archive of kept results"):
        take(mark, tmp_path / "h.csv", tmp_path / "scores")
    assert not (tmp_path / "scores").exists()


def test_the_same_results_make_the_same_archive(project):
    list(keep(SMOKE, project))
    pack = kept_mark(RUN, SMOKE, project).with_name(PACK)
    before = pack.read_bytes()
    shutil.rmtree(pack.parent)
    list(keep(SMOKE, project))
    assert pack.read_bytes() == before


def test_what_is_of_another_plan_is_not_kept(project):
    """Settings may have been edited since the scores were made."""
    other = settings(training={"ulbd-cubic": {"reference": 7000}})
    assert list(keep(other, project)) == []
    assert not (project / KEPT).exists()


def test_what_is_evaluated_in_part_is_not_kept(project):
    scores = project / "results/smoke/scores" / RUN.folder
    (scores / "gcdd.spacegroup.json").rename(scores / "gcdd.spacegroup.later")
    assert list(keep(SMOKE, project)) == []
    (scores / "gcdd.spacegroup.later").rename(scores / "gcdd.spacegroup.json")
    assert list(keep(SMOKE, project)) == [RUN]


@pytest.mark.parametrize("origin", [{"model": "ghost-net"}, {"plan_sha256": "0"}, {"seed": 1}])
def test_a_score_of_something_else_is_not_taken(project, tmp_path, origin):
    """Even if the mark names it with its checksum."""
    list(keep(SMOKE, project))
    mark = kept_mark(RUN, SMOKE, project)
    score(tmp_path / "other", "cddd", **origin)
    content, files = json.loads(mark.read_text()), unpacked(mark)
    for path in (tmp_path / "other").iterdir():
        files[path.name] = path.read_bytes()
        content["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    packed(mark, files)
    mark.write_text(json.dumps(content))
    with pytest.raises(SgbenchError, match=r"cddd\.\w+\.json is of another training"):
        take(mark, tmp_path / "h.csv", tmp_path / "scores")
    content["origin"] |= origin
    mark.write_text(json.dumps(content))
    assert kept_mark(RUN, SMOKE, project) is None


def test_what_is_kept_stays_until_there_is_something_in_its_place(project):
    list(keep(SMOKE, project))
    before = {path.name for path in (project / KEPT / "smoke" / RUN.folder).iterdir()}
    (project / "results/smoke/models" / RUN.folder / "history.csv").unlink()
    other = settings(test_patterns_per_spacegroup=21)
    assert list(keep(other, project)) == []
    assert {path.name for path in (project / KEPT / "smoke" / RUN.folder).iterdir()} == before


def test_other_data_and_another_model_do_without(project, monkeypatch):
    list(keep(SMOKE, project))
    with monkeypatch.context() as patch:
        spec = replace(get_model(RUN.model), version=2)
        patch.setattr("sgbench.plan._kept.get_trained_model", lambda name: spec)
        assert kept_mark(RUN, SMOKE, project) is None
    assert kept_mark(RUN, SMOKE, project) is not None
    monkeypatch.setattr("sgbench.designed.Ulbd.checksum", lambda self: "other")
    assert kept_mark(RUN, SMOKE, project) is None


def test_other_weights_to_begin_from_do_without(project, monkeypatch):
    run = replace(RUN, plan={**RUN.plan, "start": "ulbd-cubic/tiny"})
    described = SimpleNamespace(weights_sha256="one")
    monkeypatch.setattr("sgbench.plan._kept.read_pretrained", lambda name: described)
    one = _kept._origin(run, SMOKE)
    described.weights_sha256 = "two"
    assert one != _kept._origin(run, SMOKE)
    assert "start_sha256" not in _kept._origin(RUN, SMOKE)


def test_a_damaged_score_is_not_kept(project):
    next((project / "results/smoke/scores" / RUN.folder).glob("*.json")).write_text("{}")
    with pytest.raises(SgbenchError, match="is not a readable score"):
        list(keep(SMOKE, project))
    assert not (project / KEPT).exists()


def test_what_is_kept_fits_the_settings_of_today():
    """Kept results that no plan takes any more are dead weight."""
    for scale in (path.name for path in (ROOT / KEPT).glob("*")):
        current = resolve_settings({**read_config(ROOT), "scale": scale}, ROOT)
        marks = {path.parent for path in (ROOT / KEPT / scale).rglob("run.json")}
        taken = {ROOT / KEPT / scale / run.folder for run in trainings(current)
                 if kept_mark(run, current, ROOT)}  # fmt: skip
        assert marks == taken
