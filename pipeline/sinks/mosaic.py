"""All cameras side by side on one time line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.datatypes import FloatArray, Image
from pipeline.sinks.drawing import draw_caption

__all__ = ["Mosaic"]

MAX_WIDTH, MAX_HEIGHT = 1920, 1080
BACKGROUND = 18
GAP = 4
"""Pixels between tiles."""
DIMMED = 0.35
"""Brightness of a camera that has ended."""


@dataclass(slots=True)
class _Tile:
    left: int
    top: int
    width: int
    height: int


class Mosaic:
    """Keeps the newest picture of every camera in its tile of one canvas.

    Args:
        cameras: Names, in the order of the tiles.
        sizes: ``(width, height)`` of each camera's pictures.
        font_scale: Size of the captions.
    """

    def __init__(
        self, cameras: Sequence[str], sizes: Sequence[tuple[int, int]], *, font_scale: float
    ) -> None:
        self._font_scale = font_scale
        tile_w, tile_h, columns = _tile_size(sizes)
        rows = math.ceil(len(cameras) / columns)
        width = columns * tile_w + (columns + 1) * GAP
        height = rows * tile_h + (rows + 1) * GAP
        self.canvas: Image = np.full((height, width, 3), BACKGROUND, np.uint8)
        self._tiles: dict[str, _Tile] = {}
        for number, camera in enumerate(cameras):
            row, column = divmod(number, columns)
            left, top = GAP + column * (tile_w + GAP), GAP + row * (tile_h + GAP)
            self._tiles[camera] = _Tile(left, top, tile_w, tile_h)
            self._announce(camera, "not started")

    def show(self, camera: str, image: Image, caption: str) -> None:
        """Put a camera's new picture into its tile."""
        tile = self._tiles[camera]
        scale = min(tile.width / image.shape[1], tile.height / image.shape[0])
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        # Averaging over areas takes five times as long, and is not seen above half the size.
        method = cv2.INTER_AREA if scale <= 0.5 else cv2.INTER_LINEAR
        picture = cv2.resize(image, size, interpolation=method)
        view = self._view(tile)
        view[:] = BACKGROUND
        left, top = (tile.width - size[0]) // 2, (tile.height - size[1]) // 2
        view[top : top + size[1], left : left + size[0]] = picture
        draw_caption(view, caption, font_scale=self._font_scale * 1.3)

    def placed(self, camera: str, size: tuple[int, int], xyxy: FloatArray) -> FloatArray:
        """Return where corners in a camera's picture of ``(width, height)`` are on the canvas."""
        tile = self._tiles[camera]
        scale = min(tile.width / size[0], tile.height / size[1])
        left = tile.left + (tile.width - round(size[0] * scale)) // 2
        top = tile.top + (tile.height - round(size[1] * scale)) // 2
        return np.asarray(xyxy * scale + np.array([left, top, left, top]), np.float32)

    def end(self, camera: str) -> None:
        """Dim the tile of a camera that shows nothing new any more."""
        view = self._view(self._tiles[camera])
        view[:] = (view * DIMMED).astype(np.uint8)
        draw_caption(view, f"{camera}  ended", font_scale=self._font_scale * 1.3)

    def _announce(self, camera: str, state: str) -> None:
        view = self._view(self._tiles[camera])
        view[:] = BACKGROUND * 2
        draw_caption(view, f"{camera}  {state}", font_scale=self._font_scale * 1.3)

    def _view(self, tile: _Tile) -> Image:
        return self.canvas[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]


def _tile_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int, int]:
    """Return tile width, tile height and columns that show the cameras largest."""
    aspect = float(np.median([width / height for width, height in sizes]))
    widest = max(width for width, _ in sizes)
    best = (0, 0, 1)
    for columns in range(1, len(sizes) + 1):
        rows = math.ceil(len(sizes) / columns)
        room_w = (MAX_WIDTH - (columns + 1) * GAP) // columns
        room_h = (MAX_HEIGHT - (rows + 1) * GAP) // rows
        width = int(min(room_w, room_h * aspect, widest))
        height = int(width / aspect)
        if width * height > best[0] * best[1]:
            best = (max(2, width), max(2, height), columns)
    return best
