"""The floor as one camera sees it: from pixels to metres and back.

A lens is taken out first, then a homography does the rest. Where the camera's pose is known too, or
follows from the homography, heights above the floor can be told.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Lens", "Plane", "pose_of", "upright"]

Array = NDArray[np.float64]
MIN_FOCAL, MAX_FOCAL = 0.2, 10.0
"""Plausible focal lengths, in widths of the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Lens:
    """What bends straight lines.

    Attributes:
        matrix: ``(3, 3)`` intrinsic matrix, pixels.
        distortion: Coefficients as OpenCV orders them.
    """

    matrix: Array
    distortion: Array

    def straighten(self, pixels: Array) -> Array:
        """Return where ``(N, 2)`` pixels would lie without distortion."""
        if not len(pixels):  # OpenCV returns nothing at all
            return pixels
        bent = pixels.reshape(-1, 1, 2)
        found: Array = cv2.undistortPoints(bent, self.matrix, self.distortion, P=self.matrix)
        return found.reshape(-1, 2)

    def bend(self, pixels: Array) -> Array:
        """Return where the lens puts ``(N, 2)`` undistorted pixels."""
        if not len(pixels):
            return pixels
        rays = np.linalg.solve(self.matrix, _homogeneous(pixels).T).T
        none = np.zeros(3)
        bent, _ = cv2.projectPoints(rays, none, none, self.matrix, self.distortion)
        found: Array = bent.reshape(-1, 2)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """The floor of one camera.

    Attributes:
        to_floor: ``(3, 3)`` from undistorted pixels to metres; what it maps to a positive third
            number lies before the camera, all else above the horizon.
        noise_m: How far the calibration is off, metres (root mean square).
        lens: Its distortion, ``None`` where none is known.
        pose: ``(3, 4)`` from metres in space, ``z`` up, to undistorted pixels; ``None`` where it
            does not follow from the homography.
    """

    to_floor: Array
    noise_m: float
    lens: Lens | None = None
    pose: Array | None = None

    def places(self, pixels: ArrayLike) -> Array:
        """Return ``(N, 2)`` metres for ``(N, 2)`` pixels, NaN above the horizon."""
        mapped = _homogeneous(self._straight(pixels)) @ self.to_floor.T
        mapped[mapped[:, 2] <= 0] = np.nan
        result: Array = mapped[:, :2] / mapped[:, 2:]
        return result

    def pixels(self, places: ArrayLike) -> Array:
        """Return ``(N, 2)`` pixels for ``(N, 2)`` metres, NaN behind the camera."""
        mapped = _homogeneous(np.asarray(places, float)) @ np.linalg.inv(self.to_floor).T
        mapped[mapped[:, 2] <= 0] = np.nan
        flat = mapped[:, :2] / mapped[:, 2:]
        return flat if self.lens is None else self.lens.bend(flat)

    def slopes(self, pixels: ArrayLike) -> Array:
        """Return ``(N, 2, 2)``: metres that ``x`` and ``y`` move for a pixel to the right and down."""
        flat = self._straight(pixels)
        mapped = _homogeneous(flat) @ self.to_floor.T
        depth = np.where(mapped[:, 2:] > 0, mapped[:, 2:], np.nan)
        place = mapped[:, :2] / depth
        moved: Array = self.to_floor[:2, :2] - place[:, :, None] * self.to_floor[2, :2]
        slopes: Array = moved / depth[:, :, None]
        return slopes

    def pixel_m(self, pixels: ArrayLike) -> Array:
        """Return ``(N,)`` metres that one pixel covers, along the longer direction; NaN in the sky."""
        slopes = self.slopes(pixels)
        (a, b), (c, d) = slopes.transpose(1, 2, 0)
        squares = a * a + b * b + c * c + d * d
        longest: Array = np.sqrt((squares + np.sqrt(squares**2 - 4 * (a * d - b * c) ** 2)) / 2)
        return longest

    def heights(self, places: Array, tops: ArrayLike) -> Array:
        """Return ``(N,)`` metres above the floor of ``(N, 2)`` pixels straight above places.

        NaN where the pose is not known.
        """
        if self.pose is None:
            return np.full(len(places), np.nan)
        row = self._straight(tops)[:, 1]
        foot = np.concatenate([places, np.zeros((len(places), 1)), np.ones((len(places), 1))], 1)
        at_foot, upwards = foot @ self.pose.T, self.pose[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(
                (at_foot[:, 1] - row * at_foot[:, 2]) / (row * upwards[2] - upwards[1]), np.float64
            )

    @property
    def handedness(self) -> int:
        """-1 where ``y`` lies to the left of ``x`` seen from above, as in mathematics, 1 as in pictures."""
        return 1 if np.linalg.det(self.to_floor) > 0 else -1

    def _straight(self, pixels: ArrayLike) -> Array:
        flat = np.asarray(pixels, float).reshape(-1, 2)
        return flat if self.lens is None else self.lens.straighten(flat)


def pose_of(to_image: Array, size: tuple[int, int]) -> tuple[Array, Array] | None:
    """Return the ``(3, 3)`` intrinsic matrix and the ``(3, 4)`` pose behind a homography.

    The principal point is taken to be the middle of the picture. ``None`` where the homography tells no
    focal length, as in a view straight down.

    Args:
        to_image: ``(3, 3)`` from metres to undistorted pixels, positive before the camera.
        size: Width and height of the picture, pixels.

    Source: Zhang, "A flexible new technique for camera calibration" (2000), for one plane.
    """
    width, height = size
    middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    one, two, _ = (middle @ to_image).T
    across, along = one[2] * two[2], one[2] ** 2 - two[2] ** 2
    dot, difference = one[:2] @ two[:2], one[:2] @ one[:2] - two[:2] @ two[:2]
    scale = across**2 + along**2
    squared = -(across * dot + along * difference) / scale if scale > 0 else -1.0
    if not (MIN_FOCAL * width) ** 2 < squared < (MAX_FOCAL * width) ** 2:
        return None
    focal = np.sqrt(squared)
    matrix = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
    axes = np.linalg.solve(matrix, to_image)
    axes /= np.linalg.norm(axes[:, :2], axis=0).mean()
    return matrix, upright(matrix, axes[:, 0], axes[:, 1], axes[:, 2])


def upright(matrix: Array, x: Array, y: Array, offset: Array) -> Array:
    """Return the ``(3, 4)`` pose for the floor's axes in the camera, ``z`` towards the camera's side."""
    up = np.cross(x, y)
    if up @ offset > 0:  # the camera would be below the floor
        up = -up
    pose: Array = matrix @ np.stack([x, y, up / np.linalg.norm(up), offset], axis=1)
    return pose


def _homogeneous(points: Array) -> Array:
    return np.concatenate([points, np.ones((len(points), 1))], axis=1)
