"""What has to be sure before a job removes or writes anything."""

from __future__ import annotations

import os
import resource
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from pipeline.core import Pipeline
from pipeline.datatypes import Frame
from pipeline.detect.built_in import BUILT_IN
from pipeline.errors import ModelError, ReidPipelineError, SettingsError
from pipeline.settings import Settings
from pipeline.zone_settings import told_outside

__all__ = ["check_open_files", "check_shapes", "files_read", "try_networks"]

FILES_BESIDE = 12
"""Tables, events and scratch files that are open while videos are."""
LIVE_BESIDE, LIVE_EACH = 36, 5
"""The same of a live run, with a few visitors of its page; pictures and pipes of each camera. Counted
with two cameras; a process that reads a camera opens 23."""


def files_read(settings: Settings, gallery: Path | None) -> list[Path]:
    """Return the files, beside videos, that settings name; the gallery is written, too."""
    named = settings.detect.weights, settings.detect.detections, settings.embed.weights, gallery
    return [Path(each) for each in named if each is not None and each not in BUILT_IN]


def check_open_files(cameras: int, *, video: bool, live: bool = False) -> None:
    """Refuse more cameras than the limit on open files allows to read and draw at once.

    Args:
        cameras: How many.
        video: Whether each has a video that is written.
        live: Whether they are read by processes, and there is a page.

    Raises:
        SettingsError: Names the limit, and how to raise it.
    """
    try:
        open_now = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names alone
    except OSError:  # no Linux, or it is the limit itself
        open_now = 3
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    beside, each = (LIVE_BESIDE, LIVE_EACH) if live else (FILES_BESIDE, 1)
    needed = open_now + beside + cameras * (each + video)
    if limit != resource.RLIM_INFINITY and needed > limit:
        others = ", or write no video (--no-video)" if video else ""
        raise SettingsError(
            f"{cameras} cameras need about {needed} open files, and this process may have {limit}: "
            f"raise the limit with `ulimit -n {max(256, 2 * needed)}`{others}"
        )


def check_shapes(settings: Settings, sizes: Mapping[str, tuple[int, int]]) -> None:
    """Refuse regions, zones and lines that a camera's picture shows nothing of.

    Args:
        settings: With the cameras.
        sizes: ``(width, height)`` of their pictures, pixels.

    Raises:
        SettingsError: Names the first of them, and the size of the picture.
    """
    for camera in settings.cameras:
        width, height = sizes[camera.name]
        for name in camera.outside(width, height):
            raise SettingsError(told_outside(camera.name, name, width, height))


def try_networks(pipeline: Pipeline, sizes: Collection[tuple[int, int]], *, camera: str) -> None:
    """Run the networks once on a black frame of each size.

    Args:
        pipeline: With the stages of a job.
        sizes: ``(width, height)`` of the videos, pixels.
        camera: Any of the pipeline's.

    Raises:
        ModelError: One of them cannot be used.
    """
    try:
        for width, height in sorted(set(sizes)):
            black = np.zeros((height, width, 3), np.uint8)
            pipeline.warm_up(Frame(camera, -1, 0.0, black))
    except ReidPipelineError:
        raise
    except Exception as error:  # a runtime raises whatever the network leads to
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[-1] if lines else type(error).__name__
        raise ModelError(
            f"the detector or the embedder fails on a black picture ({reason}): use another"
        ) from error
