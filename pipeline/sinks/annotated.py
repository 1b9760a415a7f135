"""Annotated video, drawn from the final identities in a second pass over the sources."""

from __future__ import annotations

import csv
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.crops import blur, head_of
from pipeline.datatypes import Frame
from pipeline.errors import DecodeError, SourceError
from pipeline.protocols import Source
from pipeline.settings import OutputSettings
from pipeline.sinks.drawing import Label, clock, draw_caption, draw_labels
from pipeline.sinks.encoder import VideoWriter
from pipeline.sinks.mosaic import Mosaic

__all__ = ["render_videos"]

MOSAIC_INTERVAL_S = 0.08
"""Minimum time between two pictures of the mosaic, an overview: cameras whose frames come at different
moments would make as many pictures of it as they have together."""
MOSAIC_PRESET = "ultrafast"
"""Its pictures are as large as those of all cameras together: a third of the time that the preset of
the cameras takes."""
TIME_TOLERANCE_S = 1e-6
ROUNDING_S = 1e-3
"""Of times in the table of tracks."""
ROWS_AHEAD = 10_000
"""Rows of one camera in memory; people in one frame are far fewer."""

OnFrame = Callable[[Frame], None]


def render_videos(
    sources: Sequence[Source],
    tracks_csv: Path,
    folder: Path,
    settings: OutputSettings,
    *,
    on_frame: OnFrame = lambda _frame: None,
) -> None:
    """Write ``CAMERA.mp4`` for every source and ``mosaic.mp4`` of all, one decoding each.

    Args:
        sources: The cameras of the run; read from their beginning.
        tracks_csv: The run's tracks with final identities, in order of (time, camera).
        folder: Where the videos go.
        settings: How to draw.
        on_frame: Called with every frame that was drawn.

    Raises:
        SinkError: The disk is full, or the encoder failed.
    """
    with ExitStack() as stack:
        for source in sources:
            stack.enter_context(source)
        writers = {
            source.camera: stack.enter_context(VideoWriter(folder / f"{source.camera}.mp4"))
            for source in sources
        }
        rows = stack.enter_context(_TrackRows(tracks_csv))
        overview = VideoWriter(folder / "mosaic.mp4", preset=MOSAIC_PRESET)
        mosaic = _MosaicVideo(stack.enter_context(overview), settings)
        started_s: dict[str, float] = {}
        for frame in _merged(sources, mosaic):
            image = frame.image  # nobody else has it
            labels = rows.of(frame)
            if settings.blur_heads:
                for label in labels:
                    blur(image, head_of(np.array(label.box, np.float32)))
            draw_labels(image, labels, font_scale=settings.font_scale)
            caption = f"{frame.camera}  {clock(frame.time_s)}"
            mosaic.show(frame, image, caption)
            draw_caption(image, caption, font_scale=settings.font_scale)
            begin_s = started_s.setdefault(frame.camera, frame.time_s)
            writers[frame.camera].write(image, frame.time_s - begin_s)
            on_frame(frame)
        mosaic.flush()


class _MosaicVideo:
    """Writes the mosaic whenever its time has moved on far enough."""

    def __init__(self, writer: VideoWriter, settings: OutputSettings) -> None:
        self._writer = writer
        self._settings = settings
        self._mosaic: Mosaic | None = None
        self._begin_s = 0.0
        self._now_s = 0.0
        self._written_s = float("-inf")

    def begin(self, first: Sequence[Frame], cameras: Sequence[str]) -> None:
        """Lay out the tiles by the first frames; cameras without one are as large as those."""
        sizes = {frame.camera: (frame.shape[1], frame.shape[0]) for frame in first}
        usual = next(iter(sizes.values()))
        self._mosaic = Mosaic(
            cameras,
            [sizes.get(camera, usual) for camera in cameras],
            font_scale=self._settings.font_scale,
        )
        self._begin_s = self._now_s = min(frame.time_s for frame in first)

    def show(self, frame: Frame, image: Any, caption: str) -> None:
        """Put a new picture into its tile, writing the canvas first if time has moved on."""
        if self._mosaic is None:
            return
        if frame.time_s > self._now_s + TIME_TOLERANCE_S:
            self._write(min_s=MOSAIC_INTERVAL_S)
            self._now_s = frame.time_s
        self._mosaic.show(frame.camera, image, caption)

    def end(self, camera: str) -> None:
        """Mark a camera that has ended while others go on."""
        if self._mosaic is not None:
            self._write(min_s=MOSAIC_INTERVAL_S)
            self._mosaic.end(camera)

    def flush(self) -> None:
        """Write the last picture."""
        self._write(min_s=0.0)

    def _write(self, *, min_s: float) -> None:
        due = self._now_s - self._written_s >= min_s - TIME_TOLERANCE_S
        if self._mosaic is not None and due and self._now_s > self._written_s:
            self._writer.write(self._mosaic.canvas, self._now_s - self._begin_s)
            self._written_s = self._now_s


def _merged(sources: Sequence[Source], mosaic: _MosaicVideo) -> Iterator[Frame]:
    """Yield the frames of all sources in order of (time, camera), as the run did."""
    iterators = {source.camera: iter(source) for source in sources}
    heads = {camera: _next(iterator) for camera, iterator in iterators.items()}
    first = [frame for frame in heads.values() if frame is not None]
    if first:
        mosaic.begin(first, list(iterators))
    while True:
        waiting = [frame for frame in heads.values() if frame is not None]
        if not waiting:
            return
        frame = min(waiting, key=lambda each: (each.time_s, each.camera))
        yield frame
        heads[frame.camera] = _next(iterators[frame.camera])
        if heads[frame.camera] is None and len(waiting) > 1:
            mosaic.end(frame.camera)


def _next(frames: Iterator[Frame]) -> Frame | None:
    # What broke in the first pass breaks here too, and was reported then; a file that is gone
    # since is told of by its source's warnings.
    try:
        return next(frames, None)
    except (DecodeError, SourceError):
        return None


class _TrackRows:
    """Reads a track table along with the frames, which come in the order of their times."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._rows: Iterator[dict[str, str]] = iter(())
        self._head: dict[str, str] | None = None
        # Of a camera whose file went away after the first pass, rows are read and never asked for.
        self._read: dict[str, deque[dict[str, str]]] = defaultdict(lambda: deque(maxlen=ROWS_AHEAD))

    def __enter__(self) -> _TrackRows:
        file = self._stack.enter_context(self._path.open(encoding="utf-8", newline=""))
        self._rows = csv.DictReader(file)
        self._head = next(self._rows, None)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, frame: Frame) -> list[Label]:
        """Return the labels of a frame."""
        while self._head is not None and float(self._head["time_s"]) <= frame.time_s + ROUNDING_S:
            self._read[self._head["camera"]].append(self._head)
            self._head = next(self._rows, None)
        own, labels = self._read[frame.camera], []
        while own and int(own[0]["frame"]) <= frame.index:
            row = own.popleft()
            if int(row["frame"]) == frame.index:
                x, y, w, h = (float(row[name]) for name in ("x", "y", "w", "h"))
                labels.append(Label((x, y, x + w, y + h), int(row["global_id"])))
        return labels
