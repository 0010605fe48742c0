"""Damage of decoded documents, so that most of what comes out still passes for one of its kind."""

import copy
import math
import random
from collections.abc import Iterator
from typing import Any

NUMBERS = (
    0, -1, 1, 2, 3, 0.5, 1.5, -0.1, 1e-300, 1e300, math.inf, -math.inf, math.nan, 231, 2**31, 2**53,
    2**63, 2**64, -(2**63), 10**30, True,
)  # fmt: skip
TEXTS = (
    "", " ", "x", "0", "-1", "1.5", "nan", "inf", "1e999", "é", "‮", "\0", "\n", "a" * 5000,
    "=1+1", "<b>", "../x", "None", "٣", "cubic", "all", "spacegroup", "extinction", "ulbd-cubic",
    "ulbd-in-mesh", "cddd", "ulbd-cubic@0:0:0x9", "timm:x", "reference", "control", "{a,b}",
    'a,"b',
)  # fmt: skip
OTHERS = (None, [], {}, [[]], [None], {"": 0}, {"a": {"b": []}}, [1, "a"])
_NEAR = 0.6
# Lists in lists without end are damage, and no place to damage further.
_DEEPEST = 40


def damaged(value: Any, rng: random.Random) -> Any:
    """Return a copy of a document of plain values with one to three places changed."""
    changed = [copy.deepcopy(value)]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(changed))
        # A document is refused where it begins, so most changes are made further inside.
        depth = rng.choice(places)[2]
        container, key, _ = rng.choice([one for one in places if one[2] >= depth])
        _change(container, key, changed, rng)
    return changed[0]


def damaged_bytes(content: bytes, rng: random.Random) -> bytes:
    """Return bytes that were flipped, cut, doubled or overwritten."""
    if not content:
        return bytes([rng.randrange(256)])
    found, place = bytearray(content), rng.randrange(len(content))
    how = rng.randrange(5)
    if how == 0:
        for _ in range(rng.randint(1, 8)):
            found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    elif how == 1:
        del found[place:]
    elif how == 2:
        del found[place : place + rng.randint(1, 64)]
    elif how == 3:
        found[place:place] = found[rng.randrange(len(found)) :][: rng.randint(1, 64)]
    else:
        found[place : place + 8] = rng.choice((b"\0" * 8, b"\xff" * 8, rng.randbytes(8)))
    return bytes(found)


def scalar(rng: random.Random) -> Any:
    """Return a value that is often not thought of."""
    return rng.choice(rng.choice((NUMBERS, TEXTS, OTHERS)))


def near(value: Any, rng: random.Random) -> Any:
    """Return a value of the same type, often close by."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, -value, 2 * value, 0, rng.randint(-5, 300)))
    if isinstance(value, float):
        return rng.choice((value * 1.01, -value, 1 - value, value + 1, 0.0, rng.random()))
    if isinstance(value, str):
        place = rng.randrange(len(value) + 1)
        letter = rng.choice(("", "-", "+", ".", "@", "x", "0", " ", value[:1]))
        return value[:place] + letter + value[place + rng.randint(0, 1) :]
    return value


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any, int]]:
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key, depth
        if isinstance(value[key], dict | list) and depth < _DEEPEST:
            yield from _places(value[key], depth + 1)


def _change(container: Any, key: Any, whole: list[Any], rng: random.Random) -> None:
    value = container[key]
    if rng.random() < _NEAR and not isinstance(value, dict | list):
        container[key] = near(value, rng)
        return
    how = rng.randrange(6)
    if how == 0 and container is not whole:
        del container[key]
    elif how == 1 and container is not whole:
        other = copy.deepcopy(value)
        if isinstance(container, list):
            container.insert(rng.randrange(len(container) + 1), other)
        else:
            container[rng.choice(TEXTS)] = other
    elif how == 2:
        source, place, _ = rng.choice(list(_places(whole)))
        container[key] = copy.deepcopy(source[place])
    elif how == 3 and isinstance(value, list) and value:
        container[key] = rng.choice((value[:-1], value[::-1], value * 2, value[:1]))
    else:
        container[key] = scalar(rng)
