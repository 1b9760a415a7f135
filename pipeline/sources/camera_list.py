"""Resolves files, folders, globs and camera lists to cameras."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.errors import SourceError
from pipeline.floor_settings import FloorMapSettings
from pipeline.folders import look_through
from pipeline.foreign import read_picture
from pipeline.settings import CameraSettings, first_fault, read_yaml
from pipeline.sources.camera_names import names_for
from pipeline.sources.stream_address import is_stream_address, shown_source

__all__ = ["VIDEO_SUFFIXES", "read_calibrations", "resolve_cameras", "resolve_floor"]

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".ts", ".mts", ".m2ts", ".avi", ".flv"}
    | {".h264", ".264", ".hevc", ".h265", ".265"}
)
"""Files that a folder or a glob contributes; a file named on its own may have any suffix."""

LIST_SUFFIXES = frozenset({".yaml", ".yml"})


def resolve_cameras(specs: Sequence[str]) -> list[CameraSettings]:
    """Return the cameras that the values of ``--cams`` stand for, in their order.

    A value may be:

    - a video file, named by its stem;
    - a folder: its videos, not those of folders in it, ``cam2`` before ``cam10``;
    - a glob, also with ``**``: the videos among its matches;
    - a camera list, YAML: ``cameras:`` with the keys of ``CameraSettings``, sources relative
      to the list;
    - the address of a network stream, named by host and path.

    Only names and existence are looked at; ``open_source`` checks what is in the files.

    Raises:
        SettingsError: A camera list is no valid YAML.
        SourceError: A value matches nothing, a camera list is wrong, or a file or a name
            comes twice.
    """
    if not specs:
        raise SourceError("no camera was given: name video files, a folder, a glob or a list")
    cameras: list[CameraSettings | str] = []
    for spec in specs:
        cameras += _cameras_of(spec)
    _refuse_twins(cameras)
    unnamed = [camera for camera in cameras if isinstance(camera, str)]
    taken = [camera.name for camera in cameras if not isinstance(camera, str)]
    names = iter(names_for(unnamed, taken=taken))
    return [
        CameraSettings(name=next(names), source=camera) if isinstance(camera, str) else camera
        for camera in cameras
    ]


def _cameras_of(spec: str) -> Sequence[CameraSettings | str]:
    """Return the cameras of one value: sources that need a name, or whole cameras."""
    if is_stream_address(spec):
        return [spec]
    path = Path(spec).expanduser()
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as error:
        raise SourceError(f"{spec} cannot be read: {error.strerror}") from None
    if is_folder:
        return _videos_in_folder(path)
    # A file whose name happens to hold [ ] or * comes before the glob that it looks like.
    if exists:
        return _read_list(path) if path.suffix.lower() in LIST_SUFFIXES else [str(path)]
    if glob.has_magic(spec):
        return _videos_of_glob(str(path))
    raise SourceError(f"{spec} does not exist: check the path")


def _videos_in_folder(folder: Path) -> list[str]:
    try:
        content = look_through(folder, suffixes=VIDEO_SUFFIXES, below=False)
    except OSError as error:
        raise SourceError(f"folder {folder} cannot be read: {error.strerror}") from None
    if not content.files:
        passed = f" ({'; '.join(content.notes)})" if content.notes else ""
        raise SourceError(
            f"folder {folder} holds no video{passed}; these count as videos: {_suffixes_text()}"
        )
    for note in content.notes:
        logger.warning("folder %s: %s", folder, note)
    return _videos([folder / each for each in content.files])


def _videos_of_glob(pattern: str) -> list[str]:
    # `Path.glob` takes no absolute patterns.
    files = [Path(each) for each in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    files = [each for each in files if each.is_file()]
    if not files:
        raise SourceError(f"no file matches {pattern}: check the pattern and the folder")
    videos = _videos(files)
    if not videos:
        raise SourceError(
            f"none of the {len(files)} files that match {pattern} is a video; these count as "
            f"videos: {_suffixes_text()}"
        )
    return videos


def _videos(files: Sequence[Path]) -> list[str]:
    # A recorder's hidden files (`._cam.mp4` of macOS) are no videos.
    chosen = {
        each
        for each in files
        if each.suffix.lower() in VIDEO_SUFFIXES and not each.name.startswith(".")
    }
    return [str(each) for each in sorted(chosen, key=_counting_order)]


def _counting_order(path: Path) -> tuple[list[tuple[str, int]], str]:
    """Sort key that puts ``cam2`` before ``cam10``."""
    parts = re.findall(r"(\D*)(\d*)", str(path))
    return [(text.lower(), int(digits or -1)) for text, digits in parts], str(path)


def _suffixes_text() -> str:
    return " ".join(sorted(VIDEO_SUFFIXES))


def read_calibrations(path: Path, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what a camera list says of where cameras stand, by name, for those that are named.

    Sources and other keys may be left out, and count nothing.

    Raises:
        SettingsError: It is no valid YAML.
        SourceError: It is no camera list, or none of its cameras is named.
    """
    found: dict[str, dict[str, Any]] = {}
    for row, entry in enumerate(_entries(path)):
        whole = {"source": "-", **entry} if isinstance(entry, dict) else entry
        camera = _with_files(_checked(path, row, whole), path)
        if camera.name in names:
            found[camera.name] = camera.model_dump(include={"floor_points", "calibration"})
    if not found:
        raise SourceError(
            f"camera list {path} names none of the cameras {', '.join(names[:5])}: names must be those "
            "of the files"
        )
    return found


