"""Taking people, or old days, out of an archive.

Every part is replaced whole. The journal keeps its notes, so that what was removed is not
processed again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.layout.archive import TABLES, ArchiveFolder, read_part
from pipeline.layout.files import write_table

__all__ = ["days_before", "forget_in_archive", "prune_archive"]


def forget_in_archive(
    folder: ArchiveFolder, tracklets: set[str], *, on_file: Callable[[Path], None]
) -> None:
    """Remove tracklets from all tables, the identities last.

    Raises:
        ResultsError: A part is damaged.
        SinkError: A part cannot be written.
    """
    shutil.rmtree(folder.index_path, ignore_errors=True)
    names = pa.array(sorted(tracklets), pa.string())
    for kind in TABLES:
        for _, _, part in folder.parts(kind):
            table = read_part(part)
            kept = table.filter(pc.invert(pc.is_in(table["tracklet_id"], value_set=names)))
            if len(kept) < len(table):
                write_table(part, kept)
                on_file(part)
    _keep_identities(folder, lambda each: pc.invert(pc.is_in(each, value_set=names)))
    on_file(folder.identities_path)


def days_before(folder: ArchiveFolder, first_kept: date) -> list[str]:
    """Return the days (ISO, UTC) of an archive that are before a date, in their order."""
    folder.identities()  # raises before anything is removed
    days = {day for kind in TABLES for _, day, _ in folder.parts(kind)}
    return sorted(day for day in days if day < first_kept.isoformat())


def prune_archive(folder: ArchiveFolder, days: list[str]) -> int:
    """Remove everything that began on some days; return how many files were removed.

    Raises:
        ResultsError: A part is damaged.
        SinkError: The identities cannot be written.
    """
    shutil.rmtree(folder.index_path, ignore_errors=True)
    gone = [part for kind in TABLES for _, day, part in folder.parts(kind) if day in set(days)]
    for part in gone:
        part.unlink()
    left = [read_part(part, ["tracklet_id"]) for _, _, part in folder.parts("sightings")]
    names = (
        pa.concat_tables(left)["tracklet_id"].combine_chunks()
        if left
        else pa.array([], pa.string())
    )
    _keep_identities(folder, lambda each: pc.is_in(each, value_set=names))
    return len(gone)


def _keep_identities(folder: ArchiveFolder, keep: Callable[[pa.ChunkedArray], pa.Array]) -> None:
    table = folder.identities()
    folder.write_identities(table.filter(keep(table["tracklet_id"])))
