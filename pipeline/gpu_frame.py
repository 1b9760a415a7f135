"""Frames whose pixels are in the memory of a GPU, and what is wanted of them on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.crops import cut
from pipeline.datatypes import FloatArray, Frame, Image
from pipeline.planar_frame import LazyFrame, PlanarFrame

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["GpuFrame", "crop_of", "thumbnail_of"]


class GpuFrame(LazyFrame):
    """A frame that networks take from where it is, an ``(H, W, 3)`` uint8 BGR tensor."""

    __slots__ = ()

    pixels: Tensor

    def _image(self) -> Image:
        return np.asarray(self.pixels.cpu().numpy(), np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(H, W, 3)``, without fetching anything."""
        return tuple(self.pixels.shape)


def crop_of(frame: Frame, xyxy: FloatArray, *, fetch: bool) -> Any:
    """Return the pixels of a box as `cut` does.

    Args:
        frame: Any.
        xyxy: ``(4,)`` corners in pixels.
        fetch: Return an array of a frame on a GPU, too; else a tensor that stays there.
    """
    if not isinstance(frame, GpuFrame):
        return cut(frame.image, xyxy)
    crop: Any = cut(cast("Any", frame.pixels), xyxy)
    return np.asarray(crop.cpu().numpy(), np.uint8) if fetch else crop


def thumbnail_of(frame: Frame, width: int, height: int) -> NDArray[np.float32]:
    """Return ``(height, width)`` grey values, 0 to 255: a frame scaled down by averaging areas."""
    if isinstance(frame, PlanarFrame):
        y = cv2.resize(frame.pixels[0], (width, height), interpolation=cv2.INTER_AREA)
        grey = (np.asarray(y, np.float32) - 16) * np.float32(255 / 219)
        return np.clip(grey, 0, 255, out=grey)
    if isinstance(frame, GpuFrame):
        from torch.nn import functional  # noqa: PLC0415 - loaded by whoever put the frame there

        pixels = frame.pixels.permute(2, 0, 1)[None].float()
        small = functional.interpolate(pixels, size=(height, width), mode="area")[0]
        image = small.permute(1, 2, 0).round().byte().cpu().numpy()
    else:
        image = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float32)
