"""The worker of an archive: processes units of files, with models that are loaded once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.archive.footage import Recording
from pipeline.archive.gathering import Gathering
from pipeline.archive.journal import Cut, Journal, Unit
from pipeline.archive_settings import BatchSettings
from pipeline.core import Pipeline
from pipeline.datatypes import Detections, Frame
from pipeline.detect.loading import load_detector
from pipeline.devices import resolve_device
from pipeline.embed.loading import load_embedder
from pipeline.embed.policy import TrackCropPolicy
from pipeline.errors import ReidPipelineError, SinkError
from pipeline.floor.placing import Floor
from pipeline.jobs.start import try_networks
from pipeline.layout.archive import ArchiveFolder
from pipeline.match.collector import TrackletCollector
from pipeline.settings import Settings
from pipeline.sources import VideoFile
from pipeline.sources.chunks import WHOLE, Chunk, find_chunks, read_chunk
from pipeline.track.loading import load_tracker

__all__ = ["ArchiveJob", "ArchiveWorker"]

EMPTY = Detections.empty()
FORMAT = 2
"""Raised whenever the same file and settings would give other parts."""


@dataclass(frozen=True, slots=True)
class ArchiveJob:
    """All that a worker needs to know; small, and picklable.

    Attributes:
        videos: Folder of the videos.
        out: Folder of the archive.
        settings: Of the stages.
        batch: Of the archive.
        weights_sha256: Of the re-identification network.
        files: Names of all files, to find their saved boxes.
    """

    videos: Path
    out: Path
    settings: Settings
    batch: BatchSettings
    weights_sha256: str
    files: tuple[str, ...]

    @property
    def folder(self) -> ArchiveFolder:
        """The archive."""
        return ArchiveFolder(self.out)

    @property
    def digest(self) -> str:
        """Of everything beside the video that decides what is found in it."""
        parts = {"source", "detect", "track", "embed"}
        tree = {
            "format": FORMAT,
            "weights": self.weights_sha256,
            "batch": self.batch.model_dump(mode="json"),
            "blur_heads": self.settings.output.blur_heads,
            **({"floor": self._floor_tree()} if Floor(self.settings.cameras) else {}),
            **self.settings.model_dump(mode="json", include=parts),
        }
        if self.settings.detect.every == 1:
            del tree["detect"]["every"]  # as before there was a choice
        return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()

    def _floor_tree(self) -> dict[str, Any]:
        keys = {"floor_points", "calibration"}
        return {
            each.name: each.model_dump(mode="json", include=keys) for each in self.settings.cameras
        }

    @property
    def journal(self) -> Journal:
        """The record of finished units."""
        return Journal(self.folder, digest=self.digest)


class ArchiveWorker:
    """Does the units of an archive; its models are loaded once.

    Args:
        job: What to do.

    Raises:
        ModelError: A model cannot be loaded.
        DetectionsFileError: Saved boxes cannot be used.
        SettingsError: The device is not on this machine.
    """

    def __init__(self, job: ArchiveJob) -> None:
        device = resolve_device(job.settings.runner.device)
        self._job = job
        self._journal = job.journal
        self._detector = load_detector(job.settings.detect, cameras=job.files, device=device)
        self._embedder = load_embedder(job.settings.embed, device=device)
        self._make_tracker = load_tracker(job.settings.track)

    def __call__(self, unit: Unit) -> dict[str, Any]:
        """Do one unit; return what is worth telling, or ``failure`` where the file is at fault.

        Raises:
            SinkError: The archive cannot be written.
        """
        work = {"survey": self._survey, "detect": self._detect, "track": self._track}
        try:
            return work[unit.kind](unit)
        except SinkError:
            raise
        except ReidPipelineError as error:
            return {"failure": str(error)}

    def rehearse(self, recording: Recording, size: tuple[int, int]) -> None:
        """Run the networks once on a black frame of ``(width, height)``.

        Raises:
            ModelError: One of them cannot be used.
        """
        pipeline = self._pipeline(recording, TrackletCollector(self._embedder.dim))
        try_networks(pipeline, [size], camera=recording.file)

    def _open(self, recording: Recording) -> VideoFile:
        source = self._job.settings.source
        return VideoFile(
            recording.file,  # saved boxes go by the file, and no two files are one camera here
            self._job.videos / recording.file,
            max_pixels=source.max_pixels,
            max_seconds=source.max_seconds,
        )

    def _survey(self, unit: Unit) -> dict[str, Any]:
        if self._journal.cuts(unit.recording) is not None:
            return {}  # of a run that was interrupted
        source = self._job.settings.source
        chunks = [WHOLE]
        video = self._open(unit.recording)
        if source.max_seconds is None:
            chunks = find_chunks(
                video, chunk_s=self._job.batch.chunk_s, max_pixels=source.max_pixels
            )
        self._write_chunks(unit.recording, chunks)
        return {}

    def _detect(self, unit: Unit) -> dict[str, Any]:
        cuts = self._journal.cuts(unit.recording)
        if cuts is None or unit.chunk >= len(cuts):
            return {}  # another worker found meanwhile that the file cannot be cut
        chunk = Chunk(*cuts[unit.chunk])
        video = self._open(unit.recording)
        pipeline = self._pipeline(unit.recording, TrackletCollector(self._embedder.dim))
        indices, found = [], []
        max_pixels = self._job.settings.source.max_pixels
        try:
            for batch in self._batches(read_chunk(video, chunk, max_pixels=max_pixels)):
                indices += [frame.index for frame in batch]
                found += pipeline.detect(batch)
        except ReidPipelineError:
            if chunk == WHOLE:
                raise
            self._write_chunks(unit.recording, [WHOLE])
            return {}
        part = (unit.chunk, len(cuts))
        self._journal.write_detections(unit.recording, part, indices, found)
        return {
            "frames": len(indices),
            "share": len(indices) / (_frames_of(cuts) or len(indices) or 1),
        }

    def _track(self, unit: Unit) -> dict[str, Any]:
        recording = unit.recording
        boxes = self._journal.detections(recording)
        collector = TrackletCollector(self._embedder.dim, epoch_s=recording.start.timestamp())
        pipeline = self._pipeline(recording, collector)
        key = self._journal.key(recording)
        gathering = Gathering(
            recording,
            key=key,
            blur_heads=self._job.settings.output.blur_heads,
            on_floor=bool(self._floor(recording)),
        )
        video = self._open(recording)
        with video:
            for batch in self._batches(iter(video)):
                found = [boxes.get(frame.index, EMPTY) for frame in batch]
                for result in pipeline.track_and_match(batch, found):
                    gathering.write(result)
        tracklets = collector.tracklets()
        gathering.store(self._job.folder, tracklets)
        found_here = {
            "frames": gathering.frames,
            "tracklets": len(tracklets),
            "warnings": [*video.warnings, *pipeline.warnings().get(recording.file, [])],
        }
        if self._floor(recording):  # what the camera sees depends on it
            found_here["size"] = [video.header.width, video.header.height]
        self._journal.finish(recording, found_here)
        return found_here

    def _floor(self, recording: Recording) -> Floor:
        """Return the floor of one file's camera, which frames name by the file."""
        own = [each for each in self._job.settings.cameras if each.name == recording.camera]
        return Floor([each.model_copy(update={"name": recording.file}) for each in own])

    def _pipeline(self, recording: Recording, collector: TrackletCollector) -> Pipeline:
        floor = self._floor(recording)
        return Pipeline(
            detector=self._detector,
            trackers={recording.file: self._make_tracker()},
            policy=TrackCropPolicy(self._job.settings.embed),
            embedder=self._embedder,
            matcher=collector,
            place=floor.place if floor else None,
            every=self._job.settings.detect.every,
        )

    def _batches(self, frames: Iterator[Frame]) -> Iterator[list[Frame]]:
        while batch := list(islice(frames, self._job.settings.runner.batch_size)):
            yield batch

    def _write_chunks(self, recording: Recording, chunks: Sequence[Chunk]) -> None:
        cuts = [(c.first_index, c.frames, c.start_pts, c.end_pts) for c in chunks]
        self._journal.write_cuts(recording, cuts)


def _frames_of(cuts: Sequence[Cut]) -> int:
    """Return how many frames all chunks have together, 0 for a file that is not cut."""
    return sum(frames or 0 for _, frames, _, _ in cuts)
