import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sgbench.diffraction.philox_numba import philox_words
from sgbench.philox import philox4x32, stream_key, to_unit

# The known-answer vectors of Random123 (file kat_vectors, philox4x32 10): counter, key, result.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip
words = st.integers(0, 2**32 - 1)


def hexadecimal(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_known_answers(counter, key, result):
    counter, key, result = map(hexadecimal, (counter, key, result))
    assert philox4x32(counter, key) == result
    arrays = philox4x32(tuple(np.array([word], dtype=np.int64) for word in counter), key)
    assert tuple(int(word[0]) for word in arrays) == result
    tensors = philox4x32(tuple(torch.tensor([word]) for word in counter), key)
    assert tuple(int(word) for word in tensors) == result
    compiled = philox_words(*(np.uint64(word) for word in (*counter, *key)))
    assert tuple(map(int, compiled)) == result


@given(st.lists(st.tuples(words, words, words, words), min_size=1, max_size=20), words, words)
def test_all_forms_agree(counters, k0, k1):
    exact = [philox4x32(counter, (k0, k1)) for counter in counters]  # in Python's integers
    columns = np.array(counters, dtype=np.int64).T
    np.testing.assert_array_equal(np.array(philox4x32(tuple(columns), (k0, k1))).T, exact)
    tensors = philox4x32(tuple(torch.from_numpy(columns.copy())), (k0, k1))
    np.testing.assert_array_equal(torch.stack(tensors, dim=1).numpy(), exact)
    compiled = [philox_words(*map(np.uint64, (*counter, k0, k1))) for counter in counters]
    assert [tuple(map(int, words)) for words in compiled] == exact


def test_units_lie_above_zero_and_reach_one():
    assert to_unit(0) == 2.0**-24
    assert to_unit(2**32 - 1) == 1.0
    assert np.float32(to_unit(2**32 - 1 - 256)) < 1


def test_stream_keys():
    """The SHA-256 of 'abc' is an example of FIPS 180-2."""
    assert stream_key("abc") == (0xBA7816BF, 0x8F01CFEA)
