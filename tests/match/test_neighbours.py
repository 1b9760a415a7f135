import numpy as np
import pytest

from pipeline.match import neighbours
from pipeline.match.neighbours import candidate_pairs
from support.worlds import unit


def rows(count, dim=16, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(count, dim)))


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_few_tracks_are_all_compared(count):
    expected = [[a, b] for a in range(count) for b in range(a + 1, count)]
    assert candidate_pairs(rows(count)).tolist() == expected


def test_many_tracks_are_compared_with_their_nearest(monkeypatch):
    monkeypatch.setattr(neighbours, "ALL_PAIRS_ROWS", 10)
    monkeypatch.setattr(neighbours, "NEIGHBOURS", 3)
    features = rows(50)
    cosine = features @ features.T
    np.fill_diagonal(cosine, -2)
    nearest = np.argsort(-cosine, axis=1)[:, :3]
    expected = {(min(a, b), max(a, b)) for a, row in enumerate(nearest.tolist()) for b in row}
    found = candidate_pairs(features)
    assert set(map(tuple, found.tolist())) == expected
    assert found.tolist() == sorted(found.tolist())


def test_the_inverted_file_finds_most_of_the_nearest(monkeypatch):
    pytest.importorskip("faiss")
    for name, value in (("ALL_PAIRS_ROWS", 10), ("EXACT_ROWS", 100), ("NEIGHBOURS", 5)):
        monkeypatch.setattr(neighbours, name, value)
    random = np.random.default_rng(0)
    features = unit(np.repeat(rows(500, dim=32), 6, axis=0) + 0.05 * random.normal(size=(3000, 32)))
    found = set(map(tuple, candidate_pairs(features).tolist()))
    wanted = {(6 * k + i, 6 * k + j) for k in range(500) for i in range(6) for j in range(i + 1, 6)}
    assert len(found & wanted) > 0.95 * len(wanted)
