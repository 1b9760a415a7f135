import numpy as np
import pytest

from pipeline.match.constraints import Spans, SpatialRules
from pipeline.match.linkage import link
from pipeline.match.neighbours import candidate_pairs
from pipeline.settings import MatchSettings
from worlds import looks, unit

RULES = SpatialRules(["a", "b"], MatchSettings(views="overlapping"))


def slow_link(features, weight, spans, *, rules, threshold):
    """One pair at a time, over all pairs of members of two groups."""
    groups = [[i] for i in range(len(features))]
    joined_spans = list(spans)
    while True:
        best, where = threshold, None
        for i in range(len(groups)):
            for j in range(i + 1, len(groups)):
                pairs = [(x, y) for x in groups[i] for y in groups[j]]
                total = sum(weight[x] * weight[y] for x, y in pairs)
                mean = sum(weight[x] * weight[y] * features[x] @ features[y] for x, y in pairs)
                if mean / total >= best and not rules.clash(joined_spans[i], joined_spans[j]):
                    best, where = mean / total, (i, j)
        if where is None:
            break
        i, j = where
        groups[i] += groups.pop(j)
        joined_spans[i] = joined_spans[i].joined(joined_spans.pop(j))
    labels = np.zeros(len(features), np.int64)
    for group in groups:
        labels[group] = min(group)
    return labels


def random_spans(count, random):
    starts = random.uniform(0, 60, count)
    return [Spans.of([(float(s), float(s) + 5, int(random.integers(2)))]) for s in starts]


@pytest.mark.parametrize("seed", range(8))
def test_rounds_of_reciprocal_pairs_find_what_joining_one_by_one_finds(seed):
    random = np.random.default_rng(seed)
    features = unit(looks(5)[random.integers(5, size=24)] + random.normal(size=(24, 32)) * 0.15)
    weight = random.uniform(0.5, 2, 24).astype(np.float32)
    spans = random_spans(24, random)
    found = link(features, weight, spans, candidate_pairs(features), rules=RULES, threshold=0.3)
    slow = slow_link(features, weight, spans, rules=RULES, threshold=0.3)
    assert found.tolist() == slow.tolist()
    assert 1 < len(set(found.tolist())) < 24


def test_no_rows_and_no_pairs_give_no_groups():
    empty = np.zeros((0, 2), np.int64)
    none = link(
        np.zeros((0, 4), np.float32), np.zeros(0, np.float32), [], empty, rules=RULES, threshold=0
    )
    assert none.tolist() == []
    alone = link(
        looks(2), np.ones(2, np.float32), [Spans.of([])] * 2, empty, rules=RULES, threshold=0
    )
    assert alone.tolist() == [0, 1]


def test_a_group_inherits_the_constraints_of_its_members():
    # 0 and 2 share camera and time; 1 looks like both and is joined with 0 first.
    features = unit(np.array([[1.0, 0.0], [1.0, 0.05], [1.0, 0.12]]))
    spans = [Spans.of([(0, 5, 0)]), Spans.of([(10, 15, 0)]), Spans.of([(2, 6, 0)])]
    weight = np.ones(3, np.float32)
    labels = link(features, weight, spans, candidate_pairs(features), rules=RULES, threshold=0.5)
    assert labels.tolist() == [0, 0, 2]


def test_equal_similarities_are_joined_in_the_order_of_rows():
    features = np.tile(looks(1), (4, 1))
    spans = [Spans.of([(0, 5, 0)]), Spans.of([(0, 5, 0)]), Spans.of([(9, 10, 0)])]
    spans.append(Spans.of([(9, 10, 0)]))
    labels = link(
        features,
        np.ones(4, np.float32),
        spans,
        candidate_pairs(features),
        rules=RULES,
        threshold=0.5,
    )
    assert labels.tolist() == [0, 1, 0, 1]
