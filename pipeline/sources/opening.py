"""The one place that knows which kind of source reads a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.errors import SourceError
from pipeline.settings import CameraSettings, SourceSettings
from pipeline.sources.container import decoder_threads
from pipeline.sources.stream_address import is_stream_address, public_part
from pipeline.sources.video_file import VideoFile

__all__ = ["open_source"]


def open_source(
    camera: CameraSettings,
    settings: SourceSettings,
    *,
    beside: int = 1,
    acceleration: Any | None = None,
) -> VideoFile:
    """Return the source of a camera, checked: open all of them before any work starts.

    Args:
        camera: Its name, its source, and the offset of its clock.
        settings: What holds for all sources.
        beside: How many sources are read at once; they share the threads of decoders.
        acceleration: What PyAV decodes with on a GPU, where the pixels stay.

    Raises:
        SourceError: The source cannot be used; names it and the way out.
    """
    if is_stream_address(camera.source):
        raise SourceError(
            f"camera {camera.name}: {public_part(camera.source)} is a network stream, only video "
            "files can be read: record it to a file and name that"
        )
    return VideoFile(
        camera.name,
        Path(camera.source),
        time_offset_s=camera.time_offset_s,
        max_pixels=settings.max_pixels,
        max_seconds=settings.max_seconds,
        threads=decoder_threads(beside),
        acceleration=acceleration,
    )
