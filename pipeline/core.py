"""The synchronous heart: frames in, identities out. No threads, no I/O, no clock.

detect ALL frames (one call) -> track per camera -> embed ALL chosen crops (one call)
-> match (one gallery)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipeline.camera_motion import CameraMotion
from pipeline.datatypes import (
    CropEvidence,
    Detections,
    Event,
    FloatArray,
    Frame,
    FrameResult,
    Identities,
    IntArray,
    Tracklet,
    Tracks,
)
from pipeline.gpu_frame import crop_of
from pipeline.protocols import CropPolicy, Detector, Embedder, Matcher, Tracker, warnings_of

__all__ = ["Pipeline"]

KeepDetections = Callable[[Detections], Detections]
PlaceTracks = Callable[[Frame, Tracks], Tracks]


class Pipeline:
    """Detects, tracks, embeds and matches the frames of several cameras.

    Args:
        detector: Finds persons, shared by all cameras.
        trackers: One tracker for every camera.
        policy: Says which crops are embedded.
        embedder: Turns crops into vectors, shared by all cameras.
        matcher: Gives tracks their identity, one for the run.
        keep: Per camera, which detections count; all of them where a camera is missing.
        place: Puts tracks on the floor; ``None`` where no camera is calibrated.
    """

    def __init__(
        self,
        *,
        detector: Detector,
        trackers: Mapping[str, Tracker],
        policy: CropPolicy,
        embedder: Embedder,
        matcher: Matcher,
        keep: Mapping[str, KeepDetections] | None = None,
        place: PlaceTracks | None = None,
    ) -> None:
        self._detector = detector
        self._trackers = trackers
        self._policy = policy
        self._embedder = embedder
        self._matcher = matcher
        self._keep = dict(keep or {})
        self._motion: defaultdict[str, CameraMotion] = defaultdict(CameraMotion)
        self._place = place

    def warm_up(self, frame: Frame) -> None:
        """Use both networks once, so that the first step is as fast as those after it."""
        self._detector.detect([frame])
        self._embedder.embed([frame.image])

    def step(self, frames: Sequence[Frame]) -> list[FrameResult]:
        """Process frames and return one result each, in the same order.

        Args:
            frames: Frames of any cameras, each camera's in time order. How a run is cut into
                steps changes no result.
        """
        return self.track_and_match(frames, self.detect(frames))

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the persons that count in each frame: the half of a step without memory.

        May run ahead of ``track_and_match``, in another thread too.
        """
        if not frames:
            return []
        found = self._detector.detect(frames)
        return [
            self._keep[frame.camera](detections) if frame.camera in self._keep else detections
            for frame, detections in zip(frames, found, strict=True)
        ]

    def track_and_match(
        self, frames: Sequence[Frame], detections: Sequence[Detections]
    ) -> list[FrameResult]:
        """Track, embed and match what was found: the half of a step that must keep the order."""
        if not frames:
            return []
        tracked = self._track(frames, detections)
        if self._place is not None:
            tracked = [self._place(*each) for each in zip(frames, tracked, strict=True)]
        qualities = [
            self._policy.quality(tracks, frame)
            for frame, tracks in zip(frames, tracked, strict=True)
        ]
        chosen = [
            self._policy.choose(frame.camera, frame.time_s, tracks, quality)
            for frame, tracks, quality in zip(frames, tracked, qualities, strict=True)
        ]
        vectors = self._embed(
            [
                (frame, tracks.xyxy[rows])
                for frame, tracks, rows in zip(frames, tracked, chosen, strict=True)
            ]
        )
        results = []
        for frame, found, tracks, quality, rows, rows_vectors in zip(
            frames, detections, tracked, qualities, chosen, vectors, strict=True
        ):
            shift = self._motion[frame.camera].update(frame)
            evidence = CropEvidence(rows, rows_vectors, quality[rows], shift)
            global_id = self._matcher.update(frame.camera, frame.time_s, tracks, evidence)
            results.append(FrameResult(frame, tracks, global_id, quality, evidence, found.xyxy))
        return results

    def warnings(self) -> dict[str, list[str]]:
        """Return what a user should know of the tracks so far, by camera."""
        return {camera: warnings_of(tracker) for camera, tracker in self._trackers.items()}

    def shared_warnings(self) -> list[str]:
        """Return what a user should know of the detections and the matching so far."""
        return [*warnings_of(self._detector), *warnings_of(self._matcher)]

    def drain_events(self) -> list[Event]:
        """Return the changes of identities since the last call, oldest first."""
        return self._matcher.drain_events()

    def finish(self) -> tuple[Identities, list[Tracklet]]:
        """Decide what is still open; return all identities and tracklets of the run."""
        identities = self._matcher.finish()
        return identities, self._matcher.tracklets()

    def _track(self, frames: Sequence[Frame], found: Sequence[Detections]) -> list[Tracks]:
        """Advance the trackers, one frame per camera at a time.

        Trackers that want to see some boxes first get them embedded in one call per round.
        """
        tracked: dict[int, Tracks] = {}
        for round_ in _rounds(frames):
            wanted: list[IntArray] = [
                self._trackers[frames[i].camera].wanted(found[i], frames[i].time_s) for i in round_
            ]
            vectors = self._embed(
                [(frames[i], found[i].xyxy[rows]) for i, rows in zip(round_, wanted, strict=True)]
            )
            for i, rows, rows_vectors in zip(round_, wanted, vectors, strict=True):
                tracked[i] = self._trackers[frames[i].camera].update(
                    found[i], frames[i].time_s, rows, rows_vectors
                )
        return [tracked[i] for i in range(len(frames))]

    def _embed(self, wanted: Sequence[tuple[Frame, FloatArray]]) -> list[FloatArray]:
        """Embed boxes of several frames in one call; return the vectors of each frame."""
        fetch = not getattr(self._embedder, "takes_gpu_crops", False)
        crops = [crop_of(frame, box, fetch=fetch) for frame, boxes in wanted for box in boxes]
        if crops:
            vectors = self._embedder.embed(crops)
        else:
            vectors = np.zeros((0, self._embedder.dim), np.float32)
        ends = np.cumsum([len(boxes) for _, boxes in wanted])
        return np.split(vectors, ends[:-1])


def _rounds(frames: Sequence[Frame]) -> list[list[int]]:
    """Cut frames into runs in which no camera occurs twice; return their positions."""
    rounds: list[list[int]] = []
    seen: set[str] = set()
    for position, frame in enumerate(frames):
        if not rounds or frame.camera in seen:
            rounds.append([])
            seen.clear()
        rounds[-1].append(position)
        seen.add(frame.camera)
    return rounds
