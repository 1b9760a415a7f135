"""The folder of a live run as results, also while it is being written."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.arrays import are_embeddings
from pipeline.datatypes import UNASSIGNED, Event, FloatArray
from pipeline.errors import ResultsError
from pipeline.foreign_tables import read_csv_in_pieces
from pipeline.layout.database import open_reader
from pipeline.layout.edits import sighting_name
from pipeline.layout.recording import (
    LOG_COLUMNS,
    RECORDING_RECORD,
    REGISTRY,
    Kind,
    Recorded,
    is_held,
    plain_camera,
    read_events,
    recorded_files,
)
from pipeline.places import PATH_COLUMNS, PLACE_COLUMNS
from pipeline.results.base import Results, damage_told
from pipeline.results.pieces import SEQUENCE_COLUMNS, BoxSequence, Part, Picture
from pipeline.results.record import CameraCounts, CameraInput, Record, read_record
from pipeline.whole_lines import read_whole

__all__ = ["RecordingResults"]

log = logging.getLogger(__name__)

BEING_WRITTEN = (
    "still being written: what has no identity yet, the last second, and video files that are "
    "not finished are left out"
)
KILLED = "the last live run was killed: up to its last second is missing"
SIGHTINGS = (
    "SELECT sighting AS row, camera, track AS track_id, found, first_s, last_s, frames, quality, "
    "x_m, y_m, uncertainty_m, speed_m_s FROM sightings LEFT JOIN places USING (sighting) "
    "ORDER BY sighting"
)
ROWS_AT_ONCE = 500
"""SQLite takes some thousands of parameters."""


class RecordingResults(Results):
    """The folder of a live run.

    Sightings are those of the moment at which they are first asked for: a run that goes on does
    not change them. Boxes of tracks that never got an identity have -1 and are no sighting.

    Args:
        path: The folder.

    Raises:
        ResultsError: Its record is missing or damaged.
    """

    kind = "recording"
    record_file = RECORDING_RECORD
    table_file = REGISTRY
    is_resolved = True

    def __init__(self, path: Path) -> None:
        file = path / RECORDING_RECORD
        again = "run `reid-pipeline live` into that folder once more"
        if not file.is_file():
            raise ResultsError(f"{file} does not exist: {again}")
        record, self._summary = read_record(file, way_out=again)
        super().__init__(path, record)
        self._stored: pd.DataFrame | None = None

    def summary(self) -> Record:
        """Return ``recording.json`` in the form that all kinds share."""
        table = self._table()
        cameras = [each.camera for each in self._summary.inputs]
        cameras += sorted(set(table["camera"]) - set(cameras))
        own = table.groupby("camera")["frames"].agg(["sum", "size"])
        counts = [
            CameraCounts(camera=name, boxes=int(own["sum"][name]), tracks=int(own["size"][name]))
            if name in own.index
            else CameraCounts(camera=name)
            for name in cameras
        ]
        warnings = list(self._summary.warnings)
        if is_held(self.path):
            warnings.append(BEING_WRITTEN)
        elif self._summary.status != "complete":
            warnings.append(KILLED)
        inputs = [*self._summary.inputs]
        inputs += [CameraInput(camera=name) for name in cameras[len(inputs) :]]
        changed = {"inputs": inputs, "cameras": counts, "warnings": warnings}
        return self._summary.model_copy(update=changed)

    def parts(self) -> list[Part]:
        """Return the one file of sightings."""
        files = [self.path / REGISTRY, self.path / f"{REGISTRY}-wal"]
        states = [each.stat() for each in files if each.exists()]
        stamp = ",".join(f"{each.st_size}-{each.st_mtime_ns}" for each in states)
        return [Part(REGISTRY, stamp, damage_told(self.path)(self._sightings_part))]

    def sightings(self) -> pd.DataFrame:
        """Return one row a track; embeddings, which are most of it, are not read."""
        if self._sightings is None:
            with damage_told(self.path):
                self._sightings = self._in_order([_plain(self._table())], self.owners())
        return self._sightings.copy()

    def sequences(self, camera: str | None = None) -> Iterator[BoxSequence]:
        """Yield the boxes of one camera in one file of the log after the other."""
        owners = self.owners()
        for file in self._files(Kind.TRACKS):
            boxes = _read_log(file.path)
            if camera is not None:
                boxes = boxes[boxes["camera"] == camera]
            if boxes.empty:
                continue
            pairs = zip(boxes["camera"], boxes["track_id"], strict=True)
            found = owners.reindex([sighting_name(*pair) for pair in pairs], fill_value=UNASSIGNED)
            boxes = boxes.assign(global_id=found.to_numpy(np.int64))
            for name, of_camera in boxes.groupby("camera", sort=True):
                # Two runs in one file both count their frames from 0.
                for number, (_, rows) in enumerate(of_camera.groupby("run", sort=True), start=1):
                    stem = file.path.stem if number == 1 else f"{file.path.stem}-{number}"
                    ordered = rows.reindex(columns=SEQUENCE_COLUMNS).sort_values(
                        ["frame", "track_id"], ignore_index=True
                    )
                    yield BoxSequence(str(name), f"{name}-{stem}", (), ordered)

    def best_pictures(self, sightings: pd.DataFrame) -> dict[str, Picture]:
        """Return the thumbnail of each sighting."""
        names, cameras = sightings["sighting"].tolist(), sightings["camera"].tolist()
        rows = self._table().set_index("sighting")["row"].reindex(names).dropna().astype(np.int64)
        jpegs = self._blobs("jpeg", "thumbnails", rows.tolist())
        return {
            name: Picture(name, camera, "", None, jpegs[rows[name]])
            for name, camera in zip(names, cameras, strict=True)
            if rows.get(name) in jpegs
        }

    def events(self) -> Iterator[Event]:
        """Yield the events of all files, as they were told."""
        for file in self._files(Kind.EVENTS):
            yield from read_events(file.path)

    def videos(self) -> list[Recorded]:
        """Return the finished files of annotated video, by their begin."""
        return [each for each in self._files(Kind.VIDEO) if not each.partial]

    def _files(self, kind: Kind) -> list[Recorded]:
        found = recorded_files(self.path, [kind])
        return sorted(found, key=lambda each: (each.begun_s, each.path))

    def next_identity(self) -> int:
        """Return the smallest number that was never given to anybody."""
        with open_reader(self.path / REGISTRY) as reader:
            row = reader.execute("SELECT next FROM counters WHERE name = 'identity'").fetchone()
        return max(super().next_identity(), int(row["next"]) if row else 1)

    def resolved(self) -> pd.Series[int]:
        """Return the identity of every sighting by its name, before edits by hand."""
        table = self._table()
        found = table["found"].fillna(UNASSIGNED).astype(np.int64)
        return pd.Series(found.to_numpy(), index=table["sighting"])

    def _table(self) -> pd.DataFrame:
        if self._stored is None:
            with open_reader(self.path / REGISTRY) as reader:
                cursor = reader.execute(SIGHTINGS)
                columns = [each[0] for each in cursor.description]
                table = pd.DataFrame(map(tuple, cursor), columns=columns)
            pairs = zip(table["camera"], table["track_id"], strict=True)
            names = pd.Series([sighting_name(*pair) for pair in pairs], dtype=object)
            self._stored = table.assign(sighting=names)
        return self._stored

    def _sightings_part(self) -> tuple[pd.DataFrame, FloatArray]:
        table = self._table()
        blobs = self._blobs("vector", "embeddings", table["row"].tolist())
        vectors = {row: np.frombuffer(each, np.float32) for row, each in blobs.items()}
        dim = max(map(len, vectors.values()), default=0)
        stacked = np.zeros((len(table), dim), np.float32)
        for place, row in enumerate(table["row"].tolist()):
            if row in vectors:
                stacked[place] = vectors[row]
        if damaged := np.flatnonzero(~are_embeddings(stacked)).tolist():
            # Cameras cannot be asked again: what is left can still be searched.
            log.warning("%s: damaged embeddings left out: %d", self.path / REGISTRY, len(damaged))
            stacked[damaged] = 0
        return _plain(table), stacked

    def _blobs(self, column: str, table: str, rows: Sequence[int]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        with open_reader(self.path / REGISTRY) as reader:
            for start in range(0, len(rows), ROWS_AT_ONCE):
                some = rows[start : start + ROWS_AT_ONCE]
                places = ",".join("?" * len(some))
                sql = f"SELECT sighting, {column} FROM {table} WHERE sighting IN ({places})"  # nosec B608 # texts of this file
                found |= {row[0]: bytes(row[1]) for row in reader.execute(sql, some)}
        return found


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of sightings but ``global_id``."""
    names = ["sighting", "camera", "track_id", "frames", "quality", *PATH_COLUMNS]
    times = {f"{end}_time": _utc(table[f"{end}_s"]) for end in ("first", "last")}
    whole = table[names].astype({"track_id": np.int64, "frames": np.int64})
    whole = whole.astype(dict.fromkeys(["quality", *PATH_COLUMNS], np.float64))
    return whole.assign(**times, file="")


