"""Where tracked persons go next: a Kalman filter whose speeds fade, for any time step.

A constant-velocity filter believes in every speed it saw: over a long step the jitter of two
boxes becomes a speed and the prediction shoots past. Here speeds are drawn towards zero with a
time constant (an Ornstein-Uhlenbeck process), so that a step of any length has its own
prediction and its own uncertainty, and many short steps come to the same as a long one.

Source: X. R. Li, V. P. Jilkov, "Survey of maneuvering target tracking. Part I", IEEE Trans.
Aerospace and Electronic Systems 39(4), 2003, section IV (Singer's model one order lower).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray

__all__ = ["MotionFilter"]

Array = NDArray[np.float64]

SPEED_STD = np.array([0.7, 0.1, 0.1, 0.1])
"""Spread of the speeds of centre x, centre y, width and height, in box heights a second."""
SPEED_MEMORY_S = 4.0
"""Time after which a speed has faded to 1/e."""
JITTER = 0.05
"""Spread of a detected box's centre and size, as a share of its width (x) or height (y)."""
MIN_SIDE_PX = 1e-3


class MotionFilter:
    """The motion of all tracks of one camera.

    Centre x, centre y, width and height of a box move independently, each with a position, a
    speed and their covariance.
    """

    def __init__(self) -> None:
        none = np.zeros((0, 4))
        self._position, self._speed = none, none
        self._position_var, self._covariance, self._speed_var = none, none, none

    def __len__(self) -> int:
        return len(self._position)

    @property
    def boxes(self) -> FloatArray:
        """``(T, 4)`` float32: the box of each track at the time of the last prediction, px."""
        return _corners(self._position)

    def ahead(self, step_s: float) -> FloatArray:
        """Return ``(T, 4)`` float32: the boxes a time step after the last prediction, px."""
        fade = np.exp(-step_s / SPEED_MEMORY_S)
        position = self._position + SPEED_MEMORY_S * (1 - fade) * self._speed
        position[:, 2:] = np.maximum(position[:, 2:], MIN_SIDE_PX)
        return _corners(position)

    def add(self, xyxy: FloatArray) -> None:
        """Begin ``(N, 4)`` new tracks, after those there are."""
        position = _measured(xyxy)
        none = np.zeros_like(position)
        height = position[:, 3:]
        self._position = np.concatenate([self._position, position])
        self._speed = np.concatenate([self._speed, none])
        self._position_var = np.concatenate([self._position_var, _jitter(position) ** 2])
        self._covariance = np.concatenate([self._covariance, none])
        self._speed_var = np.concatenate([self._speed_var, (SPEED_STD * height) ** 2])

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Let all tracks go but those that a ``(T,)`` mask picks."""
        self._position, self._speed = self._position[rows], self._speed[rows]
        self._position_var = self._position_var[rows]
        self._covariance, self._speed_var = self._covariance[rows], self._speed_var[rows]

    def predict(self, step_s: float) -> None:
        """Move all tracks on by a time step, seconds."""
        fade = np.exp(-step_s / SPEED_MEMORY_S)
        reach = SPEED_MEMORY_S * (1 - fade)  # seconds of the present speed
        spread = (SPEED_STD * self._position[:, 3:]) ** 2
        wander = 2 * step_s / SPEED_MEMORY_S - 3 + 4 * fade - fade**2
        self._position_var = (
            self._position_var
            + 2 * reach * self._covariance
            + reach**2 * self._speed_var
            + spread * SPEED_MEMORY_S**2 * wander
        )
        self._covariance = fade * (self._covariance + reach * self._speed_var) + (
            spread * SPEED_MEMORY_S * (1 - fade) ** 2
        )
        self._speed_var = fade**2 * self._speed_var + spread * (1 - fade**2)
        self._position = self._position + reach * self._speed
        self._speed = fade * self._speed
        self._clip()

    def correct(self, rows: NDArray[np.int64], xyxy: FloatArray) -> None:
        """Take in ``(M, 4)`` boxes that were seen of the tracks ``rows``, px."""
        surprise = _measured(xyxy) - self._position[rows]
        total = self._position_var[rows] + _jitter(self._position[rows]) ** 2
        gain = self._position_var[rows] / total
        speed_gain = self._covariance[rows] / total
        self._position[rows] += gain * surprise
        self._speed[rows] += speed_gain * surprise
        self._speed_var[rows] -= speed_gain * self._covariance[rows]
        self._position_var[rows] *= 1 - gain
        self._covariance[rows] *= 1 - gain
        self._clip()

    def _clip(self) -> None:
        self._position[:, 2:] = np.maximum(self._position[:, 2:], MIN_SIDE_PX)


def _corners(position: Array) -> FloatArray:
    centre, half = position[:, :2], position[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def _measured(xyxy: FloatArray) -> Array:
    """Return ``(N, 4)`` centre x, centre y, width and height of boxes."""
    corners = xyxy.astype(np.float64)
    low, high = corners[:, :2], corners[:, 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=1)


def _jitter(position: Array) -> Array:
    """Return the ``(N, 4)`` standard deviations of a measured box."""
    return JITTER * position[:, [2, 3, 2, 3]]
