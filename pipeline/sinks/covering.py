"""Covering one person in annotated videos that are finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
from av.error import FFmpegError
from numpy.typing import NDArray

from pipeline.crops import cover
from pipeline.datatypes import FloatArray, Image
from pipeline.errors import InputError
from pipeline.sinks.encoder import VideoWriter
from pipeline.sinks.h264 import Fit
from pipeline.sinks.mosaic import Mosaic

__all__ = ["View", "cover_in_mosaic", "cover_in_video"]

MARGIN = 0.08
"""Of a box's sides, added around it: boxes do not hold all of a person."""
BRIDGED_S = 1.0
"""For so long a track may be interrupted and the person is still there."""
BEYOND_S = 0.5
"""Before and after a track the person may be in the picture already or still."""
SAME_S = 0.002
"""A picture and a box this near are of the same frame."""
MARGIN_BETWEEN = 0.3
"""As ``MARGIN``, for pictures in which the person was not detected."""
PACE = 6
"""Boxes that tell how fast somebody goes."""


@dataclass(frozen=True, slots=True)
class View:
    """How the frames of a camera became the pictures of its video.

    Attributes:
        begin_s: Time of the frame that the video begins with, on the time line of the boxes.
        sizes: Number of a frame, and the ``(width, height)`` of the frames from there on, in
            order; empty where all have the size of the video.
    """

    begin_s: float
    sizes: Sequence[tuple[int, tuple[int, int]]] = ()

    def size_at(self, frame: int) -> tuple[int, int]:
        """Return the size of a frame in pixels."""
        before = [size for first, size in self.sizes if first <= frame]
        return before[-1] if before else self.sizes[0][1]


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """Boxes of a track: ``(N,)`` times, ``(N, 4)`` corners, and ``(N,)`` frames."""

    times: NDArray[np.float64]
    corners: FloatArray
    frames: NDArray[np.int64]

    def box_at(self, time_s: float) -> tuple[int, FloatArray] | None:
        """Return a frame and where the person is at a time, with a margin; ``None`` for nowhere."""
        times = self.times
        after = int(np.searchsorted(times, time_s))
        before = max(0, after - 1)
        after = min(after, len(times) - 1)
        nearest = min((before, after), key=lambda row: abs(time_s - times[row]))
        near = abs(time_s - times[nearest])
        gap_s = times[after] - times[before]
        # At one picture a second the pictures next to a track are a second away.
        step_s = 1.1 * float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        if near > max(BEYOND_S, step_s) and (before == after or gap_s > max(BRIDGED_S, step_s)):
            return None
        box = np.array(
            [np.interp(time_s, times, self.corners[:, side]) for side in range(4)], np.float32
        )
        if before == after and near > SAME_S:
            box = box + self._pace(nearest) * (time_s - times[nearest])
        sides = np.tile(box[2:] - box[:2], 2) * np.array([-1, -1, 1, 1], np.float32)
        # Without a box of that very moment the person may be a step further.
        wide = box + sides * (MARGIN if near < SAME_S else MARGIN_BETWEEN)
        return int(self.frames[nearest]), np.asarray(wide, np.float32)

    def _pace(self, end: int) -> FloatArray:
        """Return the speed of the corners at an end, pixels a second."""
        rows = slice(None, PACE) if end == 0 else slice(-PACE, None)
        times, corners = self.times[rows], self.corners[rows]
        span_s = max(float(times[-1] - times[0]), SAME_S)
        return np.asarray((corners[-1] - corners[0]) / span_s, np.float32)


def cover_in_video(path: Path, boxes: pd.DataFrame, view: View) -> None:
    """Cover a person in the video of a camera, also where a track was interrupted.

    Pictures and boxes belong together by their time: frames that were damaged are in no video.

    Args:
        path: The video; it is replaced whole.
        boxes: The person's, of that camera: ``track_id, frame, time, x, y, w, h``, seconds.
        view: Of that camera.

    Raises:
        InputError: The video is damaged, or does not show all of the boxes.
        SinkError: It cannot be written.
    """
    tracks = _tracks(boxes)
    target = _size(path)
    unseen = np.unique(boxes["time"].to_numpy(np.float64))

    def change(image: Image, time_s: float) -> None:
        nonlocal unseen
        now_s = view.begin_s + time_s
        unseen = unseen[np.abs(unseen - now_s) > SAME_S]
        for track in tracks:
            found = track.box_at(now_s)
            if found is not None:
                frame, box = found
                fit = Fit.of(view.size_at(frame) if view.sizes else target, target)
                cover(image, fit.placed(box))

    _rewrite_video(path, change, lambda last_s: _refuse_unseen(path, unseen, view, last_s))


