"""Opens a live camera: a network stream, a USB device, or a file played in real time."""

from __future__ import annotations

import contextlib
import errno
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av

from pipeline.errors import SourceError
from pipeline.sources.container import Damage, demuxed, open_container, reason
from pipeline.sources.live.http_answer import what_answers
from pipeline.sources.live.messages import Connect, Trouble
from pipeline.sources.stream_address import encoded, redact, secrets_of

__all__ = ["CaptureError", "open_capture", "packets_of"]

FORMATS = "rtsp,rtp,sdp,mpjpeg,mjpeg,mpegts,h264,hevc,flv,matroska,mov"
"""Demuxers that may be used: no play list, which could name files of this machine."""
PROTOCOLS = "rtsp,rtp,tcp,udp,http,https,tls"
DEVICE_FAULTS = {
    errno.ENOENT: "there is no such device: is the camera plugged in?",
    errno.ENODEV: "the device is gone: is the camera plugged in?",
    errno.EACCES: "this user may not open the device: on Linux, members of the group video may",
    errno.EBUSY: "another program uses the device",
    errno.ENOTTY: "the device is no camera",
}
REORDER_US = 200_000
"""How long a UDP packet is waited for."""
NO_ANALYSIS = {"probesize": "32", "fpsprobesize": "0"}
"""One packet instead of eight or more pictures that FFmpeg keeps to itself to guess the rate:
those of a slow camera take longer than any limit."""
UNEXPLAINED = (
    av.error.InvalidDataError,
    av.error.ArgumentError,
    av.error.HTTPServerError,
    av.error.HTTPOtherClientError,
    av.error.OSError,
)
"""What FFmpeg says of an HTTP answer that it cannot use, whatever that is."""


class CaptureError(Exception):
    """A camera cannot be read (any more); the message holds no secret.

    Attributes:
        trouble: What kind of trouble it is.
    """

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


@contextlib.contextmanager
def open_capture(order: Connect) -> Iterator[tuple[Any, Any]]:
    """Yield the PyAV container of a camera and its video stream.

    Raises:
        CaptureError: It cannot be opened or has no video, or reading it failed within.
    """
    with contextlib.ExitStack() as stack:
        try:
            if order.kind == "file":
                path, limit = Path(order.source), order.max_pixels
                opened = stack.enter_context(open_container(path, Damage(), max_pixels=limit))
            else:
                container = stack.enter_context(_open(order))
                opened = container, _video_stream(container, order)
        except SourceError as error:
            raise CaptureError(Trouble.NO_VIDEO, str(error)) from None
        except (av.error.FFmpegError, OSError, ValueError) as error:
            # `from None`, as the messages of these hold the address with its password.
            raise _explained(error, order) from None
        try:
            yield opened
        except av.error.FFmpegError as error:
            raise _explained(error, order) from None


def packets_of(
    container: Any, stream: Any, order: Connect, is_cut: Callable[[], bool]
) -> Iterator[tuple[Any, float]]:
    """Yield packets until the camera closes the connection or sends nothing for ``stall_s``.

    Reads are interrupted after half that time, to notice in between that the connection is to
    be closed: a camera that only stopped sending still takes a proper farewell, and keeps no
    session open for nobody. An interrupted read gives the packet that the parser held back
    until it would see the next one, or fails and can be done again (measured, with RTSP).

    Yields:
        A packet, and for how many seconds it was held back.

    Raises:
        CaptureError: Nothing came for too long.
    """
    came_s = time.monotonic()
    while True:
        try:
            for packet in demuxed(container, stream):
                if is_cut():
                    return
                now_s = time.monotonic()
                is_late = order.kind != "file" and now_s - came_s >= 0.9 * _read_limit_s(order)
                held_s = now_s - came_s if is_late else 0.0
                came_s = now_s - held_s
                yield packet, held_s
            return
        except (av.error.ExitError, av.error.TimeoutError):
            silence_s = time.monotonic() - came_s
            if is_cut() or silence_s >= 0.9 * order.stall_s:
                text = f"no good picture came for {order.stall_s:g} s"
                raise CaptureError(Trouble.SILENT, text) from None


