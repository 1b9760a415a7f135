"""Interpolated boxes in short gaps of a track."""

from __future__ import annotations

import heapq
import json
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.boxes import ious
from pipeline.datatypes import FloatArray, FrameResult, Tracks

__all__ = ["FilledRow", "Gaps"]

MAX_GAP_S = 1.0
"""Gaps up to this are filled; over longer ones people do not walk in straight lines."""
TIME_TOLERANCE_S = 1e-6
FORGET_S = 10.0
"""A track that comes back after so long counts as new."""
LEAD_BOXES = 5
"""Boxes of a new track that tell where the person was in the frame before the first."""
MIN_SIDE_PX = 4
SAME_PLACE_IOU = 0.5
"""Where a track goes on under a new number, the place before is taken by the old one."""


class FilledRow(NamedTuple):
    """A box between two detected ones of its track.

    Attributes:
        before: Number of the detected row, from 0, before which it belongs.
        order: Rank among the filled rows before the same detected one.
        frame: Number of the frame.
        time: Its time as the tables write it, seconds.
        xyxy: Corners, px.
    """

    before: int
    order: tuple[int, int]
    camera: str
    frame: int
    time: str
    track_id: int
    xyxy: tuple[float, float, float, float]


@dataclass(slots=True)
class _Moment:
    """A frame of a camera that may still turn out to lack boxes."""

    number: int
    frame: int
    time_s: float
    first_row: int
    track_ids: list[int]
    boxes: FloatArray
    size: tuple[int, int]
    is_carried: bool


@dataclass(slots=True)
class _Course:
    """A track's newest box, and its first ones as long as there are few."""

    moment: int
    time_s: float
    box: FloatArray
    first: list[tuple[int, FloatArray]] = field(default_factory=list)


class Gaps:
    """Finds the boxes that tracks lack while their frames go by, and keeps them on disk.

    A track was seen before and after a gap, so its person was there; the box is drawn in
    between by straight lines. A track also lacks the frame before its first box, as only the
    second detection makes it a track, and those that the detector did not look at in between; these
    boxes follow from the motion of the next ones.

    Args:
        folder: Where the anonymous file goes.
    """

    def __init__(self, folder: Path) -> None:
        self._moments: dict[str, deque[_Moment]] = {}
        self._courses: dict[str, dict[int, _Course]] = {}
        self._recent: deque[tuple[float, int]] = deque()  # of all cameras: time, first row
        self._found: list[FilledRow] = []
        self._file = tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8")  # noqa: SIM115
        self._number = 0
        self._rows = 0

    def see(self, result: FrameResult) -> None:
        """Take in a frame, whose tracks are written in order of their numbers.

        Raises:
            OSError: The disk is full or gone.
        """
        camera, time_s = result.frame.camera, result.frame.time_s
        # Boxes that are carried on by motion are guesses; later frames tell better.
        tracks = Tracks.empty() if result.is_carried else result.tracks
        order = np.argsort(tracks.track_id, kind="stable")
        ids, boxes = tracks.track_id[order].tolist(), tracks.xyxy[order]
        height, width = result.frame.shape[:2]
        moments = self._moments.setdefault(camera, deque())
        courses = self._courses.setdefault(camera, {})
        while moments and moments[0].time_s < time_s - MAX_GAP_S - TIME_TOLERANCE_S:
            moments.popleft()
        for track_id in [i for i, c in courses.items() if c.time_s < time_s - FORGET_S]:
            del courses[track_id]
        moments.append(
            _Moment(
                self._number,
                result.frame.index,
                time_s,
                self._rows,
                ids,
                boxes,
                (width, height),
                result.is_carried,
            )
        )
        self._recent.append((time_s, self._rows))
        for track_id, box in zip(ids, boxes, strict=True):
            self._follow(camera, track_id, box)
        self._number += 1
        self._rows += len(ids)
        while self._recent[0][0] < time_s - MAX_GAP_S - TIME_TOLERANCE_S:
            self._recent.popleft()
        self._settle(self._recent[0][1])

    def _follow(self, camera: str, track_id: int, box: FloatArray) -> None:
        moments = self._moments[camera]
        now = moments[-1]
        course = self._courses[camera].get(track_id)
        if course is None:
            course = _Course(now.number, now.time_s, box, [(now.number, box)])
            self._courses[camera][track_id] = course
            return
        within = now.time_s - course.time_s <= MAX_GAP_S + TIME_TOLERANCE_S
        for moment in moments if within else ():
            if course.moment < moment.number < now.number:
                part = (moment.time_s - course.time_s) / (now.time_s - course.time_s)
                self._fill(moment, camera, track_id, course.box + part * (box - course.box))
        course.moment, course.time_s, course.box = now.number, now.time_s, box
        if course.first:
            course.first.append((now.number, box))
            if len(course.first) == LEAD_BOXES:
                self._lead(camera, track_id, course.first)
                course.first = []

    def _lead(self, camera: str, track_id: int, first: list[tuple[int, FloatArray]]) -> None:
        moments = list(self._moments[camera])
        place = {moment.number: position for position, moment in enumerate(moments)}
        begin = place.get(first[0][0], 0)
        if begin == 0:
            return
        start, end = moments[begin], moments[place[first[-1][0]]]
        change = (first[-1][1] - first[0][1]) / (end.time_s - start.time_s)
        for lead in reversed(moments[:begin]):
            box = first[0][1] - change * (start.time_s - lead.time_s)
            box = np.clip(box, 0, np.array(lead.size * 2, np.float32)).astype(np.float32)
            is_seen = (box[2:] - box[:2]).min() >= MIN_SIDE_PX
            if is_seen and not (ious(box[None], lead.boxes) > SAME_PLACE_IOU).any():
                self._fill(lead, camera, track_id, box)
            if not lead.is_carried:
                return

    def _fill(self, moment: _Moment, camera: str, track_id: int, box: FloatArray) -> None:
        before = moment.first_row + int(np.searchsorted(moment.track_ids, track_id))
        x1, y1, x2, y2 = box.tolist()
        row = FilledRow(
            before,
            (moment.number, track_id),
            camera,
            moment.frame,
            f"{moment.time_s:.4f}",
            track_id,
            (x1, y1, x2, y2),
        )
        heapq.heappush(self._found, row)

    def _settle(self, rows: float) -> None:
        """Write out what was found before this row: nothing will be found there any more."""
        while self._found and self._found[0].before < rows:
            json.dump(heapq.heappop(self._found), self._file)
            self._file.write("\n")

    def rows(self) -> Iterator[FilledRow]:
        """Yield all filled rows in the order in which they belong into the table."""
        self._settle(float("inf"))
        self._file.seek(0)
        for line in self._file:
            before, order, camera, frame, time, track_id, xyxy = json.loads(line)
            yield FilledRow(before, tuple(order), camera, frame, time, track_id, tuple(xyxy))

    def close(self) -> None:
        """Remove the file."""
        # What still waits for a full disc is not wanted any more.
        with suppress(OSError):
            self._file.close()
