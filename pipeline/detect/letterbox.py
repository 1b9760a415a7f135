"""Fitting an image into a detector's input without changing its proportions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.datatypes import FloatArray, Image

__all__ = ["PADDING_GREY", "Letterbox"]

PADDING_GREY = 114
"""The grey that YOLO models are trained with around letterboxed images."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Scale and padding that fit images of one size into an input of another.

    Attributes:
        scale: Input pixels per image pixel.
        resized: ``(width, height)`` of the scaled image.
        left: Padding at the left of the input, pixels.
        top: Padding at the top of the input, pixels.
        target: ``(height, width)`` of the input.
    """

    scale: float
    resized: tuple[int, int]
    left: int
    top: int
    target: tuple[int, int]

    @classmethod
    def fit(cls, image_shape: tuple[int, ...], target: tuple[int, int]) -> Letterbox:
        """Return the letterbox for images of ``(height, width, ...)`` in ``target``."""
        height, width = image_shape[:2]
        scale = min(target[0] / height, target[1] / width)
        resized = max(1, round(width * scale)), max(1, round(height * scale))
        left = round((target[1] - resized[0]) / 2 - 0.1)
        top = round((target[0] - resized[1]) / 2 - 0.1)
        return cls(scale, resized, left, top, target)

    @staticmethod
    def tight_target(
        image_shape: tuple[int, ...], longer_side: int, stride: int
    ) -> tuple[int, int]:
        """Return the smallest ``(height, width)`` in whole strides that holds such images."""
        height, width = image_shape[:2]
        scale = longer_side / max(height, width)
        rows = max(1, int(np.ceil(round(height * scale) / stride)))
        columns = max(1, int(np.ceil(round(width * scale) / stride)))
        return rows * stride, columns * stride

    def apply(self, image: Image) -> Image:
        """Return ``(height, width, 3)`` uint8: the image scaled and padded to the target."""
        if (image.shape[1], image.shape[0]) != self.resized:
            image = cv2.resize(image, self.resized, interpolation=cv2.INTER_LINEAR)
        if image.shape[:2] == self.target:
            return image
        canvas = np.full((*self.target, 3), PADDING_GREY, np.uint8)
        canvas[self.top : self.top + self.resized[1], self.left : self.left + self.resized[0]] = (
            image
        )
        return canvas

    def to_image(self, xyxy: FloatArray, image_shape: tuple[int, ...]) -> FloatArray:
        """Map ``(N, 4)`` boxes from input pixels to image pixels, clipped to the image."""
        height, width = image_shape[:2]
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        boxes = (xyxy - offset) / np.float32(self.scale)
        limit = np.array([width, height, width, height], np.float32)
        clipped: FloatArray = np.clip(boxes, 0, limit).astype(np.float32)
        return clipped
