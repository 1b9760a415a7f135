"""Erasing an identity from results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from pipeline.errors import ResultsError
from pipeline.jobs.held import held
from pipeline.jobs.report import write_report
from pipeline.layout.recording import GALLERY_FILE
from pipeline.layout.run import MOSAIC
from pipeline.match.gallery import drop_from_gallery, forget_in_gallery
from pipeline.results import Results, open_results
from pipeline.results.erasure import Cover, Person, find_person, forget_person
from pipeline.results.recording import RecordingResults
from pipeline.results.recording_erasure import known_numbers
from pipeline.results.traces import refuse_traces
from pipeline.sinks.covering import View, cover_in_mosaic, cover_in_video
from pipeline.sinks.live.segments import adopt_orphans

__all__ = ["cover_in", "forget"]


WAY_OUT = "forget on its page, or stop it, run this again, and start it anew"


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
        global_id: The identity.
        gallery: File of known persons from which the person of that number is removed, too.
        confirm: Called with a question before anything is removed; raises to keep everything.

    Returns:
        How many files were rewritten.

    Raises:
        InputError: The work is not finished, nobody has that number, a file is damaged, or the
            person is still found somewhere at the end.
        OutputError: Another command works on it.
        SinkError: A file cannot be written.
    """
    results = open_results(where)
    with held(results, way_out=WAY_OUT):
        if results.kind == "recording":
            # Videos that a kill cut off, so that the person is covered in them, too.
            adopt_orphans(where)
        person = find_person(results, global_id)
        videos = "" if results.kind == "archive" else f", {len(person.videos)} videos"
        unit = "tracks" if results.kind == "run" else "sightings"
        described = f"{len(person.sightings)} {unit}{videos}"
        confirm(f"Remove identity {global_id} ({described}) from {where}?")
        # First of all, so that a mistake in the file's name removes nothing.
        rewritten = _forget_known(person, gallery)
        forget_person(person, cover=cover_in(results), on_file=rewritten.append)
        rewritten.append(write_report(where))
        refuse_traces(open_results(where), person.sightings, person.global_id)
    return len(rewritten)


def _forget_known(person: Person, gallery: Path | None) -> list[Path]:
    """Forget a known person; return the files that were rewritten."""
    results = person.results
    if not isinstance(results, RecordingResults):
        if gallery is None:
            return []
        forget_in_gallery(gallery, person.global_id)
        return [gallery]
    own = results.path / GALLERY_FILE
    galleries = [] if gallery is None else [gallery]
    galleries += [own] if own.is_file() else []
    for each in galleries:
        drop_from_gallery(each, known_numbers(results, person.sightings))
    return galleries


def cover_in(results: Results) -> Cover:
    """Return what covers a person in videos."""
    if isinstance(results, RecordingResults):
        begins = {each.path: each.begun_s for each in results.videos()}

        def cover_recorded(video: Path, boxes: pd.DataFrame) -> None:
            seconds = boxes["time"].astype("int64") / 1e6
            cover_in_video(video, boxes.assign(time=seconds), View(begins[video]))

        return cover_recorded

    def cover(video: Path, boxes: pd.DataFrame) -> None:
        views = _views(results)
        if video.name == MOSAIC:
            cover_in_mosaic(video, boxes, views)
        else:
            cover_in_video(video, boxes, views[video.stem])

    return cover


def _views(results: Results) -> dict[str, View]:
    """Return how the frames of each camera of a run became pictures of its video."""
    counted = results.summary().cameras
    usual = next((each.sizes[0][1] for each in counted if each.sizes), (0, 0))
    views = {
        each.camera: View(each.first_s, each.sizes or [(0, usual)])
        if each.frames
        else View(float("inf"), [(0, usual)])  # its tile of the mosaic stays without a picture
        for each in counted
        if each.first_s is not None
    }
    if missing := set(results.cameras()) - set(views):
        raise ResultsError(
            f"{results.path / results.record_file} does not say when the video of "
            f"{', '.join(sorted(missing))} begins: remove the videos (.mp4), then forget again"
        )
    return views