def _utc(seconds: pd.Series[float]) -> pd.Series[pd.Timestamp]:
    microseconds = np.round(seconds.to_numpy(np.float64) * 1e6).astype("datetime64[us]")
    return pd.Series(microseconds, index=seconds.index).dt.tz_localize("UTC")


def _read_log(path: Path) -> pd.DataFrame:
    """Return a log of tracks; half a line at its end, being written, is left out."""
    try:
        content = read_whole(path)
    except FileNotFoundError:  # deleted meanwhile
        content = b""
    except OSError as error:
        raise ResultsError(f"tracks {path} cannot be read: {error.strerror}") from None
    if not content:  # just begun
        return pd.DataFrame(columns=LOG_COLUMNS)
    table = next(read_csv_in_pieces(path, what="tracks", raises=ResultsError, content=content))
    try:
        placed = [name for name in PLACE_COLUMNS if name in table]
        table = table[[*LOG_COLUMNS, *placed]].astype({"frame": np.int64, "track_id": np.int64})
        table = table.astype(
            dict.fromkeys(["time_s", "x", "y", "w", "h", "score", *placed], np.float64)
        )
    except (KeyError, ValueError, RecursionError) as error:
        raise ResultsError(f"tracks {path} is damaged ({error}): remove that line") from None
    camera = table["camera"].map(plain_camera)
    return table.assign(camera=camera, time=_utc(table["time_s"]))
