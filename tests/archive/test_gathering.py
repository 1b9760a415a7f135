"""What is kept of a file's frames: the thumbnail shows a person, but no head that shall be blurred."""

from __future__ import annotations

from datetime import UTC, datetime

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.archive.footage import Recording
from pipeline.archive.gathering import Gathering
from pipeline.datatypes import Frame, FrameResult, Tracklet
from pipeline.layout.archive import ArchiveFolder
from support.builders import tracks

FIRST, SECOND = (20, 20, 60, 120), (45, 60, 85, 160)
"""Boxes of two persons, the second's head in the first's box."""


def thumbnail(path, *, blur_heads):
    """The first person's, from one frame of noise."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    recording = Recording("a.mp4", "cam", start, 1, 1)
    gathering = Gathering(recording, key="k", blur_heads=blur_heads)
    noise = np.random.default_rng(0).integers(0, 256, (200, 100, 3)).astype(np.uint8)
    found = tracks(FIRST, SECOND)
    quality = np.full(2, 0.8, np.float32)
    gathering.write(FrameResult(Frame("a.mp4", 0, 0.0, noise), found, found.track_id, quality))
    tracklets = [
        Tracklet("a.mp4", n, 0.0, 0.0, 1, np.array([1, 0], np.float32), 1.0, 0.0) for n in (1, 2)
    ]
    gathering.store(ArchiveFolder(path), tracklets)
    ((_, _, part),) = ArchiveFolder(path).parts("thumbnails")
    rows = pq.ParquetFile(part).read().to_pylist()
    jpeg = next(row["jpeg"] for row in rows if row["tracklet_id"] == "k-1")
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int)


@pytest.mark.parametrize("head", [(0, 25, 4, 36), (37, 65, 29, 40)], ids=["own", "neighbour's"])
def test_heads_in_thumbnails_are_one_colour_and_the_rest_is_as_it_was(head, tmp_path):
    plain = thumbnail(tmp_path / "plain", blur_heads=False)
    blurred = thumbnail(tmp_path / "blurred", blur_heads=True)
    assert plain.shape == blurred.shape == (100, 40, 3)
    top, bottom, left, right = head
    assert plain[top:bottom, left:right].std() > 40
    assert blurred[top + 2 : bottom - 2, left + 2 : right - 2].std() < 12
    # JPEG works in blocks of 16 pixels, whose colours run into each other at their edges.
    np.testing.assert_array_equal(plain[82:], blurred[82:])
