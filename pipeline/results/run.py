"""The folder of a run as results."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import are_embeddings
from pipeline.datatypes import UNASSIGNED, Event, FloatArray
from pipeline.errors import ResultsError
from pipeline.foreign_tables import numbers_in, read_csv
from pipeline.layout.edits import sighting_name
from pipeline.layout.files import read_table
from pipeline.layout.recording import read_events
from pipeline.layout.run import (
    EMBEDDINGS_PARQUET,
    EVENTS_JSONL,
    GALLERY,
    IDENTITIES_CSV,
    RUN_RECORD,
    TRACKS_CSV,
    parse_crop_name,
)
from pipeline.places import PATH_COLUMNS
from pipeline.results.base import Results, damage_told
from pipeline.results.pieces import BoxSequence, Part, Picture, taking_turns
from pipeline.results.record import Record, read_record
from pipeline.results.run_boxes import read_boxes, recorded_cameras

__all__ = ["RunResults"]


class RunResults(Results):
    """The folder of a run.

    Args:
        path: The folder.

    Raises:
        ResultsError: Its record is damaged.
    """

    kind = "run"
    record_file = RUN_RECORD
    table_file = IDENTITIES_CSV

    def __init__(self, path: Path) -> None:
        record, self._summary = read_record(
            path / RUN_RECORD, way_out="run again, or move it away to go on without it"
        )
        super().__init__(path, record)
        self._identities: pd.DataFrame | None = None
        self._crops: dict[tuple[str, int], list[tuple[float, Path]]] | None = None

    @property
    def is_resolved(self) -> bool:
        """Whether the run got as far as its identities."""
        return (self.path / IDENTITIES_CSV).is_file()

    def summary(self) -> Record:
        """Return the record in the form that all kinds share."""
        return self._summary

    def parts(self) -> list[Part]:
        """Return the one file of sightings."""
        path = self.path / IDENTITIES_CSV
        self._table()  # raises where there is none
        status = path.stat()
        stamp = f"{status.st_size}-{status.st_mtime_ns}"
        return [Part(path.name, stamp, damage_told(self.path)(self._sightings_part))]

    def sequences(self, camera: str | None = None) -> Iterator[BoxSequence]:
        """Yield the boxes of one camera after the other."""
        inputs = {each.camera: each for each in self._summary.inputs}
        sizes = {each.camera: each.sizes for each in self._summary.cameras}
        path = self.path / TRACKS_CSV
        owners = self.owners() if self.is_resolved else None
        present = recorded_cameras(path)
        cameras = [*inputs, *sorted(set(present) - set(inputs))]
        if camera is not None:
            cameras = [each for each in cameras if each == camera]
        for name, boxes in read_boxes(path, cameras, counts=present):
            if owners is not None:
                names = [sighting_name(name, track) for track in boxes["track_id"].tolist()]
                found = owners.reindex(names, fill_value=UNASSIGNED).to_numpy(np.int64)
                boxes = boxes.assign(global_id=found)  # noqa: PLW2901
            known = inputs.get(name)
            yield BoxSequence(
                camera=name,
                file="" if known is None else known.name,
                sizes=sizes.get(name) or ([] if known is None else known.sizes),
                boxes=boxes,
            )

    def pictures_of(
        self, people: Sequence[int], count: int | None = None
    ) -> dict[int, list[Picture]]:
        """Return crops that the run kept; files that cannot be read are left out."""
        crops = self.crops()
        table = self.sightings()
        known = table[table["global_id"].isin(people)]
        found: dict[int, list[Picture]] = {number: [] for number in people}
        for number, own in known.groupby("global_id"):
            by_camera: dict[str, list[tuple[str, str, float, Path]]] = {}
            tracks = zip(own["sighting"], own["camera"], own["track_id"], strict=True)
            for sighting, camera, track in tracks:
                for at_s, path in crops.get((camera, track), []):
                    by_camera.setdefault(camera, []).append((path.name, sighting, at_s, path))
            ordered = {camera: sorted(by_camera[camera]) for camera in sorted(by_camera)}
            found[int(str(number))] = [
                Picture(sighting, _camera_of(sighting), "", at_s, path.read_bytes())
                for _, sighting, at_s, path in taking_turns(ordered, count)
            ]
        return found

    def best_pictures(self, sightings: pd.DataFrame) -> dict[str, Picture]:
        """Return the first crop of each sighting in the gallery."""
        crops = self.crops()
        found = {}
        for sighting in sightings["sighting"]:
            camera, _, track = sighting.rpartition("/")
            for at_s, path in crops.get((camera, int(track)), [])[:1]:
                found[sighting] = Picture(sighting, camera, "", at_s, path.read_bytes())
        return found

    def crops(self) -> Mapping[tuple[str, int], list[tuple[float, Path]]]:
        """Return time (seconds of the run) and file of each crop, by camera and track."""
        if self._crops is None:
            self._crops = {}
            for path in sorted((self.path / GALLERY).glob("*/*.jpg")):
                crop = parse_crop_name(path.name)
                if crop is not None and _is_own_file(path):
                    key = crop.camera, crop.track_id
                    self._crops.setdefault(key, []).append((crop.time_s, path))
        return self._crops

    def events(self) -> Iterator[Event]:
        """Yield what ``events.jsonl`` holds."""
        yield from read_events(self.path / EVENTS_JSONL)

    def resolved(self) -> pd.Series[int]:
        """Return the identity of every sighting by its name, before edits by hand."""
        return self._table().set_index("sighting")["global_id"]

    def _sightings_part(self) -> tuple[pd.DataFrame, FloatArray]:
        table = self._table().drop(columns="global_id")
        return table, _embeddings(self.path / EMBEDDINGS_PARQUET, table["sighting"].tolist())

    def _table(self) -> pd.DataFrame:
        if self._identities is None:
            self._identities = _read_identities(self.path / IDENTITIES_CSV)
        return self._identities


def _camera_of(sighting: str) -> str:
    return sighting.rpartition("/")[0]


def _read_identities(path: Path) -> pd.DataFrame:
    """Return ``identities.csv``: the columns of sightings."""
    if not path.exists():
        raise ResultsError(
            f"{path} does not exist: either {path.parent} is no run's folder, or the run did not "
            "finish; run it again"
        )
    found = read_csv(path, what="identities", all_text=True, raises=ResultsError)
    rows = [
        _identity(row, f"{path} row {number}")
        for number, row in enumerate(found.to_dict("records"), start=1)
    ]
    table = pd.DataFrame(
        rows, columns=["camera", "track_id", "global_id", "first_time", "last_time", "frames"]
    )
    types = {"track_id": np.int64, "global_id": np.int64, "frames": np.int64}
    table = table.astype({**types, "first_time": np.float64, "last_time": np.float64})
    pairs = zip(table["camera"], table["track_id"], strict=True)
    names = pd.Series([sighting_name(*pair) for pair in pairs], dtype=object)
    placed = {name: numbers_in(found[name], whole=False) for name in PATH_COLUMNS if name in found}
    return table.assign(sighting=names, quality=np.nan, file="", **placed)


def _identity(row: Mapping[Any, str], origin: str) -> tuple[str, int, int, float, float, int]:
    try:
        first_s, last_s = float(row["first_s"]), float(row["last_s"])
        whole = [int(row[name]) for name in ("track_id", "global_id", "frames")]
        track, person, frames = np.array(whole, np.int64).tolist()
        found = (row["camera"], track, person, first_s, last_s, frames)
    except (KeyError, OverflowError, TypeError, ValueError, RecursionError) as error:
        raise ResultsError(
            f"{origin} is damaged ({type(error).__name__}: {error}): expected the columns "
            "global_id, camera, track_id, first_s, last_s, frames"
        ) from None
    if not (math.isfinite(first_s) and math.isfinite(last_s) and first_s <= last_s):
        raise ResultsError(f"{origin} is damaged: it goes from {first_s} s to {last_s} s")
    return found


def _embeddings(path: Path, sightings: Sequence[str]) -> FloatArray:
    """Return a row for each sighting, zeros for those without an embedding."""
    if not path.is_file():
        return np.zeros((len(sightings), 0), np.float32)
    table = read_table(
        path, ["camera", "track_id", "embedding"], way_out="run `reid-pipeline run` again"
    )
    columns = (table[name].to_pylist() for name in table.column_names)
    rows = {
        sighting_name(camera, track): np.array(vector, np.float32)
        for camera, track, vector in zip(*columns, strict=True)
        if vector
    }
    lengths = {len(vector) for vector in rows.values()}
    if len(lengths) > 1:
        raise ResultsError(f"{path} is damaged, its embeddings differ in length: run again")
    dim = max(lengths, default=0)
    vectors = np.zeros((len(sightings), dim), np.float32)
    for row, name in enumerate(sightings):
        if name in rows:
            vectors[row] = rows[name]
    if not are_embeddings(vectors).all():
        raise ResultsError(f"{path} is damaged, its embeddings are no unit vectors: run again")
    return vectors


def _is_own_file(path: Path) -> bool:
    # Whatever a link of a stranger's folder leads to would be shown, and passed on in reports.
    return path.is_file() and not path.is_symlink() and os.access(path, os.R_OK)
