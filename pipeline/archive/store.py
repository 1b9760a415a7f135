"""The folder of an archive: which file holds what, its columns, and writing it safely.

::

    DIR/archive.json                                settings, cameras, files, status
    DIR/sightings/camera=C/day=D/PART.parquet       one row a tracklet
    DIR/boxes/camera=C/day=D/PART.parquet           one row a box
    DIR/thumbnails/camera=C/day=D/PART.parquet      one JPEG a tracklet
    DIR/identities.parquet                          tracklet_id -> global_id
    DIR/work/                                       the journal

``camera`` and ``day`` are in the path alone, as Hive partitions are. ``PART`` is the key of
the video file that the rows come from, so a part is written by one unit of work. A tracklet
is in the partition of the day (UTC) on which it began, with its boxes and its thumbnail.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError, SinkError

__all__ = [
    "BOX_SCHEMA",
    "IDENTITY_SCHEMA",
    "NEXT_IDENTITY",
    "TABLES",
    "THUMBNAIL_SCHEMA",
    "ArchiveFolder",
    "read_table",
    "sighting_schema",
    "write_table",
    "write_whole",
]

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
THUMBNAIL_SCHEMA = pa.schema({"tracklet_id": pa.string(), "jpeg": pa.binary()})
IDENTITY_SCHEMA = pa.schema(
    {"tracklet_id": pa.string(), "global_id": pa.int64(), "similarity": pa.float32()}
)
NEXT_IDENTITY = b"next_identity"
"""Key in the schema's metadata of ``identities.parquet``: the smallest number never given out."""


def sighting_schema(dim: int) -> pa.Schema:
    """Return the columns of ``sightings``, with embeddings of ``dim`` numbers.

    ``embedding`` is the unit mean, null where no crop was good enough. ``weight`` is the sum of
    the crops' qualities and ``agreement`` the length of their mean in [0, 1], so the sum of the
    weighted embeddings is ``embedding * agreement * weight``. The best box is that of the
    thumbnail, in pixels; ``best_time_s`` counts from the start of ``file``.
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
        return self.path / "archive.json"

    @property
    def identities_path(self) -> Path:
        """``identities.parquet``."""
        return self.path / "identities.parquet"

    @property
    def work_path(self) -> Path:
        """The folder of the journal."""
        return self.path / "work"

    def record(self) -> dict[str, Any]:
        """Return ``archive.json``, empty where there is none yet.

        Raises:
            InputError: It is damaged.
        """
        try:
            content = json.loads(self.record_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self.record_path} cannot be read ({error}): choose another"
            ) from None
        if not isinstance(content, dict):
            raise InputError(f"{self.record_path} is no archive's record: choose another folder")
        return content

    def identities(self) -> pa.Table:
        """Return ``identities.parquet``.

        Raises:
            InputError: There is none yet, or it is damaged.
        """
        if not self.identities_path.is_file():
            raise InputError(
                f"{self.identities_path} does not exist: the archive was interrupted; run "
                "`reid-pipeline batch` again with the same --out, and it goes on where it was"
            )
        return read_table(self.identities_path)

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Replace ``archive.json``.

        Raises:
            SinkError: It cannot be written.
        """
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        write_whole(self.record_path, text.encode())

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


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whole or not at all; only the owner may read it.

    Pages carry checksums, so that a byte that changes on the disk is noticed.
    """
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    write_whole(path, buffer.getvalue())


def read_table(
    path: Path, columns: Sequence[str] | None = None, *, way_out: str | None = None
) -> pa.Table:
    """Read a Parquet file.

    Args:
        path: The file.
        columns: What to read of it; ``None`` = all.
        way_out: What to do where it is damaged; ``None`` for files of an archive.

    Raises:
        InputError: It is missing or damaged.
    """
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        return file.read(columns=None if columns is None else list(columns))
    except (OSError, pa.ArrowException) as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path} is damaged ({problem}): {way_out or _way_out(path)}") from None


def _way_out(path: Path) -> str:
    if not path.parent.name.startswith("day="):
        return "remove it and run `reid-pipeline batch` again, which numbers everybody anew"
    note = path.parents[3] / "work" / f"{path.stem}.json"
    return f"remove {note} and run `reid-pipeline batch` again, which makes it anew"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, and its folder, so that it is there whole or not at all, kill or not.

    Two processes may write the same file at once: each has its own partial one.

    Raises:
        SinkError: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        reason = error.strerror or type(error).__name__
        raise SinkError(
            f"{path} could not be written ({reason}): make room and run again; what was "
            "written before is kept"
        ) from None
