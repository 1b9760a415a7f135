"""Same person or not: scores of the decision at one threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid_model.data.split import split_by_identity
from reid_model.errors import DatasetError
from reid_model.evaluation.protocol import Protocol

__all__ = ["Pairs", "VerificationScores", "balanced_pairs", "best_threshold", "score_verification"]

SEED = 0
"""Of the draw of pairs and halves: scores of one set compare from run to run."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of images from different cameras.

    Attributes:
        similarity: ``(N,)`` cosine of the two embeddings.
        same: ``(N,)`` whether they show one person.
    """

    similarity: NDArray[np.float32]
    same: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class VerificationScores:
    """Scores of same/different decisions over as many same as different pairs.

    Attributes:
        threshold: Minimum cosine similarity of "same"; mean of the two folds'.
        accuracy: Share of right decisions.
        precision: Share of "same" decisions that are right.
        recall: Share of the same pairs that are found.
        f1: Harmonic mean of precision and recall.
        roc_auc: Chance that a same pair is more similar than a different one.
    """

    threshold: float
    accuracy: float
    precision: float
    recall: float
    f1: float
    roc_auc: float


def balanced_pairs(
    vectors: NDArray[np.float32], protocol: Protocol, rows: NDArray[np.int64]
) -> Pairs:
    """Return all same pairs among some images, and as many different ones, drawn at random.

    Only pairs from different cameras count.

    Raises:
        DatasetError: There are no same or no different pairs.
    """
    first, second = np.triu_indices(len(rows), k=1)
    one, other = rows[first], rows[second]
    across = protocol.camera[one] != protocol.camera[other]
    same = protocol.identity[one] == protocol.identity[other]
    positive, negative = np.flatnonzero(across & same), np.flatnonzero(across & ~same)
    if not len(positive) or not len(negative):
        raise DatasetError("same/different scores need pairs of both kinds from different cameras")
    count = min(len(positive), len(negative))
    rng = np.random.default_rng(SEED)
    chosen = np.concatenate(
        [
            np.sort(rng.choice(positive, count, replace=False)),
            np.sort(rng.choice(negative, count, replace=False)),
        ]
    )
    similarity = np.einsum("nd,nd->n", vectors[one[chosen]], vectors[other[chosen]])
    return Pairs(similarity.astype(np.float32), same[chosen])


def best_threshold(pairs: Pairs) -> float:
    """Return the threshold with the most right decisions, midway between two similarities."""
    order = np.argsort(-pairs.similarity, kind="stable")
    sorted_similarity = pairs.similarity[order].astype(np.float64)
    gained = np.where(pairs.same[order], 1, -1).cumsum()
    # Equal similarities cannot be told apart by any threshold.
    cuts = np.flatnonzero(np.append(np.diff(sorted_similarity) != 0, True))
    best = cuts[np.argmax(gained[cuts])]
    if best + 1 == len(order):
        return float(sorted_similarity[-1])
    return float((sorted_similarity[best] + sorted_similarity[best + 1]) / 2)


def score_verification(vectors: NDArray[np.float32], protocol: Protocol) -> VerificationScores:
    """Score same/different decisions; every threshold was chosen on other identities.

    The identities are split into halves; each half is decided at the best threshold of the
    other.

    Raises:
        DatasetError: There are too few images for it.
    """
    from sklearn.metrics import (  # noqa: PLC0415 - slow to load
        accuracy_score,
        precision_recall_fscore_support,
        roc_auc_score,
    )

    halves = split_by_identity(protocol.identity.tolist(), shares=[0.5], seed=SEED)
    folds = [
        balanced_pairs(vectors, protocol, np.flatnonzero(np.isin(protocol.identity, sorted(half))))
        for half in halves
    ]
    thresholds = [best_threshold(fold) for fold in folds]
    decided = [
        fold.similarity >= threshold
        for fold, threshold in zip(folds, reversed(thresholds), strict=True)
    ]
    same, said = np.concatenate([fold.same for fold in folds]), np.concatenate(decided)
    precision, recall, f1, _ = precision_recall_fscore_support(
        same, said, average="binary", zero_division=0.0
    )
    similarity = np.concatenate([fold.similarity for fold in folds])
    return VerificationScores(
        threshold=float(np.mean(thresholds)),
        accuracy=float(accuracy_score(same, said)),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        roc_auc=float(roc_auc_score(same, similarity)),
    )
