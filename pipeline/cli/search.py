"""`reid-pipeline search`: where was this person?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import cv2
import typer
from rich.console import Console
from rich.table import Table

from pipeline.build_search import Searched, looks_in_picture, looks_in_video, searched
from pipeline.cli.folders import refuse_live
from pipeline.cli.outputs import check_file
from pipeline.datatypes import UNDECIDED, FloatArray, Image
from pipeline.errors import InputError, SettingsError
from pipeline.layout.files import write_atomically
from pipeline.report.found import FoundCard, render_found
from pipeline.report.times import moment
from pipeline.search.found import Sighting
from pipeline.search.index import SightingIndex, open_index

__all__ = ["search"]

BOX_SIDES = 4


@dataclass(frozen=True, slots=True)
class _Query:
    """What is looked for.

    Attributes:
        words: In words.
        vector: Its embedding.
        picture: Its crop, if there is one.
    """

    words: str
    vector: FloatArray
    picture: Image | None = None


def search(
    where: Annotated[Path, typer.Argument(help="Folder of an archive or of a finished run.")],
    *,
    image: Annotated[
        Path | None, typer.Option(help="Photograph, or crop of one person.", show_default=False)
    ] = None,
    identity: Annotated[
        int | None, typer.Option(help="Number of a person in WHERE.", show_default=False)
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="Video with the person, see --at and --box.")
    ] = None,
    at: Annotated[
        float, typer.Option(help="Seconds from the start of --video, for --box.", min=0)
    ] = 0.0,
    box: Annotated[
        str | None, typer.Option(help="The person in --video: left,top,width,height in pixels.")
    ] = None,
    camera: Annotated[
        list[str] | None, typer.Option(help="Only this camera; give it again for more.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="From then on: 2026-01-05T08:00 (UTC) in an archive, seconds in a run."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Up to then, as --since.")] = None,
    top: Annotated[int, typer.Option(help="How many sightings at most.", min=1, max=10_000)] = 20,
    least_similarity: Annotated[
        float, typer.Option(help="Only those at least so alike, cosine.", min=-1, max=1)
    ] = -1.0,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write the sightings here as JSON.")
    ] = None,
    html_path: Annotated[
        Path | None, typer.Option("--html", help="Write a page with pictures here.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="Finds the person on --image; none = built-in.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Find the sightings most like a person, in all cameras."""
    given = [each for each in (image, identity, video) if each is not None]
    if len(given) != 1:
        raise SettingsError("give one of --image, --identity and --video: who is looked for?")
    for path in (json_path, html_path):
        if path is not None:
            check_file(path)
    refuse_live(where)
    place = searched(where)
    since_s, until_s = _time(since, place, "--since"), _time(until, place, "--until")
    index = open_index(place.index_path, place.parts())
    unknown = set(camera or []) - set(index.cameras.tolist())
    if unknown:
        known = ", ".join(sorted(set(index.cameras.tolist()))) or "none"
        raise InputError(f"{where} has no camera {sorted(unknown)[0]}: it has {known}")
    if identity is not None:
        query = _Query(f"Person {identity}", place.looks_of(identity))
    elif image is not None:
        vector, crop = looks_in_picture(image, place, detector=detector, device=device)
        query = _Query(f"The person on {image.name}", vector, crop)
    elif video is not None:
        vector, crop = looks_in_video(video, place, at_s=at, box=_box(box), device=device)
        query = _Query(f"The person in {video.name} at {moment(at)}", vector, crop)
    rows = index.search(
        query.vector, count=top, cameras=camera or [], since_s=since_s, until_s=until_s
    )
    found = list(place.told([_sighting(index, *row) for row in rows if row[1] >= least_similarity]))
    if json_path is not None:
        content = json.dumps(_as_json(query, found, place), indent=2, ensure_ascii=False)
        write_atomically(json_path, content.encode(), private=True)
    if html_path is not None:
        page = render_found(
            [_card(each) for each in found],
            where=where.resolve().name,
            asked=query.words,
            query=_jpeg(query.picture),
            filters=_filters(camera or [], since, until),
        )
        write_atomically(html_path, page.encode(), private=True)
    _tell(query, found)


def _sighting(index: SightingIndex, row: int, similarity: float) -> Sighting:
    name, camera = str(index.names[row]), str(index.cameras[row])
    first_s, last_s = float(index.first_s[row]), float(index.last_s[row])
    return Sighting(name, similarity, camera, first_s, last_s)


def _time(text: str | None, place: Searched, flag: str) -> float | None:
    if text is None:
        return None
    try:
        if not place.is_archive:
            return float(text)
        when = datetime.fromisoformat(text)
        return when.replace(tzinfo=when.tzinfo or UTC).timestamp()
    except ValueError:
        expected = "a time like 2026-01-05T08:00" if place.is_archive else "seconds"
        raise SettingsError(f"{flag} {text}: expected {expected}") from None


def _box(text: str | None) -> Sequence[float]:
    try:
        sides = [float(each) for each in (text or "").split(",")]
    except ValueError:
        sides = []
    if len(sides) != BOX_SIDES:
        raise SettingsError("--video needs --box left,top,width,height (pixels): who is it?")
    return sides


def _filters(cameras: Sequence[str], since: str | None, until: str | None) -> str:
    words = [", ".join(cameras)] if cameras else []
    words += [f"from {since}"] if since else []
    words += [f"until {until}"] if until else []
    return " · ".join(words)


def _as_json(query: _Query, found: Sequence[Sighting], place: Searched) -> dict[str, object]:
    return {
        "query": query.words,
        "where": str(place.path),
        "sightings": [
            {
                "sighting": each.name,
                "similarity": round(each.similarity, 4),
                "identity": None if each.identity == UNDECIDED else each.identity,
                "camera": each.camera,
                "first": _stamp(each.first_s, place),
                "last": _stamp(each.last_s, place),
                "file": each.file or None,
                "at_s": each.at_s,
            }
            for each in found
        ],
    }


def _stamp(seconds: float, place: Searched) -> str | float:
    if place.is_archive:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    return round(seconds, 3)


def _card(each: Sighting) -> FoundCard:
    return FoundCard(
        each.similarity,
        each.identity,
        each.camera,
        each.first_s,
        each.last_s,
        each.file,
        each.at_s,
        each.thumbnail,
    )


def _jpeg(picture: Image | None) -> bytes:
    if picture is None:
        return b""
    return cv2.imencode(".jpg", picture)[1].tobytes()


def _tell(query: _Query, found: Sequence[Sighting]) -> None:
    console = Console()
    if not found:
        console.print(f"{query.words}: no sighting fits", highlight=False, markup=False)
        return
    table = Table(title=None)
    for heading in ("alike", "person", "camera", "from", "to", "best picture"):
        side: Literal["left", "right"] = "right" if heading in {"alike", "person"} else "left"
        table.add_column(heading, justify=side, overflow="fold")
    for each in found:
        best = "" if each.at_s is None else f"{each.file} at {moment(each.at_s)}".removeprefix(" ")
        cells = moment(each.first_s), moment(each.last_s), best
        person = "" if each.identity == UNDECIDED else str(each.identity)
        table.add_row(f"{each.similarity:.3f}", person, _plain(each.camera), *map(_plain, cells))
    console.print(table)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
