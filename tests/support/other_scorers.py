"""The scores of a run by two other libraries, to compare with those of TrackEval.

motmetrics has its own matching and assignment. reid-hota (NIST) has its own HOTA over several
videos whose identities are shared; it pairs the boxes of a frame by overlap alone, where TrackEval
also looks at which identities go together over time: equal unless people overlap.

Id switches, and MOTA through them, can differ where tracks have gaps: motmetrics prefers a
pair it saw any time before, TrackEval one of the frame before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import motmetrics
import numpy as np
import pandas as pd
import reid_hota

from pipeline.datatypes import UNASSIGNED, IntArray
from pipeline.metrics.pairing import TimeStep
from pipeline.metrics.tables import BOX

OVERLAPS = np.arange(0.05, 0.99, 0.05)
"""The overlaps that HOTA averages over."""


def by_motmetrics(steps: Sequence[TimeStep], *, iou: float) -> dict[str, float]:
    """Return ``idf1``, ``idp``, ``idr``, ``mota`` and ``id_switches``.

    Args:
        steps: All time steps.
        iou: Minimum overlap of a found box with the person it shows.
    """
    unused = _unused(steps)
    known: list[IntArray] = []
    tracked: list[IntArray] = []
    for step in steps:
        nameless = step.found == UNASSIGNED
        known.append(np.where(nameless, unused + np.cumsum(nameless) - 1, step.found))
        tracked.append(np.where(nameless, unused + step.track, step.found))
    identity = _accumulate(steps, known, iou, nameless_match=False)
    clear = _accumulate(steps, tracked, iou, nameless_match=True)
    host = motmetrics.metrics.create()
    by_name = host.compute(identity, metrics=["idf1", "idp", "idr"], return_dataframe=False)
    by_track = host.compute(clear, metrics=["mota", "num_switches"], return_dataframe=False)
    numbers = {
        **by_name,
        "mota": by_track["mota"],
        "id_switches": by_track["num_switches"],
    }
    # Divisions by nothing are NaN here; everywhere else in this package they are 0.
    return {name: float(np.nan_to_num(value)) for name, value in numbers.items()}


def by_reid_hota(
    steps: Sequence[TimeStep],
    ground_truth: pd.DataFrame,
    tracks: pd.DataFrame,
) -> dict[str, float]:
    """Return ``hota``, ``det_a`` and ``ass_a``.

    Args:
        steps: All time steps.
        ground_truth: The table that the steps were made of.
        tracks: Likewise.
    """
    if not any(len(step.truth) for step in steps) or not any(len(step.found) for step in steps):
        return {"hota": 0.0, "det_a": 0.0, "ass_a": 0.0}
    unused, fresh = _unused(steps), 0
    found: list[IntArray] = []
    for step in steps:
        nameless = step.found == UNASSIGNED
        found.append(np.where(nameless, unused + fresh + np.cumsum(nameless) - 1, step.found))
        fresh += int(nameless.sum())
    evaluator = reid_hota.HOTAReIDEvaluator(
        config=reid_hota.HOTAConfig(
            id_alignment_method="per_frame",
            reference_contains_dense_annotations=True,
            iou_thresholds=OVERLAPS.copy(),
            suppress_print_statements=True,
        )
    )
    true_rows = [step.truth_rows for step in steps]
    found_rows = [step.found_rows for step in steps]
    evaluator.evaluate(
        _corner_tables(ground_truth, true_rows, [step.truth for step in steps]),
        _corner_tables(tracks, found_rows, found),
    )
    scores = evaluator.get_global_hota_data()
    names = {"hota": "HOTA", "det_a": "DetA", "ass_a": "AssA"}
    return {ours: float(np.mean(scores[theirs])) for ours, theirs in names.items()}


def _unused(steps: Sequence[TimeStep]) -> int:
    """Return the first number that is no found identity."""
    return 1 + max((int(step.found.max(initial=-1)) for step in steps), default=-1)


def _accumulate(
    steps: Sequence[TimeStep], found: Sequence[IntArray], iou: float, *, nameless_match: bool
) -> Any:
    """Feed all steps to motmetrics; its own frame numbers keep the cameras apart."""
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for step, numbers in zip(steps, found, strict=True):
        allowed = step.iou >= iou
        if not nameless_match:
            allowed &= (step.found != UNASSIGNED)[None, :]
        accumulator.update(step.truth, numbers, np.where(allowed, 1 - step.iou, np.nan))
    return accumulator


def _corner_tables(
    table: pd.DataFrame, rows: Sequence[IntArray], numbers: Sequence[IntArray]
) -> dict[str, pd.DataFrame]:
    """Return per camera ``frame,id,x1,y1,x2,y2`` of the rows that count."""
    chosen = np.concatenate(rows)
    x, y, w, h = table[BOX].to_numpy(np.float64)[chosen].T
    corners = {"id": np.concatenate(numbers), "x1": x, "y1": y, "x2": x + w, "y2": y + h}
    place = table[["camera", "frame"]].iloc[chosen].reset_index(drop=True)
    by_camera = place.assign(**corners).groupby("camera")
    return {str(camera): part.drop(columns="camera") for camera, part in by_camera}