def _is_rtsp(order: Connect) -> bool:
    return order.source.lower().startswith("rtsp")


def _read_limit_s(order: Connect) -> float:
    """Return after how long a read is interrupted; over HTTP, no other can follow."""
    return order.stall_s / 2 if _is_rtsp(order) else order.stall_s


def _open(order: Connect) -> Any:
    source, options = encoded(order.source), {"max_pixels": str(order.max_pixels)}
    timeout = (order.connect_s, _read_limit_s(order))
    if order.kind == "usb":
        name, device_format, device_options = _device(source)
        return av.open(name, format=device_format, options=options | device_options)
    options |= {"format_whitelist": FORMATS, "protocol_whitelist": PROTOCOLS}
    if _is_rtsp(order):
        options |= {
            "rtsp_transport": order.transport,
            "allowed_media_types": "video",
            "max_delay": str(REORDER_US),
        }
        container = av.open(source, options=options | NO_ANALYSIS, timeout=timeout)
        if container.streams.video:
            return container
        # A transport stream within RTP names its pictures later.
        container.close()
        return av.open(source, options=options, timeout=timeout)
    options |= {"fpsprobesize": "0", "formatprobesize": "32768"}
    options["timeout"] = str(round(order.stall_s * 1e6))
    try:
        return av.open(source, options=options, timeout=timeout)
    except UNEXPLAINED:
        answer = what_answers(source, timeout_s=order.stall_s)
        if answer.fault is not None:
            raise CaptureError(Trouble.LOST, answer.fault) from None
        if not answer.is_pictures:
            raise
        return av.open(source, format="mjpeg", options=options | NO_ANALYSIS, timeout=timeout)


def _device(source: str) -> tuple[str, str, dict[str, str]]:
    """Return file name, FFmpeg's format and options of ``usb://0`` or ``/dev/video0``."""
    name = source.split("://", 1)[-1]
    if sys.platform == "darwin":
        return name, "avfoundation", {"framerate": "30"}
    if sys.platform == "win32":
        return f"video={name}", "dshow", {}
    return (f"/dev/video{name}" if name.isdigit() else f"/{name.lstrip('/')}"), "v4l2", {}


def _video_stream(container: Any, order: Connect) -> Any:
    streams = [each for each in container.streams.video if each.codec_context is not None]
    if not streams:
        raise CaptureError(Trouble.NO_VIDEO, "it answers, but sends no video")
    stream = max(streams, key=lambda each: each.codec_context.width * each.codec_context.height)
    codec = stream.codec_context
    codec.options = {**codec.options, "max_pixels": str(order.max_pixels)}
    # Threads that work on several pictures at once would hold each back by some.
    codec.thread_type, codec.thread_count = "SLICE", 1
    return stream


def _explained(error: Exception, order: Connect) -> CaptureError:
    kinds = av.error
    if isinstance(error, kinds.HTTPUnauthorizedError | kinds.HTTPForbiddenError):
        text = "the camera does not accept the user name or the password: check the address"
        return CaptureError(Trouble.REFUSED, text)
    if isinstance(error, kinds.HTTPNotFoundError):
        text = "the camera has no such stream (404): check the path of the address"
    elif isinstance(error, ConnectionRefusedError):
        text = "nothing answers there (connection refused): is the camera on?"
    elif isinstance(error, kinds.ExitError | TimeoutError):
        text = "it does not answer in time"
    elif order.kind == "usb" and getattr(error, "errno", None) in DEVICE_FAULTS:
        text = DEVICE_FAULTS[error.errno]  # type: ignore[attr-defined]
    elif isinstance(error, kinds.InvalidDataError):
        text = "it does not answer in time, or with something that is no video"
    else:
        text = redact(reason(error), secrets_of(order.source))
    return CaptureError(Trouble.LOST, text)
