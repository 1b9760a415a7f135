"""The folder of an archive: which file holds what, and its columns.

::

    DIR/archive.json                                settings, cameras, files, status
    DIR/sightings/camera=C/day=D/PART.parquet       one row a tracklet
    DIR/boxes/camera=C/day=D/PART.parquet           one row a box
    DIR/thumbnails/camera=C/day=D/PART.parquet      one JPEG a tracklet
    DIR/identities.parquet                          tracklet_id -> global_id
    DIR/index/                                      for search, made anew where it is missing
    DIR/work/                                       the journal
    DIR/report.html

``camera`` and ``day`` are in the path alone, as Hive partitions are. ``PART`` is the key of
the video file that the rows come from, so a part is written by one unit of work. A tracklet
is in the partition of the day (UTC) on which it began, with its boxes and its thumbnail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.arrays import FloatArray, are_embeddings
from pipeline.errors import ResultsError
from pipeline.foreign import read_regular
from pipeline.layout.files import as_json, read_table, write_private, write_table

__all__ = [
    "ARCHIVE_RECORD",
    "BOX_SCHEMA",
    "FLOOR_PATH",
    "IDENTITIES_PARQUET",
    "IDENTITY_SCHEMA",
    "NEXT_IDENTITY",
    "TABLES",
    "THUMBNAIL_SCHEMA",
    "TIME",
    "ArchiveFolder",
    "embeddings_in",
    "read_part",
    "sighting_schema",
    "with_places",
]

ARCHIVE_RECORD = "archive.json"
"""The file by which a folder is known to be an archive's."""
IDENTITIES_PARQUET = "identities.parquet"
TABLES = ("sightings", "boxes", "thumbnails")
"""The partitioned tables."""
TIME = pa.timestamp("us", tz="UTC")
BOX_SCHEMA = pa.schema(
    {
        "tracklet_id": pa.string(),
        "frame": pa.int64(),
        "time": TIME,
        **dict.fromkeys(["x", "y", "w", "h", "score"], pa.float32()),
    }
)
"""Of ``boxes``; where the camera is calibrated, ``PLACE_COLUMNS`` follow."""
THUMBNAIL_SCHEMA = pa.schema({"tracklet_id": pa.string(), "jpeg": pa.binary()})
IDENTITY_SCHEMA = pa.schema(
    {"tracklet_id": pa.string(), "global_id": pa.int64(), "similarity": pa.float32()}
)
FLOOR_PATH = {"path_first": pa.int64(), "path": pa.list_(pa.float32())}
NEXT_IDENTITY = b"next_identity"
"""Key in the schema's metadata of ``identities.parquet``: the smallest number never given out."""


def sighting_schema(dim: int) -> pa.Schema:
    """Return the columns of ``sightings``, with embeddings of ``dim`` numbers.

    ``embedding`` is the unit mean, null where no crop was good enough. ``weight`` is the sum of
    the crops' qualities and ``agreement`` the length of their mean in [0, 1], so the sum of the
    weighted embeddings is ``embedding * agreement * weight``. ``visible_s`` are the seconds for which it
    was visible, each weighted by the detector's score. The best box is that of the
    thumbnail, in pixels; ``best_time_s`` counts from the start of ``file``. Where the camera is
    calibrated, ``PATH_COLUMNS`` and ``FLOOR_PATH`` follow: the whole path, flat, and its first slot.
    """
    return pa.schema(
        {
            "tracklet_id": pa.string(),
            "track_id": pa.int64(),
            "first_time": TIME,
            "last_time": TIME,
            "file": pa.string(),
            "frames": pa.int64(),
            "quality": pa.float32(),
            "best_time_s": pa.float64(),
            **dict.fromkeys(["best_x", "best_y", "best_w", "best_h"], pa.float32()),
            "weight": pa.float32(),
            "visible_s": pa.float32(),
            "agreement": pa.float32(),
            "embedding": pa.list_(pa.float32(), dim),
        }
    )


