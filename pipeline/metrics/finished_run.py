"""The input of evaluation: boxes, processed frames and pictures of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pipeline.errors import InputError, ResultsError
from pipeline.foreign_tables import read_csv
from pipeline.metrics.tables import check_tracks
from pipeline.results import Results
from pipeline.results.run import RunResults

__all__ = ["FinishedRun", "finished_run", "tracks_alone"]

_ARTICLES = {"run": "a run", "archive": "an archive", "recording": "live cameras"}


@dataclass(frozen=True, slots=True, eq=False)
class FinishedRun:
    """A run as it lies on disk.

    Attributes:
        tracks: As ``check_tracks`` returns it.
        frames: Per camera, how many frames were processed; empty where there is no record.
        sources: Per camera the video it was read from, whether or not it is still there.
        gallery: (camera, track) to (time in seconds, crop) of its best crops.
        status: ``complete``, ``incomplete``, ``failed``; empty where there is no record.
    """

    tracks: pd.DataFrame
    frames: Mapping[str, int]
    sources: Mapping[str, Path]
    gallery: Mapping[tuple[str, int], list[tuple[float, Path]]]
    status: str

    @property
    def cameras(self) -> set[str]:
        """Cameras that the run read, or that it has boxes of."""
        return {*self.frames, *self.sources, *self.tracks["camera"]}

    def renamed(self, names: Mapping[str, str]) -> FinishedRun:
        """Return the same run with other names for some cameras.

        Raises:
            InputError: A camera is not in the run, or two would get one name.
        """
        unknown = sorted(set(names) - self.cameras)
        if unknown:
            raise InputError(
                f"--map renames {', '.join(unknown)}, but the cameras of the run are "
                f"{', '.join(sorted(self.cameras)) or 'none'}"
            )
        new = [names.get(camera, camera) for camera in self.cameras]
        if len(set(new)) < len(new):
            raise InputError(f"--map gives two cameras one name: {', '.join(sorted(new))}")
        camera = self.tracks["camera"]
        return replace(
            self,
            tracks=self.tracks.assign(camera=[names.get(each, each) for each in camera]),
            frames={names.get(each, each): count for each, count in self.frames.items()},
            sources={names.get(each, each): path for each, path in self.sources.items()},
            gallery={
                (names.get(each, each), track): crops
                for (each, track), crops in self.gallery.items()
            },
        )


def finished_run(results: Results) -> FinishedRun:
    """Return what a score needs of a run.

    Raises:
        ResultsError: It is no run, or its boxes are missing.
        InputError: Its boxes are malformed.
    """
    if not isinstance(results, RunResults):
        raise ResultsError(
            f"{results.path} is the folder of {_ARTICLES[results.kind]}: only runs are scored, as "
            "ground truth counts the frames of a camera; process its videos with `run`"
        )
    summary = results.summary()
    boxes = results.boxes().rename(columns={"time": "time_s"})
    tracks = check_tracks(boxes, origin=f"tracks of {results.path}")
    # Frames that were left out as damaged keep their number, so boxes can lie beyond the count.
    last = tracks.groupby("camera")["frame"].max()
    return FinishedRun(
        tracks=tracks,
        frames={
            each.camera: max(each.frames, int(last.get(each.camera, -1)) + 1)
            for each in summary.cameras
        },
        sources={each.camera: Path(each.source) for each in summary.inputs if each.source},
        gallery=results.crops() if results.record else {},
        status=summary.status,
    )


def tracks_alone(path: Path) -> FinishedRun:
    """Return what a table of tracks says by itself.

    Args:
        path: A CSV with the columns of a run's ``tracks.csv``.

    Raises:
        InputError: It is missing or malformed.
    """
    tracks = check_tracks(read_csv(path, what="tracks"), origin=f"tracks {path}")
    return FinishedRun(tracks=tracks, frames={}, sources={}, gallery={}, status="")