def _refuse_unseen(path: Path, unseen: NDArray[np.float64], view: View, last_s: float) -> None:
    """Raise where a video of a run lacks pictures of boxes, so that others may show the person.

    A recording leaves pictures out where the machine is busy, and has the size of its boxes.
    """
    missed = int(np.sum(unseen <= view.begin_s + last_s))
    if view.sizes and missed:
        raise InputError(
            f"{path} has no picture of {missed} moments at which the person was seen, so it may "
            "show the person elsewhere: remove it, then forget again"
        )


def cover_in_mosaic(path: Path, boxes: pd.DataFrame, views: Mapping[str, View]) -> None:
    """Cover a person wherever a camera's picture on the mosaic shows the person.

    Args:
        path: The mosaic; the videos of all cameras lie beside it.
        boxes: The person's, of all cameras: ``camera`` and as for ``cover_in_video``.
        views: Of all cameras, in the order of the mosaic.

    Raises:
        InputError: The mosaic, or the video of a camera, is missing or damaged.
        SinkError: It cannot be written.
    """
    first = [view.sizes[0][1] for view in views.values()]
    mosaic = Mosaic(list(views), first, font_scale=1.0)
    begin_s = min(view.begin_s for view in views.values())
    shown = {
        str(camera): (
            _picture_times(path.with_name(f"{camera}.mp4")) + views[str(camera)].begin_s,
            _tracks(own),
        )
        for camera, own in boxes.groupby("camera")
    }

    def change(image: Image, time_s: float) -> None:
        for camera, (times, tracks) in shown.items():
            # The newest picture by then stays in its tile, however old it is.
            newest = {
                int(np.searchsorted(times, begin_s + time_s + slack, side="right")) - 1
                for slack in (-SAME_S, SAME_S)
            }
            for row in newest - {-1}:
                for track in tracks:
                    found = track.box_at(times[row])
                    if found is not None:
                        frame, box = found
                        size = views[camera].size_at(frame)
                        cover(image, mosaic.placed(camera, size, box))

    _rewrite_video(path, change)


def _tracks(boxes: pd.DataFrame) -> list[_Track]:
    tracks = []
    for _, own in boxes.groupby("track_id"):
        ordered = own.sort_values("time")
        xywh = ordered[["x", "y", "w", "h"]].to_numpy(np.float64)
        corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        times = ordered["time"].to_numpy(np.float64)
        frames = ordered["frame"].to_numpy(np.int64)
        tracks.append(_Track(times, corners.astype(np.float32), frames))
    return tracks


def _size(path: Path) -> tuple[int, int]:
    with _reading(path) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def _picture_times(path: Path) -> NDArray[np.float64]:
    """Return the times of a video's pictures, in order, seconds from its beginning."""
    with _reading(path) as container:
        stream = container.streams.video[0]
        stamps = [p.pts for p in container.demux(stream) if p.pts is not None]
        return np.sort(np.array(stamps, np.float64)) * float(stream.time_base)


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    try:
        # An absolute path can never be taken for an address.
        with av.open(str(path.absolute())) as container:
            yield container
    except FFmpegError as error:
        raise InputError(f"{path} cannot be read ({error}): remove it, then forget again") from None


def _rewrite_video(
    path: Path,
    change: Callable[[Image, float], None],
    check: Callable[[float], None] = lambda _last_s: None,
) -> None:
    """Write a video anew; ``check`` gets the time of its last picture before it is replaced."""
    mode = path.stat().st_mode
    time_s = 0.0
    with _reading(path) as container, VideoWriter(path) as writer:
        for frame in container.decode(video=0):
            image: Image = frame.to_ndarray(format="bgr24")
            time_s = float(frame.time or 0.0)
            change(image, time_s)
            writer.write(image, time_s)
        check(time_s)
    path.chmod(mode)