@dataclass(frozen=True, slots=True)
class ArchiveFolder:
    """Where the parts of an archive are.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def record_path(self) -> Path:
        """``archive.json``."""
        return self.path / ARCHIVE_RECORD

    @property
    def identities_path(self) -> Path:
        """``identities.parquet``."""
        return self.path / IDENTITIES_PARQUET

    @property
    def index_path(self) -> Path:
        """The folder of the search index."""
        return self.path / "index"

    @property
    def work_path(self) -> Path:
        """The folder of the journal."""
        return self.path / "work"

    def record(self) -> dict[str, Any]:
        """Return ``archive.json``, empty where there is none yet.

        Raises:
            ResultsError: It is damaged.
        """
        try:
            content = json.loads(read_regular(self.record_path))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise ResultsError(
                f"{self.record_path} cannot be read ({error}): choose another"
            ) from None
        if not isinstance(content, dict):
            raise ResultsError(f"{self.record_path} is no archive's record: choose another folder")
        return content

    def identities(self) -> pa.Table:
        """Return ``identities.parquet``.

        Raises:
            ResultsError: There is none yet, or it is damaged.
        """
        if not self.identities_path.is_file():
            raise ResultsError(
                f"{self.identities_path} does not exist: the archive was interrupted; run "
                "`reid-pipeline batch` again with the same --out, and it goes on where it was"
            )
        return read_table(
            self.identities_path,
            way_out="remove it and run `reid-pipeline batch` again, which assigns new numbers to all identities",
        )

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Replace ``archive.json``.

        Raises:
            SinkError: It cannot be written.
        """
        write_private(self.record_path, as_json(record))

    def part_path(self, table: str, *, camera: str, day: str, key: str) -> Path:
        """Return the place of a part; ``table`` is one of ``TABLES``, ``day`` is ISO."""
        return self.path / table / f"camera={camera}" / f"day={day}" / f"{key}.parquet"

    def parts(self, table: str) -> Iterator[tuple[str, str, Path]]:
        """Yield ``(camera, day, path)`` of every part of a table, in a fixed order."""
        for path in sorted((self.path / table).glob("camera=*/day=*/*.parquet")):
            yield path.parent.parent.name[len("camera=") :], path.parent.name[len("day=") :], path

    def write_part(self, part: Path, table: pa.Table) -> None:
        """Write a part whole or not at all; only the owner may read it.

        Raises:
            SinkError: It cannot be written.
        """
        if part.relative_to(self.path).parts[0] not in TABLES:
            raise ValueError(f"{part} is no part of {self.path}")
        write_table(part, table)

    def write_identities(self, table: pa.Table) -> None:
        """Replace ``identities.parquet``.

        Raises:
            SinkError: It cannot be written.
        """
        write_table(self.identities_path, table)


def with_places(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    """Return a schema with columns of places behind its own."""
    for name in names:
        schema = schema.append(pa.field(name, FLOOR_PATH.get(name, pa.float32())))
    return schema


def read_part(
    path: Path, columns: Sequence[str] | None = None, *, optional: Sequence[str] = ()
) -> pa.Table:
    """Read a part.

    Args:
        path: The file.
        columns: What to read of it; ``None`` = all.
        optional: What to read besides, as far as it is there.

    Raises:
        ResultsError: It is missing or damaged.
    """
    return read_table(path, columns, way_out=_way_out(path), optional=optional)


def embeddings_in(table: pa.Table, path: Path) -> FloatArray:
    """Return ``(N, D)`` float32 unit rows of a part of sightings, zeros where there is none.

    Args:
        table: With a column ``embedding``.
        path: Where it was read, for the message.

    Raises:
        ResultsError: They are no unit vectors.
    """
    column = table["embedding"].combine_chunks()
    vectors = np.zeros((len(table), column.type.list_size), np.float32)
    known = column.is_valid().to_numpy(zero_copy_only=False)
    vectors[known] = column.drop_null().flatten().to_numpy().reshape(-1, vectors.shape[1])
    if not are_embeddings(vectors).all():
        raise ResultsError(
            f"{path} is damaged, its embeddings are no unit vectors: {_way_out(path)}"
        )
    return vectors


def _way_out(part: Path) -> str:
    note = part.parents[3] / "work" / f"{part.stem}.json"
    return f"remove {note} and run `reid-pipeline batch` again, which makes it again"
