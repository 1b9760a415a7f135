"""Taking people, or old days, out of an archive.

Every part is replaced whole. The journal keeps its notes, so that what was removed is not
processed again. What was derived goes first: the search index, which the next search makes
anew, and the report.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import InputError
from pipeline.layout.archive import TABLES, ArchiveFolder, read_part
from pipeline.layout.files import write_table

__all__ = ["days_before", "forget_in_archive", "prune_archive", "tracklets_of"]

INDEX = "index"
REPORT = "report.html"


def tracklets_of(folder: ArchiveFolder, identity: int) -> set[str]:
    """Return the tracklets of a person.

    Raises:
        InputError: It is no archive whose identities were resolved, or nobody has that number.
    """
    table = folder.identities()
    found = set(table.filter(pc.equal(table["global_id"], identity))["tracklet_id"].to_pylist())
    if not found:
        numbers = sorted(set(table["global_id"].to_pylist()) - {-1})
        told = f"from {numbers[0]} to {numbers[-1]}" if numbers else "none"
        raise InputError(f"nobody in {folder.path} has the identity {identity}: there are {told}")
    return found


def forget_in_archive(folder: ArchiveFolder, tracklets: set[str]) -> int:
    """Remove tracklets from all tables; return how many files were rewritten.

    The identities come last: a kill before them leaves the person known, and the same call
    does the rest.

    Raises:
        InputError: A part is damaged.
        SinkError: A part cannot be written.
    """
    _drop_derived(folder)
    names = pa.array(sorted(tracklets), pa.string())
    changed = 0
    for kind in TABLES:
        for _, _, part in folder.parts(kind):
            table = read_part(part)
            kept = table.filter(pc.invert(pc.is_in(table["tracklet_id"], value_set=names)))
            if len(kept) < len(table):
                write_table(part, kept)
                changed += 1
    _keep_identities(folder, lambda each: pc.invert(pc.is_in(each, value_set=names)))
    return changed + 1


def days_before(folder: ArchiveFolder, first_kept: date) -> list[str]:
    """Return the days (ISO, UTC) of an archive that are before a date, in their order."""
    folder.identities()  # raises before anything is removed
    days = {day for kind in TABLES for _, day, _ in folder.parts(kind)}
    return sorted(day for day in days if day < first_kept.isoformat())


def prune_archive(folder: ArchiveFolder, days: list[str]) -> int:
    """Remove everything that began on some days; return how many files were removed.

    Raises:
        InputError: A part is damaged.
        SinkError: The identities cannot be written.
    """
    _drop_derived(folder)
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
    write_table(folder.identities_path, table.filter(keep(table["tracklet_id"])))


def _drop_derived(folder: ArchiveFolder) -> None:
    shutil.rmtree(folder.path / INDEX, ignore_errors=True)
    (folder.path / REPORT).unlink(missing_ok=True)
