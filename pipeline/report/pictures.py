"""Crops as small pictures inside the page."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from pipeline.crops import encode_jpeg, shrunk

__all__ = ["data_uri"]

MAX_SIDE_PX = 176
"""Twice what a card shows, for screens with small pixels."""


def data_uri(content: bytes, *, max_side: int = MAX_SIDE_PX) -> str:
    """Return a picture, made small, as ``data:image/jpeg;base64,...``; empty if it is none.

    It is decoded and encoded anew, so nothing but pixels gets into the page.
    """
    pixels = np.frombuffer(content, np.uint8)
    image = cv2.imdecode(pixels, cv2.IMREAD_COLOR) if pixels.size else None
    if image is None:
        return ""
    small = shrunk(np.asarray(image, np.uint8), max_height=max_side, max_width=max_side)
    encoded = encode_jpeg(small, quality=78)
    return "data:image/jpeg;base64," + base64.b64encode(encoded).decode()
