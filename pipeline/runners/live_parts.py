"""What a live run drives, and the least that it asks of each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.core import Pipeline
from pipeline.datatypes import Event, FrameResult
from pipeline.protocols import Recorder
from pipeline.runners.live_pictures import LivePictures

__all__ = ["LiveParts"]


class _Restartable(Protocol):
    def restart(self) -> None: ...


class _Register(Protocol):
    def write(self, results: Sequence[FrameResult], events: Sequence[Event]) -> Sequence[Event]: ...
    def show(self, results: Sequence[FrameResult]) -> list[FrameResult]: ...


class _Outbox(Protocol):
    def send(self, events: Sequence[Event]) -> None: ...


@dataclass(frozen=True, slots=True)
class LiveParts:
    """What a live run drives, put together by the caller, who also closes it.

    Attributes:
        pipeline: The core.
        trackers: Its trackers, by camera.
        registry: Stores what is found, and says which identity to show.
        outbox: Tells events to others.
        recorder: Keeps results and events in files, if that is wanted.
        pictures: The newest picture of each camera.
        save_gallery: Saves the persons known by now; may raise ``ReidPipelineError``.
        figures: What else to show, merged into ``LiveRun.figures``.
        blur_heads: Whether heads are blurred before anything is shown or kept.
    """

    pipeline: Pipeline
    trackers: Mapping[str, _Restartable]
    registry: _Register
    outbox: _Outbox
    recorder: Recorder | None
    pictures: LivePictures
    save_gallery: Callable[[], None]
    figures: Sequence[Callable[[], Mapping[str, float]]] = ()
    blur_heads: bool = False
