"""Calibrations in files of OpenCV, those of WILDTRACK and MultiviewX among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import SettingsError
from pipeline.foreign import special_kind

__all__ = ["read_matrices"]

Array = NDArray[np.float64]
SIZES = {
    "camera_matrix": (9,),
    "distortion_coefficients": (4, 5, 8, 12, 14),
    "rvec": (3,),
    "tvec": (3,),
}
MAX_BYTES = 1 << 20
NESTS = re.compile(r"[\[{<]|- ")
MAX_NESTS = 10_000
"""OpenCV calls itself for each, and crashes with the program from about 40,000 in one another on."""


def read_matrices(camera: str, files: Sequence[Path]) -> dict[str, Array]:
    """Return the matrices that files hold, flat, by the name that OpenCV's samples give them.

    Args:
        camera: Name, for messages.
        files: XML, YAML or JSON of OpenCV; of a name that comes twice the last counts.

    Raises:
        SettingsError: A file cannot be read, holds none of them, or one of the wrong size.
    """
    found: dict[str, Array] = {}
    for path in files:
        found |= _read(f"camera {camera}: calibration file {path}", path)
    missing = [name for name in ("camera_matrix", "rvec", "tvec") if name not in found]
    if missing:
        raise SettingsError(
            f"camera {camera}: no calibration file holds {', '.join(missing)}: name the file of the "
            "intrinsic matrix and that of the pose"
        )
    return {"distortion_coefficients": np.zeros(0)} | found


def _read(what: str, path: Path) -> dict[str, Array]:
    try:
        if (special := special_kind(path)) or path.stat().st_size > MAX_BYTES:
            raise SettingsError(f"{what} is {special or 'too large'}, no file of OpenCV")
        # A file that is missing or no text is told here, in plain words.
        if len(NESTS.findall(path.read_bytes().decode())) > MAX_NESTS:
            raise SettingsError(f"{what} is nested too deeply, no calibration of OpenCV")
    except FileNotFoundError:
        raise SettingsError(f"{what} does not exist: paths count from the camera list") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{what} cannot be read: {error}") from None
    try:
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
        found = {name: _numbers(storage.getNode(name)) for name in SIZES}
    except (cv2.error, SystemError, ValueError):
        raise SettingsError(f"{what} is no file of OpenCV's FileStorage") from None
    matrices = {name: values for name, values in found.items() if values is not None}
    for name, values in matrices.items():
        if values.size not in SIZES[name] or not np.isfinite(values).all():
            raise SettingsError(f"{what}: {name} has {values.size} numbers, or some that are none")
    if not matrices:
        raise SettingsError(f"{what} holds none of {', '.join(SIZES)}")
    return matrices


def _numbers(node: cv2.FileNode) -> Array | None:
    """Return what a node holds: a matrix, a list, or numbers in a text as WILDTRACK has them."""
    if node.empty():
        return None
    if node.isMap():  # a matrix; `mat()` writes where it must not if rows or columns are missing
        return _numbers(node.getNode("data"))
    if node.isSeq():
        each = [node.at(row) for row in range(node.size())]
        return np.array([one.real() if one.isReal() or one.isInt() else np.nan for one in each])
    return np.array(node.string().split(), float)
