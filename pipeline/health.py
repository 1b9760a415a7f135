"""How live cameras and recording are doing, as the page, the log and the metrics show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CameraHealth", "CameraState", "RecordingState", "RecordingStatus"]


class CameraState(StrEnum):
    """What a live camera is in.

    ==========  ================================================================
    state       meaning
    ==========  ================================================================
    connecting  being opened
    live        frames come at about the camera's rate
    degraded    frames come, but too few, or too many of them corrupt
    stalled     connected, but nothing comes
    waiting     lost; a pause before the next attempt
    refused     the camera does not accept the user name or the password
    no_video    it answers, but sends no video
    failed      it died too often; a long rest before the next attempt
    stopped     the run is ending
    ==========  ================================================================
    """

    CONNECTING = "connecting"
    LIVE = "live"
    DEGRADED = "degraded"
    STALLED = "stalled"
    WAITING = "waiting"
    REFUSED = "refused"
    NO_VIDEO = "no_video"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def delivers(self) -> bool:
        """Whether frames come from a camera in this state."""
        return self in {CameraState.LIVE, CameraState.DEGRADED}


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """One camera at one moment. Rates are frames per second over the last ten seconds.

    Attributes:
        camera: Its name.
        address: Where it is, without credentials.
        state: What it is in.
        reason: Why, in words, without credentials; empty where there is nothing to say.
        since_s: When it got into that state, seconds since the epoch; an attempt to connect again
            does not end the state before.
        size: Width and height of its picture in pixels, ``None`` before the first frame.
        received_fps: Frames that came from the camera.
        processed_fps: Frames that went through the pipeline.
        dropped_fps: Frames that were replaced by newer ones or were too old.
        dropped: All frames dropped since the start.
        latency_p50_s: Median age of a frame when its result was ready, seconds.
        latency_p95_s: The same, which 95% of the frames stay below.
        corrupt: Corrupt frames since the start; they are never processed.
        reconnects: Times it was connected again.
        stalls: Times it stopped sending.
        skew_s: Its clock less ours, seconds; ``None`` where it tells no time.
        last_frame_s: When the last good frame came, seconds since the epoch.
    """

    camera: str
    address: str
    state: CameraState
    reason: str
    since_s: float
    size: tuple[int, int] | None = None
    received_fps: float = 0.0
    processed_fps: float = 0.0
    dropped_fps: float = 0.0
    dropped: int = 0
    latency_p50_s: float = 0.0
    latency_p95_s: float = 0.0
    corrupt: int = 0
    reconnects: int = 0
    stalls: int = 0
    skew_s: float | None = None
    last_frame_s: float | None = None


class RecordingStatus(StrEnum):
    """Whether something is recorded: yes, not now (with a reason), not at all."""

    RECORDING = "recording"
    PAUSED = "paused"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class RecordingState:
    """What is recorded at one moment.

    Attributes:
        logs: The logs of tracks and events.
        video: Annotated video; it pauses first where a disk fills up.
        reason: Why something is paused, in words; empty where nothing is.
    """

    logs: RecordingStatus
    video: RecordingStatus
    reason: str = ""

    @property
    def status(self) -> RecordingStatus:
        """Paused where the logs or the video are; else what the logs are."""
        paused = RecordingStatus.PAUSED in {self.logs, self.video}
        return RecordingStatus.PAUSED if paused else self.logs

    def __str__(self) -> str:
        """One line to show."""
        if self.status is not RecordingStatus.PAUSED:
            return self.status.value
        what = "" if self.logs is RecordingStatus.PAUSED else "video "
        return f"{what}paused: {self.reason}"
