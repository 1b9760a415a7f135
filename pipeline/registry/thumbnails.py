"""Small pictures of persons, cut out of frames."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.datatypes import FrameResult

__all__ = ["thumbnail"]

TALLEST_PX = 240
"""Sharp on a screen of high density at the size at which the page shows it."""
JPEG_QUALITY = 85


def thumbnail(result: FrameResult, row: int) -> bytes:
    """Return the person of one row of a result as a JPEG at most 240 pixels high."""
    image = result.frame.image
    height, width = image.shape[:2]
    x1, y1, x2, y2 = result.tracks.xyxy[row].tolist()
    left, top = int(np.clip(x1, 0, width - 1)), int(np.clip(y1, 0, height - 1))
    right = int(np.clip(np.ceil(x2), left + 1, width))
    bottom = int(np.clip(np.ceil(y2), top + 1, height))
    crop = image[top:bottom, left:right]
    scale = TALLEST_PX / max(crop.shape[:2])
    if scale < 1:
        size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise RuntimeError("OpenCV could not encode a thumbnail as JPEG")
    return encoded.tobytes()
