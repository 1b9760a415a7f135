"""From cameras as they were named to cameras that can be started."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import SourceError
from pipeline.live_settings import LiveSourceSettings
from pipeline.protocols import LiveCamera
from pipeline.settings import CameraSettings
from pipeline.sources.live.camera import WatchedCamera
from pipeline.sources.live.messages import Connect
from pipeline.sources.stream_address import is_stream_address, public_part, shown_source
from pipeline.sources.video_header import read_header

__all__ = ["is_live", "open_live_cameras", "stop_live_cameras"]

SCHEMES = frozenset({"rtsp", "rtsps", "http", "https"})
DEVICE = re.compile(r"usb://.+|/dev/video\d+", re.IGNORECASE)

log = logging.getLogger(__name__)


def is_live(source: str) -> bool:
    """Return whether a source is a camera that sends now, and not a file."""
    return is_stream_address(source) or DEVICE.fullmatch(source) is not None


def open_live_cameras(
    cameras: Sequence[CameraSettings], settings: LiveSourceSettings, *, realtime: bool
) -> list[LiveCamera]:
    """Return the cameras of a live run, in their order, none of them started.

    Args:
        cameras: Sources are addresses (``rtsp://``, ``rtsps://``, ``http://``, ``https://``),
            USB devices (``usb://0``, ``/dev/video0``) or video files.
        settings: Time limits and pauses.
        realtime: Whether files may stand in for cameras, played as fast as they were recorded.

    Raises:
        SourceError: A source is of no such kind, or a file that cannot be played.
    """
    return [_open(each, settings, realtime=realtime) for each in cameras]


def stop_live_cameras(cameras: Sequence[LiveCamera], *, timeout_s: float) -> None:
    """Stop all cameras at once, so that those that hang do not add up."""
    threads = [
        threading.Thread(target=each.stop, kwargs={"timeout_s": timeout_s}) for each in cameras
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _open(camera: CameraSettings, settings: LiveSourceSettings, *, realtime: bool) -> WatchedCamera:
    kind = _kind(camera, realtime=realtime)
    if kind == "file":
        read_header(Path(camera.source), max_pixels=settings.max_pixels)
    if camera.time_offset_s:
        log.warning(
            "camera %s: time_offset_s is not used, live cameras are aligned by their clocks",
            camera.name,
        )
    order = Connect(
        source=camera.source,
        kind=kind,
        transport=settings.transport,
        connect_s=settings.connect_s,
        stall_s=settings.stall_s,
        hold_damaged_s=settings.hold_damaged_s,
        max_pixels=settings.max_pixels,
    )
    address = shown_source(camera.source) if kind != "usb" else camera.source
    return WatchedCamera(camera.name, address=address, order=order, settings=settings)


def _kind(camera: CameraSettings, *, realtime: bool) -> str:
    if DEVICE.fullmatch(camera.source):
        return "usb"
    if is_stream_address(camera.source):
        scheme = camera.source.split("://")[0].lower()
        if scheme not in SCHEMES:
            raise SourceError(
                f"camera {camera.name}: {public_part(camera.source)} is of the kind {scheme}, "
                f"which cannot be read; expected {', '.join(sorted(SCHEMES))} or usb"
            )
        return "network"
    if not realtime:
        raise SourceError(
            f"camera {camera.name}: {camera.source} is a file; to play it as if it were a camera, "
            "use --realtime"
        )
    return "file"
