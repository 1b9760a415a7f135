"""Puts the boxes of a run on the floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.boxes import areas, intersections
from pipeline.datatypes import FloatArray, Frame, Tracks
from pipeline.errors import SettingsError
from pipeline.floor.drawing import seen_floor
from pipeline.floor.fit import fit_matrices, fit_points, refuse_outside
from pipeline.floor.opencv_files import read_matrices
from pipeline.floor.plane import Plane
from pipeline.places import Places
from pipeline.settings import CameraSettings

__all__ = [
    "Floor",
    "feet_covered",
    "is_calibrated",
    "place_boxes",
    "place_feet",
    "plane_of",
    "seen_feet",
]

Array = NDArray[np.float64]
BORDER_PX = 2.0
"""A box that ends so near to the lower border of the picture may go on below it."""
ACROSS, ALONG = 0.04, 0.03
"""Deviation of a box's foot to the side and up or down, in heights of the box. Measured on true and
detected boxes."""
ALONG_COVERED = 0.12
"""The same where a nearer person hides the feet."""
FEET = 0.15
"""Share of a box's height, from below, that holds the feet."""
MAX_UNCERTAINTY_M = 5.0
"""Places near the horizon are worth nothing."""


class Floor:
    """The floors of all cameras that are calibrated.

    Args:
        cameras: All cameras of the run.

    Raises:
        SettingsError: A calibration cannot be used.
    """

    def __init__(self, cameras: Sequence[CameraSettings]) -> None:
        self._cameras = {each.name: each for each in cameras if is_calibrated(each)}
        sides = {name: plane_of(each).handedness for name, each in self._cameras.items()}
        _refuse_mirrored(sides)
        self._y_up = sum(sides.values()) <= 0
        self._planes: dict[tuple[str, tuple[int, int]], Plane] = {}

    def __bool__(self) -> bool:
        return bool(self._cameras)

    @property
    def cameras(self) -> list[str]:
        """Names of the cameras that are calibrated."""
        return list(self._cameras)

    @property
    def y_up(self) -> bool:
        """Whether ``y_m`` goes up where ``x_m`` goes to the right, seen from above."""
        return self._y_up

    def seen(self, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
        """Return what each calibrated camera sees of the floor, as records hold it.

        Args:
            sizes: Width and height of each camera's picture.

        Raises:
            SettingsError: A point is outside its picture.
        """
        for name, camera in self._cameras.items():
            if name in sizes and camera.floor_points is not None:
                refuse_outside(name, camera.floor_points, sizes[name])
        views = {
            name: seen_floor(plane_of(camera, sizes[name]), sizes[name]).round(2).tolist()
            for name, camera in self._cameras.items()
            if name in sizes
        }
        return {"y_up": self._y_up, "views": views}

    def place(self, frame: Frame, tracks: Tracks) -> Tracks:
        """Return tracks with their places, or as they are where the camera is not calibrated."""
        if frame.camera not in self._cameras:
            return tracks
        height, width = frame.shape[:2]
        key = frame.camera, (width, height)
        if key not in self._planes:
            self._planes[key] = plane_of(self._cameras[frame.camera], (width, height))
        return replace(tracks, places=place_boxes(self._planes[key], tracks.xyxy, height))


def is_calibrated(camera: CameraSettings) -> bool:
    """Return whether anything is known of where a camera stands."""
    return camera.floor_points is not None or camera.calibration is not None


def plane_of(camera: CameraSettings, size: tuple[int, int] | None = None) -> Plane:
    """Return the floor of a calibrated camera.

    Args:
        camera: With points or a calibration.
        size: Width and height of its picture; without it points tell neither lens nor pose.

    Raises:
        SettingsError: The calibration cannot be used.
    """
    if camera.floor_points is not None:
        return fit_points(camera.name, camera.floor_points, size).plane
    given = camera.calibration
    assert given is not None  # is_calibrated
    if given.files:
        found = read_matrices(camera.name, given.files)
        matrices = [found[name] for name in ("camera_matrix", "distortion_coefficients")]
        matrices += [found["rvec"], found["tvec"]]
    else:
        matrices = [np.array(given.camera_matrix), np.array(given.distortion)]
        matrices += [np.array(given.rvec), np.array(given.tvec)]
    try:
        return fit_matrices(*matrices, unit_m=given.unit_m)
    except np.linalg.LinAlgError:
        raise SettingsError(
            f"camera {camera.name}: the calibration maps the floor to a line: check rvec and tvec"
        ) from None


def place_boxes(plane: Plane, xyxy: FloatArray, height_px: int) -> Places:
    """Return where the people of one frame stand.

    Args:
        plane: The floor of the camera.
        xyxy: ``(N, 4)`` boxes, pixels.
        height_px: Height of the picture: feet below it are not seen.
    """
    boxes = xyxy.astype(np.float64)
    feet, seen = seen_feet(boxes, height_px)
    along = np.where(feet_covered(boxes), ALONG_COVERED, ALONG)
    places = place_feet(plane, feet, boxes[:, 3] - boxes[:, 1], along)
    for column in (places.xy, places.spread, places.height):
        column[~seen] = np.nan
    return places


def seen_feet(boxes: Array, height_px: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return ``(N, 2)`` the feet of ``(N, 4)`` boxes, pixels, and ``(N,)`` whether the picture has them."""
    feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
    return feet, boxes[:, 3] < height_px - BORDER_PX


def place_feet(plane: Plane, feet: Array, tall: Array, along: float | Array = ALONG) -> Places:
    """Return where people stand; what is too uncertain is NaN.

    Args:
        plane: The floor of the camera.
        feet: ``(N, 2)`` lower ends of boxes, pixels.
        tall: ``(N,)`` heights of the boxes, pixels.
        along: Deviation of the feet up or down, in heights of the box.
    """
    with np.errstate(invalid="ignore"):
        xy = plane.places(feet)
        slopes = plane.slopes(feet)
        deviations = np.stack([ACROSS * tall + 1, along * tall + 1], axis=1)
        scaled = slopes * deviations[:, None, :]
        cov = scaled @ scaled.transpose(0, 2, 1) + plane.noise_m**2 * np.eye(2)
        spread = np.stack([cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1]], axis=1)
        places = Places(xy, spread, plane.heights(xy, feet - np.outer(tall, [0, 1])))
        known = places.uncertainty_m <= MAX_UNCERTAINTY_M
    for column in (places.xy, places.spread, places.height):
        column[~known] = np.nan
    return places


def feet_covered(boxes: Array) -> NDArray[np.bool_]:
    """Return ``(N,)``: whether the box of a nearer person covers the feet."""
    feet = boxes.copy()
    feet[:, 1] = boxes[:, 3] - FEET * (boxes[:, 3] - boxes[:, 1])
    share = intersections(feet, boxes) / np.maximum(areas(feet), 1e-6)[:, None]
    nearer = boxes[None, :, 3] > boxes[:, None, 3]
    return np.asarray(((share > 0.3) & nearer).any(axis=1), np.bool_)


def _refuse_mirrored(sides: dict[str, int]) -> None:
    """Raise if one camera sees the floor in a mirror, compared with most others."""
    most = 1 if sum(sides.values()) > 0 else -1
    odd = [name for name, side in sides.items() if side != most]
    if odd and len(odd) * 2 < len(sides):
        raise SettingsError(
            f"camera {odd[0]} sees the floor mirrored, unlike the other cameras: x_m and y_m, or two "
            "of its points, are swapped"
        )
