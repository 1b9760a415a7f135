"""The folder of an archive as results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.datatypes import UNASSIGNED, Event, FloatArray
from pipeline.errors import ResultsError
from pipeline.foreign import unreadable
from pipeline.layout.archive import (
    ARCHIVE_RECORD,
    NEXT_IDENTITY,
    ArchiveFolder,
    embeddings_in,
    read_part,
    sighting_schema,
)
from pipeline.places import PATH_COLUMNS
from pipeline.results.base import Results, damage_told
from pipeline.results.pieces import SEQUENCE_COLUMNS, BoxSequence, Part, Picture
from pipeline.results.record import CameraCounts, CameraInput, FloorRecord, Record

__all__ = ["ArchiveResults"]

PLAIN = ["track_id", "first_time", "last_time", "frames", "quality", "file"]


class ArchiveResults(Results):
    """The folder of an archive.

    Args:
        path: The folder.

    Raises:
        ResultsError: Its record is damaged.
    """

    kind = "archive"
    record_file = ARCHIVE_RECORD
    table_file = "identities.parquet"

    def __init__(self, path: Path) -> None:
        self.folder = ArchiveFolder(path)
        super().__init__(path, self.folder.record())

    @property
    def is_resolved(self) -> bool:
        """Whether identities were resolved at least once."""
        return self.folder.identities_path.is_file()

    def summary(self) -> Record:
        """Return ``archive.json`` in the form that all kinds share."""
        try:
            return _summary(self.folder, self.record)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ResultsError(
                f"{self.folder.record_path} is damaged ({type(error).__name__}: {error}): run "
                "`reid-pipeline batch` again to write it again"
            ) from None
        except (OSError, pa.ArrowException) as error:
            boxes = self.path / "boxes"
            raise ResultsError(unreadable(boxes, error, mend="restore it")) from None

    def parts(self) -> list[Part]:
        """Return a file of sightings for each video file and day."""
        found = []
        for camera, _, path in self.folder.parts("sightings"):
            status = path.stat()
            key = path.relative_to(self.path).as_posix()
            stamp = f"{status.st_size}-{status.st_mtime_ns}"
            found.append(
                Part(key, stamp, damage_told(path)(partial(_read_sightings, path, camera)))
            )
        return found

    def next_identity(self) -> int:
        """Return the smallest number that was never given to anybody."""
        metadata = self.folder.identities().schema.metadata or {}
        return max(super().next_identity(), int(metadata.get(NEXT_IDENTITY, 1)))

    def resolved(self) -> pd.Series[int]:
        """Return the identity of every sighting by its name, before edits by hand."""
        table = self.folder.identities()
        names = table["tracklet_id"].to_pandas()
        return pd.Series(table["global_id"].to_numpy(), index=names)

    def sightings(self) -> pd.DataFrame:
        """Return one row a track; embeddings, which are most of an archive, are not read."""
        if self._sightings is None:
            with damage_told(self.path):
                owners = self.owners()
                tables = [
                    _plain(read_part(path, ["tracklet_id", *PLAIN], optional=PATH_COLUMNS), camera)
                    for camera, _, path in self.folder.parts("sightings")
                ]
                self._sightings = self._in_order(tables or [_no_sightings()], owners)
        return self._sightings.copy()

    def sequences(self, camera: str | None = None) -> Iterator[BoxSequence]:
        """Yield the boxes of one video file after the other."""
        try:
            owners = self.owners()
            for name, days in _days_by_file(self.folder).values():
                if camera is None or camera == name:
                    yield _file_boxes(self.folder, name, days, owners)
        except (KeyError, ValueError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())
            raise ResultsError(f"archive {self.path} is damaged: {reason}") from None

    def best_pictures(self, sightings: pd.DataFrame) -> dict[str, Picture]:
        """Return the thumbnail of each sighting, reading the days and cameras of these alone."""
        days = pd.to_datetime(sightings["first_time"], utc=True).dt.strftime("%Y-%m-%d")
        wanted: dict[tuple[str, str], set[str]] = {}
        for camera, day, name in zip(sightings["camera"], days, sightings["sighting"], strict=True):
            wanted.setdefault((camera, day), set()).add(name)
        found: dict[str, Picture] = {}
        for camera, day, path in self.folder.parts("sightings"):
            names = wanted.get((camera, day), set())
            if names:
                pictures = _pictures(self.folder, camera, day, path, names)
                wanted[camera, day] = names - pictures.keys()
                found |= pictures
        return found

    def events(self) -> Iterator[Event]:
        """Yield nothing: an archive is resolved as a whole."""
        yield from ()


def _plain(table: pa.Table, camera: str) -> pd.DataFrame:
    """Return the columns of sightings but ``global_id``."""
    placed = [name for name in PATH_COLUMNS if name in table.column_names]
    frame: pd.DataFrame = table.select(["tracklet_id", *PLAIN, *placed]).to_pandas()
    return frame.rename(columns={"tracklet_id": "sighting"}).assign(camera=camera)


def _no_sightings() -> pd.DataFrame:
    return _plain(sighting_schema(1).empty_table(), "")


def _read_sightings(path: Path, camera: str) -> tuple[pd.DataFrame, FloatArray]:
    table = read_part(path, ["tracklet_id", *PLAIN, "embedding"], optional=PATH_COLUMNS)
    return _plain(table, camera), embeddings_in(table, path)


def _days_by_file(folder: ArchiveFolder) -> dict[tuple[str, str], tuple[str, list[Path]]]:
    """Return camera and parts of every video file: one part for each day."""
    files: dict[tuple[str, str], tuple[str, list[Path]]] = {}
    for camera, _, path in folder.parts("sightings"):
        files.setdefault((camera, path.stem), (camera, []))[1].append(path)
    return files


def _file_boxes(
    folder: ArchiveFolder, camera: str, days: Sequence[Path], owners: pd.Series[int]
) -> BoxSequence:
    columns = ["tracklet_id", "track_id", "file"]
    sightings = pa.concat_tables(read_part(day, columns) for day in days).to_pandas()
    twins = [
        folder.part_path(
            "boxes", camera=camera, day=day.parent.name.removeprefix("day="), key=day.stem
        )
        for day in days
    ]
    boxes = pa.concat_tables(read_part(each) for each in twins).to_pandas()
    table = boxes.merge(sightings, on="tracklet_id", validate="many_to_one")
    owner = table["tracklet_id"].map(owners).fillna(UNASSIGNED).astype(np.int64)
    table = table.assign(global_id=owner).reindex(columns=SEQUENCE_COLUMNS)
    return BoxSequence(
        camera=camera,
        file=str(sightings["file"].iloc[0]) if len(sightings) else days[0].stem,
        sizes=(),
        boxes=table.sort_values(["frame", "track_id"], ignore_index=True),
    )


def _pictures(
    folder: ArchiveFolder, camera: str, day: str, path: Path, names: set[str]
) -> dict[str, Picture]:
    """Return the thumbnails of a part's sightings that are among some names."""
    wanted = pa.array(sorted(names), pa.string())
    rows = read_part(path, ["tracklet_id", "file", "best_time_s"])
    rows = rows.filter(pc.is_in(rows["tracklet_id"], value_set=wanted))
    twin = folder.part_path("thumbnails", camera=camera, day=day, key=path.stem)
    by_name: dict[str, bytes] = {}
    if len(rows) and twin.is_file():
        jpegs = read_part(twin, ["tracklet_id", "jpeg"])
        jpegs = jpegs.filter(pc.is_in(jpegs["tracklet_id"], value_set=wanted))
        by_name = dict(zip(*(jpegs[name].to_pylist() for name in jpegs.column_names), strict=True))
    return {
        row["tracklet_id"]: Picture(
            row["tracklet_id"],
            camera,
            row["file"],
            row["best_time_s"],
            by_name.get(row["tracklet_id"], b""),
        )
        for row in rows.to_pylist()
    }


