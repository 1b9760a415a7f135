"""Live cameras: each read by a process of its own, and connected again when it is lost."""

from __future__ import annotations

from pipeline.sources.live.opening import open_live_cameras, stop_live_cameras

__all__ = ["open_live_cameras", "stop_live_cameras"]
