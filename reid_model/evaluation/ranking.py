"""Cumulative match characteristic and mean average precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid_model.errors import DatasetError
from reid_model.evaluation.protocol import Protocol

__all__ = ["RankingScores", "query_gallery_distances", "score_ranking"]


@dataclass(frozen=True, slots=True)
class RankingScores:
    """How high the right images rank, all in [0, 1].

    Attributes:
        rank1: Share of queries whose closest image is right.
        rank5: Share with a right one among the five closest.
        rank10: Share with a right one among the ten closest.
        mean_average_precision: Mean over queries of the average precision.
        queries: How many queries have a match at all; the others do not count.
    """

    rank1: float
    rank5: float
    rank10: float
    mean_average_precision: float
    queries: int


def query_gallery_distances(
    vectors: NDArray[np.float32], protocol: Protocol
) -> NDArray[np.float32]:
    """Return ``(Q, G)`` Euclidean distances of unit vectors, in [0, 2]."""
    cosine = vectors[protocol.query] @ vectors[protocol.gallery].T
    distance: NDArray[np.float32] = np.sqrt(np.maximum(2 - 2 * cosine, 0), dtype=np.float32)
    return distance


def score_ranking(distance: NDArray[np.float32], protocol: Protocol) -> RankingScores:
    """Score ``(Q, G)`` distances.

    Images of the query's identity by the query's camera are left out of its gallery. Ties keep
    the gallery's order. Queries without a match do not count.

    Raises:
        DatasetError: No query has a match.

    Source:
        Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015.
    """
    gallery_identity = protocol.identity[protocol.gallery]
    gallery_camera = protocol.camera[protocol.gallery]
    first_hits: list[int] = []
    precisions: list[float] = []
    for row, query in enumerate(protocol.query):
        same = gallery_identity == protocol.identity[query]
        counts = ~(same & (gallery_camera == protocol.camera[query]))
        order = np.argsort(distance[row][counts], kind="stable")
        places = np.flatnonzero(same[counts][order])
        if len(places):
            first_hits.append(int(places[0]))
            precisions.append(float(np.mean(np.arange(1, len(places) + 1) / (places + 1))))
    if not precisions:
        raise DatasetError("no query has an image of its identity from another camera")
    hits = np.array(first_hits)
    return RankingScores(
        rank1=float(np.mean(hits < 1)),
        rank5=float(np.mean(hits < 5)),
        rank10=float(np.mean(hits < 10)),
        mean_average_precision=float(np.mean(precisions)),
        queries=len(precisions),
    )
