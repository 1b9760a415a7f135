"""From decoded pictures to frames: colours, proportions, which way up."""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter

from pipeline.datatypes import Image
from pipeline.sources.nvdec import TakenPicture, bgr_pixels
from pipeline.sources.orientation import (
    display_matrix,
    shown_size,
    square_pixels,
    upright,
    usable_aspect,
)

__all__ = ["PictureConverter"]


class PictureConverter:
    """Turns decoded pictures into BGR arrays as a player shows them: upright, pixels square.

    One conversion context is kept for the whole file; making one for each frame halves the
    frames a second.

    Args:
        stream: The PyAV stream that the pictures come from.
    """

    def __init__(self, stream: Any) -> None:
        self._reformatter = VideoReformatter()
        self._codec = stream.codec_context
        self._time_base = stream.time_base
        # What the container says comes first, until the pictures themselves say something new.
        self._stated = stream.sample_aspect_ratio
        self._coded = self._codec.sample_aspect_ratio

    @property
    def aspect(self) -> float:
        """Width of a pixel over its height, of the picture decoded last."""
        coded = self._codec.sample_aspect_ratio
        return usable_aspect(self._stated if coded == self._coded else coded) or 1.0

    def size(self, picture: Any) -> tuple[int, int]:
        """Return the ``(width, height)`` that a picture gets."""
        return shown_size(picture.width, picture.height, display_matrix(picture), self.aspect)

    def __call__(self, picture: Any) -> Image:
        """Return a decoded picture as ``(H, W, 3)`` uint8 BGR."""
        converted = self._reformatter.reformat(picture, format="bgr24")
        image = np.asarray(converted.to_ndarray(), np.uint8)
        return upright(square_pixels(image, self.aspect), display_matrix(picture))

    def taken(self, picture: Any, *, keep: bool) -> TakenPicture:
        """Return a decoded picture whose decoder may have its memory back.

        Args:
            picture: As PyAV decoded it.
            keep: Leave its pixels on the GPU, if they can be converted there.
        """
        pixels = bgr_pixels(picture) if keep and self.aspect == 1 else None
        return TakenPicture(
            picture.pts,
            picture.dts,
            picture.duration,
            self._time_base,
            picture.is_corrupt,
            self(picture) if pixels is None else pixels,
        )
