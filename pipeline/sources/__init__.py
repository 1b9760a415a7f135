"""Where frames come from: video files, named one by one, in folders, globs or lists."""

from __future__ import annotations

from pipeline.sources.camera_list import resolve_cameras
from pipeline.sources.nvdec import gpu_acceleration
from pipeline.sources.opening import open_source
from pipeline.sources.video_file import VideoFile

__all__ = ["VideoFile", "gpu_acceleration", "open_source", "resolve_cameras"]
