"""Deletes old recordings by age and by total size."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.layout.recording import Kind, Recorded, recorded_files

__all__ = ["Retention", "expired"]

log = logging.getLogger(__name__)

MAX_AT_ONCE = 50
"""Files deleted in one go; deleting is slow on some disks, and lines wait to be written."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long, and how much, recordings are kept.

    Attributes:
        logs_s: Age that no log of tracks or events reaches, seconds; ``None`` = any.
        video_s: The same of videos.
        max_bytes: Size that all files together do not stay above; ``None`` = any.
    """

    logs_s: float | None
    video_s: float | None
    max_bytes: float | None

    def apply(self, folder: Path, *, now_s: float, in_use: Collection[Path]) -> int:
        """Delete what need not be kept, at most 50 files.

        Args:
            folder: The recorder's folder.
            now_s: Wall time, seconds since the epoch.
            in_use: Files that are being written.

        Returns:
            How many files were deleted. One that cannot be is left, with a warning.

        Raises:
            OSError: The folder cannot be read.
        """
        gone = 0
        files = list(recorded_files(folder))
        for file in expired(files, self, now_s=now_s, in_use=in_use):
            try:
                file.path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s could not be deleted (%s)", file.path, error.strerror)
                continue
            gone += 1
            if gone == MAX_AT_ONCE:
                break
        if gone:
            log.info(
                "%d recorded files were deleted: beyond keep_days, keep_video_days or keep_gb", gone
            )
        return gone


def expired(
    files: Sequence[Recorded], keep: Retention, *, now_s: float, in_use: Collection[Path]
) -> list[Recorded]:
    """Return the files that need not be kept, in the order in which to delete them.

    First those that are too old. If the rest is too large, the oldest videos, and the oldest
    logs only when no video is left: logs of a month are smaller than an hour of video.
    """
    movable = [each for each in files if not each.partial and each.path not in in_use]
    movable.sort(key=lambda each: (each.kind is not Kind.VIDEO, each.begun_s, each.path))
    gone = []
    total = sum(each.size for each in files)
    for too_old in (True, False):
        for file in movable:
            age_s = keep.video_s if file.kind is Kind.VIDEO else keep.logs_s
            if (age_s is not None and now_s - file.begun_s > age_s) != too_old:
                continue
            if too_old or (keep.max_bytes is not None and total > keep.max_bytes):
                gone.append(file)
                total -= file.size
    return gone
