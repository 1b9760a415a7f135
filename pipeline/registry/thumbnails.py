"""Small pictures of persons, cut out of frames."""

from __future__ import annotations

from pipeline.crops import cut, encode_jpeg, shrunk
from pipeline.datatypes import FrameResult

__all__ = ["thumbnail"]

MAX_SIDE_PX = 240
"""Sharp on a screen of high density at the size at which the page shows it."""


def thumbnail(result: FrameResult, row: int) -> bytes:
    """Return the person of one row of a result as a JPEG at most 240 pixels high."""
    crop = cut(result.frame.image, result.tracks.xyxy[row])
    return encode_jpeg(shrunk(crop, max_height=MAX_SIDE_PX, max_width=MAX_SIDE_PX), quality=85)
