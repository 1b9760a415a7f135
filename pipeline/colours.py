"""One colour per identity, the same in video, pictures and on the page, and one per camera."""

from __future__ import annotations

import colorsys
from functools import lru_cache

from pipeline.datatypes import UNASSIGNED

__all__ = ["Colour", "camera_colour", "identity_colour"]

Colour = tuple[int, int, int]
"""Blue, green, red, each in [0, 255]."""

GOLDEN_RATIO = 0.618033988749895
"""Steps of this share of the circle never come near a hue that was used shortly before."""
CAMERA_HUES = (210, 30, 145, 300, 50, 0, 184, 249)
"""Degrees, by the order of cameras: those of the page, whose `colours.js` has them lighter."""
GREY: Colour = (170, 170, 170)


@lru_cache(maxsize=4096)
def identity_colour(global_id: int) -> Colour:
    """Return the BGR colour of an identity, the same in every camera and run."""
    if global_id == UNASSIGNED:
        return GREY
    hue = (0.08 + global_id * GOLDEN_RATIO) % 1.0
    # Three rounds of lightness and strength tell apart hues that come near each other.
    lightness, saturation = ((0.55, 0.85), (0.68, 0.75), (0.45, 0.9))[global_id % 3]
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return round(blue * 255), round(green * 255), round(red * 255)


def camera_colour(place: int) -> str:
    """Return the CSS colour of a camera, dark enough for text, by its place among all cameras."""
    return f"hsl({CAMERA_HUES[place % len(CAMERA_HUES)]} 60% 45%)"
