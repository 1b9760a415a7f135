"""How much of what was detected the tracks of a camera cover, and what to say where it is little."""

from __future__ import annotations

__all__ = ["Coverage"]

MIN_BOXES = 10
"""With fewer sure boxes nothing is said."""
MAX_LOOSE_SHARE = 0.25
"""Share of boxes without company in a track from which on a user is warned. It is 0.02 to 0.06
with true boxes at 10 frames a second."""


class Coverage:
    """Counts sure boxes, and those of them that a track ties to another one."""

    def __init__(self) -> None:
        self._boxes = 0
        self._in_tracks = 0
        self._alone = 0
        self._steps = 0
        self._seconds = 0.0

    def see(self, *, step_s: float, boxes: int, in_tracks: int) -> None:
        """Take in a frame: the usual time between frames, its sure boxes, those in a track."""
        if step_s > 0:
            self._steps += 1
            self._seconds += step_s
        self._boxes += boxes
        self._in_tracks += in_tracks

    def alone(self, change: int) -> None:
        """Take in by how much the number of tracks of a single box has changed."""
        self._alone += change

    @property
    def warnings(self) -> list[str]:
        """One line where many boxes are in no track, or the only one of theirs."""
        loose = self._boxes - self._in_tracks + self._alone
        if self._boxes < MIN_BOXES or loose < MAX_LOOSE_SHARE * self._boxes:
            return []
        rate = self._steps / self._seconds if self._seconds else 0.0
        frames = "1 frame" if f"{rate:.2g}" == "1" else f"{rate:.2g} frames"
        text = (
            f"{frames} a second, {loose} of {self._boxes} boxes belong to no track or are the "
            "only one of theirs: more frames a second give better tracks"
        )
        return [text]
