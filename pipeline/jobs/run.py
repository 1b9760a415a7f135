"""The run job: from video files to identities."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from pipeline.build import OwnStages, Stages, build_sources, build_stages
from pipeline.datatypes import Frame
from pipeline.errors import SinkError, SourceError
from pipeline.jobs.progress import CameraProgress, OnProgress
from pipeline.jobs.report import report_at_end
from pipeline.jobs.run_record import record_at_end, record_at_start
from pipeline.jobs.start import check_open_files, check_shapes, files_read, try_networks
from pipeline.protocols import Sink
from pipeline.runners.offline import CameraCount, Outcome, run_offline
from pipeline.settings import Settings
from pipeline.sinks.annotated import render_videos
from pipeline.sinks.gallery import Gallery
from pipeline.sinks.run_folder import RunFolder
from pipeline.sinks.tables import EventLog, Tables
from pipeline.sources import VideoFile
from pipeline.sources.live.opening import is_live
from pipeline.sources.stream_address import shown_source

__all__ = ["process_videos"]


def process_videos(
    settings: Settings,
    out: Path,
    *,
    overwrite: bool = False,
    gallery: Path | None = None,
    own: OwnStages | None = None,
    on_start: Callable[[], None] = lambda: None,
    on_progress: OnProgress = lambda _progress: None,
    inputs: Sequence[Path] = (),
) -> list[str]:
    """Find everybody in video files and give each person one identity over all cameras.

    Everything is checked before anything is written.

    Args:
        settings: What to do.
        out: Folder for everything that is written.
        overwrite: Whether what an earlier run left there may be replaced.
        gallery: File of known persons, read if it is there and written at the end.
        own: Stages to take instead of those of the settings.
        on_start: Called when everything was checked.
        on_progress: Called as the cameras move on, at first with each of them at its beginning.
        inputs: Further files that were read, none of which may be written over.

    Returns:
        What came up on the way, such as damaged files. What was known of the stages before is in the
        record with it; it was logged when they were built.

    Raises:
        ReidPipelineError: Bad input, or a run that failed; its record then says so.
    """
    live = [each for each in settings.cameras if is_live(each.source)]
    if live:
        raise SourceError(
            f"camera {live[0].name}: {shown_source(live[0].source)} is no file: live cameras are "
            "watched by `reid-pipeline live`, apart from files"
        )
    sources = build_sources(settings)
    sizes = {each.camera: (each.header.width, each.header.height) for each in sources}
    check_shapes(settings, sizes)
    with ExitStack() as stack:
        read = [*inputs, *files_read(settings, gallery), *(source.path for source in sources)]
        videos = [f"{source.camera}.mp4" for source in sources] if settings.output.video else []
        folder = RunFolder(out, overwrite=overwrite, videos=videos, inputs=read)
        stack.enter_context(closing(folder))
        check_open_files(len(sources), video=settings.output.video)
        stages = build_stages(settings, own=own, gallery=gallery)
        if stages.gallery is not None:
            stack.callback(stages.gallery.close)
        if own is None:
            try_networks(stages.pipeline, sizes.values(), camera=sources[0].camera)
        on_start()
        return _work(settings, sources, stages, folder, on_progress)


def _work(
    settings: Settings,
    sources: Sequence[VideoFile],
    stages: Stages,
    folder: RunFolder,
    on_progress: OnProgress,
) -> list[str]:
    """Do the job in its folder."""
    out = folder.path
    folder.start(record_at_start(settings, stages, sources))
    try:
        outcome = _find_everybody(settings, stages, sources, out, on_progress)
        warnings = [f"{source.camera}: {text}" for source in sources for text in source.warnings]
        warnings += [f"{c.camera}: {c.failure}" for c in outcome.counts.values() if c.failure]
        warnings += stages.pipeline.shared_warnings()
        for camera, texts in stages.pipeline.warnings().items():
            warnings += [f"{camera}: {text}" for text in texts]
        if settings.output.video:
            outcome.seconds["video"] = _draw(settings, sources, out, outcome, on_progress)
            warnings += [f"{each.camera}: {text}" for each in sources for text in each.warnings]
            warnings = list(dict.fromkeys(warnings))
        if stages.gallery is not None:
            stages.gallery.save(stages.matcher.gallery(outcome.identities))
    except KeyboardInterrupt:
        _record_end(folder, "interrupted", "stopped by a signal before its end")
        raise
    except Exception as error:
        _record_end(folder, "failed", str(error))
        raise
    warnings_of_all = [*stages.warnings, *warnings]
    folder.finish("complete", record_at_end(outcome, settings, stages, warnings_of_all))
    report_at_end(out)
    return warnings


def _find_everybody(
    settings: Settings,
    stages: Stages,
    sources: Sequence[VideoFile],
    out: Path,
    on_progress: OnProgress,
) -> Outcome:
    lengths = {source.camera: source.duration_s for source in sources}

    def show(count: CameraCount) -> None:
        on_progress(
            CameraProgress(
                "find",
                count.camera,
                frames=count.frames,
                time_s=count.last_s,
                duration_s=lengths[count.camera],
                done=count.done,
            )
        )

    with ExitStack() as stack:
        events = stack.enter_context(closing(EventLog(out)))
        output = settings.output
        gallery = Gallery(out, crops=output.gallery_crops, blur_heads=output.blur_heads)
        sinks: list[Sink] = [Tables(out, on_floor=bool(stages.floor)), gallery]
        for sink in sinks:
            stack.enter_context(closing(sink))
        for camera, duration_s in lengths.items():
            on_progress(CameraProgress("find", camera, duration_s=duration_s))
        return run_offline(
            stages.pipeline,
            sources,
            sinks,
            batch_size=settings.runner.batch_size,
            queue_frames=settings.source.queue_frames,
            on_progress=show,
            on_events=events.write,
        )


def _draw(
    settings: Settings,
    sources: Sequence[VideoFile],
    out: Path,
    outcome: Outcome,
    on_progress: OnProgress,
) -> float:
    """Write the annotated video; return the seconds it took."""
    started = time.perf_counter()
    lengths = {source.camera: source.duration_s for source in sources}
    drawn = dict.fromkeys(outcome.counts, 0)
    for camera, duration_s in lengths.items():
        on_progress(CameraProgress("draw", camera, duration_s=duration_s))

    def show(frame: Frame) -> None:
        camera = frame.camera
        drawn[camera] += 1
        on_progress(
            CameraProgress(
                "draw",
                camera,
                frames=drawn[camera],
                time_s=frame.time_s,
                duration_s=lengths[camera],
                done=drawn[camera] == outcome.counts[camera].frames,
            )
        )

    render_videos(sources, out / "tracks.csv", out, settings.output, on_frame=show)
    return time.perf_counter() - started


def _record_end(folder: RunFolder, status: str, reason: str) -> None:
    """Note in the record why the run ended early; where the disk is full, it stays incomplete."""
    with suppress(SinkError):
        folder.finish(status, {"reason": reason})
