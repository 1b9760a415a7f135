"""The folder of a run: which file holds what, its columns, and the names of its pictures.

::

    DIR/run.json             versions, settings, inputs, counts, status
    DIR/tracks.csv           one row a box; tracks.parquet is the same, typed
    DIR/identities.csv       one row a track
    DIR/embeddings.parquet   one row a track, with its embedding
    DIR/events.jsonl         one line a change of identities
    DIR/gallery/ID/          the best crops of every identity, see ``crop_name``
    DIR/CAMERA.mp4           annotated video; mosaic.mp4 shows all cameras side by side
    DIR/report.html
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

__all__ = [
    "EDITS",
    "EMBEDDINGS_PARQUET",
    "EMBEDDING_SCHEMA",
    "EVENTS_JSONL",
    "GALLERY",
    "IDENTITIES_CSV",
    "IDENTITY_COLUMNS",
    "MOSAIC",
    "REPORT",
    "RUN_FILES",
    "RUN_RECORD",
    "TRACKS_CSV",
    "TRACKS_PARQUET",
    "TRACK_COLUMNS",
    "TRACK_SCHEMA",
    "Crop",
    "crop_name",
    "gallery_folder",
    "parse_crop_name",
]

EDITS = "edits.jsonl"
"""Edits by hand, in runs, archives and recordings; see ``pipeline.layout.edit_log``."""
REPORT = "report.html"
RUN_RECORD = "run.json"
"""The file by which a folder is known to be a run's."""
TRACKS_CSV = "tracks.csv"
TRACKS_PARQUET = "tracks.parquet"
IDENTITIES_CSV = "identities.csv"
EMBEDDINGS_PARQUET = "embeddings.parquet"
EVENTS_JSONL = "events.jsonl"
GALLERY = "gallery"
MOSAIC = "mosaic.mp4"
RUN_FILES = (
    TRACKS_CSV,
    TRACKS_PARQUET,
    IDENTITIES_CSV,
    EMBEDDINGS_PARQUET,
    EVENTS_JSONL,
    GALLERY,
    MOSAIC,
    EDITS,
    REPORT,
    RUN_RECORD,
)
"""What a run writes, beside one video per camera."""

TRACK_SCHEMA = pa.schema(
    {
        "camera": pa.string(),
        "frame": pa.int64(),
        "time_s": pa.float64(),
        "track_id": pa.int64(),
        "global_id": pa.int64(),
        **dict.fromkeys(["x", "y", "w", "h", "score"], pa.float32()),
    }
)
"""``tracks.parquet``; pixels, ``x, y`` is the corner at the top left."""
TRACK_COLUMNS: list[str] = list(TRACK_SCHEMA.names)
"""``tracks.csv``; where a camera is calibrated, ``PLACE_COLUMNS`` follow, empty where unknown."""
IDENTITY_COLUMNS = [
    "global_id",
    "camera",
    "track_id",
    "first_s",
    "last_s",
    "frames",
    "similarity",
]
"""``identities.csv``; where a camera is calibrated, ``PATH_COLUMNS`` follow."""
EMBEDDING_SCHEMA = pa.schema(
    {
        "camera": pa.string(),
        "track_id": pa.int64(),
        "global_id": pa.int64(),
        "first_s": pa.float64(),
        "last_s": pa.float64(),
        "frames": pa.int64(),
        "weight": pa.float32(),
        "embedding": pa.list_(pa.float32()),
    }
)
"""``embeddings.parquet``; the embedding is the unit mean, empty where no crop was good enough."""

CROP_NAME = re.compile(r"(?P<camera>.+)_t(?P<track>\d+)_(?P<ms>-?\d+)ms\.jpg")


class Crop(NamedTuple):
    """What the name of a crop says; the time is in seconds of the run."""

    camera: str
    track_id: int
    time_s: float


def crop_name(camera: str, track_id: int, time_s: float) -> str:
    """Return the file name of a crop in the gallery."""
    return f"{camera}_t{track_id}_{round(time_s * 1000)}ms.jpg"


def parse_crop_name(name: str) -> Crop | None:
    """Return what ``crop_name`` was given, ``None`` for the name of another file."""
    parts = CROP_NAME.fullmatch(name)
    if parts is None:
        return None
    return Crop(parts["camera"], int(parts["track"]), int(parts["ms"]) / 1000)


def gallery_folder(run: Path, global_id: int) -> Path:
    """Return where the crops of an identity lie: its number with at least four digits."""
    return run / GALLERY / f"{global_id:04d}"
