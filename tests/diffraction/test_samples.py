import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from sgbench.diffraction import CANONICAL, LineList, Recording, Samples, render
from sgbench.errors import SgbenchError

IDS = ("one", "two", "three", "four", "five")
GROUPS = np.array([225, 195, 225, 230, 196])
LINES = LineList(
    np.array([0, 2, 3, 6, 7, 9]),
    np.linspace(12, 80, 9),
    np.linspace(0.1, 1, 9).astype(np.float32),
)
OF_LINES = Samples(IDS, GROUPS, CANONICAL, LINES)
MEASURED = Samples(IDS, GROUPS, CANONICAL, measured=OF_LINES.patterns())
BOTH = pytest.mark.parametrize("samples", [OF_LINES, MEASURED], ids=["lines", "measured"])


def assert_same(one: Samples, other: Samples) -> None:
    assert one.ids == other.ids
    assert one.protocol == other.protocol
    assert_array_equal(one.spacegroup, other.spacegroup)
    assert_array_equal(one.patterns(), other.patterns())
    assert (one.lines is None) == (other.lines is None)
    assert one.sha256() == other.sha256()


@BOTH
def test_patterns_are_those_of_the_lines_or_those_measured(samples):
    patterns = samples.patterns()
    assert patterns.shape == (5, CANONICAL.n_points)
    assert patterns.dtype == np.float32
    assert_array_equal(patterns, render(LINES, CANONICAL))


@BOTH
def test_on_a_device_patterns_are_tensors(samples):
    tensor = samples.patterns(torch.device("cpu"))
    assert isinstance(tensor, torch.Tensor)
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor.numpy(), samples.patterns(), atol=1e-5)


@BOTH
def test_some_of_the_samples_in_the_order_asked_for(samples):
    some = samples.take([3, 0, 3])
    assert some.ids == ("four", "one", "four")
    assert some.spacegroup.tolist() == [230, 225, 230]
    assert_array_equal(some.patterns(), samples.patterns()[[3, 0, 3]])
    assert len(samples.take([])) == 0


@BOTH
@pytest.mark.parametrize(("size", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (9, [5])])
def test_batches_are_the_samples_in_their_order(samples, size, sizes):
    batches = list(samples.batches(size))
    assert [len(batch) for batch in batches] == sizes
    assert_same(Samples.concatenate(batches), samples)


@BOTH
def test_no_samples_make_no_batch(samples):
    assert list(samples.take([]).batches(3)) == []


@BOTH
def test_concatenated_samples_stand_one_after_the_other(samples):
    whole = Samples.concatenate([samples.take([4, 1]), samples.take([0])])
    assert_same(whole, samples.take([4, 1, 0]))


def test_the_checksum_of_lines_is_the_one_that_results_carry():
    """Ids, labels and lines, as test sets were summed before samples had a class of their own."""
    digest = hashlib.sha256("\n".join(IDS).encode())
    digest.update(GROUPS.astype("<i8").tobytes())
    digest.update(LINES.portable_bytes())
    assert OF_LINES.sha256() == digest.hexdigest()


@BOTH
def test_the_checksum_notices_ids_labels_and_order(samples):
    others = [
        samples,
        replace(samples, ids=("other", *IDS[1:])),
        replace(samples, spacegroup=GROUPS + 1),
        samples.take([1, 0, 2, 3, 4]),
        samples.take([0, 1, 2, 3]),
    ]
    assert len({one.sha256() for one in others}) == len(others)


def test_the_checksum_notices_patterns_but_not_their_last_bit():
    changed, touched = MEASURED.measured.copy(), MEASURED.measured.copy()
    changed[2, 4000] += 1e-3
    touched[touched == 1] = np.nextafter(np.float32(1), np.float32(0))
    assert not np.array_equal(touched, MEASURED.measured)
    assert replace(MEASURED, measured=changed).sha256() != MEASURED.sha256()
    assert replace(MEASURED, measured=touched).sha256() == MEASURED.sha256()
    assert OF_LINES.sha256() != MEASURED.sha256()


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": None},
        {"measured": MEASURED.measured},
        {"ids": IDS[1:]},
        {"spacegroup": GROUPS[1:]},
        {"lines": LINES.take([0, 1])},
        {"lines": None, "measured": MEASURED.measured[1:]},
        {"lines": None, "measured": MEASURED.measured[:, 1:]},
    ],
    ids=["nothing", "both", "ids", "labels", "too few lines", "too few patterns", "another grid"],
)
def test_samples_that_do_not_fit_together(changes):
    with pytest.raises(SgbenchError, match="need"):
        replace(OF_LINES, **changes)


def test_lines_and_patterns_do_not_mix():
    with pytest.raises(SgbenchError, match="Give one of the two"):
        Samples.concatenate([OF_LINES, MEASURED])


def doubled_ends(patterns, samples):
    assert len(samples) == len(patterns)
    patterns[:, 0] += 2
    return patterns


def test_what_is_done_to_patterns_is_done_when_they_are_made():
    recorded = replace(OF_LINES, recorded=(Recording("ends-2", doubled_ends),))
    expected = render(LINES, CANONICAL, scaled=False)
    expected[:, 0] += 2
    expected /= expected.max(axis=1, keepdims=True)
    assert_array_equal(recorded.patterns(), expected)
    assert_array_equal(recorded.take([3, 0]).patterns(), expected[[3, 0]])
    tensor = recorded.patterns(torch.device("cpu"))
    np.testing.assert_allclose(tensor.numpy(), expected, atol=1e-5)
    assert recorded.sha256() != OF_LINES.sha256()
    joined = Samples.concatenate([recorded.take([0]), recorded.take([1])])
    assert joined.sha256() == recorded.take([0, 1]).sha256()
    with pytest.raises(SgbenchError, match="recorded in different ways"):
        Samples.concatenate([recorded, OF_LINES])


def test_measured_patterns_stay_as_they_are():
    before = MEASURED.patterns().copy()
    recorded = replace(MEASURED, recorded=(Recording("ends-2", doubled_ends),))
    assert not np.array_equal(recorded.patterns(), before)
    recorded.patterns(torch.device("cpu"))
    assert_array_equal(MEASURED.patterns(), before)


def test_patterns_of_which_nothing_is_left():
    nothing = Recording("nothing", lambda patterns, samples: 0 * patterns)
    with pytest.raises(SgbenchError, match=r"5 of 5 patterns have no point above zero.*nothing"):
        replace(OF_LINES, recorded=(nothing,)).patterns()


def test_cells_go_with_their_samples():
    cells = np.arange(30.0).reshape(5, 6)
    known = replace(OF_LINES, cell=cells)
    assert_array_equal(known.take([4, 1]).cell, cells[[4, 1]])
    assert_array_equal(Samples.concatenate([known, known]).cell, np.concatenate([cells, cells]))
    assert Samples.concatenate([known, OF_LINES]).cell is None
