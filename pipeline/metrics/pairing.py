"""Ground truth and found boxes side by side, one time step for every (camera, frame)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pipeline.boxes import ious
from pipeline.datatypes import UNASSIGNED, IntArray
from pipeline.metrics.tables import BOX

__all__ = ["Overlaps", "Paired", "TimeStep", "overlaps", "pair_boxes"]

Overlaps = NDArray[np.float64]

VISIBLE_FIRST = 10.0
"""Bonus that makes the assignment prefer any visible person to any hidden one."""


@dataclass(frozen=True, slots=True, eq=False)
class TimeStep:
    """What there is and what was found in one frame of one camera.

    Attributes:
        camera: Name of the camera.
        frame: Number of the frame, from 0.
        truth: ``(G,)`` int64, numbers of the true identities, unique within the step.
        found: ``(F,)`` int64, numbers of the found identities, unique within the step but
            for ``UNASSIGNED``.
        track: ``(F,)`` int64, numbers of the (camera, track) behind each found box.
        iou: ``(G, F)`` float64 in [0, 1].
        truth_rows: ``(G,)`` int64, positions in the ground truth.
        found_rows: ``(F,)`` int64, positions in the table of tracks.
    """

    camera: str
    frame: int
    truth: IntArray
    found: IntArray
    track: IntArray
    iou: Overlaps
    truth_rows: IntArray
    found_rows: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """All time steps, camera after camera, frames ascending.

    Attributes:
        steps: Steps with at least one box on either side.
        hidden: Per camera, ground-truth boxes that do not count because too little is visible.
        ignored: Per camera, found boxes that do not count because they match a hidden one.
        doubles: Per camera, found boxes that lost their identity because a better box of
            the same frame has it too.
    """

    steps: list[TimeStep]
    hidden: dict[str, int]
    ignored: dict[str, int]
    doubles: dict[str, int]


def overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> Overlaps:
    """Return the intersection over union of all pairs of boxes.

    Args:
        first: ``(N, 4)`` x, y, width, height.
        second: ``(M, 4)`` likewise.

    Returns:
        ``(N, M)`` in [0, 1]; 0 where both boxes are empty.
    """
    # Rounding can lift the ratio of two equal boxes a hair above 1.
    return np.minimum(ious(_corners(first), _corners(second)), 1.0)


def pair_boxes(
    ground_truth: pd.DataFrame, tracks: pd.DataFrame, *, iou: float, min_visible: float
) -> Paired:
    """Put ground truth and found boxes of the same camera and frame side by side.

    Hidden persons are taken out, and with each of them at most one found box that overlaps
    it and is not needed for a visible person. Where one identity is twice in a frame (two
    tracks of one person may overlap for a moment), the box of the best score keeps it and
    the others stay as boxes without identity.

    Args:
        ground_truth: As ``check_ground_truth`` returns it.
        tracks: As ``check_tracks`` returns it.
        iou: Minimum overlap of a found box with the hidden person that excuses it.
        min_visible: Persons of whom less can be seen are hidden.
    """
    truth_number = pd.factorize(ground_truth["identity"])[0].astype(np.int64)
    grouped = tracks.groupby(["camera", "track_id"], sort=False)
    track_number: IntArray = grouped.ngroup().to_numpy().astype(np.int64)
    found_number = _name_once(tracks)
    lost = (found_number == UNASSIGNED) & (tracks["global_id"].to_numpy() != UNASSIGNED)
    truth_boxes = ground_truth[BOX].to_numpy(np.float64)
    found_boxes = tracks[BOX].to_numpy(np.float64)
    visible = ground_truth["visible"].to_numpy(np.float64) >= min_visible

    steps: list[TimeStep] = []
    cameras = sorted({*ground_truth["camera"], *tracks["camera"]})
    paired = Paired(steps, *(dict.fromkeys(cameras, 0) for _ in range(3)))
    for camera, frame, truth_rows, found_rows in _frames(ground_truth, tracks):
        similarity = overlaps(truth_boxes[truth_rows], found_boxes[found_rows])
        seen = visible[truth_rows]
        counts = np.ones(len(found_rows), bool)
        if not seen.all():
            counts[_excused(similarity, seen, iou)] = False
        paired.hidden[camera] += int((~seen).sum())
        paired.ignored[camera] += int((~counts).sum())
        truth_rows, found_rows = truth_rows[seen], found_rows[counts]  # noqa: PLW2901
        paired.doubles[camera] += int(lost[found_rows].sum())
        if len(truth_rows) or len(found_rows):
            step = TimeStep(
                camera=camera,
                frame=frame,
                truth=truth_number[truth_rows],
                found=found_number[found_rows],
                track=track_number[found_rows],
                iou=similarity[np.ix_(seen, counts)],
                truth_rows=truth_rows,
                found_rows=found_rows,
            )
            steps.append(step)
    return paired


def _corners(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _name_once(tracks: pd.DataFrame) -> IntArray:
    """Number the found identities; ``UNASSIGNED`` for undecided boxes and lesser doubles."""
    number = pd.factorize(tracks["global_id"])[0].astype(np.int64)
    best_first = tracks.sort_values("score", ascending=False, kind="stable")
    double = best_first.duplicated(["camera", "frame", "global_id"]).sort_index().to_numpy()
    undecided = tracks["global_id"].to_numpy() == UNASSIGNED
    return np.where(double | undecided, UNASSIGNED, number)


def _excused(similarity: Overlaps, seen: NDArray[np.bool_], iou: float) -> IntArray:
    """Return the found boxes that belong to hidden persons.

    Visible persons get their box first: one hidden behind another covers nearly the same
    pixels, and must not take away the box of the one in front.
    """
    allowed = similarity >= iou
    value = np.where(allowed, similarity + VISIBLE_FIRST * seen[:, None], 0.0)
    rows, columns = linear_sum_assignment(value, maximize=True)
    hidden_match = allowed[rows, columns] & ~seen[rows]
    return columns[hidden_match].astype(np.int64)


def _frames(
    ground_truth: pd.DataFrame, tracks: pd.DataFrame
) -> Iterator[tuple[str, int, IntArray, IntArray]]:
    """Yield camera, frame and the rows of both tables, for every frame that has any."""
    key = ["camera", "frame"]
    truth_rows = _rows(ground_truth[key])
    found_rows = _rows(tracks[key])
    nothing = np.zeros(0, np.int64)
    for camera, frame in sorted(truth_rows.keys() | found_rows.keys()):
        both = (camera, frame)
        yield camera, frame, truth_rows.get(both, nothing), found_rows.get(both, nothing)


def _rows(keys: pd.DataFrame) -> dict[tuple[str, int], IntArray]:
    """Return the row numbers of every (camera, frame) of a table in that order."""
    if keys.empty:
        return {}
    changed = (keys != keys.shift()).any(axis=1).to_numpy()
    starts = np.flatnonzero(changed)
    parts = np.split(np.arange(len(keys), dtype=np.int64), starts[1:])
    names = zip(keys["camera"].iloc[starts], keys["frame"].iloc[starts], strict=True)
    return {
        (str(camera), int(frame)): rows for (camera, frame), rows in zip(names, parts, strict=True)
    }
