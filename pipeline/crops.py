"""Crops of persons: cutting them out, hiding who it is, making them small, writing them as JPEG."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from pipeline.datatypes import FloatArray, Frame, FrameResult, Image

__all__ = [
    "blur",
    "cover",
    "cut",
    "cut_blurred",
    "encode_jpeg",
    "head_of",
    "inside",
    "shrunk",
    "thumbnail",
    "with_blurred_heads",
]

GREY = 128
HEAD_HEIGHT, HEAD_WIDTH = 0.25, 0.8
"""Share of a person's box that holds the head, from its upper edge and around its middle."""
MAX_THUMBNAIL_PX = 240
"""Sharp on a screen of high density at the size at which the page shows it."""
HEAD_ABOVE = 0.03
"""Share of the height by which boxes sit too low."""


def cut(image: Image, xyxy: FloatArray) -> Image:
    """Return the pixels of a box as a view of the image, at least one pixel.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        xyxy: ``(4,)`` corners in pixels; a box outside the image gives the pixels next to it.
    """
    left, top, right, bottom = _corners(image, xyxy)
    return image[top:bottom, left:right]


def cut_blurred(image: Image, boxes: FloatArray, row: int) -> Image:
    """Return a copy of the pixels of one box, in which the heads of all persons are blurred.

    Args:
        image: ``(H, W, 3)`` uint8 BGR; it stays as it is.
        boxes: ``(N, 4)`` corners of all persons in the image, in pixels.
        row: Which of them to cut out.
    """
    left, top, right, bottom = _corners(image, boxes[row])
    crop = image[top:bottom, left:right].copy()
    origin = np.array([left, top, left, top], np.float32)
    for box in boxes:
        blur(crop, head_of(box) - origin)
    return crop


def inside(image: Image, xyxy: FloatArray) -> Image:
    """Return the pixels of a rectangle that are in the image, as a view; empty if there are none.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        xyxy: ``(4,)`` corners in pixels.
    """
    height, width = image.shape[:2]
    left, top = (max(0, int(np.floor(edge))) for edge in xyxy[:2])
    right, bottom = min(width, int(np.ceil(xyxy[2]))), min(height, int(np.ceil(xyxy[3])))
    return image[top : max(top, bottom), left : max(left, right)]


def blur(image: Image, xyxy: FloatArray) -> None:
    """Paint a rectangle in its mean colour, in place: nothing can bring a face back.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        xyxy: ``(4,)`` corners in pixels; what lies outside the image is left out.
    """
    pixels = inside(image, xyxy)
    if pixels.size:
        pixels[:] = pixels.mean(axis=(0, 1))


def cover(image: Image, xyxy: FloatArray) -> None:
    """Paint a rectangle grey, in place, so that not even the colour of clothes is left.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        xyxy: ``(4,)`` corners in pixels; what lies outside the image is left out.
    """
    inside(image, xyxy)[:] = GREY


def head_of(xyxy: FloatArray) -> FloatArray:
    """Return the ``(4,)`` rectangle that holds the head of an upright person.

    Args:
        xyxy: ``(4,)`` corners of the person's box in pixels.
    """
    left, top, right, bottom = (float(edge) for edge in xyxy)
    height, middle = bottom - top, (left + right) / 2
    half = HEAD_WIDTH * (right - left) / 2
    edges = middle - half, top - HEAD_ABOVE * height, middle + half, top + HEAD_HEIGHT * height
    return np.array(edges, np.float32)


def with_blurred_heads(result: FrameResult) -> FrameResult:
    """Return a result whose frame shows no head of the people in it; its own stays as it is.

    Nor of those who were detected just now and have no track yet.
    """
    image = result.frame.image.copy()
    for box in (*result.tracks.xyxy, *result.detected):
        blur(image, head_of(box))
    frame = Frame(result.frame.camera, result.frame.index, result.frame.time_s, image)
    return replace(result, frame=frame)


def shrunk(image: Image, *, max_height: int, max_width: int | None = None) -> Image:
    """Return an image scaled down to fit, or as it is where it fits already.

    Args:
        image: ``(H, W, 3)`` uint8, at least one pixel.
        max_height: In pixels.
        max_width: In pixels; ``None`` sets no limit.
    """
    height, width = image.shape[:2]
    scale = min(max_height / height, 1 if max_width is None else max_width / width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def thumbnail(crop: Image, *, blurred: bool = False) -> bytes:
    """Return a person as a JPEG at most 240 pixels high and wide.

    Args:
        crop: ``(H, W, 3)`` uint8 BGR, the person's box; it stays as it is.
        blurred: Whether the head is blurred.
    """
    small = shrunk(crop, max_height=MAX_THUMBNAIL_PX, max_width=MAX_THUMBNAIL_PX)
    if blurred:
        small = small.copy()
        blur(small, head_of(np.array([0, 0, small.shape[1], small.shape[0]], np.float32)))
    return encode_jpeg(small, quality=85)


def encode_jpeg(image: Image, *, quality: int = 90, comment: str = "") -> bytes:
    """Return an image as a JPEG file.

    Args:
        image: ``(H, W, 3)`` uint8 BGR, at least one pixel.
        quality: 0 to 100; 90 shows no loss to the eye.
        comment: What the file says of itself, ASCII.
    """
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV could not encode a picture as JPEG")
    jpeg, text = encoded.tobytes(), comment.encode()
    if not text:
        return jpeg
    return jpeg[:2] + b"\xff\xfe" + (2 + len(text)).to_bytes(2) + text + jpeg[2:]


def _corners(image: Image, xyxy: FloatArray) -> tuple[int, int, int, int]:
    """Return the whole pixels that a box touches, clipped to the image but never empty."""
    height, width = image.shape[:2]
    left = int(np.clip(np.floor(xyxy[0]), 0, width - 1))
    top = int(np.clip(np.floor(xyxy[1]), 0, height - 1))
    right = int(np.clip(np.ceil(xyxy[2]), left + 1, width))
    bottom = int(np.clip(np.ceil(xyxy[3]), top + 1, height))
    return left, top, right, bottom
