"""`reid-pipeline search`: find a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from pipeline.cli.flags import refuse_flags
from pipeline.cli.json_output import JsonOption, file_of, write_json
from pipeline.cli.terminal import Console
from pipeline.errors import SettingsError
from pipeline.jobs.outputs import check_files
from pipeline.jobs.queries import BOX_SIDES, query_for
from pipeline.jobs.search import found_as_json, write_page
from pipeline.jobs.search import search as search_job
from pipeline.report.times import moment
from pipeline.results import Results, open_results
from pipeline.results.found import Found

__all__ = ["search"]


def search(
    context: typer.Context,
    where: Annotated[Path, typer.Argument(help="Folder of a run, an archive or a recording.")],
    *,
    image: Annotated[
        Path | None, typer.Option(help="Photo or crop of a person.", show_default=False)
    ] = None,
    identity: Annotated[
        int | None, typer.Option(help="Identity in WHERE.", show_default=False)
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="Video with the person, see --at and --box.")
    ] = None,
    at: Annotated[
        float | None,
        typer.Option(help="Seconds from the start of --video, for --box; none = 0.", min=0),
    ] = None,
    box: Annotated[
        str | None, typer.Option(help="The person in --video: left,top,width,height in pixels.")
    ] = None,
    camera: Annotated[
        list[str] | None, typer.Option(help="Only this camera; give it again for more.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Start of the time range: 2026-01-05T08:00 (UTC) in an archive, seconds in a run."
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(help="End of the time range, as --since.")] = None,
    top: Annotated[int, typer.Option(help="Maximum number of sightings.", min=1, max=10_000)] = 20,
    min_similarity: Annotated[
        float, typer.Option(help="Minimum cosine similarity.", min=-1, max=1)
    ] = -1.0,
    json_path: JsonOption = None,
    html_path: Annotated[
        Path | None, typer.Option("--html", help="Write a page with pictures here.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="Detector for --image; none = built-in.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Find the sightings most like a person, in all cameras."""
    given = [each for each in (image, identity, video) if each is not None]
    if len(given) != 1:
        raise SettingsError("give one of --image, --identity and --video: one of them is the query")
    if video is None:
        refuse_flags(context, "at", "box", because="belongs to --video, which is not given")
    if image is None:
        refuse_flags(context, "detector", because="belongs to --image, which is not given")
    if identity is not None:
        refuse_flags(context, "device", because="changes nothing about --identity")
    check_files([file_of(json_path), html_path], [image, video, where])
    results = open_results(where)
    since_s, until_s = _time(since, results, "--since"), _time(until, results, "--until")
    if since_s is not None and until_s is not None and since_s > until_s:
        raise SettingsError(f"--since {since} is after --until {until}: nothing lies between")
    query = query_for(
        results,
        identity=identity,
        image=image,
        video=video,
        at_s=at or 0.0,
        box=() if video is None else _box(box),
        detector=detector,
        device=device,
    )
    found = search_job(
        results,
        query.vector,
        top=top,
        cameras=camera or [],
        since_s=since_s,
        until_s=until_s,
        min_similarity=min_similarity,
    )
    content = found_as_json(found, results=results, query=query)
    is_shown = write_json(json_path, content, private=True)
    if html_path is not None:
        filters = _filters(camera or [], since, until)
        write_page(html_path, found, results=results, query=query, filters=filters)
    if is_shown:
        _show(query.asked, found)


def _time(text: str | None, results: Results, flag: str) -> float | None:
    if text is None:
        return None
    try:
        if results.kind == "run":
            return _number(text)
        when = datetime.fromisoformat(text)
        return when.replace(tzinfo=when.tzinfo or UTC).timestamp()
    except (OverflowError, ValueError):
        expected = "seconds" if results.kind == "run" else "a time like 2026-01-05T08:00"
        raise SettingsError(f"{flag} {text}: expected {expected}") from None


def _box(text: str | None) -> Sequence[float]:
    try:
        sides = [_number(each) for each in (text or "").split(",")]
    except ValueError:
        sides = []
    if len(sides) != BOX_SIDES:
        raise SettingsError(
            "--video needs --box left,top,width,height (pixels), the person to search for"
        )
    return sides


def _number(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError
    return number


def _filters(cameras: Sequence[str], since: str | None, until: str | None) -> str:
    words = [", ".join(cameras)] if cameras else []
    words += [f"from {since}"] if since else []
    words += [f"until {until}"] if until else []
    return " · ".join(words)


def _show(asked: str, found: Sequence[Found]) -> None:
    console = Console()
    if not found:
        console.print(f"{asked}: no sighting matches", highlight=False, markup=False)
        return
    table = Table(title=None)
    places = [_place(each) for each in found]
    last = ["best picture"] if any(places) else []
    for heading in ("similarity", "person", "camera", "from", "to", *last):
        side: Literal["left", "right"] = "right" if heading in {"similarity", "person"} else "left"
        table.add_column(heading, justify=side, overflow="fold")
    for each, place in zip(found, places, strict=True):
        cells = [moment(each.first_s), moment(each.last_s), *([place] if last else [])]
        person = f"{each.global_id} {each.name}".rstrip() if each.named else ""
        table.add_row(
            f"{each.similarity:.3f}", _plain(person), _plain(each.camera), *map(_plain, cells)
        )
    console.print(table)


def _place(found: Found) -> str:
    """Return where the best picture of a sighting is from."""
    picture = found.picture
    if picture is None or picture.at_s is None:
        return ""
    return f"{picture.file} at {moment(picture.at_s)}".removeprefix(" ")


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
