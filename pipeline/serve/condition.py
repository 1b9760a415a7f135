"""Whether a live run does its work, in one word and in reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.health import CameraHealth, CameraState

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


def condition_of(
    cameras: Sequence[CameraHealth], figures: Mapping[str, float], *, trouble: str
) -> Condition:
    """Return how a run does.

    Args:
        cameras: All of its cameras.
        figures: ``LiveView.figures``.
        trouble: Why the registry cannot store anything, empty where it can.
    """
    failing, degraded = [], []
    if cameras and not any(each.state.delivers for each in cameras):
        failing.append("no camera delivers pictures")
    if trouble:
        failing.append(trouble)
    if figures.get("recording") == 0:
        degraded.append("nothing is recorded")
    for each in cameras:
        if each.state is not CameraState.LIVE:
            reason = f" ({each.reason})" if each.reason else ""
            degraded.append(f"camera {each.camera} {WORDS[each.state]}{reason}")
    level = Level.FAILING if failing else Level.DEGRADED if degraded else Level.OK
    return Condition(level, (*failing, *degraded))
