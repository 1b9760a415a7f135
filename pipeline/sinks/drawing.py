"""Drawing on frames: boxes, labels and captions that stay legible at any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from pipeline.colours import Colour, identity_colour
from pipeline.datatypes import UNASSIGNED, Image

__all__ = ["Label", "clock", "draw_caption", "draw_labels", "identity_colour"]

DARK: Colour = (24, 24, 24)
WHITE: Colour = (245, 245, 245)
FONT = cv2.FONT_HERSHEY_SIMPLEX
REFERENCE_HEIGHT = 540
"""Height at which lines are 2 px wide and text 13 px high."""


@dataclass(frozen=True, slots=True)
class Label:
    """One box to draw: ``(x1, y1, x2, y2)`` in pixels and whose it is."""

    box: tuple[float, float, float, float]
    global_id: int


def clock(seconds: float) -> str:
    """Return a time of the run as ``H:MM:SS.t``, with a sign where it is before the start."""
    tenths = round(abs(seconds) * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    sign = "-" if seconds < 0 and tenths else ""
    return f"{sign}{hours}:{minutes:02d}:{rest // 10:02d}.{rest % 10}"


def draw_labels(image: Image, labels: Sequence[Label], *, font_scale: float) -> None:
    """Draw boxes with their identities, in place.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        labels: What to draw; those nearer to the camera come to lie on top.
        font_scale: 1 is the size that suits the image's height.
    """
    unit = image.shape[0] / REFERENCE_HEIGHT
    thickness = max(1, round(2 * unit))
    for label in sorted(labels, key=lambda each: each.box[3]):
        colour = identity_colour(label.global_id)
        x1, y1, x2, y2 = (round(value) for value in label.box)
        if label.global_id == UNASSIGNED:
            cv2.rectangle(image, (x1, y1), (x2, y2), colour, max(1, thickness // 2), cv2.LINE_AA)
            continue
        cv2.rectangle(image, (x1, y1), (x2, y2), colour, thickness, cv2.LINE_AA)
        _plate(image, f"ID {label.global_id}", (x1, y1), colour, unit * font_scale)


def draw_caption(image: Image, text: str, *, font_scale: float) -> None:
    """Write a line on a dark plate in the upper left corner, in place."""
    unit = image.shape[0] / REFERENCE_HEIGHT * font_scale
    width, height, baseline = _text_size(text, unit)
    pad = max(2, round(5 * unit))
    corner = (width + 3 * pad, height + baseline + 2 * pad)
    cv2.rectangle(image, (0, 0), corner, DARK, cv2.FILLED)
    _write(image, text, (round(1.5 * pad), pad + height), WHITE, unit)


def _plate(image: Image, text: str, corner: tuple[int, int], colour: Colour, unit: float) -> None:
    """Write a label above a box's corner, inside the image."""
    width, height, baseline = _text_size(text, unit)
    pad = max(1, round(3 * unit))
    plate_w, plate_h = width + 2 * pad, height + baseline + pad
    x = max(0, min(corner[0], image.shape[1] - plate_w))
    y = corner[1] - plate_h if corner[1] >= plate_h else corner[1]
    y = max(0, min(y, image.shape[0] - plate_h))
    cv2.rectangle(image, (x, y), (x + plate_w, y + plate_h), colour, cv2.FILLED)
    blue, green, red = colour
    is_bright = 0.114 * blue + 0.587 * green + 0.299 * red > 140
    _write(image, text, (x + pad, y + height + pad // 2 + 1), DARK if is_bright else WHITE, unit)


def _text_size(text: str, unit: float) -> tuple[int, int, int]:
    (width, height), baseline = cv2.getTextSize(text, FONT, 0.5 * unit, _stroke(unit))
    return width, height, baseline


def _write(image: Image, text: str, place: tuple[int, int], colour: Colour, unit: float) -> None:
    cv2.putText(image, text, place, FONT, 0.5 * unit, colour, _stroke(unit), cv2.LINE_AA)


def _stroke(unit: float) -> int:
    return max(1, round(1.2 * unit))
