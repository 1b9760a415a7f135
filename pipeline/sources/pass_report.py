"""Warnings of one pass over a video file."""

from __future__ import annotations

from typing import Any

from pipeline.sources.container import Damage
from pipeline.sources.frame_times import FrameTimes
from pipeline.sources.video_header import VideoHeader

__all__ = ["PassReport"]

SHORT_BY_FRAMES = 0.75
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
        self._shown_s = 0.0

    def count(self, time_s: float, *, shown_s: float = 0.0, corrupt: bool) -> None:
        """Take in one frame.

        Args:
            time_s: Its time, seconds.
            shown_s: How long it is to be shown, 0 where the file does not say.
            corrupt: Whether the decoder calls it corrupt.
        """
        if corrupt and not self.corrupt:
            self._first_corrupt_s = time_s
        self.frames += 1
        self.corrupt += int(corrupt)
        self._shown_s = max(shown_s, time_s - self.last_s if self.frames > 1 else 0.0)
        self.last_s = time_s

    @property
    def extent(self) -> str:
        """How far the pass came, as text."""
        stated, stated_s = self._header.frame_count, self._header.duration_s
        end_s = self._end_s()
        frames = f"{self.frames} of {stated} frames" if stated else f"{self.frames} frames"
        seconds = f"{end_s:.1f} of {stated_s:.1f} s" if stated_s else f"{end_s:.1f} s"
        return f"{frames} ({seconds})"

    def warnings(self, damage: Damage, times: FrameTimes[Any]) -> list[str]:
        """Return one line for each kind of thing that was wrong."""
        lines = list(self._header.notes)
        # Where stamps lie, the length that was made of them does too.
        is_known = not (times.replaced or times.restarts)
        ends_short = is_known and self._ends_short(hidden=damage.hidden)
        if damage.stopped:
            lines.append(f"reading ended after {self.extent}: {damage.stopped}")
        elif self.reached_end and (ends_short or damage.cut_off):
            lines.append(f"ended after {self.extent}: the file is truncated or damaged")
        if self.corrupt:
            lines.append(
                f"corrupt frames left out: {self.corrupt} of {self.frames}, the first at "
                f"{self._first_corrupt_s:.1f} s; those up to the next key frame may be smeared"
            )
        if damage.failed_packets:
            lines.append(f"packets that could not be decoded: {damage.failed_packets}")
        return lines + self._about_times(times)

    def _about_times(self, times: FrameTimes[Any]) -> list[str]:
        lines = []
        if times.replaced:
            lines.append(
                f"time stamps that do not fit those around them: {times.replaced} of "
                f"{self.frames}; their frames were placed between the others"
            )
        if times.gaps:
            lines.append(
                f"time stamps that leap forward: {times.gaps}, by up to {times.max_gap_s:.1f} "
                "s; kept as gaps"
            )
        if times.restarts:
            lines.append(
                f"time stamps that started again: {times.restarts}, taken for a continuation"
            )
        if times.without_stamp and times.without_stamp == self.frames:
            lines.append(
                f"the file holds no time stamps: frames are taken to be "
                f"{self._header.interval_s:.4g} s apart"
            )
        elif times.without_stamp:
            lines.append(
                f"frames without a time stamp: {times.without_stamp} of {self.frames}; each was "
                "placed behind the one before"
            )
        return lines

    def _end_s(self) -> float:
        return self.last_s + self._last_interval_s() if self.frames else 0.0

    def _last_interval_s(self) -> float:
        # The nominal interval is a guess, and far too short where frames come unevenly.
        return max(self._header.interval_s, self._shown_s)

    def _ends_short(self, *, hidden: int) -> bool:
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
        short_s = SHORT_BY_FRAMES * self._last_interval_s()
        return self.frames + hidden < header.frame_count and missing_s > short_s
