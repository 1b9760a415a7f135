"""Renders a report as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datatypes import UNASSIGNED
from pipeline.report.floor_map import draw_map
from pipeline.report.flows import draw_ring, matrix, shortened, took, ways
from pipeline.report.lanes import Axis, css_colour, lay_out
from pipeline.report.movement import HandOver, hand_overs, presence_curve
from pipeline.report.pictures import data_uri
from pipeline.report.templates import fill
from pipeline.report.times import duration, span
from pipeline.report.zones import zone_rows
from pipeline.results import Results
from pipeline.results.record import CameraCounts, CameraInput, Record
from pipeline.results.visits import Visit, seconds, seconds_in_view, visits

__all__ = ["Limits", "render_report"]

ROOMY = 6
"""Cameras up to which the matrix has room for how long it took in each of its cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a page shows, so that it stays a few megabytes whatever the run.

    Attributes:
        cards: People with pictures; beyond, those longest in view.
        crops: Pictures of each.
        rows: Rows of a camera's timeline.
        bars: Bars of all timelines together.
        moves: Single hand-overs that are listed.
        ring: Cameras in the diagram, those with most hand-overs.
        arrows: Ways between them, the most frequent.
        grid: Cameras in the matrix, likewise.
    """

    cards: int = 120
    crops: int = 4
    rows: int = 24
    bars: int = 3000
    moves: int = 200
    ring: int = 12
    arrows: int = 24
    grid: int = 30


def render_report(results: Results, *, limits: Limits | None = None) -> str:
    """Return the report of a run, an archive or a recording as HTML that needs no other file.

    Every text is escaped, pictures are encoded anew, and the page's own policy lets no script
    run.

    Args:
        results: What to show.
        limits: How much to show.

    Raises:
        ResultsError: The work is not finished, or one of its files is damaged.
    """
    return fill("page.html", **_content(results, limits or Limits()))


def _content(results: Results, limits: Limits) -> dict[str, Any]:
    """Return what the template shows."""
    sightings = results.sightings()
    cameras = results.cameras()
    summary = results.summary()
    stays = visits(sightings)
    moves = hand_overs(stays)
    axis = _axis(sightings)
    cards = _cards(results, stays, limits)
    people = {stay.global_id for stay in stays}
    return {
        "results": results,
        "name": results.path.resolve().name,
        "record": summary,
        "cameras": cameras,
        "inputs": _inputs(cameras, summary),
        "tiles": _tiles(cameras, stays, moves, axis, summary),
        "cards": cards,
        "carded": {card["global_id"] for card in cards},
        "names": results.edits().named(),
        "people": len(people),
        "undecided": int((sightings["global_id"] == UNASSIGNED).sum()),
        "axis": axis,
        "timelines": _timelines(cameras, stays, axis, limits, results.edits().named()),
        "counts": presence_curve(stays, axis.first_s, axis.last_s),
        "zones": zone_rows(results, axis),
        "dwell": _dwell(cameras, stays),
        "floor": draw_map(results),
        **_flows(cameras, moves, limits),
    }


def _inputs(
    cameras: Sequence[str], summary: Record
) -> list[tuple[str, CameraInput | None, CameraCounts | None]]:
    """Return what each camera was read from and what was found in it, as far as recorded."""
    videos = {each.camera: each for each in summary.inputs}
    counts = {each.camera: each for each in summary.cameras}
    return [(camera, videos.get(camera), counts.get(camera)) for camera in cameras]


def _axis(sightings: pd.DataFrame) -> Axis:
    if sightings.empty:
        return Axis(0.0, 1.0)
    first_s = float(seconds(sightings["first_time"]).min())
    last_s = float(seconds(sightings["last_time"]).max())
    if 0 < first_s < (last_s - first_s) / 4:
        first_s = 0.0  # A run begins at its start, unless nothing happened for most of it.
    return Axis(first_s, last_s if last_s > first_s else first_s + 1)


def _tiles(
    cameras: Sequence[str],
    stays: Sequence[Visit],
    moves: Sequence[HandOver],
    axis: Axis,
    record: Record,
) -> list[tuple[str, str]]:
    seen: dict[int, set[str]] = {}
    for stay in stays:
        seen.setdefault(stay.global_id, set()).add(stay.camera)
    several = sum(len(each) > 1 for each in seen.values())
    tiles = [
        ("people", record.counted(len(seen))),
        ("cameras", f"{len(cameras):,}"),
        ("seen by several cameras", f"{several:,}"),
        ("hand-overs", f"{len(moves):,}"),
    ]
    if stays:
        usual = median(stay.dwell_s for stay in stays)
        tiles += [
            ("median stay", duration(usual)),
            ("from first to last sight", duration(axis.last_s - min(s.first_s for s in stays))),
        ]
    return tiles


def _cards(results: Results, stays: Sequence[Visit], limits: Limits) -> list[dict[str, Any]]:
    """Return the people to show, in order of their numbers."""
    of_person: dict[int, list[Visit]] = {}
    for stay in stays:
        of_person.setdefault(stay.global_id, []).append(stay)
    in_view = seconds_in_view(stays)
    shown = sorted(in_view, key=lambda number: (-in_view[number], number))[: limits.cards]
    pictures = results.pictures_of(shown, limits.crops)
    cards = []
    for number in sorted(shown):
        own = of_person[number]
        colour, ink = css_colour(number)
        cards.append(
            {
                "global_id": number,
                "colour": colour,
                "ink": ink,
                "pictures": [uri for each in pictures[number] if (uri := data_uri(each.jpeg))],
                "cameras": list(dict.fromkeys(stay.camera for stay in own)),
                "span": span(own[0].first_s, max(stay.last_s for stay in own)),
                "in_view_s": in_view[number],
                "visits": len(own),
            }
        )
    return cards


def _timelines(
    cameras: Sequence[str],
    stays: Sequence[Visit],
    axis: Axis,
    limits: Limits,
    names: Mapping[int, str],
) -> list[dict[str, Any]]:
    each = max(1, limits.bars // max(1, len(cameras)))
    of_camera: dict[str, list[Visit]] = {camera: [] for camera in cameras}
    for stay in stays:
        of_camera[stay.camera].append(stay)
    return [
        {
            "camera": camera,
            "people": len({stay.global_id for stay in own}),
            "lanes": lay_out(own, axis, max_rows=limits.rows, max_bars=each, names=names),
        }
        for camera, own in of_camera.items()
    ]


def _dwell(cameras: Sequence[str], stays: Sequence[Visit]) -> list[dict[str, Any]]:
    """Return how long people stayed in each camera."""
    rows = []
    largest = max((stay.dwell_s for stay in stays), default=1.0) or 1.0
    for camera in cameras:
        own = [stay for stay in stays if stay.camera == camera]
        if not own:
            continue
        low, usual, high, longest = np.quantile([s.dwell_s for s in own], [0.1, 0.5, 0.9, 1])
        rows.append(
            {
                "camera": camera,
                "people": len({stay.global_id for stay in own}),
                "visits": len(own),
                "median_s": float(usual),
                "high_s": float(high),
                "max_s": float(longest),
                "left": round(100 * float(low) / largest, 2),
                "width": round(100 * float(high - low) / largest, 2),
                "middle": round(100 * float(usual) / largest, 2),
            }
        )
    return rows


def _flows(cameras: Sequence[str], moves: Sequence[HandOver], limits: Limits) -> dict[str, Any]:
    """Return the hand-overs as matrix, diagram and list."""
    traffic = dict.fromkeys(cameras, 0)
    for move in moves:
        traffic[move.origin] += 1
        traffic[move.target] += 1
    busiest = sorted(cameras, key=lambda camera: -traffic[camera])
    in_grid, in_ring = set(busiest[: limits.grid]), set(busiest[: limits.ring])
    grid = [camera for camera in cameras if camera in in_grid]
    ring = [camera for camera in cameras if camera in in_ring]
    all_ways = ways(moves)
    in_ring_ways = [way for way in all_ways if {way.origin, way.target} <= in_ring]
    drawn = in_ring_ways[: limits.arrows]
    return {
        "moves": moves[: limits.moves],
        "all_moves": len(moves),
        "grid": [(camera, shortened(camera)) for camera in grid],
        "dense": len(grid) > ROOMY,
        "ring_of": len(ring),
        "arrows_of": len(drawn),
        "all_drawn": len(drawn) == len(all_ways),
        "matrix": [
            (camera, shortened(camera), cells)
            for camera, cells in zip(grid, matrix(grid, all_ways), strict=True)
        ],
        "ring": draw_ring(ring, drawn) if moves else None,
        "usual_ways": [(way, took(way)) for way in all_ways[:8]],
    }
