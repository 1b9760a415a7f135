"""Files from beginning to end: everything waits for everything, nothing is dropped."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

import cv2

from pipeline.core import Pipeline
from pipeline.datatypes import Detections, Event, Frame, FrameResult, Identities, Tracklet
from pipeline.errors import DecodeError
from pipeline.protocols import Sink, Source
from pipeline.runners.feed import Feed

__all__ = ["CameraCount", "Outcome", "run_offline"]


@dataclass(slots=True)
class CameraCount:
    """What was processed of one camera.

    Attributes:
        camera: Its name.
        frames: Frames that went through the pipeline.
        boxes: Tracked boxes in them.
        first_s: Time of the first frame, seconds on the common time line.
        last_s: Time of the newest frame.
        sizes: Number of a frame, and width and height of the frames from there on, pixels.
        done: Whether the source has ended.
        failure: Why the source ended early, empty where it did not.
    """

    camera: str
    frames: int = 0
    boxes: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    sizes: list[tuple[int, tuple[int, int]]] = field(default_factory=list)
    done: bool = False
    failure: str = ""

    def add(self, result: FrameResult) -> None:
        """Count a frame."""
        frame = result.frame
        height, width = frame.shape[:2]
        if not self.sizes or self.sizes[-1][1] != (width, height):
            self.sizes.append((frame.index, (width, height)))
        if not self.frames:
            self.first_s = frame.time_s
        self.frames += 1
        self.boxes += 0 if result.is_carried else len(result.tracks)
        self.last_s = frame.time_s


@dataclass(slots=True)
class Outcome:
    """What a run found, beside what its sinks wrote.

    Attributes:
        identities: The identity of every tracklet.
        tracklets: All tracklets, in order of (first time, camera, track).
        counts: Per camera, what was processed.
        seconds: Wall time by part: ``process``, ``resolve``, ``write``.
    """

    identities: Identities
    tracklets: list[Tracklet]
    counts: dict[str, CameraCount]
    seconds: dict[str, float] = field(default_factory=dict)


Progress = Callable[[CameraCount], None]
EventWriter = Callable[[list[Event]], None]


def run_offline(
    pipeline: Pipeline,
    sources: Sequence[Source],
    sinks: Sequence[Sink],
    *,
    batch_size: int,
    queue_frames: int,
    on_progress: Progress = lambda _count: None,
    on_events: EventWriter = lambda _events: None,
) -> Outcome:
    """Process all sources to their end and let the sinks finish.

    Frames of all cameras are merged by (time, camera), so the result is the same whatever the
    batch size and however fast each file decodes. A source that breaks ends its camera; the
    others go on.

    Args:
        pipeline: The core.
        sources: One per camera.
        sinks: Get every result, then the final identities. The caller closes them.
        batch_size: Frames per step.
        queue_frames: Frames that may wait per camera.
        on_progress: Called with a camera's count after each step that moved it.
        on_events: Called with changes of identities, oldest first.

    Raises:
        DecodeError: No source gave a single frame.
        SinkError: An output could not be written.
    """
    counts = {source.camera: CameraCount(source.camera) for source in sources}
    started = time.perf_counter()
    with ExitStack() as stack:
        stack.enter_context(_opencv_in_one_thread())
        feeds = [stack.enter_context(Feed(each, capacity=queue_frames)) for each in sources]
        batches = _batches(_merge(feeds, counts), batch_size)
        ahead = stack.enter_context(closing(_detected_ahead(pipeline, batches)))
        for batch, found in ahead:
            for result in pipeline.track_and_match(batch, found):
                counts[result.frame.camera].add(result)
                for sink in sinks:
                    sink.write(result)
            on_events(pipeline.drain_events())
            for camera in {frame.camera for frame in batch}:
                on_progress(counts[camera])
    for count in counts.values():
        on_progress(count)
    failures = [count.failure for count in counts.values() if count.failure]
    if failures and not any(count.frames for count in counts.values()):
        raise DecodeError(failures[0])
    processed = time.perf_counter()
    identities, tracklets = pipeline.finish()
    on_events(pipeline.drain_events())
    resolved = time.perf_counter()
    for sink in sinks:
        sink.finish(identities, tracklets)
    seconds = {
        "process": processed - started,
        "resolve": resolved - processed,
        "write": time.perf_counter() - resolved,
    }
    return Outcome(identities, tracklets, counts, seconds)


@contextmanager
def _opencv_in_one_thread() -> Iterator[None]:
    """Keep OpenCV from handing pieces of small pictures to threads of its own: all cores are busy."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _detected_ahead(
    pipeline: Pipeline, batches: Iterator[list[Frame]]
) -> Generator[tuple[list[Frame], list[Detections | None]], None, None]:
    """Yield each batch with its detections while those of the next one are being computed.

    Tracking and matching keep one core busy; the detector has the others meanwhile.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="detect") as ahead:
        waiting: tuple[list[Frame], Future[list[Detections | None]]] | None = None
        for batch in batches:
            started = ahead.submit(pipeline.detect, batch)
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = batch, started
        if waiting is not None:
            yield waiting[0], waiting[1].result()


def _merge(feeds: Sequence[Feed], counts: dict[str, CameraCount]) -> Iterator[Frame]:
    """Yield the frames of all cameras in order of (time, camera)."""
    running = list(feeds)
    while running:
        heads: list[tuple[float, str, Feed]] = []
        for feed in running:
            camera = feed.source.camera
            try:
                head = feed.peek()
            except DecodeError as error:
                counts[camera].failure = str(error)
                head = None
            if head is None:
                counts[camera].done = True
            else:
                heads.append((head.time_s, camera, feed))
        running = [feed for _, _, feed in heads]
        if heads:
            yield min(heads, key=lambda each: each[:2])[2].take()


def _batches(frames: Iterator[Frame], size: int) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
