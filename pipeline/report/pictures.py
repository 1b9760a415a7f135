"""Crops as small pictures inside the page."""

from __future__ import annotations

import base64

import cv2
import numpy as np

__all__ = ["data_uri"]

HEIGHT_PX = 176
"""Twice what a card shows, for screens with small pixels."""
MOST_WIDTH_PX = 176
QUALITY = 78


def data_uri(content: bytes) -> str:
    """Return a picture, made small, as ``data:image/jpeg;base64,...``; empty if it is none.

    It is decoded and encoded anew, so nothing but pixels gets into the page.
    """
    pixels = np.frombuffer(content, np.uint8)
    image = cv2.imdecode(pixels, cv2.IMREAD_COLOR) if pixels.size else None
    if image is None:
        return ""
    height, width = image.shape[:2]
    scale = min(1.0, HEIGHT_PX / height, MOST_WIDTH_PX / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode() if done else ""
