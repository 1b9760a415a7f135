"""The stages a pipeline is made of, by what they do and what they remember.

=========  ==========  =======================================================
stage      state       work
=========  ==========  =======================================================
Source     per camera  yields frames in time order
Detector   none        finds persons, many frames at once
Tracker    per camera  ties the boxes of one camera to tracks
Embedder   none        turns crops into unit vectors, many crops at once
CropPolicy per run     says which crops are worth embedding, and how much
Matcher    per run     gives tracks of all cameras one global identity
Sink       per run     writes what was found
=========  ==========  =======================================================

``LiveCamera`` and ``Recorder`` stand in the place of sources and sinks in a live run, which
must never wait for either. ``LiveView`` is no stage: it is what a live run shows of itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from pipeline.datatypes import (
    CropEvidence,
    Detections,
    Event,
    FloatArray,
    Frame,
    FrameResult,
    Identities,
    Image,
    IntArray,
    Tracklet,
    Tracks,
)
from pipeline.health import CameraHealth, RecordingState

__all__ = [
    "CropPolicy",
    "Detector",
    "Embedder",
    "LiveCamera",
    "LiveView",
    "Matcher",
    "Recorder",
    "Sink",
    "Source",
    "Tracker",
    "carried_by",
    "warnings_of",
]


class Source(Protocol):
    """One camera: a context manager that iterates its frames in time order.

    The iterator ends at the end of the stream and raises ``DecodeError`` on failure.
    """

    @property
    def camera(self) -> str:
        """Name of the camera, unique within a run."""

    @property
    def duration_s(self) -> float | None:
        """Length in seconds as the file states it, ``None`` where it states none."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...


class Detector(Protocol):
    """Finds persons. Keeps nothing between calls."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the persons of each frame, in the order of ``frames``.

        The result for a frame never depends on the other frames of the call. Frames, not
        bare images, so that saved boxes can be replayed by camera and frame number.
        """


class Tracker(Protocol):
    """Ties the boxes of one camera to tracks. One instance per camera.

    It may have ``warnings: list[str]``: what a user should know of the tracks so far. And
    ``carried(time_s) -> Tracks``: where the tracks of the frame before are by then, with score 0, for
    frames that the detector does not look at; it changes nothing.
    """

    def wanted(self, detections: Detections, time_s: float) -> IntArray:
        """Return the rows of ``detections`` whose appearance would settle the association."""

    def update(
        self,
        detections: Detections,
        time_s: float,
        rows: IntArray,
        vectors: FloatArray,
    ) -> Tracks:
        """Advance to ``time_s`` and return the boxes that belong to a track.

        Args:
            detections: The persons found in this frame.
            time_s: Time of the frame, seconds, greater than at the call before.
            rows: ``(M,)`` rows of ``detections`` that were embedded, a subset of ``wanted``.
            vectors: ``(M, D)`` unit rows, their embeddings.
        """


def warnings_of(stage: object) -> list[str]:
    """Return what a user should know of what a stage found so far, one line each."""
    return list(getattr(stage, "warnings", []))


def carried_by(tracker: Tracker, time_s: float) -> Tracks:
    """Return where the tracks of the frame before are by then, none where a tracker cannot tell."""
    carried = getattr(tracker, "carried", None)
    if carried is None:
        return Tracks.empty()
    tracks: Tracks = carried(time_s)
    return tracks


class Embedder(Protocol):
    """Turns crops of persons into unit vectors. Keeps nothing between calls.

    Where it has a true ``takes_gpu_crops``, crops of frames on a GPU come as torch's tensors.
    """

    @property
    def dim(self) -> int:
        """Length of an embedding."""

    def embed(self, crops: Sequence[Image]) -> FloatArray:
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size.

        The vector of a crop never depends on the other crops of the call.
        """


class CropPolicy(Protocol):
    """Says which crops of a frame are worth embedding. Remembers what it chose."""

    def quality(self, tracks: Tracks, frame: Frame) -> FloatArray:
        """Return ``(N,)`` float32 in [0, 1]: how well each track's crop shows its person."""

    def choose(self, camera: str, time_s: float, tracks: Tracks, quality: FloatArray) -> IntArray:
        """Return the rows of ``tracks`` to embed now, in ascending order."""


