"""A pinhole camera 3 m above a floor, for tests of places."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["FLOOR", "GIVEN", "MATRIX", "SIZE", "points_of", "seen"]

SIZE = (960, 540)
MATRIX = np.array([[800.0, 0, 480], [0, 800, 270], [0, 0, 1]])
DOWN = np.deg2rad(25)
# Rows are right, down and ahead; the camera stands 3 m above the origin and looks along y.
TURN = np.array(
    [[1, 0, 0], [0, -np.sin(DOWN), -np.cos(DOWN)], [0, np.cos(DOWN), -np.sin(DOWN)]], float
)
GIVEN = {
    "matrix": MATRIX,
    "distortion": (),
    "rvec": cv2.Rodrigues(TURN)[0].ravel(),
    "tvec": -TURN @ [0.0, 0, 3],
}
FLOOR = np.array([(-2.0, 4), (2, 4), (2.5, 8), (-2.5, 8), (0, 6), (1, 5)])


def seen(places, *, height=0.0, distortion=None):
    """Return the pixels of places on the floor, or of points so high above them."""
    space = np.c_[np.asarray(places, float), np.full(len(places), float(height))]
    bent = None if distortion is None else np.array(distortion, float)
    pixels, _ = cv2.projectPoints(space, GIVEN["rvec"], GIVEN["tvec"], MATRIX, bent)
    return pixels.reshape(-1, 2)


def points_of(places, *, distortion=None):
    """Return ``floor_points`` without any error."""
    return np.c_[seen(places, distortion=distortion), places]