def _summary(folder: ArchiveFolder, record: Mapping[str, Any]) -> Record:
    files: list[Mapping[str, Any]] = list(record.get("files", []))
    boxes: Counter[str] = Counter()
    tracks: Counter[str] = Counter()
    for table, counts in (("boxes", boxes), ("sightings", tracks)):
        for camera, _, path in folder.parts(table):
            with path.open("rb") as file:
                counts[camera] += pq.read_metadata(file).num_rows
    inputs, cameras = [], []
    for camera in record.get("cameras", []):
        own = [each for each in files if each["camera"] == camera]
        described = "1 file" if len(own) == 1 else f"{len(own):,} files"
        inputs.append(CameraInput(camera=camera, source=described))
        frames = sum(int(each.get("frames", 0)) for each in own)
        cameras.append(
            CameraCounts(camera=camera, frames=frames, boxes=boxes[camera], tracks=tracks[camera])
        )
    floor = record.get("floor")
    warnings = [str(each) for each in record.get("warnings", [])]
    for each in files:
        if each.get("status") == "skipped":
            warnings.append(f"{each['file']} was skipped: {each.get('reason', '')}")
        warnings += [f"{each['file']}: {text}" for text in each.get("warnings", [])]
    threshold = record.get("threshold")
    return Record(
        status=str(record.get("status", "")),
        versions={"reid-pipeline": str(record.get("version", ""))},
        resolved={
            "files": f"{len(files):,}",
            "times from": str(record.get("names", "")),
            **({} if threshold is None else {"threshold": float(threshold)}),
        },
        weights_sha256=str(record.get("weights_sha256", "")),
        inputs=inputs,
        cameras=cameras,
        warnings=warnings,
        floor=None if floor is None else FloorRecord.model_validate(floor),
    )
