"""Frames whose pixels are in the memory of a GPU, and what is wanted of them on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from pipeline.crops import cut
from pipeline.datatypes import FloatArray, Frame, Image

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["GpuFrame", "crop_of", "thumbnail_of"]


class GpuFrame(Frame):
    """A frame that networks take from where it is; ``image`` fetches it for everybody else.

    Args:
        camera: As in ``Frame``.
        index: As in ``Frame``.
        time_s: As in ``Frame``.
        pixels: ``(H, W, 3)`` uint8 BGR tensor.
    """

    __slots__ = ("_fetched", "pixels")

    pixels: Tensor
    _fetched: Image | None

    def __init__(self, camera: str, index: int, time_s: float, pixels: Tensor) -> None:
        values = {"camera": camera, "index": index, "time_s": time_s, "pixels": pixels}
        for name, value in {**values, "_fetched": None, "small": None}.items():
            object.__setattr__(self, name, value)  # frames are frozen

    @property
    def image(self) -> Image:
        """``(H, W, 3)`` uint8, BGR, copied from the GPU at the first call."""
        fetched = self._fetched
        if fetched is None:
            fetched = np.asarray(self.pixels.cpu().numpy(), np.uint8)
            object.__setattr__(self, "_fetched", fetched)
        return fetched

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


def thumbnail_of(frame: Frame, width: int, height: int) -> Image:
    """Return ``(height, width, 3)`` uint8 BGR: a frame scaled down by averaging areas."""
    if not isinstance(frame, GpuFrame):
        size = (width, height)
        return np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), np.uint8)
    from torch.nn import functional  # noqa: PLC0415 - loaded by whoever put the frame there

    pixels = frame.pixels.permute(2, 0, 1)[None].float()
    small = functional.interpolate(pixels, size=(height, width), mode="area")[0]
    return np.asarray(small.permute(1, 2, 0).round().byte().cpu().numpy(), np.uint8)