class Matcher(Protocol):
    """Gives tracks of all cameras one global identity."""

    def update(
        self, camera: str, time_s: float, tracks: Tracks, evidence: CropEvidence
    ) -> IntArray:
        """Take in one frame and return ``(N,)`` int64 identities, ``UNASSIGNED`` where open."""

    def drain_events(self) -> list[Event]:
        """Return the events since the last call, oldest first."""

    def tracklets(self) -> list[Tracklet]:
        """Return every tracklet of the run, in the order of (first time, camera, track)."""

    def finish(self) -> Identities:
        """Decide what is still open and return the identity of every tracklet."""


class Sink(Protocol):
    """Writes what was found. ``close`` is called exactly once, also after a failure."""

    def write(self, result: FrameResult) -> None:
        """Take in one frame's result. Raises ``SinkError`` if it cannot be written."""

    def finish(self, identities: Identities, tracklets: Sequence[Tracklet]) -> None:
        """Write what needs the final identities. Raises ``SinkError``."""

    def close(self) -> None:
        """Release files. What was written so far stays readable."""


class LiveCamera(Protocol):
    """One camera of a live run. No method but ``stop`` blocks."""

    camera: str

    def start(self) -> None:
        """Begin to connect; a camera that cannot be reached says so in its health."""

    def newest(self) -> Frame | None:
        """Return the newest frame if it was not handed out yet, else ``None``.

        ``Frame.time_s`` is in seconds since the epoch; ``Frame.index`` counts frames that were
        handed out.
        """

    @property
    def epoch(self) -> int:
        """Grows on each reconnect or change of size: earlier tracks do not go on."""

    def health(self) -> CameraHealth:
        """Return how the camera is doing; rates and latency of processing are not its own."""

    def stop(self, *, timeout_s: float) -> None:
        """Close the connection, by force after ``timeout_s``. May be called twice."""


class Recorder(Protocol):
    """Keeps what a live run finds. Never raises because a disk is full, never waits long."""

    def write(self, results: Sequence[FrameResult], pictures: Mapping[str, Image]) -> None:
        """Take in the shown results of one step and the annotated pictures of its cameras."""

    def event(self, event: Event) -> None:
        """Take in an event for the log."""

    def tick(self) -> None:
        """Do what is due; to be called about once a second."""

    @property
    def state(self) -> RecordingState:
        """What is recorded now, and why not where it is not. From any thread."""

    def figures(self) -> dict[str, float]:
        """Return how it is going, by name. From any thread."""

    def close(self, *, timeout_s: float) -> None:
        """Finish all files."""


class LiveView(Protocol):
    """What a live run shows of itself. Called from other threads than the run's own."""

    def health(self) -> list[CameraHealth]:
        """Return how each camera is doing, in the order in which they are shown."""

    def picture(self, camera: str) -> tuple[int, bytes] | None:
        """Return the newest annotated picture of a camera and its number, which grows.

        It is a JPEG, encoded when it is asked for, so what nobody watches costs nothing.
        ``None`` where there is no picture yet, or no such camera.
        """

    def figures(self) -> Mapping[str, float]:
        """Return how the run is doing, by name; names end with their unit.

        ``uptime_s``, ``detector_fps``, ``latency_p95_s``, ``identities``, ``disk_free_bytes``,
        ``recording`` (0 or 1) and whatever else is worth a metric. Those whose name ends in
        ``_total`` only grow.
        """

    def recording(self) -> RecordingState:
        """Return what is recorded, and why not where it is not."""

    def warnings(self) -> list[str]:
        """Return what a user should know of the identities so far, one line each."""

    def say(self, event: Event) -> None:
        """Take in an edit by hand, for the event log and everybody who is notified."""
