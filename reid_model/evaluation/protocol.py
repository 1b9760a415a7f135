"""Who is searched for among whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid_model.data.images import IdentityImage
from reid_model.errors import DatasetError

__all__ = ["Protocol", "camera_protocol", "make_protocol"]


@dataclass(frozen=True, slots=True, eq=False)
class Protocol:
    """Queries and gallery as rows of one list of images.

    Attributes:
        query: ``(Q,)`` rows.
        gallery: ``(G,)`` rows, none of them a query.
        identity: ``(N,)`` names of all images.
        camera: ``(N,)`` names.
    """

    query: NDArray[np.int64]
    gallery: NDArray[np.int64]
    identity: NDArray[np.str_]
    camera: NDArray[np.str_]


def make_protocol(images: Sequence[IdentityImage]) -> Protocol:
    """Make the first image of every identity in every camera a query, by file name.

    All others are the gallery.

    Raises:
        DatasetError: There are no images, or no query has a match from another camera.
    """
    first: dict[tuple[str, str], int] = {}
    for row in sorted(range(len(images)), key=lambda row: images[row].path.name):
        first.setdefault((images[row].identity, images[row].camera), row)
    query = np.array(sorted(first.values()), np.int64)
    gallery = np.setdiff1d(np.arange(len(images), dtype=np.int64), query)
    identity = np.array([image.identity for image in images], np.str_)
    camera = np.array([image.camera for image in images], np.str_)
    if not len(query) or not len(gallery):
        raise DatasetError(
            f"{len(images)} images cannot be split into queries and a gallery: some identity "
            "needs two images in one camera, and images in another"
        )
    protocol = Protocol(query, gallery, identity, camera)
    _require_match(protocol)
    return protocol


def _require_match(protocol: Protocol) -> None:
    """Raise unless some query has an image of its identity from another camera."""
    pairs = set(
        zip(protocol.identity[protocol.gallery], protocol.camera[protocol.gallery], strict=True)
    )
    cameras: dict[str, set[str]] = {}
    for identity, camera in pairs:
        cameras.setdefault(identity, set()).add(camera)
    if not any(
        cameras.get(protocol.identity[row], set()) - {protocol.camera[row]}
        for row in protocol.query
    ):
        raise DatasetError(
            "no query has an image of its identity from another camera: persons seen by two "
            "cameras are needed to score with"
        )


def camera_protocol(images: Sequence[IdentityImage], *, query: str, gallery: str) -> Protocol:
    """Make every image of one camera a query, and all of another the gallery.

    For sets with one image of a person per camera, such as VIPeR or PRID.

    Raises:
        DatasetError: A camera has no images, or both are the same.
    """
    identity = np.array([image.identity for image in images], np.str_)
    camera = np.array([image.camera for image in images], np.str_)
    if query == gallery:
        raise DatasetError(f"query and gallery are both camera {query}: name two cameras")
    for wanted in (query, gallery):
        if wanted not in camera:
            known = ", ".join(sorted(set(camera.tolist())))
            raise DatasetError(f"camera {wanted} has no images: the cameras are {known}")
    rows = np.arange(len(images), dtype=np.int64)
    protocol = Protocol(rows[camera == query], rows[camera == gallery], identity, camera)
    _require_match(protocol)
    return protocol
