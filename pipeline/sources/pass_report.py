"""Warnings of one pass over a video file."""

from __future__ import annotations

from pipeline.sources.container import Damage
from pipeline.sources.frame_times import FrameTimes
from pipeline.sources.video_header import VideoHeader

__all__ = ["PassReport"]

SHORT_BY_FRAMES = 0.5
"""Frame intervals that may be missing at the end of a video that states its frames."""

SHORT_BY_S = 1.0
"""Seconds that may be missing at the end of a video that states its length alone."""


class PassReport:
    """Counts the frames of one pass and tells what was wrong with them.

    Attributes:
        frames: Frames that the decoder handed out, corrupt ones too.
        corrupt: How many of them the decoder itself called corrupt.
        last_s: Time of the latest frame, seconds.
        reached_end: Whether there was nothing left to read.
    """

    def __init__(self, header: VideoHeader) -> None:
        self.frames = 0
        self.corrupt = 0
        self.last_s = 0.0
        self.reached_end = False
        self._header = header
        self._first_corrupt_s = 0.0

    def count(self, time_s: float, *, corrupt: bool) -> None:
        """Take in one frame."""
        if corrupt and not self.corrupt:
            self._first_corrupt_s = time_s
        self.frames += 1
        self.corrupt += int(corrupt)
        self.last_s = time_s

    @property
    def extent(self) -> str:
        """How far the pass came, as text."""
        stated, stated_s = self._header.frame_count, self._header.duration_s
        end_s = self._end_s()
        frames = f"{self.frames} of {stated} frames" if stated else f"{self.frames} frames"
        seconds = f"{end_s:.1f} of {stated_s:.1f} s" if stated_s else f"{end_s:.1f} s"
        return f"{frames} ({seconds})"

    def warnings(self, damage: Damage, times: FrameTimes) -> list[str]:
        """Return one line for each kind of thing that was wrong."""
        lines = []
        if damage.stopped:
            lines.append(f"reading ended after {self.extent}: {damage.stopped}")
        elif self.reached_end and (self._ends_short() or damage.cut_off):
            lines.append(f"ended after {self.extent}: the file is truncated or damaged")
        if self.corrupt:
            lines.append(
                f"corrupt frames left out: {self.corrupt} of {self.frames}, the first at "
                f"{self._first_corrupt_s:.1f} s; those up to the next key frame may be smeared"
            )
        if damage.failed_packets:
            lines.append(f"packets that could not be decoded: {damage.failed_packets}")
        if times.restarts:
            lines.append(
                f"time stamps that started again: {times.restarts}, taken for a continuation"
            )
        if times.without_stamp and times.without_stamp == self.frames:
            lines.append(
                f"the file holds no time stamps: frames are taken to be "
                f"{self._header.interval_s:.4g} s apart"
            )
        return lines

    def _end_s(self) -> float:
        return self.last_s + self._header.interval_s if self.frames else 0.0

    def _ends_short(self) -> bool:
        """Whether frames are missing at the end.

        Both the count and the time must fall short where both are stated: edit lists leave
        frames out on purpose, and a last frame may be shown for long.
        """
        header = self._header
        if header.video_end_s is None:
            return False
        missing_s = header.video_end_s - self._end_s()
        if header.frame_count is None:
            return missing_s > SHORT_BY_S
        short_s = SHORT_BY_FRAMES * header.interval_s
        return self.frames < header.frame_count and missing_s > short_s
