"""Resolves inputs and flags to the settings of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError
from pipeline.settings import Settings, lay_over, parse_settings, read_yaml
from pipeline.sources.camera_list import resolve_cameras, resolve_floor

__all__ = ["settings_for"]

DETECTORS = ("detect.weights", "detect.detections", "detect.plugin")
"""Of these a run takes one; the one that is given last counts."""
OF_NETWORKS_ALONE = ("detect.nms_iou", "detect.image_size")
"""What saved boxes leave nothing to do for."""


def settings_for(
    cams: Sequence[str],
    *,
    base: Path | Mapping[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
    cameras: Sequence[Mapping[str, Any]] = (),
) -> Settings:
    """Return the settings of a job: those of a file, with what was given on top.

    Args:
        cams: Videos, folders, globs, camera lists and addresses; they replace ``base``'s cameras.
        base: A configuration file, or what one would hold.
        given: Path of a setting, such as ``detect.weights``, to its value; ``None`` where it was
            not given.
        cameras: Cameras as a configuration file holds them, in place of ``cams``.

    Raises:
        SettingsError: A setting is wrong, or two of them exclude each other, or no camera is
            given.
        SourceError: A camera names nothing that can be read.
    """
    changes = {path: value for path, value in (given or {}).items() if value is not None}
    chosen = [path for path in DETECTORS if path in changes]
    if {"detect.weights", "detect.detections"} <= set(chosen):
        raise SettingsError("give a detector or saved boxes (detections), not both")
    origin = str(base) if isinstance(base, Path) else "settings"
    tree = read_yaml(base) if isinstance(base, Path) else dict(base or {})
    if chosen:
        changes = dict.fromkeys(DETECTORS) | changes
    above = _as_tree(changes)
    if cams:
        cameras = [camera.model_dump() for camera in resolve_cameras(cams)]
        if (floor := resolve_floor(cams)) is not None:
            above["floor"] = floor.model_dump()
    if cameras:
        above["cameras"] = list(cameras)
    elif "cameras" not in tree:
        raise SettingsError("no cameras: give videos, folders or a camera list with --cams")
    settings = parse_settings(lay_over(tree, above), origin=origin)
    if settings.detect.detections is not None:
        useless = [path for path in OF_NETWORKS_ALONE if path in changes]
        if useless:
            raise SettingsError(f"{useless[0]} changes nothing about saved boxes: leave it out")
    if cameras or not isinstance(base, Path):
        return settings
    return _relative_to(settings, base.parent)


def _as_tree(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ``{"detect.weights": x}`` into ``{"detect": {"weights": x}}``."""
    tree: dict[str, Any] = {}
    for path, value in changes.items():
        *sections, name = path.split(".")
        inner = tree
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[name] = value
    return tree


def _relative_to(settings: Settings, folder: Path) -> Settings:
    """Take the file names in a configuration file to be relative to it."""
    cameras = [
        camera.model_copy(update={"source": str(folder / camera.source)})
        if "://" not in camera.source
        else camera
        for camera in settings.cameras
    ]
    floor = settings.floor
    if floor.plan is not None:
        plan = floor.plan.model_copy(update={"image": folder / floor.plan.image})
        floor = floor.model_copy(update={"plan": plan})
    return settings.model_copy(update={"cameras": cameras, "floor": floor})
