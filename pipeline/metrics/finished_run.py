"""What a score needs of a finished run: its boxes, how far it came, where its pictures are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import InputError
from pipeline.metrics.ground_truth import read_csv
from pipeline.metrics.tables import check_tracks

__all__ = ["FinishedRun", "read_run"]

GALLERY_CROP = re.compile(r"(?P<camera>.+)_t(?P<track>\d+)_(?P<ms>-?\d+)ms\.jpg")


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


def read_run(path: Path) -> FinishedRun:
    """Read a run.

    Args:
        path: The folder of a run, or a tracks CSV alone.

    Raises:
        InputError: The tracks are missing or malformed.
    """
    folder = path if path.is_dir() else path.parent
    csv = path / "tracks.csv" if path.is_dir() else path
    tracks = check_tracks(read_csv(csv, kind="tracks"), origin=f"tracks {csv}")
    record = _record(folder) if csv.name == "tracks.csv" else {}
    frames = {str(each["camera"]): int(each["frames"]) for each in record.get("cameras", [])}
    # Frames that were left out as damaged keep their number, so boxes can lie beyond the count.
    last = tracks.groupby("camera")["frame"].max()
    frames = {camera: max(count, int(last.get(camera, -1)) + 1) for camera, count in frames.items()}
    return FinishedRun(
        tracks=tracks,
        frames=frames,
        sources={str(each["camera"]): Path(each["source"]) for each in record.get("inputs", [])},
        gallery=_gallery(folder / "gallery") if record else {},
        status=str(record.get("status", "")),
    )


def _record(folder: Path) -> dict[str, Any]:
    """Return ``run.json``, empty where there is none.

    Raises:
        InputError: It is there but cannot be understood.
    """
    path = folder / "run.json"
    if not path.exists():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        _ = [(each["camera"], int(each["frames"])) for each in record.get("cameras", [])]
        _ = [(each["camera"], Path(each["source"])) for each in record.get("inputs", [])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"run record {path} is damaged ({type(error).__name__}: {error}): give the "
            "tracks.csv under another name to score it without the record"
        ) from None
    return dict(record)


def _gallery(folder: Path) -> dict[tuple[str, int], list[tuple[float, Path]]]:
    crops: dict[tuple[str, int], list[tuple[float, Path]]] = {}
    for path in sorted(folder.glob("*/*.jpg")):
        parts = GALLERY_CROP.fullmatch(path.name)
        if parts:
            key = (parts["camera"], int(parts["track"]))
            crops.setdefault(key, []).append((int(parts["ms"]) / 1000, path))
    return crops
