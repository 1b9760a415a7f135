"""Multi-camera person re-identification: one global identity for every person.

``run`` processes videos, ``open_results`` reads what a run, an archive or a live recording left.
Below them are ``Settings``, ``build_stages`` and ``Pipeline``, for a loop of one's own. Names are
imported when they are first used, so ``import pipeline`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import reid_model  # noqa: F401 - comes first: it switches usage reports of libraries off

if TYPE_CHECKING:
    from pipeline.api import Results, open_results, run
    from pipeline.build import OwnStages, Stages, build_sources, build_stages
    from pipeline.core import Pipeline
    from pipeline.datatypes import (
        Detections,
        Frame,
        FrameResult,
        Identities,
        Identity,
        Tracklet,
        Tracks,
    )
    from pipeline.errors import ReidPipelineError
    from pipeline.exports.detections import to_supervision
    from pipeline.jobs.inputs import settings_for
    from pipeline.protocols import Detector, Embedder, Matcher, Sink, Source, Tracker
    from pipeline.settings import Settings
    from pipeline.version import __version__

__all__ = [
    "Detections",
    "Detector",
    "Embedder",
    "Frame",
    "FrameResult",
    "Identities",
    "Identity",
    "Matcher",
    "OwnStages",
    "Pipeline",
    "ReidPipelineError",
    "Results",
    "Settings",
    "Sink",
    "Source",
    "Stages",
    "Tracker",
    "Tracklet",
    "Tracks",
    "__version__",
    "build_sources",
    "build_stages",
    "open_results",
    "run",
    "settings_for",
    "to_supervision",
]

MODULES = {
    "api": ["Results", "open_results", "run"],
    "build": ["OwnStages", "Stages", "build_sources", "build_stages"],
    "core": ["Pipeline"],
    "datatypes": [
        "Detections",
        "Frame",
        "FrameResult",
        "Identities",
        "Identity",
        "Tracklet",
        "Tracks",
    ],
    "errors": ["ReidPipelineError"],
    "exports.detections": ["to_supervision"],
    "jobs.inputs": ["settings_for"],
    "protocols": ["Detector", "Embedder", "Matcher", "Sink", "Source", "Tracker"],
    "settings": ["Settings"],
    "version": ["__version__"],
}
"""Where each name of the front door is at home."""
HOMES = {name: module for module, names in MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name of the front door on its first use."""
    if name not in HOMES:
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    return getattr(import_module(f"pipeline.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the names of the front door, for completion."""
    return sorted([*globals(), *HOMES])
