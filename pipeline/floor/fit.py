"""The floor of a camera from points whose places were measured, or from the matrices of OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import SettingsError
from pipeline.floor.plane import Lens, Plane, pose_of, upright

__all__ = ["Fit", "fit_matrices", "fit_points", "refuse_outside"]

Array = NDArray[np.float64]
MIN_POINTS = 4
MIN_FOR_LENS = 8
"""From so many points on one is left out at a time to see whether a lens explains the others."""
LENS_GAIN = 0.8
"""A lens is taken where it brings the errors of points left out down to this share."""
MAX_ERROR_SHARE = 0.1
"""A point further off than this share of the extent of all points contradicts the others."""
MIN_BREADTH = 1e-3
"""Points whose breadth is less than this share of their length lie on one line."""
EXTENT_M = (0.2, 1000.0)
"""Points that are nearer to each other, or further, than any view shows: degrees, or millimetres."""
MATRIX_NOISE_M = 0.05
"""How far a full calibration is taken to be off."""
LENS_FLAGS = (
    cv2.CALIB_USE_INTRINSIC_GUESS
    | cv2.CALIB_FIX_PRINCIPAL_POINT
    | cv2.CALIB_FIX_ASPECT_RATIO
    | cv2.CALIB_ZERO_TANGENT_DIST
    | cv2.CALIB_FIX_K2
    | cv2.CALIB_FIX_K3
)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A floor and how well it explains its points.

    Attributes:
        plane: The floor.
        points: ``(N, 4)`` pixel and place of each point.
        errors_m: ``(N,)`` distance of each point's pixel, put on the floor, from its place.
        pixel_m: ``(N,)`` metres that one pixel covers there, along the longer direction.
        worst: Position of the point without which the others agree best.
    """

    plane: Plane
    points: Array
    errors_m: Array
    pixel_m: Array
    worst: int


def fit_points(
    camera: str, points: Sequence[ArrayLike], size: tuple[int, int] | None = None
) -> Fit:
    """Return the floor through points, the lens too where they tell one.

    Args:
        camera: Name, for messages.
        points: ``px, py, x_m, y_m`` of at least four.
        size: Width and height of the picture; without it there is neither lens nor pose.

    Raises:
        SettingsError: The points are too few, on one line, crossed, or contradict each other.
    """
    rows = np.array(points, float).reshape(-1, 4)
    where = f"camera {camera}: floor_points"
    if len(rows) < MIN_POINTS:
        raise SettingsError(f"{where} needs at least {MIN_POINTS} points, got {len(rows)}")
    for columns, what in ((rows[:, :2], "pixels"), (rows[:, 2:], "places")):
        _refuse_narrow(columns, f"{where}: the {what}")
    _refuse_doubtful(rows, where)
    to_floor = _homography(rows)
    if to_floor is None:
        raise SettingsError(
            f"{where} fit no view of one floor: points are swapped, or of another camera; "
            "check the order of px, py, x_m, y_m"
        )
    plane = Plane(to_floor, 0.0)
    if size is not None:
        plane = _with_lens(rows, plane, size)
    noise, errors = _errors(plane, rows)
    worst = _worst(rows, errors)
    if errors.max() > MAX_ERROR_SHARE * float(np.ptp(rows[:, 2:], axis=0).max()):
        raise SettingsError(
            f"{where} contradict each other: no view of a floor brings all of them nearer than "
            f"{errors.max():.2f} m; point {worst + 1} ({_shown(rows[worst])}) fits the others least: "
            "measure it again, or leave it out"
        )
    pixel_m = plane.pixel_m(rows[:, :2])
    return Fit(replace(plane, noise_m=noise), rows, errors, pixel_m, worst)


def fit_matrices(
    matrix: ArrayLike, distortion: ArrayLike, rvec: ArrayLike, tvec: ArrayLike, *, unit_m: float
) -> Plane:
    """Return the floor where ``z`` is 0 in the world of a full calibration.

    Args:
        matrix: ``(3, 3)`` intrinsic matrix.
        distortion: Coefficients, empty where there is none.
        rvec: Rotation from the world to the camera.
        tvec: Translation from the world to the camera.
        unit_m: Metres of one unit of the world.
    """
    intrinsic = np.array(matrix, float).reshape(3, 3)
    turn = cv2.Rodrigues(np.array(rvec, float).reshape(3, 1))[0]
    axes = np.stack([turn[:, 0], turn[:, 1], np.array(tvec, float).ravel() * unit_m], axis=1)
    to_floor = np.linalg.inv(intrinsic @ axes)
    # Some calibrations, MultiviewX's among them, have the world behind the camera: the same pixels, but
    # for the sign. What lies below the middle of the picture is floor.
    if to_floor[2] @ [intrinsic[0, 2], intrinsic[1, 2] + intrinsic[1, 1] / 2, 1] < 0:
        to_floor, axes = -to_floor, -axes
    coefficients = np.array(distortion, float).ravel()
    return Plane(
        to_floor,
        MATRIX_NOISE_M,
        Lens(intrinsic, coefficients) if coefficients.any() else None,
        upright(intrinsic, *axes.T),
    )


