"""What the page carries: every row, ranks within groups, and what belongs to a model."""

import json
import weakref
from dataclasses import replace

import pandas as pd
import pytest
from example_results import made_up_scores
from example_site import scores_of_two_sources, some_scores, some_site

from sgbench.errors import SgbenchError
from sgbench.evaluation import write_score
from sgbench.files import file_sha256
from sgbench.leaderboard import build_table
from sgbench.site import ScoreFile, read_score_files, site_data
from sgbench.symmetry import extinction_classes, family_spacegroups


@pytest.fixture(scope="module")
def scores():
    return some_scores(("best", "middle", "worst"), ("cubic",), n=120)


@pytest.fixture(scope="module")
def site(scores):
    return some_site(scores)


def column(site, name):
    kept = site.index["columns"][name]
    return kept.get("numbers") or [kept["texts"][i] for i in kept["index"]]


def test_every_row_and_column_is_there(scores, site):
    table = build_table(scores)
    for name in table.columns:
        numbers = pd.api.types.is_numeric_dtype(table[name])
        for kept, value in zip(column(site, name), table[name], strict=True):
            if pd.isna(value):
                assert kept is None
            elif numbers:
                assert kept == pytest.approx(value, rel=1e-5)
            else:
                assert kept == (value if isinstance(value, int | float) else str(value))
    json.dumps(site.index, allow_nan=False)


def test_a_model_has_its_classes_and_confusions(scores, site):
    place = site.index["models"].index("best")
    [one] = [
        score
        for score in scores
        if (score.provenance["model"], score.test_set, score.class_scheme)
        == ("best", "cddd", "extinction")
    ]
    key = ("best", "cddd", "extinction")
    rows = zip(*(column(site, name) for name in ("model", "test_set", "class_scheme")), strict=True)
    detail = site.models[place][str(list(rows).index(key))]
    assert sum(n for _, n, *_ in detail["by_class"]) == one.n_test
    wrong = {(true, guess): n for true, guess, n in one.confusion if true != guess}
    assert {(true, guess): n for true, guess, n, _ in detail["confusions"]} == wrong
    assert detail["n_wrong"] == sum(wrong.values())
    assert detail["files"][0]["score"] == "a" * 64
    true, guess = next(iter(wrong))
    missed, invented = site.differences["cubic"][f"{true},{guess}"]
    assert missed or invented
    assert len(site.index["classes"]["cubic"]) == len(
        extinction_classes(family_spacegroups("cubic"))
    )


def scores_of_two_seeds():
    return [
        one
        for seed in (0, 1)
        for one in made_up_scores("ulbd-cubic", "cddd", "cubic", 0.8, "m", n=200, seed=seed)
    ]


def test_seeds_are_one_row_with_their_mean():
    scores = scores_of_two_seeds()
    site = some_site(scores)
    assert site.index["n_rows"] == 2
    [detail] = [kept for kept in site.models[0].values() if "by_class" in kept]
    assert [file["seed"] for file in detail["files"]] == [0, 1]
    assert detail["n_wrong"] == sum(
        n
        for score in scores
        if score.class_scheme == "extinction"
        for true, guess, n in score.confusion
        if true != guess
    )


def test_calibration_is_that_of_all_seeds():
    scores = scores_of_two_seeds()
    site = some_site(scores)
    for detail in site.models[0].values():
        mine = [
            score
            for score in scores
            if (score.class_scheme == "extinction") == ("by_class" in detail)
        ]
        assert sum(n for _, n, _, _ in detail["calibration"]) == 400
        right = sum(n * right for _, n, _, right in detail["calibration"]) / 400
        assert right == pytest.approx(sum(score.top[0] for score in mine) / 2, abs=1e-4)
        stated = sum(n * stated for _, n, stated, _ in detail["calibration"])
        assert stated == pytest.approx(
            sum(n * stated for score in mine for _, n, stated, _ in score.calibration), abs=0.02
        )


def test_without_bins_there_is_no_calibration_to_show(scores):
    """In scores of earlier versions, and of ranked lists."""
    old = [replace(one, calibration=()) for one in scores]
    ranked = [replace(one, provenance={**one.provenance, "ranked": True}) for one in scores]
    for some in (old, ranked):
        details = [one for model in some_site(some).models for one in model.values()]
        assert details
        assert not any(one["calibration"] for one in details)


def test_scores_of_other_predictions_are_left_out(scores):
    table = build_table(scores)
    other = made_up_scores(
        "ulbd-cubic", "cddd", "cubic", 0.4, "best", n=50, predictions_sha256="0" * 63 + "f"
    )
    assert not any(site_data(table, "", [ScoreFile(one, "") for one in other]).models)


def test_a_score_that_names_no_predictions_belongs_to_its_row(scores):
    """As those of early versions."""
    early = [
        replace(one, provenance={**one.provenance, "predictions_sha256": None}) for one in scores
    ]
    site = site_data(build_table(scores), "", [ScoreFile(one, "") for one in early])
    assert sum(map(len, site.models)) == len(scores)


def test_rows_of_two_sources_are_never_ranked_together():
    site = some_site(scores_of_two_sources(("one", "two"), ("cubic",)))
    assert max(rank or 0 for rank in column(site, "rank_worst")) == 2
    sources = column(site, "source")
    assert sorted(set(sources)) == ["amcsd", "materials-project"]
    for model in site.models:
        for position, detail in model.items():
            assert len(detail["files"]) == 1, sources[int(position)]


def test_only_ceilings_with_values_can_be_chosen(scores):
    assert [stem for stem, _ in some_site(scores).index["ceilings"]] == ["ceiling"]
    more = some_site(scores, {f"data_ceiling_top{k}": 0.9 for k in range(1, 6)})
    assert [stem for stem, _ in more.index["ceilings"]] == ["ceiling", "data_ceiling"]


def test_scores_are_let_go_one_after_the_other(scores):
    """Ten thousand of them need no more memory than what the page says of them."""
    given = []

    def files():
        for one in scores:
            assert [seen() for seen in given[:-1]] == [None] * len(given[:-1])
            copy = replace(one)
            given.append(weakref.ref(copy))
            yield ScoreFile(copy, "")
            del copy

    assert sum(map(len, site_data(build_table(scores), "", files()).models)) == len(scores)


def test_a_file_is_read_with_its_hash(scores, tmp_path):
    path = tmp_path / "one.json"
    write_score(path, scores[0])
    [kept] = read_score_files([path])
    assert kept.sha256 == file_sha256(path)
    assert kept.score == scores[0]


def test_what_cannot_be_shown_is_refused(scores):
    table = build_table(scores)
    with pytest.raises(SgbenchError, match="no rows"):
        site_data(table.iloc[:0], "", [])
    with pytest.raises(SgbenchError, match="'square'"):
        site_data(table.assign(family="square"), "", [])
