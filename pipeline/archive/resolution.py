"""Resolution of an archive: identities of all its tracklets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipeline.datatypes import UNASSIGNED, FloatArray, Identities, Tracklet
from pipeline.errors import InputError
from pipeline.layout.archive import (
    FLOOR_PATH,
    IDENTITY_SCHEMA,
    NEXT_IDENTITY,
    ArchiveFolder,
    embeddings_in,
    read_part,
)
from pipeline.layout.edit_log import EditLog
from pipeline.places import COLUMNS as COLUMNS_OF_PATH
from pipeline.places import Path

__all__ = ["Earlier", "read_earlier", "read_tracklets", "write_identities"]

COLUMNS = ["tracklet_id", "first_time", "last_time", "frames", "weight", "agreement", "visible_s"]
COLUMNS += ["embedding"]
Earlier = tuple[dict[str, int], int]
"""Identities by tracklet, and the smallest number that was never given out."""


def read_tracklets(folder: ArchiveFolder) -> tuple[list[Tracklet], list[str]]:
    """Return all tracklets by (first time, camera, tracklet), and their names in that order.

    ``track_id`` counts within each camera here; times are seconds since the first tracklet.
    About four bytes for each number of an embedding are held per tracklet.

    Raises:
        InputError: A part is damaged.
    """
    rows: list[tuple[int, str, str, int, int, float, float, FloatArray, Path | None]] = []
    for camera, _, part in folder.parts("sightings"):
        table = read_part(part, COLUMNS, optional=list(FLOOR_PATH))
        paths = _paths(table)
        times = [table[name].cast(pa.int64()).to_pylist() for name in ("first_time", "last_time")]
        vectors = embeddings_in(table, part)
        scale = table["weight"].to_numpy() * table["agreement"].to_numpy()
        vectors *= scale[:, None].astype(np.float32)
        names = "tracklet_id", "frames", "weight", "visible_s"
        plain = (table[name].to_pylist() for name in names)
        whole = zip(*times, *plain, vectors, paths, strict=True)
        for first, last, name, frames, weight, visible, vector, path in whole:
            rows.append((first, camera, name, last, frames, weight, visible, vector, path))
    rows.sort(key=lambda row: row[:3])
    numbers: dict[str, int] = {}
    tracklets = []
    for first, camera, _, last, frames, weight, visible, vector, path in rows:
        numbers[camera] = numbers.get(camera, 0) + 1
        span = ((first - rows[0][0]) / 1e6, (last - rows[0][0]) / 1e6)
        of_track = (camera, numbers[camera], *span, frames, vector, weight, visible, path)
        tracklets.append(Tracklet(*of_track))
    return tracklets, [row[2] for row in rows]


def _paths(table: pa.Table) -> list[Path | None]:
    """Return the path of every row, ``None`` where it has none."""
    if "path" not in table.column_names:
        return [None] * len(table)
    found: list[Path | None] = []
    for first, cells in zip(*(table[name].to_pylist() for name in FLOOR_PATH), strict=True):
        if first is None or not cells or len(cells) % COLUMNS_OF_PATH:
            found.append(None)
        else:
            rows = np.array(cells, np.float32).reshape(-1, COLUMNS_OF_PATH)
            found.append(Path(first, rows))
    return found


def read_earlier(folder: ArchiveFolder) -> Earlier:
    """Return the identities of the resolution before; none at the first one.

    Raises:
        InputError: They are damaged.
    """
    path = folder.identities_path
    # Who was split off by hand has a number that is in no table.
    free_of_edits = EditLog(folder.path).edits.last_identity + 1
    if not path.is_file():
        return {}, free_of_edits
    table = folder.identities()
    try:
        first_free = int(table.schema.metadata[NEXT_IDENTITY])
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}): remove it to assign new numbers") from None
    pairs = zip(table["tracklet_id"].to_pylist(), table["global_id"].to_pylist(), strict=True)
    earlier = {name: number for name, number in pairs if number != UNASSIGNED}
    return earlier, max(first_free, free_of_edits)


def write_identities(
    folder: ArchiveFolder,
    identities: Identities,
    tracklets: Sequence[Tracklet],
    names: Sequence[str],
    *,
    first_free: int,
) -> int:
    """Replace ``identities.parquet``; return how many identities there are.

    Args:
        folder: The archive.
        identities: Of all tracklets.
        tracklets: As ``read_tracklets`` returned them.
        names: Their names.
        first_free: The smallest number that was never given out before.

    Raises:
        SinkError: It cannot be written.
    """
    found = [identities.by_track[each.camera, each.track_id] for each in tracklets]
    given = {each.global_id for each in found} - {UNASSIGNED}
    rows: Mapping[str, list[object]] = {
        "tracklet_id": list(names),
        "global_id": [each.global_id for each in found],
        "similarity": [each.similarity for each in found],
    }
    first_free = max(first_free, 1 + max(given, default=0))
    schema = IDENTITY_SCHEMA.with_metadata({NEXT_IDENTITY: str(first_free)})
    folder.write_identities(pa.table(rows, schema=schema))
    return len(given)