def _refuse_narrow(points: Array, what: str) -> None:
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if spread[1] <= MIN_BREADTH * max(spread[0], 1e-9):
        raise SettingsError(f"{what} lie on one line: add points on both sides of it")
    distinct = len(np.unique(points.round(6), axis=0))
    if distinct < MIN_POINTS:
        raise SettingsError(f"{what} are only {distinct} different ones, of 4 at least")


def _refuse_doubtful(rows: Array, where: str) -> None:
    """Raise for one pixel with two places, and for places that are not in metres."""
    for row, point in enumerate(rows):
        same = np.flatnonzero((rows[:row, :2] == point[:2]).all(axis=1))
        if len(same) and not (rows[same[0]] == point).all():
            raise SettingsError(
                f"{where}: points {same[0] + 1} and {row + 1} are one pixel with two places: leave "
                "the wrong one out"
            )
    extent = float(np.ptp(rows[:, 2:], axis=0).max())
    if not EXTENT_M[0] <= extent <= EXTENT_M[1]:
        raise SettingsError(
            f"{where} are {extent:.6g} m apart at most, which no view shows: give x_m and y_m in "
            "metres, not in millimetres or degrees"
        )


def refuse_outside(camera: str, points: Sequence[ArrayLike], size: tuple[int, int]) -> None:
    """Raise for points that are not in a picture of this width and height.

    Raises:
        SettingsError: Names the first of them.
    """
    for row, (x, y, *_) in enumerate(np.array(points, float).tolist(), start=1):
        if not (0 <= x <= size[0] and 0 <= y <= size[1]):
            raise SettingsError(
                f"camera {camera}: floor_points: point {row} ({x:g}, {y:g}) is outside the picture of "
                f"{size[0]} x {size[1]} pixels: give px, py of the picture as it is decoded"
            )


def _homography(rows: Array) -> Array | None:
    """Return the map to the floor, positive before the camera; ``None`` where points are crossed."""
    found, _ = cv2.findHomography(rows[:, :2], rows[:, 2:], 0)
    if found is None or not np.isfinite(found).all() or abs(np.linalg.det(found)) < 1e-15:
        return None
    depth = np.c_[rows[:, :2], np.ones(len(rows))] @ found[2]
    if (depth > 0).any() and (depth < 0).any():
        return None
    matrix: Array = np.asarray(found, np.float64) * (1.0 if depth[0] > 0 else -1.0)
    return matrix


def _errors(plane: Plane, rows: Array) -> tuple[float, Array]:
    """Return the scatter of the points, metres, and how far each is off."""
    errors: Array = np.linalg.norm(plane.places(rows[:, :2]) - rows[:, 2:], axis=1)
    # A homography explains four points whatever they say.
    free = max(2 * len(rows) - 8, 1)
    return float(np.sqrt((errors**2).sum() / free)), errors


def _worst(rows: Array, errors: Array) -> int:
    """Return the point without which the others agree best; with five, any four agree."""
    if len(rows) <= MIN_POINTS + 1:
        return int(errors.argmax())
    without = []
    for row in range(len(rows)):
        others = np.delete(rows, row, axis=0)
        found = _homography(others)
        without.append(np.inf if found is None else _errors(Plane(found, 0.0), others)[0])
    return int(np.argmin(without))


def _with_lens(rows: Array, plain: Plane, size: tuple[int, int]) -> Plane:
    """Return the plane with its pose, and with a lens where that explains points left out better."""
    to_image: Array = np.asarray(np.linalg.inv(plain.to_floor), np.float64)
    pose = pose_of(to_image, size)
    if pose is None:
        return plain
    upright_plain = Plane(plain.to_floor, 0.0, None, pose[1])
    if len(rows) < MIN_FOR_LENS:
        return upright_plain
    whole = _lens_fit(rows, pose[0], size)
    if whole is None:
        return upright_plain
    straight, bent = [], []
    for row in range(len(rows)):
        others = np.delete(rows, row, axis=0)
        without, within = _homography(others), _lens_fit(others, pose[0], size)
        if without is None or within is None:
            return upright_plain
        straight.append(_error(Plane(without, 0.0), rows[row]))
        bent.append(_error(within, rows[row]))
    gained = np.sqrt(np.mean(np.square(bent))) < LENS_GAIN * np.sqrt(np.mean(np.square(straight)))
    return whole if gained else upright_plain


def _lens_fit(rows: Array, start: Array, size: tuple[int, int]) -> Plane | None:
    space = np.c_[rows[:, 2:], np.zeros(len(rows))].astype(np.float32)
    pixels = rows[:, :2].astype(np.float32)
    try:
        _, matrix, distortion, turns, offsets = cv2.calibrateCamera(
            [space], [pixels], size, start.copy(), np.zeros(5), flags=LENS_FLAGS
        )
        plane = fit_matrices(matrix, distortion, turns[0], offsets[0], unit_m=1.0)
    except (cv2.error, np.linalg.LinAlgError):
        return None
    return plane if np.isfinite(plane.places(rows[:, :2])).all() else None


def _error(plane: Plane, row: Array) -> float:
    found = plane.places(row[None, :2])[0] - row[2:]
    return float(np.linalg.norm(found)) if np.isfinite(found).all() else np.inf


def _shown(row: Array) -> str:
    return ", ".join(f"{value:g}" for value in row)
