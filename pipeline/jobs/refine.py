"""`floor refine`: calibrations of cameras made better from the people of finished work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from pipeline.errors import InputError, OutputError, ResultsError, SettingsError
from pipeline.floor.meetings import FeetTrack, Meeting, feet_tracks, meetings_of
from pipeline.floor.placing import Floor, is_calibrated, plane_of
from pipeline.floor.plane import Plane
from pipeline.floor.refining import Refinement, refine
from pipeline.floor_settings import FloorMapSettings
from pipeline.layout.files import write_atomically
from pipeline.results import Results, open_results
from pipeline.results.visits import seconds
from pipeline.settings import CameraSettings
from pipeline.sources.camera_list import resolve_cameras, resolve_floor
from pipeline.sources.stream_address import is_stream_address

__all__ = ["refine_floor"]

MAX_POINTS = 12
"""Points that are written for a camera which had none."""
NO_SOURCE = "-"


def refine_floor(
    path: Path, out: Path, *, cams: Path | None = None, only: Sequence[str] = ()
) -> list[Refinement]:
    """Refine calibrations from people who were in two views at once, and write the camera list.

    Args:
        path: Folder of ``run``, ``batch`` or ``live``.
        out: The new camera list; it is written if at least one camera was accepted.
        cams: Camera list to start from; ``None`` takes the cameras of the record.
        only: Cameras that may be changed; empty = all.

    Returns:
        What came of each camera.

    Raises:
        ResultsError: There are no finished results.
        SettingsError: A calibration cannot be used, or there is none.
        InputError: ``only`` names no camera, or one that cannot be calibrated.
        OutputError: ``out`` exists.
        SinkError: ``out`` cannot be written.
    """
    if out.exists():
        raise OutputError(f"{out} exists already: choose another --out for the refined camera list")
    results = open_results(path)
    cameras = _cameras(results, cams)
    names = [each.name for each in cameras]
    if unknown := [name for name in only if name not in names]:
        raise InputError(f"no camera is named {unknown[0]}: there are {', '.join(names)}")
    sizes = _sizes(results)
    calibrated = [each for each in cameras if is_calibrated(each) and each.name in sizes]
    if not calibrated or len(sizes) < 2:
        raise SettingsError(
            f"{path}: at least two cameras with boxes are needed, one of them with floor_points or a "
            f"calibration; {len(calibrated)} of {len(sizes)} has one: add points to the camera list, and "
            "name it with --cams"
        )
    Floor(calibrated)
    planes = {each.name: plane_of(each, sizes[each.name]) for each in calibrated}
    meetings = meetings_of(_tracks(results, sizes))
    chosen = [name for name in only or names if name in sizes]
    found = refine(planes, meetings, chosen, sizes)
    for each in found:
        if each.plane is None and each.camera not in planes and each.camera in only:
            raise InputError(
                f"camera {each.camera} cannot be calibrated from people: {each.reason}; measure "
                "at least four points"
            )
    accepted = {each.camera: each.plane for each in found if each.plane is not None}
    if accepted:
        listed = [_changed(each, accepted.get(each.name), meetings) for each in cameras]
        Floor([each for each in listed if is_calibrated(each)])
        _write(out, listed, _floor(results, cams))
    return found


def _cameras(results: Results, cams: Path | None) -> list[CameraSettings]:
    """Return the cameras of a list, or those of the record and others that have sightings."""
    if cams is not None:
        return resolve_cameras([str(cams)])
    settings = results.record.get("settings", {})
    try:
        found = TypeAdapter(list[CameraSettings]).validate_python(settings.get("cameras", []))
    except (ValidationError, AttributeError):
        raise ResultsError(
            f"{results.path / results.record_file} says nothing of cameras: name the list with --cams"
        ) from None
    known = {each.name for each in found}
    others = [name for name in results.cameras() if name not in known]
    return [*found, *(CameraSettings(name=name, source=NO_SOURCE) for name in others)]


def _floor(results: Results, cams: Path | None) -> FloorMapSettings:
    """Return the plan, zones and lines of a list, or those of the record."""
    if cams is not None:
        return resolve_floor([str(cams)]) or FloorMapSettings()
    said = results.record["settings"].get("floor", {})
    return FloorMapSettings.model_validate(said)


def _sizes(results: Results) -> dict[str, tuple[int, int]]:
    """Return width and height of each camera's picture that has boxes."""
    return {
        each.camera: each.sizes[0][1]
        for each in results.sequences()
        if each.sizes and len(each.boxes)
    }


