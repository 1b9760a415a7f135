"""Containers and codecs."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from fuzzing.target import Target
from pipeline.sources import VideoFile
from support.video_files import write_video

__all__ = ["VIDEOS"]

MAX_PIXELS = 1_000_000


def _video(content: bytes, folder: Path, suffix: str) -> object:
    path = folder / f"v{suffix}"
    path.write_bytes(content)
    video = VideoFile("v", path, max_pixels=MAX_PIXELS)
    return sum(1 for _ in video), video.warnings


def _videos(suffix: str, codec: str, **options: Any) -> Target:
    def seeds(folder: Path) -> list[bytes]:
        given: dict[str, Any] = {"frames": 12, "rate": 10, "gop": 5, "codec": codec} | options
        first = write_video(folder / f"a{suffix}", **given)
        found = [first.read_bytes()]
        if suffix in {".mp4", ".mkv"}:
            wide = write_video(folder / f"b{suffix}", **given, aspect=Fraction(2, 1))
            found.append(wide.read_bytes())
        return found

    return Target(seeds, lambda content, folder: _video(content, folder, suffix))


def _program_stream(folder: Path) -> list[bytes]:
    path = folder / "a.mpg"
    with av.open(str(path), "w", format="mpeg") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(12):
            image = np.full((48, 64, 3), 20 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        container.mux(stream.encode(None))
    return [path.read_bytes()]


VIDEOS: Mapping[str, Target] = {
    "mp4-h264": _videos(".mp4", "libx264"),
    "mkv-hevc": _videos(".mkv", "libx265", codec_options={"x265-params": "log-level=none"}),
    "mp4-av1": _videos(".mp4", "libsvtav1", codec_options={"preset": "12"}),
    "webm-vp9": _videos(".webm", "libvpx-vp9", codec_options={"deadline": "realtime"}),
    "avi-mjpeg": _videos(".avi", "mjpeg"),
    "ts-h264": _videos(".ts", "libx264"),
    "flv-h264": _videos(".flv", "libx264"),
    "mpeg-ps": Target(_program_stream, lambda content, folder: _video(content, folder, ".mpg")),
}
