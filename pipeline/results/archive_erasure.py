"""Erasure of identities and old days from an archive.

Every part is replaced whole. The journal keeps its notes, so that what was removed is not
processed again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.layout.archive import TABLES, TIME, ArchiveFolder, read_part
from pipeline.layout.files import write_table

__all__ = ["days_before", "forget_in_archive", "prune_archive"]

SIGHTINGS_LAST = tuple(reversed(TABLES))
"""So that a kill in between leaves known whose pictures and boxes are still to be removed."""


def forget_in_archive(
    folder: ArchiveFolder, tracklets: set[str], *, on_file: Callable[[Path], None]
) -> None:
    """Remove tracklets from all tables, last those by which they are known.

    Raises:
        ResultsError: A part is damaged.
        SinkError: A part cannot be written.
    """
    _drop_index(folder)
    names = pa.array(sorted(tracklets), pa.string())
    for kind in SIGHTINGS_LAST:
        for _, _, part in folder.parts(kind):
            table = read_part(part)
            kept = table.filter(pc.invert(pc.is_in(table["tracklet_id"], value_set=names)))
            if len(kept) < len(table):
                write_table(part, kept)
                on_file(part)
    _drop_index(folder)
    _keep_identities(folder)
    on_file(folder.identities_path)


def days_before(folder: ArchiveFolder, first_kept: date) -> list[str]:
    """Return the days (ISO, UTC) of an archive that hold what ended before a date, in order.

    Raises:
        ResultsError: It is no archive whose identities were resolved, or a part is damaged.
    """
    folder.identities()  # raises before anything is removed
    kept = _reaching_into(folder, first_kept)
    days = {
        day
        for kind in TABLES
        for _, day, part in folder.parts(kind)
        if day < first_kept.isoformat() and not _is_kept(read_part(part, ["tracklet_id"]), kept)
    }
    return sorted(days)


def prune_archive(folder: ArchiveFolder, first_kept: date) -> int:
    """Remove every sighting that ended before a date; return how many files were changed.

    A sighting is filed under the day on which it began, but stays for as long as the day on
    which it ended.

    Raises:
        ResultsError: A part is damaged.
        SinkError: A part or the identities cannot be written.
    """
    _drop_index(folder)
    reaching = _reaching_into(folder, first_kept)
    changed = 0
    for kind in SIGHTINGS_LAST:
        for _, day, part in folder.parts(kind):
            if day >= first_kept.isoformat():
                continue
            table = read_part(part)
            kept = table.filter(pc.is_in(table["tracklet_id"], value_set=reaching))
            if not len(kept):
                part.unlink()
            elif len(kept) < len(table):
                write_table(part, kept)
            else:
                continue
            changed += 1
    _drop_index(folder)
    _keep_identities(folder)
    return changed


def _drop_index(folder: ArchiveFolder) -> None:
    """Remove the search index: before parts change, and after, as a search may have made one."""
    shutil.rmtree(folder.index_path, ignore_errors=True)


def _reaching_into(folder: ArchiveFolder, first_kept: date) -> pa.Array:
    """Return the tracklets that began before a date and ended on it or later."""
    midnight = pa.scalar(datetime.combine(first_kept, time(), UTC), TIME)
    names: list[str] = []
    for _, day, part in folder.parts("sightings"):
        if day < first_kept.isoformat():
            table = read_part(part, ["tracklet_id", "last_time"])
            kept = table.filter(pc.greater_equal(table["last_time"], midnight))
            names += kept["tracklet_id"].to_pylist()
    return pa.array(names, pa.string())


def _is_kept(table: pa.Table, names: pa.Array) -> bool:
    """Tell whether a part holds nothing but some tracklets, and any at all."""
    kept = pc.all(pc.is_in(table["tracklet_id"], value_set=names)).as_py()
    return bool(len(table) and kept)


def _keep_identities(folder: ArchiveFolder) -> None:
    """Drop the identities of tracklets that are in no part any more, from an earlier try too."""
    left = [read_part(part, ["tracklet_id"]) for _, _, part in folder.parts("sightings")]
    none = pa.array([], pa.string())
    names = pa.concat_tables(left)["tracklet_id"].combine_chunks() if left else none
    table = folder.identities()
    folder.write_identities(table.filter(pc.is_in(table["tracklet_id"], value_set=names)))
