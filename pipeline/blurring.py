"""Making people unrecognisable in pictures, for good: what is left is one colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.datatypes import FloatArray, FrameResult, Image

__all__ = ["blur", "cover", "head_of", "with_blurred_heads"]

GREY = 128
HEAD_HEIGHT, HEAD_WIDTH = 0.25, 0.8
"""Part of a person's box in which the head is, from its upper edge and around its middle."""
HEAD_ABOVE = 0.03
"""Part of the height by which boxes sit too low."""


def blur(image: Image, xyxy: FloatArray) -> None:
    """Blur a rectangle, in place.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        xyxy: ``(4,)`` corners in pixels; what lies outside the image is left out.
    """
    part = _part(image, xyxy)
    if part.size:
        part[:] = part.mean(axis=(0, 1))


def cover(image: Image, xyxy: FloatArray) -> None:
    """Paint a rectangle grey, in place, so that not even the colour of clothes is left.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        xyxy: ``(4,)`` corners in pixels; what lies outside the image is left out.
    """
    part = _part(image, xyxy)
    part[:] = GREY


def head_of(xyxy: FloatArray) -> FloatArray:
    """Return the ``(4,)`` rectangle in which the head of an upright person is.

    Args:
        xyxy: ``(4,)`` corners of the person's box in pixels.
    """
    left, top, right, bottom = (float(edge) for edge in xyxy)
    height, middle = bottom - top, (left + right) / 2
    half = HEAD_WIDTH * (right - left) / 2
    edges = middle - half, top - HEAD_ABOVE * height, middle + half, top + HEAD_HEIGHT * height
    return np.array(edges, np.float32)


def with_blurred_heads(result: FrameResult) -> FrameResult:
    """Return a result whose frame shows no head of the people in it; its own stays as it is."""
    image = result.frame.image.copy()
    for box in result.tracks.xyxy:
        blur(image, head_of(box))
    return replace(result, frame=replace(result.frame, image=image))


def _part(image: Image, xyxy: FloatArray) -> Image:
    """Return the view of a rectangle; empty where it is outside."""
    height, width = image.shape[:2]
    left, top = (max(0, int(np.floor(edge))) for edge in xyxy[:2])
    right, bottom = min(width, int(np.ceil(xyxy[2]))), min(height, int(np.ceil(xyxy[3])))
    return image[top : max(top, bottom), left : max(left, right)]