def resolve_floor(specs: Sequence[str]) -> FloorMapSettings | None:
    """Return what the camera lists among the values of ``--cams`` say of the floor of all cameras.

    Raises:
        SettingsError: A camera list is no valid YAML.
        SourceError: What one says is wrong, the plan cannot be read, or two lists say something.
    """
    found: FloorMapSettings | None = None
    for path in map(Path, specs):
        if path.suffix.lower() not in LIST_SUFFIXES or not path.is_file():
            continue
        tree = read_yaml(path, kind="camera list")
        if tree.get("floor") is None:
            continue
        if found is not None:
            raise SourceError(f"camera list {path}: floor was given in another list already")
        try:
            found = FloorMapSettings.model_validate(tree["floor"])
        except ValidationError as error:
            raise SourceError(f"camera list {path}: floor: {first_fault(error)}") from None
        if found.plan is not None:
            image = path.parent / found.plan.image.expanduser()
            read_picture(image)  # an error in time
            plan = found.plan.model_copy(update={"image": image})
            found = found.model_copy(update={"plan": plan})
    return found


def _entries(path: Path) -> list[Any]:
    tree = read_yaml(path, kind="camera list")
    cameras = tree.get("cameras")
    if not set(tree) <= {"cameras", "floor"} or not isinstance(cameras, list) or not cameras:
        raise SourceError(
            f"camera list {path} must hold `cameras`, with at least one camera, and may hold `floor`; "
            f"got {', '.join(map(str, tree)) or 'nothing'}"
        )
    return cameras


def _read_list(path: Path) -> list[CameraSettings]:
    return [_read_camera(path, row, entry) for row, entry in enumerate(_entries(path))]


def _checked(path: Path, row: int, entry: Any) -> CameraSettings:
    try:
        return CameraSettings.model_validate(entry)
    except ValidationError as error:
        known = ", ".join(CameraSettings.model_fields)
        raise SourceError(
            f"camera list {path}: cameras.{row}: {first_fault(error)} (a camera has {known})"
        ) from None


def _with_files(camera: CameraSettings, path: Path) -> CameraSettings:
    """Return the camera with the files of its calibration where they lie, beside the list."""
    if camera.calibration is None:
        return camera
    files = [path.parent / each.expanduser() for each in camera.calibration.files]
    calibration = camera.calibration.model_copy(update={"files": files})
    return camera.model_copy(update={"calibration": calibration})


def _read_camera(path: Path, row: int, entry: Any) -> CameraSettings:
    camera = _with_files(_checked(path, row, entry), path)
    if is_stream_address(camera.source):
        return camera
    try:
        source = path.parent / Path(camera.source).expanduser()
        exists = source.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long, no such user, a zero byte
        raise SourceError(
            f"camera list {path}: cameras.{row}.source cannot be a path ({error!s:.200})"
        ) from None
    if not exists:
        raise SourceError(
            f"camera list {path}: cameras.{row}.source: {source} does not exist: paths in a list "
            "count from the list's folder"
        )
    return camera.model_copy(update={"source": str(source)})


def _refuse_twins(cameras: Sequence[CameraSettings | str]) -> None:
    """Raise if a file, or an explicit name, comes twice."""
    by_source: set[str] = set()
    by_name: dict[str, CameraSettings] = {}
    for camera in cameras:
        source = camera if isinstance(camera, str) else camera.source
        key = source if is_stream_address(source) else str(Path(source).resolve())
        if key in by_source:
            raise SourceError(f"{shown_source(source)} was given twice: name every source once")
        by_source.add(key)
        if isinstance(camera, str):
            continue
        twin = by_name.setdefault(camera.name.lower(), camera)
        if twin is not camera:
            raise SourceError(
                f"two cameras are named {camera.name!r} ({shown_source(twin.source)} and "
                f"{shown_source(camera.source)}): give each its own name in the camera list"
            )
