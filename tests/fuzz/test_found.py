"""Files that once ended in a traceback: each is read, or refused in a sentence."""

from pathlib import Path

import pytest
from fuzz import FOUND, READERS, SANDBOXED, fuzz, outcome

SHARED = Path(__file__).parents[3] / "shared/data/cases/fuzz"
# What the first damaged files of others were of, by their names.
KINDS = {"crys": "line-lists", "csv": "leaderboard", "json": "scores"}


@pytest.mark.parametrize("path", sorted(FOUND.iterdir()), ids=lambda path: path.name)
def test_what_was_found_is_mended(path):
    reader = {**READERS, **SANDBOXED}[path.name.partition("--")[0]]()
    assert outcome(reader, path) in ("past", "first")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the cases of others are not here")
@pytest.mark.parametrize("kind", KINDS)
def test_what_others_found_is_mended(kind):
    paths = sorted(SHARED.glob(f"{kind}-*"))
    assert paths
    reader = READERS[KINDS[kind]]()
    for path in paths:
        assert outcome(reader, path) in ("past", "first")


@pytest.mark.parametrize("name", ["scores", "leaderboard", "descriptions"])
def test_damage_reaches_beyond_the_first_check(name):
    found = fuzz(name, 60, 1, 60)
    assert (found["cases"], found["crashes"]) == (60, 0)
    assert found["past"] >= 0.5
