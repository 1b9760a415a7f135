"""Queries of a search: an identity, the person in a picture, or a box in a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pydantic import ValidationError

from pipeline.build import embedder_hash
from pipeline.datatypes import UNASSIGNED, FloatArray, Frame, Image
from pipeline.detect.letterbox import PADDING_GREY
from pipeline.detect.loading import load_detector
from pipeline.devices import resolve_device
from pipeline.embed.loading import load_embedder
from pipeline.errors import InputError, ResultsError, SettingsError
from pipeline.foreign import read_picture
from pipeline.protocols import Detector
from pipeline.report.times import moment
from pipeline.results import Results
from pipeline.settings import CameraSettings, DetectSettings, Settings, SourceSettings
from pipeline.sources import open_source

__all__ = ["BOX_SIDES", "Query", "known_identity", "person_on", "query_for"]

BOX_SIDES = 4
PERSON_SHARE = 0.5
"""A box that fills so much of a picture shows that the picture is a crop of a person already."""
STANDING = 1.2
"""Height over width from which on a picture may be a crop."""
MARGIN = 0.6
"""Of its height, added all around before a person is looked for who fills it: detectors learned from
people with something around them, and see half of one in a tight crop."""
MAX_RIMMED = 640
"""Height in pixels to which a picture is scaled down before: more shows the detector nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What is looked for.

    Attributes:
        asked: The same in words.
        vector: ``(D,)`` unit vector, its embedding.
        picture: The crop that was embedded, ``None`` for an identity.
    """

    asked: str
    vector: FloatArray
    picture: Image | None = None


def query_for(
    results: Results,
    *,
    identity: int | None = None,
    image: Path | None = None,
    video: Path | None = None,
    at_s: float = 0.0,
    box: Sequence[float] = (),
    detector: str | None = None,
    device: str = "auto",
) -> Query:
    """Return what to look for, given one of an identity, a picture and a box in a video.

    Args:
        results: What is searched.
        identity: A person in it.
        image: A photograph, or a crop of one person.
        video: A video with the person.
        at_s: Seconds from its start; the first frame from there on is taken.
        box: Where the person is in it: left, top, width, height, pixels.
        detector: Finds the person on ``image``; ``None`` = built-in.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        InputError: Not one of the three is given, or it cannot be used.
        ModelError: The detector or the network cannot be used.
    """
    if sum(each is not None for each in (identity, image, video)) == 1:
        if identity is not None:
            return known_identity(results, identity)
        if image is not None:
            return _person_on_picture(results, image, detector=detector, device=device)
        if video is not None:
            return _box_in_video(results, video, at_s=at_s, box=box, device=device)
    raise SettingsError("give one of identity, image and video: one of them is the query")


def known_identity(results: Results, global_id: int) -> Query:
    """Return the mean embedding of an identity.

    Raises:
        ResultsError: Nobody has that number, or no crop of them was good enough.
    """
    owners = results.owners() if results.is_resolved else None
    shown = results.edits().shown(global_id)
    names = set() if owners is None else set(owners.index[owners == shown])
    if global_id == UNASSIGNED or not names:
        raise ResultsError(
            f"{results.path} knows no identity {global_id}: see its report for those"
        )
    total: FloatArray | None = None
    for part in results.parts():
        table, vectors = part.read()
        wanted = table["sighting"].isin(names).to_numpy()
        if wanted.any() and vectors.size:
            summed = vectors[wanted].sum(axis=0)
            total = summed if total is None else total + summed
    if total is None or not np.linalg.norm(total):
        raise ResultsError(f"no crop of identity {global_id} was good enough to compare")
    mean = (total / np.linalg.norm(total)).astype(np.float32)
    return Query(f"Person {global_id} {results.edits().name(shown)}".rstrip(), mean)


def _person_on_picture(
    results: Results, path: Path, *, detector: str | None = None, device: str = "auto"
) -> Query:
    """Return the embedding of the person on a picture, and the crop that was embedded.

    Args:
        results: What is searched: the network that made it embeds the picture.
        path: A photograph, or a crop of one person.
        detector: As for a run; finds the person on a photograph.
        device: As for a run.

    Raises:
        InputError: It is no picture, or nobody is on it.
        ModelError: The detector or the network cannot be used.
    """
    finder = load_detector(
        DetectSettings(weights=detector), cameras=["query"], device=resolve_device(device)
    )
    crop = person_on(read_picture(path), path, finder)
    vector = _embedded(crop, results, device=device)
    return Query(f"The person on {path.name}", vector, crop)


def _box_in_video(
    results: Results, path: Path, *, at_s: float, box: Sequence[float], device: str = "auto"
) -> Query:
    """Return the embedding of a box in a video, and the crop.

    Args:
        results: What is searched.
        path: The video.
        at_s: Time from the start of the file; the first frame from there on is taken.
        box: Left, top, width, height, pixels.
        device: As for a run.

    Raises:
        InputError: The video ends before, or the box lies outside.
    """
    if len(box) != BOX_SIDES:
        raise SettingsError(f"a box has left, top, width and height, got {len(box)} numbers")
    camera = CameraSettings(name="query", source=str(path))
    for frame in open_source(camera, SourceSettings()):
        if frame.time_s >= at_s:
            x, y, w, h = (round(each) for each in box)
            crop = frame.image[max(y, 0) : y + h, max(x, 0) : x + w]
            if w < 1 or h < 1 or not crop.size:
                height, width = frame.image.shape[:2]
                raise InputError(f"box {x},{y},{w},{h} lies outside the {width}x{height} frame")
            vector = _embedded(crop, results, device=device)
            return Query(f"The person in {path.name} at {moment(at_s)}", vector, crop)
    raise InputError(f"{path} ends before {at_s:g} s: give an earlier --at")


def person_on(image: Image, what: object, finder: Detector) -> Image:
    """Return the crop of the clearest person, the whole picture if it is such a crop.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        what: What the picture is called, for the message.
        finder: Finds the person.

    Raises:
        InputError: Nobody is on it.
    """
    height, width = image.shape[:2]
    may_be_crop = height >= STANDING * width
    if may_be_crop and _fills(_clearest(image, finder, margin=MARGIN), image):
        return image
    box = _clearest(image, finder)
    if box is None and not may_be_crop:
        raise InputError(
            f"no person was detected in {what}: crop the person, or try another detector"
        )
    if box is None or _fills(box, image):
        return image
    left, top, right, bottom = box.round().astype(int)
    return image[top:bottom, left:right]


def _clearest(image: Image, finder: Detector, *, margin: float = 0.0) -> FloatArray | None:
    """Return the box of the clearest person, ``None`` if there is nobody.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        finder: Finds people.
        margin: What is added around the image first, of its height.
    """
    height, width = image.shape[:2]
    looked_at, scale, rim = image, 1.0, 0
    if margin:
        scale = min(1.0, MAX_RIMMED / height)
        looked_at = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        rim = round(margin * len(looked_at))
        looked_at = cv2.copyMakeBorder(looked_at, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    found = finder.detect([Frame("query", 0, 0.0, _squared(looked_at))])[0]
    if not len(found.xyxy):
        return None
    boxes = np.clip((found.xyxy - rim) / scale, 0, [width, height, width, height])
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(boxes[int((sizes * found.score).argmax())], np.float32)


def _squared(image: Image) -> Image:
    """Return the image with grey below or beside it.

    Detectors prepare themselves for every shape of picture, which takes long and stays in memory;
    crops have a hundred shapes.
    """
    height, width = image.shape[:2]
    side = max(height, width)
    edges = (0, side - height, 0, side - width)
    squared: Image = cv2.copyMakeBorder(
        image, *edges, cv2.BORDER_CONSTANT, value=(PADDING_GREY,) * 3
    )
    return squared


def _fills(box: FloatArray | None, image: Image) -> bool:
    height, width = image.shape[:2]
    sides = np.zeros(2) if box is None else box[2:] - box[:2]
    return bool(sides.prod() >= PERSON_SHARE * height * width)


def _embedded(crop: Image, results: Results, *, device: str) -> FloatArray:
    """Return the embedding by the network that made the results."""
    try:
        settings = Settings.model_validate(results.record["settings"]).embed
    except (KeyError, TypeError, ValidationError):
        raise ResultsError(
            f"{results.path / results.record_file} does not say with which settings it was made, "
            "so pictures cannot be compared with it: run again"
        ) from None
    embedder = load_embedder(settings, device=resolve_device(device))
    made_with = results.summary().weights_sha256
    if made_with and embedder_hash(embedder) != made_with:
        raise InputError(
            f"{results.path} was made with other re-identification weights than "
            f"{getattr(embedder, 'name', type(embedder).__name__)}: vectors of two networks cannot be compared; process it again"
        )
    return np.asarray(embedder.embed([crop])[0], np.float32)
