"""Types of results: columns, partitions, sequences of boxes, pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

import pandas as pd

from pipeline.datatypes import FloatArray
from pipeline.places import PATH_COLUMNS, PLACE_COLUMNS

__all__ = [
    "BOX_COLUMNS",
    "SEQUENCE_COLUMNS",
    "SIGHTING_COLUMNS",
    "BoxSequence",
    "Part",
    "Picture",
    "best_sightings",
    "taking_turns",
]

T = TypeVar("T")

SIGHTING_COLUMNS = [
    "sighting",
    "camera",
    "track_id",
    "global_id",
    "first_time",
    "last_time",
    "frames",
    "quality",
    "file",
    *PATH_COLUMNS,
]
"""See ``Results.sightings``."""
BOX_COLUMNS = [
    "camera",
    "frame",
    "time",
    "track_id",
    "global_id",
    "x",
    "y",
    "w",
    "h",
    "score",
    "file",
    *PLACE_COLUMNS,
]
"""See ``Results.boxes``."""
SEQUENCE_COLUMNS = [name for name in BOX_COLUMNS if name not in {"camera", "file"}]
"""See ``BoxSequence``."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of sightings; what is made of it can be kept as long as ``stamp`` stays.

    Attributes:
        key: Its name, the same when the folder is moved.
        stamp: Differs once its content does.
        read: Returns the sightings, ``SIGHTING_COLUMNS`` without ``global_id``, and ``(N, D)``
            float32 unit rows, zeros where a sighting has no embedding.
    """

    key: str
    stamp: str
    read: Callable[[], tuple[pd.DataFrame, FloatArray]]


@dataclass(frozen=True, slots=True, eq=False)
class BoxSequence:
    """The boxes of frames that are numbered together: a camera of a run, or one video file.

    Attributes:
        camera: Name of the camera.
        file: Name of the video, empty where it is unknown.
        sizes: Number of a frame, and ``(width, height)`` in pixels from there on; empty where
            they are unknown.
        boxes: ``SEQUENCE_COLUMNS``, in order of (frame, track).
    """

    camera: str
    file: str
    sizes: Sequence[tuple[int, tuple[int, int]]]
    boxes: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Picture:
    """A crop of one sighting.

    Attributes:
        sighting: Whose.
        camera: Where.
        file: Video that it was cut from, empty where it is not recorded.
        at_s: Seconds from the start of ``file``, or on the time line of a run; ``None`` where
            it is not recorded.
        jpeg: The picture, encoded; empty where it is lost.
    """

    sighting: str
    camera: str
    file: str
    at_s: float | None
    jpeg: bytes


def taking_turns(by_camera: Mapping[str, Sequence[T]], count: int | None) -> list[T]:
    """Return up to ``count`` of all cameras' things, the first of each camera first."""
    turns = zip_longest(*by_camera.values())
    return [each for turn in turns for each in turn if each is not None][:count]


def best_sightings(
    sightings: pd.DataFrame, people: Sequence[int], count: int | None
) -> dict[int, list[str]]:
    """Return the names of each person's best sightings, cameras in turn, best first.

    Args:
        sightings: Rows with ``sighting``, ``camera``, ``global_id`` and ``quality``.
        people: Identities; each is in the result, also if nobody saw it.
        count: Maximum number of names a person, ``None`` = all.
    """
    own = sightings[sightings["global_id"].isin(people)]
    own = own.sort_values("quality", ascending=False)
    chosen: dict[int, list[str]] = {number: [] for number in people}
    for number, of_person in own.groupby("global_id"):
        by_camera: dict[str, list[str]] = {}
        for name, camera in zip(of_person["sighting"], of_person["camera"], strict=True):
            by_camera.setdefault(camera, []).append(name)
        chosen[int(str(number))] = taking_turns(by_camera, count)
    return chosen