def _tracks(results: Results, sizes: dict[str, tuple[int, int]]) -> list[FeetTrack]:
    sightings, vectors = results.sightings(), results.embeddings()
    keys = zip(sightings["camera"], sightings["file"], sightings["track_id"], strict=True)
    known = {
        key: (owner, vector)
        for key, owner, vector in zip(keys, sightings["global_id"].tolist(), vectors, strict=True)
    }
    several = bool((sightings["file"] != "").any())
    found = []
    for each in results.sequences():
        if each.camera not in sizes:
            continue
        boxes = each.boxes[each.boxes["score"] > 0]  # others were filled in, not seen
        file = each.file if several else ""
        of_file = {
            track: known[each.camera, file, track]
            for track in boxes["track_id"].unique().tolist()
            if (each.camera, file, track) in known
        }
        corners = boxes[["x", "y", "w", "h"]].to_numpy(float)
        corners[:, 2:] += corners[:, :2]
        found += feet_tracks(
            each.camera,
            sizes[each.camera][1],
            boxes["frame"].to_numpy(np.int64),
            seconds(boxes["time"]),
            boxes["track_id"].to_numpy(np.int64),
            corners,
            of_file,
        )
    return found


def _changed(
    camera: CameraSettings, plane: Plane | None, meetings: Sequence[Meeting]
) -> CameraSettings:
    """Return a camera with points of its new plane: its own pixels, or where people's feet were."""
    if plane is None:
        return camera
    if camera.floor_points is not None:
        pixels = np.array(camera.floor_points)[:, :2]
    else:
        own = [
            each.feet[each.side(camera.name)] for each in meetings if camera.name in each.cameras
        ]
        pixels = _spread(np.concatenate(own))
    places = plane.places(pixels)
    rows = np.column_stack([pixels.round(1), places.round(3)])[np.isfinite(places).all(axis=1)]
    points = [tuple(row) for row in rows.tolist()]
    return camera.model_copy(update={"floor_points": points, "calibration": None})


def _spread(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return some of ``(N, 2)`` pixels that lie far from each other."""
    chosen = [int(np.argmax(np.linalg.norm(pixels - pixels.mean(axis=0), axis=1)))]
    apart = np.full(len(pixels), np.inf)
    while len(chosen) < min(MAX_POINTS, len(pixels)):
        apart = np.minimum(apart, np.linalg.norm(pixels - pixels[chosen[-1]], axis=1))
        chosen.append(int(apart.argmax()))
    return pixels[chosen]


def _write(out: Path, cameras: Sequence[CameraSettings], floor: FloorMapSettings) -> None:
    entries = []
    for camera in cameras:
        entry = camera.model_dump(mode="json", exclude_defaults=True)
        if camera.source == NO_SOURCE:
            del entry["source"]
        elif not is_stream_address(camera.source):
            entry["source"] = os.path.relpath(camera.source, out.parent)
        if camera.calibration is not None:
            files = [os.path.relpath(each, out.parent) for each in camera.calibration.files]
            entry["calibration"]["files"] = files
        entries.append({"name": entry.pop("name"), **entry})
    tree: dict[str, Any] = {"cameras": entries}
    if shared := floor.model_dump(mode="json", exclude_defaults=True):
        tree["floor"] = shared
        if floor.plan is not None:
            shared["plan"]["image"] = os.path.relpath(floor.plan.image, out.parent)
    out.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(tree, sort_keys=False, default_flow_style=None, allow_unicode=True)
    write_atomically(out, text.encode())
