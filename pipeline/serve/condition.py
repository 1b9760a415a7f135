"""Whether a live run does its work, in one word and in reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.health import CameraHealth, CameraState, RecordingStatus
from pipeline.protocols import LiveView

__all__ = ["Condition", "Level", "condition_of"]

WORDS = {
    CameraState.CONNECTING: "is being connected",
    CameraState.DEGRADED: "delivers poorly",
    CameraState.STALLED: "sends nothing",
    CameraState.WAITING: "has lost its connection",
    CameraState.REFUSED: "refuses the user name or the password",
    CameraState.NO_VIDEO: "sends no video",
    CameraState.FAILED: "failed too often and rests",
    CameraState.STOPPED: "is stopped",
}
"""What is said of a camera that is not live."""
FEW_FPS = 2.0
"""With fewer frames a second, people who walk are somewhere else in each."""
WINDOW_S = 10.0
"""Rates are over so much time; a camera that is back for less is not judged by them."""


class Level(StrEnum):
    """How well a run does.

    ========  =====================================================
    level     meaning
    ========  =====================================================
    ok        everything works
    degraded  something is missing, the rest works
    failing   nothing is seen, or what is seen is not stored
    ========  =====================================================
    """

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Condition:
    """A level and why it is not better; every reason is a sentence for people."""

    level: Level
    reasons: tuple[str, ...]


def condition_of(view: LiveView, *, trouble: str, is_live: bool) -> Condition:
    """Return how a run does.

    Args:
        view: The run.
        trouble: Why the registry cannot store anything, empty where it can.
        is_live: Whether anything runs; with finished work all is well.
    """
    if not is_live:
        return Condition(Level.OK, ())
    cameras, recording = view.health(), view.recording()
    failing, degraded = [], []
    if cameras and not any(each.state.delivers for each in cameras):
        failing.append("no camera delivers pictures")
    if trouble:
        failing.append(trouble)
    if recording.status is RecordingStatus.PAUSED:
        what = "recording" if recording.logs is RecordingStatus.PAUSED else "recording of video"
        degraded.append(f"{what} is paused: {recording.reason}")
    if slow := _slowest(cameras):
        degraded.append(
            f"the machine is too slow: of {slow.received_fps:.1f} frames a second of {slow.camera} "
            f"it processes {slow.processed_fps:.1f}"
        )
    for each in cameras:
        if each.state is not CameraState.LIVE:
            reason = f" ({each.reason})" if each.reason else ""
            degraded.append(f"camera {each.camera} {WORDS[each.state]}{reason}")
    degraded += view.warnings()
    level = Level.FAILING if failing else Level.DEGRADED if degraded else Level.OK
    return Condition(level, (*failing, *degraded))


def _slowest(cameras: Sequence[CameraHealth]) -> CameraHealth | None:
    """Return the camera of which fewest frames are processed, if too few for tracking."""
    few = [
        each
        for each in cameras
        if each.state.delivers
        and (each.last_frame_s or 0.0) - each.since_s >= WINDOW_S
        and each.processed_fps < min(FEW_FPS, each.received_fps / 2)
    ]
    return min(few, key=lambda each: each.processed_fps) if few else None
