"""Where the time of a run goes: processor milliseconds of every stage, a frame and a person.

Everything is done in one thread, stage after stage, and measured in processor time, so the
figures hold beside other work too; how stages overlap is another matter (`benchmark.py`).

    python scripts/profile_run.py --cams VIDEO... [--detector MODEL] [--weights W] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from rich.console import Console
from rich.table import Table

from pipeline import core
from pipeline.build import build_sources, build_stages
from pipeline.camera_motion import CameraMotion
from pipeline.core import Pipeline
from pipeline.datatypes import Frame
from pipeline.detect.letterbox import Letterbox
from pipeline.detect.openvino_yolo import OpenVinoYolo
from pipeline.embed.policy import TrackCropPolicy
from pipeline.embed.reid import ReidEmbedder
from pipeline.jobs.start import try_networks
from pipeline.match.online import OnlineMatcher
from pipeline.settings import Settings, parse_settings
from pipeline.sinks import annotated
from pipeline.sinks.gallery import Gallery
from pipeline.sinks.mosaic import Mosaic
from pipeline.sinks.tables import Tables
from pipeline.sources import container, resolve_cameras
from pipeline.sources.picture_converter import PictureConverter
from pipeline.track.tracker import SingleCameraTracker
from reid_model import inference

REPOSITORY = Path(__file__).resolve().parents[1]
STAGES = {
    "decoding": "frame",
    "colours to BGR": "frame",
    "scaling": "frame",
    "detector": "frame",
    "suppression": "frame",
    "tracking": "box",
    "choice of crops": "box",
    "crops": "crop",
    "motion of the camera": "frame",
    "embedder": "crop",
    "matching": "box",
    "resolution": "box",
    "tables": "box",
    "gallery": "box",
    "second decoding": "frame",
    "drawing": "box",
    "mosaic": "frame",
    "encoding": "frame",
    "rest": "frame",
}
"""What is measured, in the order of a run, and what its work grows with."""


@dataclass(slots=True)
class Clock:
    """Adds up the processor seconds of stages, each without what lies within another one.

    Attributes:
        seconds: By stage.
    """

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    _inner: list[float] = field(default_factory=lambda: [0.0])

    @contextmanager
    def stage(self, name: str, *, threads: bool = False) -> Iterator[None]:
        """Count what happens inside.

        Args:
            name: Of the stage.
            threads: Whether the work of other threads counts as well.
        """
        whole, own = time.process_time(), time.thread_time()
        self._inner.append(0.0)
        try:
            yield
        finally:
            inner = self._inner.pop()
            here = time.thread_time() - own
            total = time.process_time() - whole if threads else here
            self.seconds[name] += total - inner
            self._inner[-1] += here

    def timed(self, work: Callable[..., Any], name: str, *, threads: bool = False) -> Any:
        """Return a function or method that counts as a stage."""

        def counted(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name, threads=threads):
                return work(*args, **kwargs)

        return counted


WATCHED: list[tuple[Any, str, str, bool]] = [
    (PictureConverter, "__call__", "colours to BGR", False),
    (OpenVinoYolo, "detect", "detector", True),
    (Letterbox, "apply", "scaling", False),
    (OpenVinoYolo, "_persons", "suppression", False),
    (SingleCameraTracker, "update", "tracking", False),
    (SingleCameraTracker, "wanted", "tracking", False),
    (TrackCropPolicy, "quality", "choice of crops", False),
    (TrackCropPolicy, "choose", "choice of crops", False),
    (ReidEmbedder, "embed", "embedder", True),
    (core, "crop_of", "crops", False),
    (CameraMotion, "update", "motion of the camera", False),
    (inference, "resized", "crops", False),
    (OnlineMatcher, "update", "matching", False),
    (Tables, "write", "tables", False),
    (Tables, "finish", "tables", False),
    (Gallery, "write", "gallery", False),
    (Gallery, "finish", "gallery", False),
    (annotated, "draw_labels", "drawing", False),
    (annotated, "draw_caption", "drawing", False),
    (Mosaic, "show", "mosaic", False),
]
"""Owner and name of what is watched, its stage, and whether other threads do the work."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a run cost.

    Attributes:
        seconds: Processor seconds by stage.
        counts: How many ``frame``, ``box`` and ``crop`` there were.
    """

    seconds: Mapping[str, float]
    counts: Mapping[str, int]


def profile(settings: Settings, folder: Path) -> Profile:
    """Do a run in one thread, video included, and return what each stage took."""
    clock = Clock()
    # Without threads that decode ahead while other stages are measured.
    with mock.patch.object(container, "DECODER_THREADS", 1):
        sources = build_sources(settings)
    stages = build_stages(settings)
    sizes = {(source.header.width, source.header.height) for source in sources}
    try_networks(stages.pipeline, sizes, camera=sources[0].camera)
    counts = dict.fromkeys(("frame", "box", "crop"), 0)
    with ExitStack() as stack:
        for owner, name, stage, threads in WATCHED:
            work = clock.timed(getattr(owner, name), stage, threads=threads)
            # A plain function on a class becomes a method again.
            stack.enter_context(mock.patch.object(owner, name, work))
        embed = ReidEmbedder.embed

        def counted(embedder: ReidEmbedder, crops: Any) -> Any:
            counts["crop"] += len(crops)
            return embed(embedder, crops)

        stack.enter_context(mock.patch.object(ReidEmbedder, "embed", counted))
        _first_pass(settings, sources, stages.pipeline, folder=folder, clock=clock, counts=counts)
        _second_pass(settings, sources, folder, clock)
    return Profile(clock.seconds, counts)


def _first_pass(
    settings: Settings,
    sources: list[Any],
    pipeline: Pipeline,
    *,
    folder: Path,
    clock: Clock,
    counts: dict[str, int],
) -> None:
    tables, gallery = Tables(folder), Gallery(folder, crops=settings.output.gallery_crops)
    with closing(tables), closing(gallery):
        for batch in _batches(sources, settings.runner.batch_size, clock):
            with clock.stage("rest"):
                for result in pipeline.step(batch):
                    counts["frame"] += 1
                    counts["box"] += len(result.tracks)
                    for sink in (tables, gallery):
                        sink.write(result)
        with clock.stage("resolution"):
            identities, tracklets = pipeline.finish()
        for sink in (tables, gallery):
            sink.finish(identities, tracklets)


def _second_pass(settings: Settings, sources: list[Any], folder: Path, clock: Clock) -> None:
    """Write the video; decoder and encoder work in threads of their own, so both are differences."""
    parts = ("drawing", "mosaic", "colours to BGR")
    before = {name: clock.seconds[name] for name in parts}
    started = time.process_time()
    annotated.render_videos(sources, folder / "tracks.csv", folder, settings.output)
    whole = time.process_time() - started
    drawn = sum(clock.seconds[name] - before[name] for name in ("drawing", "mosaic"))
    colours = clock.seconds["colours to BGR"] - before["colours to BGR"]
    clock.seconds["colours to BGR"] = before["colours to BGR"]
    decoding = clock.seconds["decoding"] + colours
    clock.seconds["second decoding"] = decoding
    clock.seconds["encoding"] = whole - drawn - decoding


def _batches(sources: list[Any], size: int, clock: Clock) -> Iterator[list[Frame]]:
    """Yield batches of the frames of all sources in order of (time, camera)."""
    iterators = [iter(source) for source in sources]

    def following(frames: Iterator[Frame]) -> Frame | None:
        with clock.stage("decoding", threads=True):
            return next(frames, None)

    heads = [following(frames) for frames in iterators]
    batch: list[Frame] = []
    while any(head is not None for head in heads):
        waiting = [(h.time_s, h.camera, row) for row, h in enumerate(heads) if h is not None]
        row = min(waiting)[2]
        batch.append(heads[row])  # type: ignore[arg-type]
        heads[row] = following(iterators[row])
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def as_rows(found: Profile) -> list[dict[str, Any]]:
    """Return a row for each stage: milliseconds a frame and a piece of its own work, and its share."""
    total = sum(found.seconds.values())
    return [
        {
            "stage": name,
            "ms_a_frame": round(1000 * seconds / max(found.counts["frame"], 1), 3),
            "of": STAGES[name],
            "ms_each": round(1000 * seconds / max(found.counts[STAGES[name]], 1), 3),
            "share": round(seconds / total, 4),
        }
        for name, seconds in found.seconds.items()
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    videos = sorted((REPOSITORY / "sample_videos").glob("*.mp4"))
    parser.add_argument("--cams", nargs="+", default=[str(path) for path in videos])
    parser.add_argument("--detector", help="none = the package's own")
    parser.add_argument("--weights", help="re-identification weights; none = the package's own")
    parser.add_argument("--precision", default="auto", help="of the embedder")
    parser.add_argument("--max-seconds", type=float, help="of every video")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    settings = parse_settings(
        {
            "cameras": [camera.model_dump() for camera in resolve_cameras(options.cams)],
            "detect": {"weights": options.detector},
            "embed": {"weights": options.weights, "precision": options.precision},
            "source": {"max_seconds": options.max_seconds},
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        found = profile(settings, Path(folder))
    rows = as_rows(found)
    if options.json:
        content = {"counts": dict(found.counts), "stages": rows}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    counts = found.counts
    table = Table(
        title=f"{counts['frame']} frames, {counts['box']} boxes of persons, {counts['crop']} crops"
    )
    for name in ("stage", "ms a frame", "ms each", "share"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for row in rows:
        each = f"{row['ms_each']:.2f} a {row['of']}"
        table.add_row(row["stage"], f"{row['ms_a_frame']:.2f}", each, f"{row['share']:.1%}")
    table.add_row("all", f"{sum(row['ms_a_frame'] for row in rows):.2f}", "", "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
