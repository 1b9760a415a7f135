"""Covering one person in annotated videos that are finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pandas as pd
from av.error import FFmpegError
from numpy.typing import NDArray

from pipeline.crops import cover
from pipeline.datatypes import FloatArray, Image
from pipeline.errors import InputError
from pipeline.sinks.encoder import VideoWriter
from pipeline.sinks.mosaic import Mosaic

__all__ = ["cover_in_mosaic", "cover_in_recorded", "cover_in_video"]

MARGIN = 0.08
"""Of a box's sides, added around it: boxes do not hold all of a person."""
BRIDGED = 25
"""Frames for which a track may be interrupted and the person is still there."""
BEYOND = 4
"""Frames before and after a track in which the person may be in the picture already or still."""
BRIDGED_S, BEYOND_S = 1.0, 0.5
"""The same two in recordings, whose frames come at any rate."""
SAME_S = 0.002
"""A picture and a box this near are of the same frame."""
MARGIN_BETWEEN = 0.3
"""As ``MARGIN``, for pictures of recordings in which the person was not detected."""
PACE = 6
"""Boxes that tell how fast somebody goes."""
SHOWN_S = 0.3
"""How old a camera's picture in the mosaic may be."""

Boxes = dict[int, list[FloatArray]]
"""By frame, ``(4,)`` corners in pixels."""


def cover_in_video(path: Path, boxes: pd.DataFrame) -> None:
    """Cover a person in the video of a camera, also where a track was interrupted.

    Args:
        path: The video; it is replaced whole.
        boxes: The person's, of that camera: ``track_id, frame, x, y, w, h``.

    Raises:
        InputError: The video is damaged.
        SinkError: It cannot be written.
    """
    covered: Boxes = defaultdict(list)
    for _, track in boxes.groupby("track_id"):
        ordered = track.sort_values("frame")
        rows = list(zip(ordered["frame"].tolist(), _corners(ordered), strict=True))
        for frame, box in _filled(rows):
            covered[frame].append(box)

    def change(image: Image, number: int, _time_s: float) -> None:
        for box in covered.get(number, []):
            cover(image, box)

    _rewrite_video(path, change)


def cover_in_recorded(path: Path, boxes: pd.DataFrame, *, begin_s: float) -> None:
    """Cover a person in a recorded video, whose pictures may be any distance apart.

    Args:
        path: The video; it is replaced whole.
        boxes: The person's, of that camera: ``track_id, time, x, y, w, h``, time in UTC.
        begin_s: When the video begins, seconds since the epoch.

    Raises:
        InputError: The video is damaged.
        SinkError: It cannot be written.
    """
    tracks = []
    for _, track in boxes.groupby("track_id"):
        ordered = track.sort_values("time")
        tracks.append((ordered["time"].astype("int64").to_numpy() / 1e6, _corners(ordered)))

    def change(image: Image, _number: int, time_s: float) -> None:
        for times, corners in tracks:
            box = _box_at(begin_s + time_s, times, corners)
            if box is not None:
                cover(image, box)

    _rewrite_video(path, change)


def _box_at(time_s: float, times: NDArray[np.float64], corners: FloatArray) -> FloatArray | None:
    """Return where a person is at a time, with a margin; ``None`` where in no picture."""
    after = int(np.searchsorted(times, time_s))
    before = max(0, after - 1)
    after = min(after, len(times) - 1)
    near = min(abs(time_s - times[before]), abs(times[after] - time_s))
    if near > BEYOND_S and (before == after or times[after] - times[before] > BRIDGED_S):
        return None
    box = np.array([np.interp(time_s, times, corners[:, side]) for side in range(4)], np.float32)
    sides = np.tile(box[2:] - box[:2], 2) * np.array([-1, -1, 1, 1], np.float32)
    # Without a box of that very moment the person may be a step further.
    return np.asarray(box + sides * (MARGIN if near < SAME_S else MARGIN_BETWEEN), np.float32)


