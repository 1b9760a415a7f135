"""Frames as decoders leave them: brightness and colour apart.

They take half the memory of BGR, and small pictures of them are made without converting the large one.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import Frame, Image

__all__ = ["LazyFrame", "PlanarFrame", "Planes", "bgr_of", "planes_of", "scaled_of"]

Plane: TypeAlias = NDArray[np.uint8]
Planes: TypeAlias = tuple[Plane, Plane, Plane]
"""Brightness ``(H, W)``, then blue and red difference ``(H / 2, W / 2)``."""

OTHER_COLOURS = {1, 4, 7, 9, 10}
"""FFmpeg's numbers of colour spaces that are not BT.601, which is what OpenCV converts."""
FULL_RANGE = 2
"""FFmpeg's number of the range 0 to 255; all others are 16 to 235."""


class LazyFrame(Frame):
    """A frame whose ``image`` is made when somebody asks for it, once.

    Args:
        camera: As in ``Frame``.
        index: As in ``Frame``.
        time_s: As in ``Frame``.
        pixels: What it is made of.
    """

    __slots__ = ("_made", "pixels")

    pixels: Any
    _made: Image | None

    def __init__(self, camera: str, index: int, time_s: float, pixels: Any) -> None:
        values = {"camera": camera, "index": index, "time_s": time_s, "pixels": pixels}
        for name, value in {**values, "_made": None, "small": None}.items():
            object.__setattr__(self, name, value)  # frames are frozen

    @property
    def image(self) -> Image:
        """``(H, W, 3)`` uint8, BGR."""
        if self._made is None:
            object.__setattr__(self, "_made", self._image())
        return self._made  # type: ignore[return-value]

    def _image(self) -> Image:
        raise NotImplementedError


class PlanarFrame(LazyFrame):
    """A frame of ``Planes``."""

    __slots__ = ()

    pixels: Planes

    def _image(self) -> Image:
        return bgr_of(self.pixels)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(H, W, 3)``, without converting anything."""
        return (*self.pixels[0].shape, 3)


def planes_of(picture: Any) -> Planes | None:
    """Return the planes of a decoded picture as views; ``None`` where OpenCV cannot convert them.

    Args:
        picture: As PyAV decoded it.
    """
    if (
        picture.format.name != "yuv420p"
        or picture.width % 2
        or picture.height % 2
        or int(picture.color_range) == FULL_RANGE
        or int(picture.colorspace) in OTHER_COLOURS
    ):
        return None
    y, blue, red = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        for plane in picture.planes
    )
    return y, blue, red


def bgr_of(planes: Planes, size: tuple[int, int] | None = None) -> Image:
    """Return planes as ``(height, width, 3)`` uint8 BGR.

    Args:
        planes: Of a picture.
        size: ``(width, height)``, both even, that it is scaled to; ``None`` = its own.
    """
    height, width = planes[0].shape if size is None else size[::-1]
    joined = np.empty((height * 3 // 2, width), np.uint8)
    colours = joined[height:].reshape(2, height // 2, width // 2)
    for plane, into in zip(planes, (joined[:height], *colours), strict=True):
        if plane.shape == into.shape:
            into[:] = plane
        else:
            cv2.resize(plane, into.shape[::-1], dst=into, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(joined, cv2.COLOR_YUV2BGR_I420), np.uint8)


def scaled_of(frame: Frame, size: tuple[int, int]) -> Image:
    """Return ``(height, width, 3)`` uint8 BGR: a frame scaled, each pixel from its neighbours.

    Args:
        frame: Any.
        size: ``(width, height)``.
    """
    if isinstance(frame, PlanarFrame) and size[0] % 2 == size[1] % 2 == 0:
        return bgr_of(frame.pixels, size)
    if frame.shape[1::-1] == size:
        return frame.image
    return np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
