import numpy as np
import pytest

from pipeline.match.constraints import SpatialRules
from pipeline.match.linkage import link
from pipeline.match.neighbours import candidate_pairs
from pipeline.match.spans import Spans
from pipeline.settings import MatchSettings
from support.worlds import clash, looks, unit


def linked(features, weight, spans, pairs, *, threshold):
    """Link rows that have one or several spans each."""
    owner = np.repeat(np.arange(len(spans)), [len(each) for each in spans]).astype(np.int64)
    sums = features * weight[:, None]
    return link(sums, weight, Spans.all_of(spans), owner, pairs, rules=RULES, threshold=threshold)


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
                if mean / total >= best and not clash(rules, joined_spans[i], joined_spans[j]):
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
    found = linked(features, weight, spans, candidate_pairs(features), threshold=0.3)
    slow = slow_link(features, weight, spans, rules=RULES, threshold=0.3)
    assert found.tolist() == slow.tolist()
    assert 1 < len(set(found.tolist())) < 24


def test_no_rows_and_no_pairs_give_no_groups():
    empty = np.zeros((0, 2), np.int64)
    none = linked(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), [], empty, threshold=0)
    assert none.tolist() == []
    alone = linked(looks(2), np.ones(2, np.float32), [Spans.of([])] * 2, empty, threshold=0)
    assert alone.tolist() == [0, 1]


def test_a_group_inherits_the_constraints_of_its_members():
    # 0 and 2 share camera and time; 1 looks like both and is joined with 0 first.
    features = unit(np.array([[1.0, 0.0], [1.0, 0.05], [1.0, 0.12]]))
    spans = [Spans.of([(0, 5, 0)]), Spans.of([(10, 15, 0)]), Spans.of([(2, 6, 0)])]
    weight = np.ones(3, np.float32)
    labels = linked(features, weight, spans, candidate_pairs(features), threshold=0.5)
    assert labels.tolist() == [0, 0, 2]


def test_equal_similarities_are_joined_in_the_order_of_rows():
    features = np.tile(looks(1), (4, 1))
    spans = [Spans.of([(0, 5, 0)]), Spans.of([(0, 5, 0)]), Spans.of([(9, 10, 0)])]
    spans.append(Spans.of([(9, 10, 0)]))
    weight = np.ones(4, np.float32)
    labels = linked(features, weight, spans, candidate_pairs(features), threshold=0.5)
    assert labels.tolist() == [0, 1, 0, 1]


def test_rows_with_many_spans_or_none_are_compared_span_by_span():
    # The first row was in camera 0 twice; the second meets its later stay, the third none.
    features = np.tile(looks(1), (4, 1))
    spans = [
        Spans.of([(0, 5, 0), (50, 55, 0)]),
        Spans.of([(20, 25, 1), (52, 53, 0)]),
        Spans.of([(30, 35, 0), (10, 15, 1), (60, 61, 0)]),
        Spans.of([]),
    ]
    pairs = np.array([[0, 1], [0, 2], [0, 3]])
    labels = linked(features, np.ones(4, np.float32), spans, pairs, threshold=0.5)
    assert labels.tolist() == [0, 1, 0, 0]
