"""Pictures of what a network sees: triplets, and queries with their closest images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid_model.data.images import IdentityImage
from reid_model.data.pixels import read_crop
from reid_model.data.tuples import Triplet
from reid_model.errors import DatasetError
from reid_model.evaluation.protocol import Protocol, make_protocol
from reid_model.evaluation.ranking import query_gallery_distances
from reid_model.evaluation.report import embed_images
from reid_model.inference import Embedder
from reid_model.writing import write_figure

__all__ = ["draw_neighbours", "draw_triplets"]

TILE = (1.15, 2.55)
"""Width and height of one person in a picture, inches."""
RIGHT, WRONG, NEUTRAL = "#1a7f37", "#c62828", "#57606a"


def draw_triplets(triplets: Sequence[Triplet], embedder: Embedder, picture: Path) -> None:
    """Draw triplets as rows of anchor, positive and negative, with distances to the anchor.

    Args:
        triplets: One row each.
        embedder: Whose distances are shown.
        picture: The PNG to write.

    Raises:
        DatasetError: There are none, or an image is damaged.
    """
    if not triplets:
        raise DatasetError("there are no triplets to show")
    images = [each for t in triplets for each in (t.anchor, t.positive, t.negative)]
    vectors = embed_images(images, embedder).reshape(len(triplets), 3, -1)
    figure, axes = _grid(len(triplets), 3)
    for row, triplet in enumerate(triplets):
        near, far = (_distance(vectors[row, 0], vectors[row, column]) for column in (1, 2))
        verdict = RIGHT if near < far else WRONG
        _show(axes[row, 0], triplet.anchor, "anchor", NEUTRAL)
        _show(axes[row, 1], triplet.positive, f"positive {near:.2f}", verdict)
        _show(axes[row, 2], triplet.negative, f"negative {far:.2f}", verdict)
    write_figure(figure, picture, dpi=110)


def draw_neighbours(
    images: Sequence[IdentityImage],
    embedder: Embedder,
    picture: Path,
    *,
    queries: int = 6,
    closest: int = 8,
    seed: int = 0,
    only: Path | None = None,
) -> None:
    """Draw queries as rows, each with the closest images of its gallery and their distances.

    Frames are green where the identity is right and red where it is wrong. The queries and the
    gallery are those of the evaluation.

    Args:
        images: With known identities.
        embedder: Whose distances are shown.
        picture: The PNG to write.
        queries: Rows, drawn at random among those with a match.
        closest: Images per row.
        seed: Of the draw.
        only: Show this one of ``images`` as the query, against all others.

    Raises:
        DatasetError: Too few images, a damaged one, or ``only`` is not among them.
    """
    protocol = _of_one(images, only) if only is not None else make_protocol(images)
    vectors = embed_images(images, embedder)
    distances = query_gallery_distances(vectors, protocol)
    chosen = _queries(protocol, queries, seed)
    figure, axes = _grid(len(chosen), closest + 1)
    for row, place in enumerate(chosen):
        query = protocol.query[place]
        _show(axes[row, 0], images[query], f"query {images[query].identity}", NEUTRAL)
        counts = _countable(protocol, query)
        order = np.argsort(distances[place][counts], kind="stable")[:closest]
        for column, rank in enumerate(order, start=1):
            found = images[protocol.gallery[counts][rank]]
            verdict = RIGHT if found.identity == images[query].identity else WRONG
            _show(axes[row, column], found, f"{distances[place][counts][rank]:.2f}", verdict)
        for empty in axes[row, len(order) + 1 :]:
            empty.axis("off")
    write_figure(figure, picture, dpi=110)


def _of_one(images: Sequence[IdentityImage], only: Path) -> Protocol:
    """Return a protocol of one query against all other images."""
    paths = [image.path.resolve() for image in images]
    if only.resolve() not in paths:
        raise DatasetError(f"image {only} is not among the {len(images)} images of the data")
    query = paths.index(only.resolve())
    rows = np.arange(len(images), dtype=np.int64)
    return Protocol(
        query=np.array([query], np.int64),
        gallery=np.delete(rows, query),
        identity=np.array([image.identity for image in images], np.str_),
        camera=np.array([image.camera for image in images], np.str_),
    )


def _queries(protocol: Protocol, count: int, seed: int) -> NDArray[np.int64]:
    """Return places in ``protocol.query`` of queries that have a match, in order."""
    gallery_identity = protocol.identity[protocol.gallery]
    able = [
        place
        for place, query in enumerate(protocol.query)
        if (gallery_identity[_countable(protocol, query)] == protocol.identity[query]).any()
    ]
    if not able:
        raise DatasetError("no query has an image of its identity from another camera")
    drawn = np.random.default_rng(seed).choice(able, min(count, len(able)), replace=False)
    return np.sort(drawn).astype(np.int64)


def _countable(protocol: Protocol, query: int) -> NDArray[np.bool_]:
    """Return which of the gallery counts for a query: not its identity by its camera."""
    same = protocol.identity[protocol.gallery] == protocol.identity[query]
    camera = protocol.camera[protocol.gallery] == protocol.camera[query]
    counts: NDArray[np.bool_] = ~(same & camera)
    return counts


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(one - other))


def _grid(rows: int, columns: int) -> tuple[Any, NDArray[Any]]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load

    width, height = TILE
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    return figure, np.asarray(figure.subplots(rows, columns, squeeze=False))


def _show(axes: Any, image: IdentityImage, title: str, colour: str) -> None:
    axes.imshow(read_crop(image.path)[..., ::-1])
    axes.set_title(title, fontsize=9, color=colour)
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel(f"camera {image.camera}", fontsize=7, color=NEUTRAL)
    for spine in axes.spines.values():
        spine.set(color=colour, linewidth=3)