def cover_in_mosaic(
    path: Path, boxes: pd.DataFrame, *, cameras: Sequence[str], begin_s: float
) -> None:
    """Cover wherever a person is in a camera's picture of that time or shortly before.

    Args:
        path: The mosaic; the videos of all cameras lie beside it.
        boxes: The person's, of all cameras: ``camera, time, x, y, w, h``, seconds and pixels.
        cameras: All cameras, in the order of the mosaic.
        begin_s: Time at which the mosaic begins, on the time line of ``boxes``.

    Raises:
        InputError: The video is damaged.
        SinkError: It cannot be written.
    """
    sizes = [_size(path.with_name(f"{camera}.mp4")) for camera in cameras]
    mosaic = Mosaic(cameras, sizes, font_scale=1.0)
    ordered = boxes.sort_values("time", kind="stable")
    times, where = ordered["time"].to_numpy(np.float64), ordered["camera"].tolist()
    corners = _corners(ordered)
    sides = np.tile(corners[:, 2:] - corners[:, :2], 2) * np.array([-1, -1, 1, 1]) * MARGIN
    wide = (corners + sides).astype(np.float32)

    def change(image: Image, _number: int, time_s: float) -> None:
        now_s = time_s + begin_s
        first, last = np.searchsorted(times, [now_s - SHOWN_S, now_s + SHOWN_S])
        for row in range(int(first), int(last)):
            size = sizes[cameras.index(where[row])]
            cover(image, mosaic.placed(where[row], size, wide[row]))

    _rewrite_video(path, change)


def _corners(boxes: pd.DataFrame) -> FloatArray:
    """Return ``(N, 4)`` corners of ``x, y, w, h``."""
    xywh = boxes[["x", "y", "w", "h"]].to_numpy(np.float64)
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1).astype(np.float32)


def _filled(track: Sequence[tuple[int, FloatArray]]) -> Iterator[tuple[int, FloatArray]]:
    """Yield a track's boxes with a margin, gaps bridged and ends drawn out."""
    frames = np.array([frame for frame, _ in track])
    boxes = np.array([box for _, box in track])
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2) * np.array([-1, -1, 1, 1]) * MARGIN
    boxes = boxes + sides
    for frame in range(int(frames[0]) - BEYOND, int(frames[-1]) + BEYOND + 1):
        after = int(np.searchsorted(frames, frame))
        before = max(0, after - 1)
        after = min(after, len(frames) - 1)
        if frames[after] - frames[before] <= BRIDGED:
            inside = [np.interp(frame, frames, boxes[:, side]) for side in range(4)]
            yield frame, np.array(inside, np.float32)
        if frame < frames[0]:
            yield frame, _carried_on(frames[:PACE], boxes[:PACE], frame)
        elif frame > frames[-1]:
            yield frame, _carried_on(frames[-PACE:], boxes[-PACE:], frame)


def _carried_on(frames: NDArray[np.int64], boxes: NDArray[np.float64], frame: int) -> FloatArray:
    """Return where a box is at a frame before or after, if it goes on as it did."""
    span = max(1, int(frames[-1] - frames[0]))
    nearest = 0 if frame < frames[0] else -1
    moved = (boxes[-1] - boxes[0]) / span * (frame - frames[nearest])
    return np.asarray(boxes[nearest] + moved, np.float32)


def _size(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def _rewrite_video(path: Path, change: Callable[[Image, int, float], None]) -> None:
    mode = path.stat().st_mode
    try:
        with av.open(str(path)) as container, VideoWriter(path) as writer:
            for number, frame in enumerate(container.decode(video=0)):
                image: Image = frame.to_ndarray(format="bgr24")
                time_s = float(frame.time or 0.0)
                change(image, number, time_s)
                writer.write(image, time_s)
    except FFmpegError as error:
        raise InputError(f"{path} cannot be read ({error}): remove it, then forget again") from None
    path.chmod(mode)
