"""Calibration of cameras on the floor: how well the points fit, and a picture to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.crops import encode_jpeg
from pipeline.datatypes import Image
from pipeline.errors import InputError, SettingsError
from pipeline.floor.drawing import draw_grid
from pipeline.floor.fit import Fit, fit_points, refuse_outside
from pipeline.floor.placing import Floor, is_calibrated, plane_of
from pipeline.foreign import MARK
from pipeline.jobs.outputs import check_files
from pipeline.layout.files import write_atomically
from pipeline.settings import CameraSettings, SourceSettings
from pipeline.sources.camera_list import resolve_cameras
from pipeline.sources.opening import open_source
from pipeline.sources.stream_address import is_stream_address

__all__ = ["Calibrated", "first_picture", "fit_floor"]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What came of one camera.

    Attributes:
        camera: Its name.
        fit: How the points fit; ``None`` where matrices were given.
        has_lens: Whether a lens is taken out.
        has_heights: Whether heights of people can be told.
        picture: Where the grid was drawn; ``None`` where no picture could be had.
    """

    camera: str
    fit: Fit | None
    has_lens: bool
    has_heights: bool
    picture: Path | None


def fit_floor(
    cams: list[str], out: Path, *, files: Sequence[Path | None] = ()
) -> Iterator[Calibrated]:
    """Yield what comes of each calibrated camera, and write the picture of its grid.

    Args:
        cams: As for a run: camera lists with ``floor_points`` or ``calibration``.
        out: Folder for the pictures, made where it is missing.
        files: What the caller writes besides.

    Raises:
        SettingsError: No camera has a calibration, or one cannot be used; names it.
        SourceError: A list or a video cannot be read.
        OutputError: A file would replace what no such command wrote.
        SinkError: A picture cannot be written.
    """
    cameras = [each for each in resolve_cameras(cams) if is_calibrated(each)]
    if not cameras:
        raise SettingsError(
            f"no camera of {', '.join(cams)} has floor_points or a calibration: add at least four "
            "points, [px, py, x_m, y_m] each, to the camera list"
        )
    Floor(cameras)  # all of them are checked before any picture is drawn
    read = [Path(each) for each in cams] + [Path(each.source) for each in cameras]
    check_files([*files, *(out / f"{each.name}.jpg" for each in cameras)], read)
    for camera in cameras:
        yield _calibrated(camera, out)


def _calibrated(camera: CameraSettings, out: Path) -> Calibrated:
    image = None if is_stream_address(camera.source) else first_picture(camera)
    size = None if image is None else (image.shape[1], image.shape[0])
    plane, fit = plane_of(camera, size), None
    if camera.floor_points is not None:
        if size is not None:
            refuse_outside(camera.name, camera.floor_points, size)
        fit = fit_points(camera.name, camera.floor_points, size)
    picture = None
    if image is not None:
        picture = out / f"{camera.name}.jpg"
        drawn = encode_jpeg(draw_grid(image, plane, fit), comment=f"{MARK} floor fit")
        write_atomically(picture, drawn)
    return Calibrated(camera.name, fit, plane.lens is not None, plane.pose is not None, picture)


def first_picture(camera: CameraSettings) -> Image:
    """Return the first frame of a video.

    Raises:
        InputError: It cannot be read, or has none.
    """
    with open_source(camera, SourceSettings()) as source:
        for frame in source:
            return frame.image
    raise InputError(f"camera {camera.name}: {camera.source} has no frame to draw the grid into")
