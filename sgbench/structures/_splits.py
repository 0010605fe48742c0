"""Which structures are trained on: the paper's split, and one that keeps near-copies together."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Share of a space group's structures that the paper trains on (one more is added).
PAPER_SHARE = 0.95

#: Share of a space group's structures that each held-out part of the grouped split aims at.
HELD_OUT_SHARE = 0.1

_VALIDATED_OF_256 = 26


def stratified_split(structure_id: Sequence[str], spacegroup: NDArray[np.int64]) -> tuple[str, ...]:
    """Split each space group by itself, as the paper does: 95 % and one more for training.

    Groups with 20 structures or fewer therefore have no test sample. The order within a group is
    that of a hash of the ids, so that it looks random and is the same everywhere.

    Parameters
    ----------
    structure_id : sequence of str, length n
    spacegroup : ndarray of int64, shape (n,)

    Returns
    -------
    tuple of str, length n
        ``train`` or ``test``.
    """
    order = sorted(range(len(structure_id)), key=lambda i: _hash(structure_id[i]))
    size = Counter(spacegroup.tolist())
    seen: Counter[int] = Counter()
    split = [""] * len(structure_id)
    for i in order:
        group = int(spacegroup[i])
        split[i] = "train" if seen[group] < int(PAPER_SHARE * size[group]) + 1 else "test"
        seen[group] += 1
    return tuple(split)


def stratified_validation(structure_id: Sequence[str]) -> NDArray[np.bool_]:
    """Choose a tenth of the structures by a hash of their ids, shape (n,).

    The paper's split has no validation part; what is chosen of its training part is one, drawn as
    its test part is drawn.
    """
    return np.array(
        [_hash(f"validation/{name}")[0] < _VALIDATED_OF_256 for name in structure_id], dtype=bool
    )


def grouped_split(
    spacegroup: NDArray[np.int64], prototype: Sequence[str], name: Sequence[str]
) -> tuple[str, ...]:
    """Split so that no prototype and no name has structures on two sides.

    Structures of one prototype or of one name form a cluster, and so do clusters that share a
    structure. Clusters are handed out by the space group that most of their structures have: in the
    order of a hash, to the test and to the validation part as long as they do not overfill it, and
    never the last one of a space group.

    Parameters
    ----------
    spacegroup : ndarray of int64, shape (n,)
    prototype, name : sequence of str, length n

    Returns
    -------
    tuple of str, length n
        ``train``, ``validation`` or ``test``.
    """
    clusters = _clusters(prototype, name)
    home: dict[int, list[list[int]]] = defaultdict(list)
    for members in clusters:
        groups = Counter(spacegroup[members].tolist())
        home[min(groups, key=lambda g: (-groups[g], g))].append(members)
    split = ["train"] * len(prototype)
    for group, candidates in sorted(home.items()):
        candidates.sort(key=lambda members: _hash(f"{group}/{min(prototype[i] for i in members)}"))
        room = HELD_OUT_SHARE * sum(map(len, candidates))
        left = len(candidates)
        for part in ("test", "validation"):
            filled = 0
            for members in candidates:
                # Half of the last cluster may stick out, so that small groups get a part at all.
                fits = filled + len(members) / 2 <= max(room, 1)
                if left > 1 and fits and split[members[0]] == "train":
                    for i in members:
                        split[i] = part
                    filled += len(members)
                    left -= 1
                if filled >= room:
                    break
    return tuple(split)


def _clusters(*labels: Sequence[str]) -> list[list[int]]:
    """Return the connected components of samples that share a label."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(labels[0])
    nodes, edges = n, []
    for column in labels:
        _, codes = np.unique(np.array(column, dtype=object).astype(str), return_inverse=True)
        edges.append(codes + nodes)
        nodes += int(codes.max()) + 1
    rows, columns = np.tile(np.arange(n), len(edges)), np.concatenate(edges)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    members: dict[int, list[int]] = defaultdict(list)
    for i, number in enumerate(component[:n].tolist()):
        members[number].append(i)
    return list(members.values())


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
