"""Whether somebody who was erased is still anywhere in finished work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc

from pipeline.errors import ResultsError
from pipeline.layout.archive import TABLES, read_part
from pipeline.layout.database import open_reader
from pipeline.layout.edit_log import EditLog
from pipeline.layout.edits import sighting_name
from pipeline.layout.files import read_table
from pipeline.layout.recording import REGISTRY
from pipeline.layout.run import EMBEDDINGS_PARQUET, TRACKS_PARQUET
from pipeline.results.archive import ArchiveResults
from pipeline.results.base import Results
from pipeline.results.recording import RecordingResults
from pipeline.results.run import RunResults

__all__ = ["refuse_traces"]

BESIDE_SIGHTINGS = ("thumbnails", "embeddings", "places")


def refuse_traces(results: Results, sightings: pd.DataFrame, global_id: int) -> None:
    """Search all tables, logs and pictures for somebody who should be in none of them any more.

    Every file is read anew by the readers of finished work, not by what erased.

    Args:
        results: The work, opened after the erasure.
        sightings: The person's, from before it.
        global_id: The person's identity.

    Raises:
        ResultsError: Names where the person still is.
    """
    names = set(sightings["sighting"])
    found = dict.fromkeys(str(each) for each in _traces(results, names, global_id))
    if found:
        raise ResultsError(
            f"identity {global_id} is not forgotten, it is still in {', '.join(found)}: forget it "
            "again, or remove these files"
        )


def _traces(results: Results, names: set[str], global_id: int) -> Iterator[object]:
    if names & set(results.resolved().index):
        yield results.path / results.table_file
    log = EditLog(results.path)
    if names & set(log.edits.given) or log.edits.name(global_id):
        yield log.path
    for part in results.parts():
        if names & set(part.read()[0]["sighting"]):
            yield part.key
    if isinstance(results, ArchiveResults):
        yield from _in_archive(results, names)
        return
    for camera in sorted({name.rpartition("/")[0] for name in names}):
        boxes = results.boxes(camera)
        if names & _named(boxes["camera"], boxes["track_id"]):
            yield f"the tracks of {camera}"
    if any(sighting_name(each.camera, each.track_id) in names for each in results.events()):
        yield "the events"
    if isinstance(results, RunResults):
        yield from _in_run(results, names)
    if isinstance(results, RecordingResults):
        yield from _orphans(results.path / REGISTRY)


def _in_run(results: RunResults, names: set[str]) -> Iterator[Path]:
    for name in (TRACKS_PARQUET, EMBEDDINGS_PARQUET):
        path = results.path / name
        if path.is_file():
            table = read_table(path, ["camera", "track_id"], way_out="run again")
            if names & _named(table["camera"].to_pylist(), table["track_id"].to_pylist()):
                yield path
    for (camera, track), crops in results.crops().items():
        if sighting_name(camera, track) in names:
            yield from (path for _, path in crops)


def _in_archive(results: ArchiveResults, names: set[str]) -> Iterator[Path]:
    for kind in TABLES:
        for _, _, part in results.folder.parts(kind):
            owners = pc.unique(read_part(part, ["tracklet_id"])["tracklet_id"]).to_pylist()
            if names & set(owners):
                yield part
    if results.folder.index_path.exists():
        yield results.folder.index_path


def _orphans(registry: Path) -> Iterator[str]:
    """Yield tables that hold pictures or vectors of sightings that are no more."""
    with open_reader(registry) as reader:
        for table in BESIDE_SIGHTINGS:
            sql = (
                f"SELECT count(*) FROM {table} WHERE sighting NOT IN "  # nosec B608 # texts of this file
                "(SELECT sighting FROM sightings)"
            )
            if reader.execute(sql).fetchone()[0]:
                yield f"{registry} ({table})"


def _named(cameras: Iterable[str], tracks: Iterable[int]) -> set[str]:
    return {sighting_name(*pair) for pair in set(zip(cameras, tracks, strict=True))}
