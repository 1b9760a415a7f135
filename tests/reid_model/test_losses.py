"""Losses of a recipe, compared with slow loops."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from reid_model.recipe import LossTerm
from reid_model.training.losses import IdentityLoss, LossSum, Outputs
from reid_model.training.stage_similarity import StageSimilarityLoss, patch_correlation

LABELS = torch.tensor([0, 0, 1, 1, 2, 2])
NO_TUPLES = torch.zeros(0, 3, dtype=torch.long)


def outputs(seed=0, dim=8):
    torch.manual_seed(seed)
    return Outputs(torch.randn(6, dim), torch.randn(6, dim), None)


def value_of(*terms, tuples=NO_TUPLES, seed=0):
    settings = [LossTerm.model_validate(term) for term in terms]
    loss = LossSum(settings, dim=8, identities=3)
    total, parts = loss(outputs(seed), LABELS, tuples)
    return float(total), {name: float(value) for name, value in parts.items()}


def distances(vectors):
    return [[float((a - b).norm()) for b in vectors] for a in vectors]


def hard_triplets(vectors, margin):
    """Mean over anchors of the farthest positive less the closest negative, hinged."""
    d = distances(vectors)
    losses = []
    for a in range(6):
        positive = max(d[a][j] for j in range(6) if j != a and LABELS[j] == LABELS[a])
        negative = min(d[a][j] for j in range(6) if LABELS[j] != LABELS[a])
        losses.append(max(0.0, positive - negative + margin))
    wrong = [loss for loss in losses if loss > 0]
    return np.mean(wrong) if wrong else 0.0


def test_a_batch_hard_triplet_loss_on_unit_vectors():
    term = {
        "name": "TripletMarginLoss",
        "options": {"margin": 0.3},
        "miner": {"name": "BatchHardMiner"},
    }
    expected = hard_triplets(functional.normalize(outputs().after), 0.3)
    assert value_of(term | {"on": "unit"})[0] == pytest.approx(expected, rel=1e-4)


def test_the_triplet_loss_of_fixed_triplets_on_euclidean_distances():
    triplets = torch.tensor([[0, 1, 2], [2, 3, 4], [5, 4, 0]])
    term = {
        "name": "TripletMarginLoss",
        "options": {"margin": 1.0},
        "distance": {"name": "LpDistance", "options": {"normalize_embeddings": False}},
        "on": "after",
    }
    d = distances(outputs().after)
    losses = [max(0.0, d[a][p] - d[a][n] + 1) for a, p, n in triplets.tolist()]
    expected = np.mean([loss for loss in losses if loss > 0])
    assert value_of(term, tuples=triplets)[0] == pytest.approx(expected, rel=1e-4)


def test_a_contrastive_loss_on_pairs():
    term = {"name": "ContrastiveLoss", "options": {"pos_margin": 0, "neg_margin": 1}, "on": "unit"}
    d = distances(functional.normalize(outputs().after))
    pairs = [(i, j) for i in range(6) for j in range(6) if i != j]
    same = [d[i][j] for i, j in pairs if LABELS[i] == LABELS[j]]
    different = [max(0.0, 1 - d[i][j]) for i, j in pairs if LABELS[i] != LABELS[j]]
    expected = np.mean(same) + np.mean([value for value in different if value > 0] or [0.0])
    assert value_of(term)[0] == pytest.approx(expected, rel=1e-4)


def test_a_soft_margin_needs_no_margin():
    term = {
        "name": "TripletMarginLoss",
        "options": {"margin": 0.0, "smooth_loss": True},
        "miner": {"name": "BatchHardMiner"},
        "on": "unit",
    }
    d = distances(functional.normalize(outputs().after))
    losses = []
    for a in range(6):
        positive = max(d[a][j] for j in range(6) if j != a and LABELS[j] == LABELS[a])
        negative = min(d[a][j] for j in range(6) if LABELS[j] != LABELS[a])
        losses.append(np.log1p(np.exp(positive - negative)))
    assert value_of(term)[0] == pytest.approx(np.mean(losses), rel=1e-4)


def test_label_smoothing_shares_a_tenth_among_all_identities():
    torch.manual_seed(1)
    loss = IdentityLoss(dim=8, identities=3, label_smoothing=0.1)
    vectors = outputs().after
    logits = (vectors @ loss.classifier.weight.T).detach().double().numpy()
    log_share = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target = np.full((6, 3), 0.1 / 3)
    target[np.arange(6), LABELS.numpy()] += 0.9
    expected = -(target * log_share).sum(axis=1).mean()
    assert float(loss(vectors, LABELS).detach()) == pytest.approx(expected, rel=1e-5)


def test_terms_are_weighted_and_reported_without_their_weight():
    one = {"name": "TripletMarginLoss", "on": "unit"}
    other = {"name": "ContrastiveLoss", "on": "before"}
    alone = [value_of(term)[0] for term in (one, other)]
    total, parts = value_of(one | {"weight": 0.5}, other | {"weight": 2.0})
    assert total == pytest.approx(0.5 * alone[0] + 2 * alone[1], rel=1e-5)
    assert parts == pytest.approx({"TripletMarginLoss": alone[0], "ContrastiveLoss": alone[1]})


def slow_correlation(one, other, window):
    """Mean over positions of the best normalised correlation within a window."""

    def centred(vector):
        vector = vector - vector.mean()
        return vector / max(np.linalg.norm(vector), 1e-12)

    _, height, width = one.shape
    best = []
    for y in range(height):
        for x in range(width):
            near = []
            for dy in range(-window, window + 1):
                for dx in range(-window, window + 1):
                    inside = 0 <= y + dy < height and 0 <= x + dx < width
                    own = centred(one[:, y, x])
                    near.append(float(own @ centred(other[:, y + dy, x + dx])) if inside else 0.0)
            best.append(max(near))
    return np.mean(best)


@pytest.mark.parametrize("window", [0, 1, 2])
def test_patch_correlation_agrees_with_a_slow_version(window):
    one, other = np.random.default_rng(0).normal(size=(2, 3, 5, 4, 3)).astype(np.float32)
    got = patch_correlation(torch.from_numpy(one), torch.from_numpy(other), window=window)
    expected = [slow_correlation(a, b, window) for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_early_maps_of_one_person_should_agree_more_than_those_of_two():
    torch.manual_seed(0)
    looks = torch.randn(3, 5, 4, 3)
    alike = looks[LABELS] + 0.01 * torch.randn(6, 5, 4, 3)
    loss = StageSimilarityLoss(margin=0.2, window=0)
    assert float(loss(alike, LABELS)) < 0.05
    assert float(loss(torch.randn(6, 5, 4, 3), LABELS)) > 0.1
    assert float(loss(alike[::2], LABELS[::2])) == 0  # nobody twice


def test_multi_layer_similarity_trains_the_early_stage():
    maps = torch.randn(6, 5, 4, 3, requires_grad=True)
    term = LossTerm.model_validate({"name": "StageSimilarityLoss", "weight": 0.1})
    loss = LossSum([term], dim=8, identities=3)
    assert loss.compares_stages
    before, after, _ = outputs()
    total, _ = loss(Outputs(before, after, maps), LABELS, NO_TUPLES)
    total.backward()
    assert maps.grad.abs().sum() > 0
