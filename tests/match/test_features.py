import numpy as np
import pytest

from pipeline.match import features
from pipeline.match.features import CameraCentres, tracklet_features, unit_rows
from worlds import looks, tracklet, unit


def tracklets(vectors, cameras, weight=2.0):
    return [
        tracklet(vector, camera="abc"[camera], track_id=row + 1, weight=weight)
        for row, (vector, camera) in enumerate(zip(vectors, cameras, strict=True))
    ]


def random_rows(count, dim=32, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(count, dim)))


def slow_centred(means, camera, prior):
    """One track after the other, as the definition says."""
    found = []
    for mean, place in zip(means, camera, strict=True):
        own = [m for m, c in zip(means, camera, strict=True) if c == place]
        share = len(own) / (len(own) + prior) if prior else 0
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
