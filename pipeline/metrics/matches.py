"""Matches between detections and ground truth, and the errors that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pipeline.datatypes import UNASSIGNED, IntArray
from pipeline.metrics.pairing import Overlaps, TimeStep
from pipeline.metrics.tables import BOX

__all__ = ["BoxView", "Mistake", "box_table", "name_identities", "worst_mistakes"]


@dataclass(frozen=True, slots=True)
class BoxView:
    """One found box that shows a person.

    Attributes:
        camera: Name of the camera.
        frame: Number of the frame, from 0.
        time_s: Seconds on the run's time line, ``None`` where the tables hold no time.
        identity: The person, as the ground truth names it.
        global_id: The identity that was found.
        track_id: The track behind it.
        box: x, y, width and height of the found box, pixels.
    """

    camera: str
    frame: int
    time_s: float | None
    identity: str
    global_id: int
    track_id: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Mistake:
    """Two box views whose identities contradict the ground truth.

    Attributes:
        kind: ``merged``: two persons under one identity; ``split``: one person under two.
        boxes: How many boxes of the smaller side are affected.
        first: The best view of the larger side.
        second: The best view of the smaller side.
    """

    kind: Literal["merged", "split"]
    boxes: int
    first: BoxView
    second: BoxView


def box_table(
    steps: Sequence[TimeStep], ground_truth: pd.DataFrame, tracks: pd.DataFrame, *, iou: float
) -> pd.DataFrame:
    """Return every box that counts: true and found ones in one row where they match.

    Args:
        steps: All time steps, at least one.
        ground_truth: The table that the steps were made of.
        tracks: Likewise.
        iou: Minimum overlap of a found box with the person it shows.

    Returns:
        ``camera,frame,time_s,identity,is_found,global_id,track_id,x,y,w,h,visible,overlap``, in
        order of (camera, frame). ``identity`` is text, empty for false boxes. The box is the
        found one, or the true one of a missed person, whose ``global_id`` and ``track_id`` are
        ``UNASSIGNED``. ``time_s`` is NaN where the tables hold no time.
    """
    pairs = [_pairs(step, iou) for step in steps]
    none = np.zeros((0, 3), np.int64), np.zeros(0)  # where nothing is visible, and nothing found
    pairs = pairs or [none]
    true_row, found_row, number = np.concatenate([rows for rows, _ in pairs]).T
    is_true, is_found = true_row >= 0, found_row >= 0
    truth = _columns(ground_truth, ["identity", "visible"])
    found = _columns(tracks, ["global_id", "track_id"])

    def pick(column: str) -> NDArray[Any]:
        """Take a column from the found row where there is one, else from the true one."""
        values = np.empty(len(number), np.result_type(found[column], truth[column]))
        values[is_found] = found[column][found_row[is_found]]
        values[~is_found] = truth[column][true_row[~is_found]]
        return values

    boxes = {column: pick(column) for column in ["camera", "frame", "time_s", *BOX]}
    table = pd.DataFrame(boxes).assign(is_found=is_found, identity="", visible=0.0)
    table.loc[is_true, "identity"] = truth["identity"][true_row[is_true]]
    table.loc[is_true, "visible"] = truth["visible"][true_row[is_true]]
    for column in ("global_id", "track_id"):
        table[column] = UNASSIGNED
        table.loc[is_found, column] = found[column][found_row[is_found]]
    # The pairing took the identity from the lesser one of two boxes that shared it.
    table.loc[number == UNASSIGNED, "global_id"] = UNASSIGNED
    table["overlap"] = np.concatenate([overlap for _, overlap in pairs])
    return table.sort_values(["camera", "frame"], kind="stable", ignore_index=True)


def name_identities(boxes: pd.DataFrame) -> dict[int, str]:
    """Give each found identity at most one person, so that the most boxes are right.

    Args:
        boxes: As ``box_table`` returns it.

    Returns:
        Found identity to person; identities that gain nothing are left out.
    """
    named = _named(boxes)
    table = pd.crosstab(named["identity"], named["global_id"])
    people, numbers, counts = table.index.to_list(), table.columns.to_list(), table.to_numpy()
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return {
        int(numbers[column]): str(people[row])
        for row, column in zip(rows, columns, strict=True)
        if counts[row, column] > 0
    }


def worst_mistakes(boxes: pd.DataFrame, *, limit: int) -> list[Mistake]:
    """Return the mistakes that touch the most boxes, worst first.

    Of each found identity, every further person is compared with the one it shows most; of
    each person, every further identity with the one found most.

    Args:
        boxes: As ``box_table`` returns it.
        limit: How many at most.
    """
    named = _named(boxes)
    candidates: list[tuple[int, Literal["merged", "split"], tuple[str, int], tuple[str, int]]] = []
    counts = named.groupby(["identity", "global_id"]).size().rename("boxes").reset_index()
    kinds: tuple[tuple[Literal["merged", "split"], str], ...] = (
        ("merged", "global_id"),
        ("split", "identity"),
    )
    for kind, shared in kinds:
        for _, group in counts.groupby(shared):
            ranked = group.sort_values("boxes", ascending=False, kind="stable")
            keys = list(zip(ranked["identity"], ranked["global_id"], strict=True))
            sizes = ranked["boxes"].to_list()
            candidates += [
                (size, kind, keys[0], key) for key, size in zip(keys[1:], sizes[1:], strict=True)
            ]
    candidates.sort(key=lambda each: (-each[0], each[1:]))
    by_pair = named.groupby(["identity", "global_id"])
    return [
        Mistake(
            kind, size, _best_view(by_pair.get_group(first)), _best_view(by_pair.get_group(second))
        )
        for size, kind, first, second in candidates[:limit]
    ]


def _pairs(step: TimeStep, iou: float) -> tuple[IntArray, Overlaps]:
    """Return ``(M, 3)`` true row, found row, found number (-1 where none), ``(M,)`` overlap."""
    rows, columns = linear_sum_assignment(np.where(step.iou >= iou, step.iou, 0), maximize=True)
    good = step.iou[rows, columns] >= iou
    rows, columns = rows[good], columns[good]
    matched = [step.truth_rows[rows], step.found_rows[columns], step.found[columns]]
    missed = np.delete(step.truth_rows, rows)
    false = np.setdiff1d(np.arange(len(step.found)), columns)
    only_true = [missed, *[np.full(len(missed), -1)] * 2]
    only_found = [np.full(len(false), -1), step.found_rows[false], step.found[false]]
    parts = [np.stack(part, axis=1) for part in (matched, only_true, only_found)]
    overlap = np.zeros(sum(map(len, parts)))
    overlap[: len(rows)] = step.iou[rows, columns]
    return np.concatenate(parts).astype(np.int64), overlap


def _columns(table: pd.DataFrame, further: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the columns that a box needs as arrays."""
    times = table["time_s"] if "time_s" in table else pd.Series(np.nan, index=table.index)
    columns = {name: table[name].to_numpy() for name in ["frame", *BOX, *further]}
    columns["camera"] = table["camera"].to_numpy(object)
    columns["time_s"] = pd.to_numeric(times, errors="coerce").to_numpy(np.float64)
    if "identity" in columns:
        columns["identity"] = np.array([str(each) for each in columns["identity"]], object)
    return columns


def _named(boxes: pd.DataFrame) -> pd.DataFrame:
    """Return the boxes that show a person and have an identity."""
    return boxes[(boxes["identity"] != "") & (boxes["global_id"] != UNASSIGNED)]


def _best_view(boxes: pd.DataFrame) -> BoxView:
    """Return the largest of the most visible boxes that fit their person well."""
    worth = boxes["visible"] * boxes["overlap"] * np.sqrt(boxes["w"] * boxes["h"])
    best = boxes.iloc[int(worth.to_numpy().argmax())]
    return BoxView(
        camera=str(best["camera"]),
        frame=int(best["frame"]),
        time_s=None if np.isnan(best["time_s"]) else float(best["time_s"]),
        identity=str(best["identity"]),
        global_id=int(best["global_id"]),
        track_id=int(best["track_id"]),
        box=(float(best["x"]), float(best["y"]), float(best["w"]), float(best["h"])),
    )
