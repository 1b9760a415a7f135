"""Which tracker a run's settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pipeline.plugins import checked_stage, load_plugin
from pipeline.protocols import Tracker
from pipeline.settings import TrackSettings
from pipeline.track.tracker import SingleCameraTracker

__all__ = ["load_tracker"]


def load_tracker(settings: TrackSettings) -> Callable[[], Tracker]:
    """Return what makes the tracker of one camera; each camera gets one of its own.

    Raises:
        SettingsError: No installed package registers the tracker, or it is none.
    """
    if settings.plugin is None:
        return partial(SingleCameraTracker, settings)
    make: Callable[[TrackSettings], Tracker] = load_plugin("tracker", settings.plugin)
    checked_stage("tracker", make(settings))
    return partial(make, settings)
