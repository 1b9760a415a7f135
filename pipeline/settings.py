"""Every setting of a run: its default, unit and range, in one place.

A configuration file holds the same tree as YAML; flags of the command line override it.
Unknown keys are errors that name their path (``detect.confidense``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from pipeline import foreign
from pipeline.detect_settings import DetectSettings, TrackSettings
from pipeline.errors import SettingsError
from pipeline.floor_settings import FloorMapSettings, FloorSettings
from pipeline.live_settings import LiveSettings
from pipeline.match_settings import CameraPairSettings, MatchSettings
from pipeline.settings_section import Seconds, Section, Share
from pipeline.zone_settings import Polygon, ZoneMap

__all__ = [
    "CAMERA_NAME",
    "RESERVED_CAMERA_NAMES",
    "CameraPairSettings",
    "CameraSettings",
    "DetectSettings",
    "EmbedSettings",
    "MatchSettings",
    "OutputSettings",
    "RunnerSettings",
    "Settings",
    "SourceSettings",
    "TrackSettings",
    "first_fault",
    "lay_over",
    "parse_settings",
    "read_yaml",
]

CAMERA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A camera's name is also a file name, so only these characters are allowed."""

RESERVED_CAMERA_NAMES = frozenset(
    {"mosaic", "gallery", "run", "tracks", "identities", "embeddings"}
)
"""Names that would collide with other files of the run folder."""


class CameraSettings(ZoneMap, FloorSettings):
    """One camera of the camera list."""

    name: Annotated[str, Field(coerce_numbers_to_str=True)]
    """Unique name, ``[A-Za-z0-9_-]{1,64}``; also the name of its annotated video."""
    source: str
    """File path (relative to the camera list) or stream address."""
    time_offset_s: float = 0.0
    """Added to the time stamps of the stream, to align cameras that started at different times."""
    region: Polygon | None = None
    """Polygon in pixels; only detections whose bottom centre is inside are used."""
    min_box_height_px: Annotated[float, Field(ge=0)] = 0.0
    """Detections with a smaller height are ignored."""

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not CAMERA_NAME.fullmatch(name):
            raise ValueError(
                f"camera name {name!r} is no safe file name: use 1 to 64 of the characters "
                "A-Z a-z 0-9 _ -"
            )
        if name.lower() in RESERVED_CAMERA_NAMES:
            raise ValueError(f"camera name {name!r} is taken by a file of the run folder")
        return name

    @model_validator(mode="after")
    def _check_pixels(self) -> CameraSettings:
        shapes = {**self.zones, **self.lines, "region": self.region or []}
        for name, points in shapes.items():
            if points and all(0 <= each <= 1 for point in points for each in point):
                raise ValueError(
                    f"{name} lies within one pixel: give pixels, not shares of the picture"
                )
        return self

    def outside(self, width: int, height: int) -> list[str]:
        """Return what lies wholly outside a picture of this size, the region included."""
        region = ZoneMap(zones={} if self.region is None else {"region": self.region})
        return [*region.outside(width, height), *super().outside(width, height)]


class SourceSettings(Section):
    """Reading video."""

    max_pixels: Annotated[int, Field(gt=0)] = 40_000_000
    """Largest frame that is decoded (8K has 33 million); guards against decompression bombs."""
    max_seconds: Annotated[float, Field(gt=0)] | None = None
    """Stop each camera after this time of its video."""
    queue_frames: Annotated[int, Field(ge=1, le=256)] = 4
    """Maximum number of decoded frames in the queue of a camera."""
    decoder: Literal["cpu", "gpu"] = "cpu"
    """What decodes files in `run`; ``gpu``: NVDEC of the networks' CUDA device, which keeps frames."""


class EmbedSettings(Section):
    """Turning crops into vectors."""

    weights: Path | None = None
    """Re-identification weights; none = those of the package."""
    plugin: str | None = None
    """Name of an embedder that an installed package registers (``reid_pipeline.embedders``)."""
    backend: Literal["auto", "torch", "openvino", "onnx"] = "auto"
    """Runtime of the network; ``auto`` = OpenVINO on a CPU, torch on a GPU."""
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = "auto"
    """Number format of the network; ``auto`` is fp16 on a GPU and fp32 on a CPU, where int8 takes half
    the time and shifts similarities a little."""
    mask: bool = False
    """Remove the background of crops first; helps only weights that were trained on such crops,
    which the default weights were not."""
    trim: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    """Share of height and width that is cut off each crop, half on each side: the border of a box
    shows background."""
    mirror: bool = True
    """Average the embeddings of a crop and its mirror image: twice the work, better embeddings."""
    interval_s: Seconds = 0.8
    """Interval between two embeddings of a track, unless a better crop comes."""
    min_quality: Share = 0.1
    """Minimum quality of a crop to be embedded."""
    first_interval_s: Seconds = 0.2
    """Interval between the first embeddings of a track; short, so that it is identified early."""
    first_crops: Annotated[int, Field(ge=0)] = 3
    """Number of embeddings that use ``first_interval_s``."""


