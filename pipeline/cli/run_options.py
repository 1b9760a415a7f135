"""From the flags of `reid-pipeline run` to the tree of settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError
from pipeline.settings import Settings, load_settings, read_yaml
from pipeline.sources.camera_list import resolve_cameras

__all__ = ["settings_for_run"]


def settings_for_run(
    *, config: Path | None, cams: Sequence[str], flags: Mapping[str, Any]
) -> Settings:
    """Read the configuration file and lay the flags over it.

    Args:
        config: Configuration file, if one was given.
        cams: Values of ``--cams``; they replace the cameras of the file.
        flags: Path of a setting, such as ``detect.weights``, to the value of a flag; ``None`` where it was not given.

    Raises:
        SettingsError: A setting is wrong, or no camera is given.
        SourceError: A camera names nothing that can be read.
    """
    overrides: dict[str, Any] = {}
    for path, value in flags.items():
        if value is not None:
            *sections, name = path.split(".")
            inner = overrides
            for section in sections:
                inner = inner.setdefault(section, {})
            inner[name] = value
    if cams:
        overrides["cameras"] = [camera.model_dump() for camera in resolve_cameras(cams)]
    elif config is None or "cameras" not in read_yaml(config):
        raise SettingsError("no cameras: give videos, folders or a camera list with --cams")
    settings = load_settings(config, overrides)
    return settings if cams or config is None else _relative_to(settings, config.parent)


def _relative_to(settings: Settings, folder: Path) -> Settings:
    """Take the file names in a configuration file to be relative to it."""
    cameras = [
        camera.model_copy(update={"source": str(folder / camera.source)})
        if "://" not in camera.source
        else camera
        for camera in settings.cameras
    ]
    return settings.model_copy(update={"cameras": cameras})
