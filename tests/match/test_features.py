import numpy as np
import pytest

from pipeline.match import features
from pipeline.match.features import CameraCentres, tracklet_features, unit_rows
from support.worlds import looks, tracklet, unit


def tracklets(vectors, cameras, weight=2.0):
    return [
        tracklet(vector, camera="abc"[camera], track_id=row + 1, weight=weight)
        for row, (vector, camera) in enumerate(zip(vectors, cameras, strict=True))
    ]


def random_rows(count, dim=32, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(count, dim)))


def slow_looks(rows):
    """Count the rows that are unlike every counted one before."""
    counted = []
    for row in rows:
        if all(row @ other < features.SAME_LOOKS for other in counted):
            counted.append(row)
    return min(len(counted), features.MAX_DISTINCT)


def slow_centred(means, camera, prior):
    """One track after the other, as the definition says."""
    found = []
    for mean, place in zip(means, camera, strict=True):
        own = [m for m, c in zip(means, camera, strict=True) if c == place]
        others = slow_looks(own) - 1
        share = others**2 / (others**2 + prior**2) if prior else 0
        moved = mean - share * (np.mean(own, axis=0) - np.mean(means, axis=0))
        found.append(moved / np.linalg.norm(moved))
    return np.array(found)


@pytest.mark.parametrize("prior", [0, 5.0])
def test_centring_follows_its_definition(prior):
    means, camera = random_rows(40), np.arange(40) % 3
    expected = slow_centred(means, camera, prior)
    found = CameraCentres.of(means, camera, cameras=4, prior=prior).apply(means, camera)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_tracklets_have_the_same_features_however_they_are_cut_into_blocks(monkeypatch, block):
    monkeypatch.setattr(features, "BLOCK_ROWS", block)
    means, camera = random_rows(40), np.arange(40) % 3
    found, _ = tracklet_features(
        tracklets(means, camera), camera, cameras=3, prior=5.0, reduce=False
    )
    np.testing.assert_allclose(found, slow_centred(means, camera, 5.0), atol=1e-5)


@pytest.mark.parametrize("copies", [1, 50])
def test_a_person_with_many_tracks_is_not_taken_for_the_look_of_the_camera(copies):
    one, other = looks(2)
    means = np.stack([one] * copies + [other])
    camera = np.array([0] * copies + [1])
    found = CameraCentres.of(means, camera, cameras=2, prior=1.0).apply(means, camera)
    np.testing.assert_allclose(found, means, atol=1e-6)


def test_what_all_persons_of_a_camera_have_in_common_is_taken_out():
    people = random_rows(200, dim=64)
    bias = np.zeros(64)
    bias[0] = 0.7
    means = np.concatenate([people + bias, people - bias]).astype(np.float32)
    camera = np.repeat([0, 1], 200)
    found = CameraCentres.of(means, camera, cameras=2, prior=4.0).apply(means, camera)
    same = np.einsum("nd,nd->n", found[:200], found[200:])
    assert same.min() > 0.95
    assert np.einsum("nd,nd->n", unit_rows(means[:200]), unit_rows(means[200:])).mean() < 0.5


def test_distinct_rows_are_counted_up_to_a_cap_and_whatever_the_blocks(monkeypatch):
    monkeypatch.setattr(features, "MAX_DISTINCT", 5)
    rows = np.repeat(random_rows(4), 3, axis=0)
    whole, parts = features.CameraTotals(2, 32), features.CameraTotals(2, 32)
    whole.add(rows, np.ones(12, np.int64))
    for row in rows:
        parts.add(row[None], np.ones(1, np.int64))
    assert whole.distinct().tolist() == parts.distinct().tolist() == [0, 4]
    whole.add(random_rows(20, seed=1), np.ones(20, np.int64))
    assert whole.distinct().tolist() == [0, 5]


def test_reduction_keeps_similarities_that_live_on_few_axes(monkeypatch):
    monkeypatch.setattr(features, "REDUCED_DIM", 8)
    random = np.random.default_rng(0)
    rows = unit(random.normal(size=(200, 8)) @ random.normal(size=(8, 32)))
    camera = np.zeros(200, np.int64)
    small, axes = tracklet_features(
        tracklets(rows, camera), camera, cameras=1, prior=0, reduce=True
    )
    assert (small.shape, axes.shape) == ((200, 8), (32, 8))
    np.testing.assert_allclose(small @ small.T, rows @ rows.T, atol=1e-4)
    np.testing.assert_allclose(rows @ axes, small, atol=1e-4)


def test_rows_of_zeros_stay_zeros():
    rows = np.stack([np.zeros(32, np.float32), 3 * looks(1)[0]])
    assert np.linalg.norm(unit_rows(rows), axis=1).tolist() == pytest.approx([0, 1])