class OutputSettings(Section):
    """What is written."""

    video: bool = True
    """Annotated video of every camera, and a mosaic of all."""
    gallery_crops: Annotated[int, Field(ge=0, le=64)] = 6
    """Maximum number of crops kept of each identity."""
    font_scale: Annotated[float, Field(gt=0, le=4)] = 1.0
    """Size of the labels in annotated video."""
    blur_heads: bool = False
    """Blur the heads of all detected persons, in video and pictures."""


class RunnerSettings(Section):
    """How the work is done; does not change results."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``."""
    batch_size: Annotated[int, Field(ge=1, le=256)] = 8
    """Number of frames in a batch of the detector."""


class Settings(Section):
    """The whole tree."""

    cameras: Annotated[list[CameraSettings], Field(min_length=1)]
    floor: FloorMapSettings = FloorMapSettings()
    source: SourceSettings = SourceSettings()
    detect: DetectSettings = DetectSettings()
    track: TrackSettings = TrackSettings()
    embed: EmbedSettings = EmbedSettings()
    match: MatchSettings = MatchSettings()
    output: OutputSettings = OutputSettings()
    runner: RunnerSettings = RunnerSettings()
    live: LiveSettings = LiveSettings()

    @model_validator(mode="after")
    def _check_unique_names(self) -> Settings:
        # File systems that ignore case would write two such cameras to one file.
        seen: dict[str, CameraSettings] = {}
        for camera in self.cameras:
            twin = seen.setdefault(camera.name.lower(), camera)
            if twin is not camera:
                raise ValueError(
                    f"two cameras are named {camera.name!r}: give them different names in a "
                    "camera list"
                )
        return self

    @model_validator(mode="after")
    def _check_every(self) -> Settings:
        if self.output.blur_heads and self.detect.every != 1:
            raise ValueError(
                f"detect.every {self.detect.every} would leave heads unblurred in frames that the "
                "detector does not look at: leave it out, or output.blur_heads"
            )
        return self

    @model_validator(mode="after")
    def _check_floor(self) -> Settings:
        names = {*self.floor.zones, *self.floor.lines}
        if names and all(c.floor_points is None and c.calibration is None for c in self.cameras):
            raise ValueError(
                f"floor: {min(names)} is in metres, and no camera has floor_points or a calibration"
            )
        for camera in self.cameras:
            if twins := names & {*camera.zones, *camera.lines}:
                raise ValueError(
                    f"floor: {min(twins)} is also in pixels of camera {camera.name}: call one of "
                    "the two otherwise"
                )
        return self


def read_yaml(path: Path, *, kind: str = "configuration file") -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Args:
        path: The file.
        kind: What the file is to the user, for the message.

    Raises:
        SettingsError: The file is missing, no YAML, or holds something else than a mapping.
    """
    content = foreign.read_yaml(path, what=kind, raises=SettingsError)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(
            f"{kind} {path} must hold a mapping of sections, got {type(content).__name__}"
        )
    return content


def parse_settings(tree: Mapping[str, Any], *, origin: str = "settings") -> Settings:
    """Validate a tree of settings.

    Args:
        tree: Nested mapping as a configuration file holds it.
        origin: Where the tree came from, for the message.

    Raises:
        SettingsError: With the path of the first setting at fault.
    """
    try:
        return Settings.model_validate(dict(tree))
    except ValidationError as error:
        raise SettingsError(f"{origin}: {first_fault(error)}") from None


def lay_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tree of settings in which those of ``above`` replace those of ``below``."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = lay_over(under, value)
        else:
            merged[key] = value
    return merged


def first_fault(error: ValidationError) -> str:
    """Return ``path: what is wrong`` of the first fault, unknown keys before all others.

    What stands like a login in an address is not repeated, nor what stands for a whole section.
    """
    faults = error.errors(include_url=False)
    fault = min(faults, key=lambda each: each["type"] != "extra_forbidden")
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown setting {path!r}; `reid-pipeline config` prints all settings there are"
    message = fault["msg"].removeprefix("Value error, ")
    got = fault.get("input")
    is_value = isinstance(got, str | int | float | bool) and fault["type"] != "model_type"
    shown = f", got {got!r}" if is_value else ""
    text = f"{path}: {message}{shown}" if path else message
    return re.sub(r"://\S*@", "://***@", text)
