"""Removing a person from finished work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd

from pipeline.archive.journal import Journal
from pipeline.errors import ResultsError
from pipeline.jobs.report import write_report
from pipeline.layout.archive import ArchiveFolder
from pipeline.layout.run import MOSAIC
from pipeline.match.gallery import forget_in_gallery
from pipeline.results import Results, open_results
from pipeline.results.erasure import Cover, find_person, forget_person
from pipeline.sinks.covering import cover_in_mosaic, cover_in_video
from pipeline.sinks.run_folder import run_lock

__all__ = ["forget", "held"]


def forget(
    where: Path,
    global_id: int,
    *,
    gallery: Path | None = None,
    confirm: Callable[[str], object] = lambda _question: None,
) -> int:
    """Remove a person from tables, vectors, pictures and reports, and cover them in video.

    It cannot be undone. If it is interrupted, the same call does the rest.

    Args:
        where: Folder of finished work.
        global_id: Number of the person.
        gallery: File of known persons from which the person of that number is removed, too.
        confirm: Called with a question before anything is removed; raises to keep everything.

    Returns:
        How many files were rewritten.

    Raises:
        InputError: The work is not finished, nobody has that number, or a file is damaged.
        OutputError: Another command works on it.
        SinkError: A file cannot be written.
    """
    results = open_results(where)
    with held(results):
        person = find_person(results, global_id)
        videos = f", {len(person.videos)} videos" if results.kind == "run" else ""
        unit = "tracks" if results.kind == "run" else "sightings"
        described = f"{len(person.sightings)} {unit}{videos}"
        confirm(f"Remove identity {global_id} ({described}) from {where}?")
        if gallery is not None:
            # First of all, so that a mistake in the file's name removes nothing.
            forget_in_gallery(gallery, global_id)
        rewritten: list[Path] = [] if gallery is None else [gallery]
        forget_person(person, cover=_cover_in(results), on_file=rewritten.append)
        rewritten.append(write_report(where))
    return len(rewritten)


@contextmanager
def held(results: Results) -> Iterator[None]:
    """Keep others who write out of finished work.

    Raises:
        OutputError: Another command works on it.
    """
    if results.kind == "archive":
        with Journal(ArchiveFolder(results.path)).held():
            yield
    elif results.kind == "run":
        with run_lock(results.path):
            yield
    else:
        yield


def _cover_in(results: Results) -> Cover:
    """Return what covers a person in a run's videos."""

    def cover(video: Path, boxes: pd.DataFrame) -> None:
        if video.name == MOSAIC:
            _mosaic_cover(results)(video, boxes)
        else:
            cover_in_video(video, boxes)

    return cover


def _mosaic_cover(results: Results) -> Cover:
    try:
        cameras = results.record["settings"]["cameras"]
        names = [str(each["name"]) for each in cameras]
        begin_s = min(float(each["time_offset_s"]) for each in cameras)
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsError(
            f"{results.path / results.record_file} is damaged ({error!r}): remove {MOSAIC}, then "
            "forget again"
        ) from None
    return partial(cover_in_mosaic, cameras=names, begin_s=begin_s)
