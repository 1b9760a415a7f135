"""An evaluation from images to scores, and its histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from reid_model.data.images import IdentityImage
from reid_model.data.pixels import read_crop
from reid_model.evaluation.protocol import Protocol, make_protocol
from reid_model.evaluation.ranking import RankingScores, query_gallery_distances, score_ranking
from reid_model.evaluation.reranking import rerank
from reid_model.evaluation.verification import (
    VerificationScores,
    balanced_pairs,
    score_verification,
)
from reid_model.inference import Embedder
from reid_model.writing import write_figure

__all__ = [
    "CropChange",
    "Evaluation",
    "centred",
    "draw_histogram",
    "embed_images",
    "evaluate_images",
]

DECODED = 256
"""Images that are held decoded at once."""
TINY = 1e-12


class CropChange(Interface):
    """Does something to images before they are embedded."""

    @property
    def name(self) -> str:
        """What it does, for reports."""

    def __call__(
        self, images: Sequence[IdentityImage], crops: Sequence[NDArray[np.uint8]]
    ) -> list[NDArray[np.uint8]]:
        """Return the changed pixels of images, whose own are ``crops``."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What came out.

    Attributes:
        ranking: Scores by plain distances.
        reranked: Scores after re-ranking, if it was asked for.
        centred: Scores of embeddings without their camera's mean, if they were asked for.
        verification: Scores of same/different decisions.
        protocol: Who was searched for among whom.
        vectors: ``(N, D)`` unit embeddings.
        flip: Whether mirrored images were embedded, too.
        embedder: Name of what embedded.
        background: What was done to the background: ``kept``, ``masked``, ``replaced`` or
            ``replaced, masked``.
    """

    ranking: RankingScores
    reranked: RankingScores | None
    centred: RankingScores | None
    verification: VerificationScores
    protocol: Protocol
    vectors: NDArray[np.float32]
    flip: bool
    embedder: str
    background: str

    @property
    def rankings(self) -> dict[str, RankingScores]:
        """Return what was scored, by what was done to it: ``""`` is nothing."""
        found = {"": self.ranking, "re-ranked": self.reranked, "centred": self.centred}
        return {name: scores for name, scores in found.items() if scores is not None}

    def as_json(self) -> dict[str, Any]:
        """Return the public keys; the first four are the best ranking that was asked for."""
        shown = self.ranking if self.reranked is None else self.reranked
        return {
            **ranking_keys(shown),
            "queries": shown.queries,
            "gallery": len(self.protocol.gallery),
            "identities": len(np.unique(self.protocol.identity)),
            "flip": self.flip,
            "reranked": self.reranked is not None,
            "plain": ranking_keys(self.ranking),
            "centred": None if self.centred is None else ranking_keys(self.centred),
            "verification": asdict(self.verification),
            "embedder": self.embedder,
            "background": self.background,
        }


def ranking_keys(scores: RankingScores) -> dict[str, float]:
    """Return ranking scores under their public names."""
    return {
        "rank1": scores.rank1,
        "rank5": scores.rank5,
        "rank10": scores.rank10,
        "mAP": scores.mean_average_precision,
    }


def embed_images(
    images: Sequence[IdentityImage],
    embedder: Embedder,
    *,
    flip: bool = False,
    change: CropChange | None = None,
) -> NDArray[np.float32]:
    """Return ``(N, D)`` unit embeddings of image files.

    Args:
        images: What to embed.
        embedder: With what.
        flip: Add the embedding of the mirrored image.
        change: What is done to the images first.

    Raises:
        DatasetError: An image is missing or damaged.
    """
    vectors = np.zeros((len(images), embedder.dim), np.float32)
    for start in range(0, len(images), DECODED):
        part_images = images[start : start + DECODED]
        crops = [read_crop(image.path) for image in part_images]
        if change is not None:
            crops = change(part_images, crops)
        part = embedder.embed(crops)
        if flip:
            part = part + embedder.embed([np.ascontiguousarray(crop[:, ::-1]) for crop in crops])
            part /= np.linalg.norm(part, axis=1, keepdims=True)
        vectors[start : start + len(crops)] = part
    return vectors


def evaluate_images(
    images: Sequence[IdentityImage],
    embedder: Embedder,
    *,
    flip: bool = False,
    reranking: bool = False,
    centring: bool = False,
    change: CropChange | None = None,
    protocol: Protocol | None = None,
) -> Evaluation:
    """Embed and score images.

    Args:
        images: Whom to tell apart.
        embedder: With what.
        flip: Add the embedding of the mirrored image.
        reranking: Score after re-ranking, too.
        centring: Score with every camera's mean embedding taken out, too.
        change: What is done to the images first.
        protocol: Who is searched for among whom; ``None`` takes that of `make_protocol`.

    Raises:
        DatasetError: There are too few images, or one is damaged.
    """
    protocol = protocol or make_protocol(images)
    vectors = embed_images(images, embedder, flip=flip, change=change)
    plain = _score(vectors, protocol)
    return Evaluation(
        ranking=plain,
        reranked=score_ranking(rerank(vectors, protocol), protocol) if reranking else None,
        centred=_score(centred(vectors, protocol.camera), protocol) if centring else None,
        verification=score_verification(vectors, protocol),
        protocol=protocol,
        vectors=vectors,
        flip=flip,
        embedder=embedder.name,
        background="kept" if change is None else change.name,
    )


def _score(vectors: NDArray[np.float32], protocol: Protocol) -> RankingScores:
    return score_ranking(query_gallery_distances(vectors, protocol), protocol)


def centred(vectors: NDArray[np.float32], camera: NDArray[np.str_]) -> NDArray[np.float32]:
    """Return ``(N, D)`` unit rows whose mean is the same in every camera.

    A run does the same by and by, the more people a camera has seen.
    """
    moved = vectors.astype(np.float64)
    for name in np.unique(camera):
        moved[camera == name] += vectors.mean(axis=0) - vectors[camera == name].mean(axis=0)
    unit: NDArray[np.float32] = (
        moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), TINY)
    ).astype(np.float32)
    return unit


def draw_histogram(evaluation: Evaluation, picture: Path) -> None:
    """Draw the distances of same and of different pairs from different cameras.

    Raises:
        OutputError: The picture cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load

    rows = np.arange(len(evaluation.vectors), dtype=np.int64)
    pairs = balanced_pairs(evaluation.vectors, evaluation.protocol, rows)
    distance = np.sqrt(np.maximum(2 - 2 * pairs.similarity, 0))
    threshold = np.sqrt(max(0.0, 2 - 2 * evaluation.verification.threshold))
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for same, label in ((True, "same person"), (False, "different people")):
        axes.hist(distance[pairs.same == same], bins=60, range=(0, 2), alpha=0.6, label=label)
    axes.axvline(float(threshold), color="black", linestyle="--", label="threshold")
    axes.set(xlabel="distance of embeddings", ylabel="pairs from different cameras")
    axes.legend()
    write_figure(figure, picture, dpi=120)
