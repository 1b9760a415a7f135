"""The synchronous heart: frames in, identities out. No threads, no I/O, no clock.

detect ALL frames (one call) -> track per camera -> embed ALL chosen crops (one call)
-> match (one gallery)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from pipeline.camera_motion import CameraMotion
from pipeline.datatypes import (
    UNASSIGNED,
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
from pipeline.detection_pace import DetectionPace, Look
from pipeline.gpu_frame import crop_of
from pipeline.protocols import (
    CropPolicy,
    Detector,
    Embedder,
    Matcher,
    Tracker,
    carried_by,
    warnings_of,
)

__all__ = ["Pipeline"]

KeepDetections = Callable[[Detections], Detections]
PlaceTracks = Callable[[Frame, Tracks], Tracks]
NO_ROWS = np.zeros(0, np.int64)
MIN_SIDE_PX = 4
"""Of a box that is carried on; smaller ones are about to leave the picture."""


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
        every: Which frames the detector looks at, as ``detect.every``.
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
        every: int | Literal["auto"] = 1,
    ) -> None:
        self._detector = detector
        self._trackers = trackers
        self._policy = policy
        self._embedder = embedder
        self._matcher = matcher
        self._keep = dict(keep or {})
        self._motion: defaultdict[str, CameraMotion] = defaultdict(CameraMotion)
        self._place = place
        self._pace = DetectionPace(every)
        self._found: dict[str, Detections] = {}  # in the frame of each camera looked at last
        self._identities: dict[
            str, dict[int, int]
        ] = {}  # of the tracks of each camera's last frame

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

    def detect(self, frames: Sequence[Frame]) -> list[Detections | None]:
        """Return the persons that count in each frame, ``None`` where the detector need not look.

        May run ahead of ``track_and_match``, in another thread too.

        Args:
            frames: As for ``step``.
        """
        looks = [self._pace.choose(frame) for frame in frames]
        seen = [frame for frame, look in zip(frames, looks, strict=True) if look is Look.DETECT]
        newest = iter(self._detector.detect(seen) if seen else [])
        found: list[Detections | None] = []
        for frame, look in zip(frames, looks, strict=True):
            camera = frame.camera
            if look is Look.DETECT:
                detections = next(newest)
                keep = self._keep.get(camera)
                self._found[camera] = detections if keep is None else keep(detections)
            known = self._found.get(camera, Detections.empty())
            found.append(None if look is Look.CARRY else known)
        return found

    def track_and_match(
        self, frames: Sequence[Frame], detections: Sequence[Detections | None]
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
            NO_ROWS
            if found is None
            else self._policy.choose(frame.camera, frame.time_s, tracks, quality)
            for frame, found, tracks, quality in zip(
                frames, detections, tracked, qualities, strict=True
            )
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
            if found is None:
                results.append(self._carried(frame, tracks))
                continue
            shift = self._motion[frame.camera].update(frame)
            evidence = CropEvidence(rows, rows_vectors, quality[rows], shift)
            global_id = self._matcher.update(frame.camera, frame.time_s, tracks, evidence)
            self._identities[frame.camera] = dict(
                zip(tracks.track_id.tolist(), global_id.tolist(), strict=True)
            )
            results.append(FrameResult(frame, tracks, global_id, quality, evidence, found.xyxy))
        return results

    def _carried(self, frame: Frame, tracks: Tracks) -> FrameResult:
        """Return the result of a frame that the detector did not look at."""
        known = self._identities.get(frame.camera, {})
        numbers = [known.get(track_id, UNASSIGNED) for track_id in tracks.track_id.tolist()]
        nothing = np.zeros(len(tracks), np.float32)
        return FrameResult(frame, tracks, np.array(numbers, np.int64), nothing, is_carried=True)

    def warnings(self) -> dict[str, list[str]]:
        """Return what a user should know of the tracks so far, by camera."""
        return {camera: warnings_of(tracker) for camera, tracker in self._trackers.items()}

    def shared_warnings(self) -> list[str]:
        """Return what a user should know of the detections and the matching so far."""
        left_out = [
            f"{camera}: {text}" for camera, keep in self._keep.items() for text in warnings_of(keep)
        ]
        return [*warnings_of(self._detector), *left_out, *warnings_of(self._matcher)]

    def drain_events(self) -> list[Event]:
        """Return the changes of identities since the last call, oldest first."""
        return self._matcher.drain_events()

    def finish(self) -> tuple[Identities, list[Tracklet]]:
        """Decide what is still open; return all identities and tracklets of the run."""
        identities = self._matcher.finish()
        return identities, self._matcher.tracklets()

    def _track(self, frames: Sequence[Frame], found: Sequence[Detections | None]) -> list[Tracks]:
        """Advance the trackers, one frame per camera at a time.

        Trackers that want to see some boxes first get them embedded in one call per round.
        """
        tracked: dict[int, Tracks] = {}
        for round_ in _rounds(frames):
            seen = [(i, each) for i in round_ if (each := found[i]) is not None]
            wanted: list[IntArray] = [
                self._trackers[frames[i].camera].wanted(each, frames[i].time_s) for i, each in seen
            ]
            vectors = self._embed(
                [(frames[i], each.xyxy[rows]) for (i, each), rows in zip(seen, wanted, strict=True)]
            )
            for (i, each), rows, rows_vectors in zip(seen, wanted, vectors, strict=True):
                tracked[i] = self._trackers[frames[i].camera].update(
                    each, frames[i].time_s, rows, rows_vectors
                )
            for i in round_:
                if i not in tracked:
                    tracked[i] = _inside(
                        frames[i], carried_by(self._trackers[frames[i].camera], frames[i].time_s)
                    )
        return [tracked[i] for i in range(len(frames))]

    def _embed(self, wanted: Sequence[tuple[Frame, FloatArray]]) -> list[FloatArray]:
        """Embed boxes of several frames in one call; return the vectors of each frame."""
        if not wanted:
            return []
        fetch = not getattr(self._embedder, "takes_gpu_crops", False)
        crops = [crop_of(frame, box, fetch=fetch) for frame, boxes in wanted for box in boxes]
        if crops:
            vectors = self._embedder.embed(crops)
        else:
            vectors = np.zeros((0, self._embedder.dim), np.float32)
        ends = np.cumsum([len(boxes) for _, boxes in wanted])
        return np.split(vectors, ends[:-1])


def _inside(frame: Frame, tracks: Tracks) -> Tracks:
    """Return the tracks clipped to the frame, without those that have left it."""
    height, width = frame.shape[:2]
    xyxy = np.clip(tracks.xyxy, 0, np.array([width, height] * 2, np.float32))
    rows = np.flatnonzero((xyxy[:, 2:] - xyxy[:, :2] >= MIN_SIDE_PX).all(axis=1))
    return replace(
        tracks, xyxy=xyxy[rows], score=tracks.score[rows], track_id=tracks.track_id[rows]
    )


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
