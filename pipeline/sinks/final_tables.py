"""The tables of a run as they are at its end: final identities, filled gaps, embeddings."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.datatypes import UNASSIGNED, FloatArray, Identities, Tracklet
from pipeline.layout.files import cannot_write, write_atomically
from pipeline.layout.run import (
    EMBEDDING_SCHEMA,
    EMBEDDINGS_PARQUET,
    IDENTITIES_CSV,
    IDENTITY_COLUMNS,
    TRACK_COLUMNS,
    TRACK_SCHEMA,
    TRACKS_CSV,
    TRACKS_PARQUET,
)
from pipeline.places import PATH_COLUMNS, PLACE_COLUMNS, cell
from pipeline.places import Path as FloorPath
from pipeline.sinks.gaps import FilledRow, Gaps

__all__ = ["FinalTables"]

CHUNK_ROWS = 50_000
"""Rows that are held at a time while the tables are rewritten with final identities."""


class FinalTables:
    """Rewrites ``tracks.csv`` with final identities and writes the other tables.

    Args:
        folder: The run's folder.
        gaps: The boxes that tracks lack.
        on_floor: Whether a camera is calibrated: then the tables have places.
    """

    def __init__(self, folder: Path, gaps: Gaps, *, on_floor: bool) -> None:
        self._folder = folder
        self._gaps = gaps
        self._on_floor = on_floor
        self._columns = [*TRACK_COLUMNS, *(PLACE_COLUMNS if on_floor else ())]
        self._path = folder / TRACKS_CSV

    def write(self, identities: Identities, tracklets: Sequence[Tracklet]) -> None:
        """Write all of them.

        Raises:
            SinkError: The disk is full or gone; ``tracks.csv`` then keeps its online ids.
        """
        self._finish_tracks(identities)
        self._write_identities(identities, tracklets)
        self._write_embeddings(identities, tracklets)

    def _finish_tracks(self, identities: Identities) -> None:
        csv_partial = self._folder / f"{TRACKS_CSV}.partial"
        parquet = self._folder / TRACKS_PARQUET
        parquet_partial = self._folder / f"{TRACKS_PARQUET}.partial"
        try:
            with (
                csv_partial.open("w", encoding="utf-8", newline="") as file,
                # An open file, as a path with a colon would be taken for an address.
                parquet_partial.open("wb") as table,
                closing(pq.ParquetWriter(table, self._schema())) as writer,
            ):
                file.write(",".join(self._columns) + "\n")
                for rows in self._filled(self._chunks()):
                    pairs = zip(rows["camera"], rows["track_id"].astype(int), strict=True)
                    final = [identities.global_id(camera, track) for camera, track in pairs]
                    rows["global_id"] = [str(number) for number in final]
                    rows.to_csv(file, header=False, index=False, lineterminator="\n")
                    writer.write_table(_typed(rows, self._schema()))
            csv_partial.replace(self._path)
            parquet_partial.replace(parquet)
        except OSError as error:
            csv_partial.unlink(missing_ok=True)
            parquet_partial.unlink(missing_ok=True)
            raise cannot_write(self._path, error) from None

    def _schema(self) -> pa.Schema:
        schema = TRACK_SCHEMA
        for name in self._columns[len(TRACK_COLUMNS) :]:
            schema = schema.append(pa.field(name, pa.float32()))
        return schema

    def _chunks(self) -> Iterator[pd.DataFrame]:
        # As text, so that what the rewriting does not change stays the same to the last digit.
        with self._path.open(encoding="utf-8", newline="") as file:
            yield from pd.read_csv(file, dtype=str, chunksize=CHUNK_ROWS, keep_default_na=False)

    def _filled(self, chunks: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Yield the chunks with the filled rows among them, and those after the last one."""
        filled = self._gaps.rows()
        waiting = next(filled, None)
        for rows in chunks:
            here = []
            while waiting is not None and waiting.before <= rows.index[-1]:
                here.append(waiting)
                waiting = next(filled, None)
            if here:
                extra = _filled_rows(here, self._columns).set_index(
                    pd.Index([row.before for row in here])
                )
                rows = pd.concat([extra, rows]).sort_index(kind="stable")  # noqa: PLW2901
            yield rows
        if waiting is not None:
            yield _filled_rows([waiting, *filled], self._columns)

    def _write_identities(self, identities: Identities, tracklets: Sequence[Tracklet]) -> None:
        paths = {(each.camera, each.track_id): each.path for each in tracklets}
        rows = [
            (
                each.global_id,
                camera,
                track_id,
                f"{each.first_s:.3f}",
                f"{each.last_s:.3f}",
                each.frames,
                f"{each.similarity:.4f}",
                *(_path_cells(paths.get((camera, track_id))) if self._on_floor else ()),
            )
            for (camera, track_id), each in identities.by_track.items()
        ]
        rows.sort(key=lambda row: (row[0] == UNASSIGNED, row[0], float(row[3]), row[1], row[2]))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*IDENTITY_COLUMNS, *(PATH_COLUMNS if self._on_floor else ())])
        writer.writerows(rows)
        write_atomically(self._folder / IDENTITIES_CSV, text.getvalue().encode())

    def _write_embeddings(self, identities: Identities, tracklets: Sequence[Tracklet]) -> None:
        """Write one row per tracklet; embeddings are biometric, so only the owner may read."""
        columns: dict[str, list[Any]] = {name: [] for name in EMBEDDING_SCHEMA.names}
        for tracklet in tracklets:
            row = {
                "camera": tracklet.camera,
                "track_id": tracklet.track_id,
                "global_id": identities.global_id(tracklet.camera, tracklet.track_id),
                "first_s": tracklet.first_s,
                "last_s": tracklet.last_s,
                "frames": tracklet.frames,
                "weight": tracklet.weight,
                "embedding": _unit(tracklet.embedding_sum),
            }
            for name, value in row.items():
                columns[name].append(value)
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns, schema=EMBEDDING_SCHEMA), buffer)
        write_atomically(self._folder / EMBEDDINGS_PARQUET, buffer.getvalue(), private=True)


def _filled_rows(filled: Sequence[FilledRow], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as text; a box that was not detected has score 0, and no place."""
    rows = []
    for each in filled:
        x1, y1, x2, y2 = each.xyxy
        place = [f"{value:.2f}" for value in (x1, y1, x2 - x1, y2 - y1)]
        head = [each.camera, str(each.frame), each.time, str(each.track_id), str(UNASSIGNED)]
        rows.append([*head, *place, "0.0000"])
    table = pd.DataFrame(rows, columns=TRACK_COLUMNS, dtype=str)
    return table.reindex(columns=list(columns), fill_value="")


def _typed(rows: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    numbers = {name: pd.to_numeric(rows[name]) for name in schema.names if name != "camera"}
    return pa.Table.from_pandas(rows.assign(**numbers), schema=schema, preserve_index=False)


def _path_cells(path: FloorPath | None) -> Iterator[str]:
    return map(cell, (math.nan,) * len(PATH_COLUMNS) if path is None else path.cells())


def _unit(vector: FloatArray) -> list[float]:
    norm = float(np.linalg.norm(vector))
    return [] if norm == 0 else (vector / norm).tolist()
