"""The jobs as Python functions that take plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.build import OwnStages
from pipeline.jobs.inputs import settings_for
from pipeline.jobs.progress import CameraProgress
from pipeline.jobs.run import process_videos
from pipeline.jobs.search import find
from pipeline.protocols import Detector, Embedder, Tracker
from pipeline.results import Results as StoredResults
from pipeline.results import open_results as open_stored
from pipeline.results.archive import ArchiveResults
from pipeline.results.recording import RecordingResults
from pipeline.results.run import RunResults

__all__ = ["Results", "open_results", "run"]

Name = str | PathLike[str]


class Results(StoredResults):
    """Finished work, with the search that needs the networks it was made with."""

    def search(
        self,
        *,
        image: Name | None = None,
        identity: int | None = None,
        top: int = 20,
        cameras: Sequence[str] = (),
        min_similarity: float = -1.0,
        detector: str | None = None,
        device: str = "auto",
    ) -> pd.DataFrame:
        """Return the sightings most like a person, the most similar first.

        Args:
            image: A photograph with a person on it, or a crop of one.
            identity: A person of these results; give this or ``image``.
            top: Maximum number of sightings.
            cameras: Only those of these cameras; none = all.
            min_similarity: Minimum cosine similarity.
            detector: Finds the person on ``image``; ``None`` = the built-in one.
            device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``, for ``image``.

        Returns:
            Rows of ``sightings()`` with the column ``similarity``.

        Raises:
            InputError: Nobody is on the image, it cannot be compared with these results, or an
                identity or a camera is unknown.
        """
        return find(
            self,
            image=None if image is None else Path(image),
            identity=identity,
            top=top,
            cameras=cameras,
            min_similarity=min_similarity,
            detector=detector,
            device=device,
        )


class _Run(RunResults, Results):
    """A run."""


class _Archive(ArchiveResults, Results):
    """An archive."""


class _Recording(RecordingResults, Results):
    """A live recording."""


KINDS: dict[str, type[_Run | _Archive | _Recording]] = {
    "run": _Run,
    "archive": _Archive,
    "recording": _Recording,
}


def open_results(path: Name) -> Results:
    """Open the ``--out`` folder of ``run``, ``batch`` or ``live``.

    Raises:
        ResultsError: It is none of them, or its record is damaged.
    """
    stored = open_stored(fspath(path))
    return KINDS[stored.kind](stored.path)


def run(
    cams: Name | Sequence[Name],
    *,
    out: Name,
    detector: Name | Detector | None = None,
    tracker: Callable[[], Tracker] | None = None,
    embedder: Embedder | None = None,
    weights: Name | None = None,
    video: bool | None = None,
    settings: Name | Mapping[str, Any] | None = None,
    gallery: Name | None = None,
    overwrite: bool = False,
    progress: Callable[[CameraProgress], None] | None = None,
) -> Results:
    """Find everybody in video files and give each person one identity over all cameras.

    Everything is checked before anything is written.

    Args:
        cams: Video files, folders, globs and camera lists, as ``reid-pipeline run --cams`` takes
            them.
        out: Folder for everything that is written; made if it is not there.
        detector: ``built-in-s``, a YOLO model (name, file or OpenVINO folder), or an object of one's own that
            finds persons; ``None`` takes that of the settings, or the built-in one.
        tracker: What makes the tracker of one camera, such as a class; called once per camera.
        embedder: An object of one's own that turns crops into vectors.
        weights: Re-identification weights in place of the package's own.
        video: Whether annotated video is written; ``None`` leaves it to the settings, where it is.
        settings: A configuration file, or a mapping that holds what one would.
        gallery: File of known persons, read if it is there and written at the end.
        overwrite: Whether what an earlier run left in ``out`` may be replaced.
        progress: Called as the cameras move on.

    Returns:
        What was found; ``open_results(out)`` returns the same later.

    Raises:
        InputError: Something that was given is wrong; nothing was written.
        ReidPipelineError: The run failed; its record says why.
    """
    names = [cams] if isinstance(cams, str | PathLike) else list(cams)
    model, own_detector = (
        (fspath(detector), None) if isinstance(detector, str | PathLike) else (None, detector)
    )
    chosen = settings_for(
        [fspath(name) for name in names],
        base=Path(settings) if isinstance(settings, str | PathLike) else settings,
        given={
            "detect.weights": model,
            "embed.weights": None if weights is None else Path(weights),
            "output.video": video,
        },
    )
    process_videos(
        chosen,
        Path(out),
        overwrite=overwrite,
        gallery=None if gallery is None else Path(gallery),
        own=OwnStages(detector=own_detector, tracker=tracker, embedder=embedder),
        on_progress=progress or (lambda _progress: None),
    )
    return open_results(out)
