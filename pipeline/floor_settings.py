"""What is known of where a camera stands: pixels and their places on the floor, or a full calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from pipeline.settings_section import Section
from pipeline.zone_settings import ZoneMap

__all__ = ["CalibrationSettings", "FloorMapSettings", "FloorSettings", "PlanSettings"]

Number = Annotated[float, Field(allow_inf_nan=False)]
Row = tuple[Number, Number, Number]
FloorPoint = tuple[Number, Number, Number, Number]


class CalibrationSettings(Section):
    """A calibration as OpenCV has it; world coordinates lie on the floor where ``z`` is 0."""

    files: list[Path] = Field(default_factory=list)
    """Files of OpenCV (XML, YAML, JSON) that hold the matrices below, relative to the camera list;
    those of WILDTRACK and MultiviewX are read as they are."""
    camera_matrix: tuple[Row, Row, Row] | None = None
    """Intrinsic matrix, pixels."""
    distortion: list[Number] = Field(default_factory=list)
    """Distortion coefficients ``k1, k2, p1, p2[, k3 ...]``."""
    rvec: Row | None = None
    """Rotation from the world to the camera (Rodrigues)."""
    tvec: Row | None = None
    """Translation from the world to the camera."""
    unit_m: Annotated[float, Field(gt=0)] = 1.0
    """Metres of one unit of the world; 0.01 where the calibration is in centimetres."""

    @model_validator(mode="after")
    def _check_complete(self) -> CalibrationSettings:
        if not self.files and not (self.camera_matrix and self.rvec and self.tvec):
            raise ValueError("give files, or camera_matrix, rvec and tvec")
        return self


class FloorSettings(Section):
    """How the pixels of a camera become places on the floor."""

    floor_points: list[FloorPoint] | None = None
    """Points of the floor, ``[px, py, x_m, y_m]`` each: pixel, and place in metres; at least 4."""
    calibration: CalibrationSettings | None = None
    """Calibration of OpenCV, instead of ``floor_points``."""

    @model_validator(mode="after")
    def _check_one(self) -> FloorSettings:
        if self.floor_points is not None and self.calibration is not None:
            raise ValueError("floor_points and calibration say the same: give one of the two")
        return self


class PlanSettings(Section):
    """A picture of the floor from above, ``x`` to its right."""

    image: Path
    """JPEG or PNG file, relative to the camera list."""
    m_per_pixel: Annotated[float, Field(gt=0)]
    """Metres that one of its pixels covers."""
    origin: tuple[Number, Number]
    """The pixel of it where ``x_m`` and ``y_m`` are 0."""


class FloorMapSettings(ZoneMap):
    """The floor that all cameras share; its zones and lines are in metres."""

    plan: PlanSettings | None = None
    """A picture for the map; none = a grid."""
