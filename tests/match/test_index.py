"""The most similar persons, beside a plain search."""

import numpy as np
import pytest

from pipeline.match.features import unit_rows
from pipeline.match.index import PersonIndex

DIM = 16


@pytest.fixture(scope="module")
def filled():
    random = np.random.default_rng(3)
    rows = unit_rows(random.normal(size=(200, DIM)).astype(np.float32))
    index = PersonIndex(DIM)
    for number, row in enumerate(rows, start=1):
        index.put(number, row)
    return index, rows, unit_rows(random.normal(size=(7, DIM)).astype(np.float32))


@pytest.mark.parametrize("count", [1, 5, 199])
@pytest.mark.parametrize("least", [-1.0, 0.3, 0.7, 2.0])
def test_the_nearest_are_those_of_a_plain_search(filled, count, least):
    index, rows, asked = filled
    for row, found in zip(asked, index.nearest(asked, count, least=least), strict=True):
        cosine = rows @ row
        best = np.argsort(-cosine)[:count]
        assert found == {int(at) + 1 for at in best if cosine[at] >= least}


def test_among_few_everybody_is_near(filled):
    index, _, asked = filled
    assert index.nearest(asked, 200, least=0.9) == [set(range(1, 201))] * len(asked)
