"""A tracker that can begin anew without giving a number twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipeline.datatypes import Detections, FloatArray, IntArray, Tracks
from pipeline.protocols import Tracker, carried_by, warnings_of

__all__ = ["RestartingTracker"]


class RestartingTracker:
    """Hands on to a tracker and replaces it where the camera's picture or time has jumped.

    Args:
        make: Makes a tracker that numbers its tracks from 1.
    """

    def __init__(self, make: Callable[[], Tracker]) -> None:
        self._make = make
        self._tracker = make()
        self._offset = 0
        self._highest = 0

    def number_from(self, first: int) -> None:
        """Give this number to the first track, before there is one."""
        self._offset = self._highest = first - 1

    def restart(self) -> None:
        """Let all tracks end; numbers go on."""
        self._tracker = self._make()
        self._offset = self._highest

    @property
    def warnings(self) -> list[str]:
        """What a user should know of the tracks since the last restart, one line each."""
        return warnings_of(self._tracker)

    def wanted(self, detections: Detections, time_s: float) -> IntArray:
        """Return the rows of ``detections`` whose appearance would settle the association."""
        return self._tracker.wanted(detections, time_s)

    def update(
        self, detections: Detections, time_s: float, rows: IntArray, vectors: FloatArray
    ) -> Tracks:
        """Advance to ``time_s`` and return the boxes that belong to a track."""
        return self._numbered(self._tracker.update(detections, time_s, rows, vectors))

    def carried(self, time_s: float) -> Tracks:
        """Return where the tracks of the frame before are by then."""
        return self._numbered(carried_by(self._tracker, time_s))

    def _numbered(self, tracks: Tracks) -> Tracks:
        if not len(tracks):
            return tracks
        numbers = tracks.track_id + self._offset
        self._highest = max(self._highest, int(numbers.max()))
        return replace(tracks, track_id=numbers)
