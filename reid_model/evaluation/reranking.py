"""k-reciprocal re-ranking: images count as close when they are each other's neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid_model.evaluation.protocol import Protocol

__all__ = ["rerank"]

Floats = NDArray[np.float32]


def rerank(
    vectors: Floats,
    protocol: Protocol,
    *,
    k1: int = 20,
    k2: int = 6,
    own_share: float = 0.3,
) -> Floats:
    """Return ``(Q, G)`` re-ranked distances of ``(N, D)`` unit vectors.

    Takes three ``(N, N)`` float32 matrices of memory, N = queries + gallery.

    Args:
        vectors: Embeddings of all images.
        protocol: Queries and gallery among them.
        k1: Neighbours that can be reciprocal.
        k2: Neighbours whose neighbourhoods are averaged.
        own_share: Weight of the plain distance; the rest is the Jaccard distance.

    Source:
        Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR
        2017; its constants.
    """
    rows = np.concatenate([protocol.query, protocol.gallery])
    own = vectors[rows]
    squared = np.maximum(2 - 2 * own @ own.T, 0)
    # The original scales by the largest distance of each column before anything else.
    distance = (squared / np.maximum(squared.max(axis=0), np.finfo(np.float32).tiny)).T
    nearest = np.argsort(distance, axis=1, kind="stable")
    encoded = _encode(distance, nearest, k1)
    if k2 > 1:
        encoded = np.stack([encoded[nearest[row, :k2]].mean(axis=0) for row in range(len(rows))])
    queries = len(protocol.query)
    jaccard = _jaccard_distances(encoded, queries)
    mixed = (1 - own_share) * jaccard + own_share * distance[:queries, queries:]
    result: Floats = mixed.astype(np.float32)
    return result


def _encode(distance: Floats, nearest: NDArray[np.int64], k1: int) -> Floats:
    """Return ``(N, N)``: each row the weights of one image's reciprocal neighbourhood."""
    encoded = np.zeros_like(distance)
    half = max(1, round(k1 / 2))
    small = [_reciprocal(nearest, row, half) for row in range(len(nearest))]
    for row in range(len(nearest)):
        core = _reciprocal(nearest, row, k1)
        members = set(core.tolist())
        for candidate in core:
            wider = small[candidate]
            if len(np.intersect1d(wider, core)) > 2 / 3 * len(wider):
                members.update(wider.tolist())
        chosen = np.array(sorted(members))
        weight = np.exp(-distance[row, chosen])
        encoded[row, chosen] = weight / weight.sum()
    return encoded


def _reciprocal(nearest: NDArray[np.int64], row: int, k: int) -> NDArray[np.int64]:
    """Return the images among the ``k`` nearest that have ``row`` among theirs; itself, too."""
    forward = nearest[row, : k + 1]
    mutual = (nearest[forward, : k + 1] == row).any(axis=1)
    neighbours: NDArray[np.int64] = forward[mutual]
    return neighbours


def _jaccard_distances(encoded: Floats, queries: int) -> Floats:
    """Return ``(Q, G)`` one minus the weighted overlap of neighbourhoods."""
    gallery = encoded[queries:]
    overlap = np.empty((queries, len(gallery)), np.float32)
    for row in range(queries):
        used = np.flatnonzero(encoded[row])
        overlap[row] = np.minimum(encoded[row, used], gallery[:, used]).sum(axis=1)
    distance: Floats = 1 - overlap / (2 - overlap)
    return distance
