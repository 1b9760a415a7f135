"""Where a camera stands and how it sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import Floats


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera.

    Attributes:
        name: of the clip.
        place: (3,) metres.
        target: (3,) the point in the middle of the picture.
        view: horizontal angle of view in degrees.
        size: width and height in pixels.
        balance: factors on red, green and blue: white balance and exposure together.
        grain: deviation of the sensor's noise, of 255.
    """

    name: str
    place: tuple[float, float, float]
    target: tuple[float, float, float]
    view: float
    size: tuple[int, int] = (960, 540)
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    grain: float = 2.0

    @property
    def axes(self) -> Floats:
        """(3, 3) rows: right, down and ahead in the world."""
        ahead = np.subtract(self.target, self.place)
        ahead = ahead / np.linalg.norm(ahead)
        right = np.cross(ahead, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(ahead, right), ahead])

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return float(self.size[0] / 2 / np.tan(np.deg2rad(self.view) / 2))

    def project(self, points: Floats, *, zoom: float = 1.0) -> tuple[Floats, Floats]:
        """Return (N, 2) columns and rows and (N,) depths in metres.

        Args:
            points: (N, 3) in the world.
            zoom: pixels drawn per pixel of the clip.
        """
        local = (points - np.array(self.place)) @ self.axes.T
        depth = local[:, 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        middle = np.array(self.size) / 2
        return (local[:, :2] / safe[:, None] * self.focal + middle) * zoom, depth

    def rays(self, *, zoom: float = 1.0) -> Floats:
        """Return (H, W, 3) directions with a depth of one, through the pixel centres."""
        width, height = (round(side * zoom) for side in self.size)
        column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        x = (column / zoom - self.size[0] / 2) / self.focal
        y = (row / zoom - self.size[1] / 2) / self.focal
        right, down, ahead = self.axes
        return np.asarray(x[..., None] * right + y[..., None] * down + ahead)
