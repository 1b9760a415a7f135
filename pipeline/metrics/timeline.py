"""Timeline of ground truth and assigned identities: one panel a camera, one row a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.datatypes import UNASSIGNED
from pipeline.foreign import write_figure
from pipeline.metrics.figures import (
    GREY,
    INK,
    Colour,
    distinct_colours,
    in_natural_order,
    new_figure,
)
from pipeline.metrics.optional import load

__all__ = ["Stretch", "draw_timeline", "stretches"]

GAP_FRAMES = 5
"""A stretch goes on over gaps of up to so many frames."""
WIDTH_IN, ROW_IN, FRAME_IN = 14.0, 0.27, 0.9
CHARACTER_SHARE = 0.006
"""Part of the axis that one character of a label takes."""
FALSE_ROW = "false"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive boxes of one row that have the same identity.

    Attributes:
        begin: Time of the first box, seconds, or its frame where there are no times.
        end: Time at which the last box ends.
        global_id: The identity, ``UNASSIGNED`` where there is none.
    """

    begin: float
    end: float
    global_id: int


@dataclass(frozen=True, slots=True)
class _Palette:
    """Whose colour is which.

    Attributes:
        people: Person to colour.
        owners: Found identity to the person whose name it bears.
    """

    people: Mapping[str, Colour]
    owners: Mapping[int, str]


def stretches(row: pd.DataFrame, *, axis: str, tick: float) -> Iterator[Stretch]:
    """Cut the boxes of one person in one camera where the identity changes or boxes are missing.

    Args:
        row: Rows of ``box_table``, ascending by frame.
        axis: ``time_s`` or ``frame``.
        tick: How long one box lasts on that axis.
    """
    if row.empty:
        return
    frame, position = row["frame"].to_numpy(), row[axis].to_numpy(np.float64)
    number = row["global_id"].to_numpy()
    breaks = (np.diff(frame) > GAP_FRAMES + 1) | (np.diff(number) != 0)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    ends = np.append(starts[1:], len(frame)) - 1
    for start, end in zip(starts, ends, strict=True):
        yield Stretch(
            float(position[start]),
            float(position[end]) + tick,
            int(number[start]),
        )


def draw_timeline(boxes: pd.DataFrame, names: Mapping[int, str], path: Path) -> None:
    """Draw, for each camera and person, the true presence above and the found one below.

    Every person has a colour. A found stretch has the colour of the person whose name the
    identity bears, so a row of one colour is right, and a foreign colour is a mistake.

    Args:
        boxes: As ``box_table`` returns it.
        names: Found identity to person, as ``name_identities`` returns it.
        path: The picture, PNG.

    Raises:
        InputError: matplotlib is missing.
        SinkError: The picture cannot be written.
    """
    people = in_natural_order([str(each) for each in boxes["identity"].unique() if each])
    palette = _Palette(dict(zip(people, distinct_colours(len(people)), strict=True)), names)
    axis = "frame" if boxes["time_s"].isna().any() else "time_s"
    cameras = [(str(name), part) for name, part in boxes.groupby("camera")]
    rows = [_rows_of(part, people) for _, part in cameras]
    heights = [ROW_IN * len(each) + FRAME_IN for each in rows]
    figure = new_figure(WIDTH_IN, sum(heights) + 0.5)
    panels = figure.subplots(
        len(cameras), 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights}
    )
    for panel, (camera, part), row_names in zip(panels[:, 0], cameras, rows, strict=True):
        _draw_camera(panel, part, row_names, axis, palette)
        panel.set_title(camera, loc="left", fontsize=10, color=INK, fontweight="bold")
    panels[-1, 0].set_xlabel("seconds" if axis == "time_s" else "frame", color=INK)
    _explain(figure)
    write_figure(figure, path)


def _rows_of(part: pd.DataFrame, people: list[str]) -> list[str]:
    present = set(part["identity"])
    false = [FALSE_ROW] if "" in present else []
    return [person for person in people if person in present] + false


def _draw_camera(
    panel: Any,
    part: pd.DataFrame,
    row_names: list[str],
    axis: str,
    palette: _Palette,
) -> None:
    times = np.unique(part[axis].to_numpy(np.float64))
    tick = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    span = float(times[-1] - times[0]) + tick
    by_person = dict(list(part.groupby("identity")))
    for place, person in enumerate(row_names):
        if person == FALSE_ROW:
            _draw_false(panel, by_person[""], place, axis, tick)
            continue
        row = by_person[person]
        presence = row.assign(global_id=UNASSIGNED)
        bars = [
            (each.begin, each.end - each.begin)
            for each in stretches(presence, axis=axis, tick=tick)
        ]
        panel.broken_barh(bars, (place - 0.40, 0.16), facecolors=[palette.people[person]])
        for each in stretches(row[row["is_found"]], axis=axis, tick=tick):
            _draw_found(panel, each, place, span, palette)
    panel.set_yticks(range(len(row_names)), row_names, fontsize=7, color=INK)
    panel.set_ylim(len(row_names) - 0.4, -0.6)
    panel.tick_params(length=0, labelsize=7, colors=INK)
    panel.grid(axis="x", linewidth=0.4, color=GREY, alpha=0.6)
    panel.set_axisbelow(True)
    for side in panel.spines.values():
        side.set_visible(False)


def _draw_found(
    panel: Any,
    stretch: Stretch,
    place: int,
    span: float,
    palette: _Palette,
) -> None:
    length = stretch.end - stretch.begin
    box = (place - 0.18, 0.52)
    if stretch.global_id == UNASSIGNED:
        panel.broken_barh(
            [(stretch.begin, length)], box, facecolors="white", edgecolors=[GREY], hatch="////"
        )
        return
    owner = palette.owners.get(stretch.global_id)
    colour = GREY if owner is None else palette.people[owner]
    panel.broken_barh([(stretch.begin, length)], box, facecolors=[colour])
    label = str(stretch.global_id)
    if length > span * CHARACTER_SHARE * (len(label) + 1):
        panel.text(
            stretch.begin + length / 2,
            place + 0.09,
            label,
            ha="center",
            va="center",
            fontsize=6,
            color=INK if owner is None else "white",
        )


def _draw_false(panel: Any, row: pd.DataFrame, place: int, axis: str, tick: float) -> None:
    bars = [(float(time), tick) for time in np.unique(row[axis].to_numpy(np.float64))]
    panel.broken_barh(bars, (place - 0.18, 0.52), facecolors=[INK])


def _explain(figure: Any) -> None:
    patch = load("matplotlib.patches").Patch
    line = load("matplotlib.lines").Line2D
    colour = distinct_colours(1)[0]
    figure.legend(
        handles=[
            line([], [], color=colour, linewidth=2, label="there (each person has a colour)"),
            patch(color=colour, label="found; colour of the person whose name the identity bears"),
            patch(color=GREY, label="found; the identity is nobody's name"),
            patch(facecolor="white", edgecolor=GREY, hatch="////", label="found, no identity"),
            patch(color=INK, label="false: nobody is there"),
        ],
        loc="outside upper center",
        ncols=5,
        fontsize=8,
        frameon=False,
        handlelength=1.4,
    )
