"""Numbers by TrackEval, the reference implementation of HOTA.

Source: J. Luiten et al., HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking,
IJCV 2021; E. Ristani et al., Performance Measures and a Data Set for Multi-Target,
Multi-Camera Tracking, ECCV workshops 2016 (IDF1); K. Bernardin and R. Stiefelhagen,
Evaluating Multiple Object Tracking Performance, EURASIP JIVP 2008 (MOTA).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.datatypes import UNASSIGNED, IntArray
from pipeline.metrics.optional import load
from pipeline.metrics.pairing import Overlaps, TimeStep

__all__ = ["clear_scores", "hota_scores", "identity_scores"]


def hota_scores(steps: Sequence[TimeStep]) -> dict[str, float]:
    """Return ``HOTA``, ``DetA`` and ``AssA``, the mean over overlaps of 0.05 to 0.95.

    A box without identity is an identity of its own: it is a detection, and associated with
    nothing.
    """
    first = 1 + max((int(step.found.max(initial=-1)) for step in steps), default=-1)
    found = []
    for step in steps:
        nameless = step.found == UNASSIGNED
        fresh = first + np.cumsum(nameless) - 1
        first += int(nameless.sum())
        found.append(np.where(nameless, fresh, step.found))
    scores = load("trackeval.metrics").HOTA().eval_sequence(_sequence(steps, found))
    return {name: float(np.mean(scores[name])) for name in ("HOTA", "DetA", "AssA")}


def identity_scores(steps: Sequence[TimeStep], *, iou: float) -> dict[str, float]:
    """Return ``IDF1``, ``IDP`` and ``IDR``.

    A box without identity is a false positive: it can be nobody's.
    """
    unused = 1 + max((int(step.found.max(initial=-1)) for step in steps), default=-1)
    found, similarities = [], []
    for step in steps:
        nameless = step.found == UNASSIGNED
        # One spare number per rank in the frame, not per box: the assignment is between all
        # identities, and with zero overlap no spare number ever gains from being shared.
        found.append(np.where(nameless, unused + np.cumsum(nameless) - 1, step.found))
        similarities.append(np.where(nameless[None, :], 0.0, step.iou))
    metric = load("trackeval.metrics").Identity({"THRESHOLD": iou, "PRINT_CONFIG": False})
    scores = metric.eval_sequence(_sequence(steps, found, similarities))
    return {name: float(scores[name]) for name in ("IDF1", "IDP", "IDR")}


def clear_scores(steps: Sequence[TimeStep], *, iou: float) -> dict[str, float]:
    """Return ``MOTA``, ``IDSW`` and the count ``CLR_TP``.

    Boxes without identity of one track share one unknown identity here, so a track that is
    decided late costs one switch and not one per frame.
    """
    first = 1 + max((int(step.found.max(initial=-1)) for step in steps), default=-1)
    found = [np.where(step.found == UNASSIGNED, first + step.track, step.found) for step in steps]
    metric = load("trackeval.metrics").CLEAR({"THRESHOLD": iou, "PRINT_CONFIG": False})
    scores = metric.eval_sequence(_sequence(steps, found))
    return {name: float(scores[name]) for name in ("MOTA", "IDSW", "CLR_TP")}


def _sequence(
    steps: Sequence[TimeStep],
    found: Sequence[IntArray],
    similarities: Sequence[Overlaps] | None = None,
) -> dict[str, Any]:
    """Return what TrackEval takes for one sequence; it wants identities numbered 0, 1, ..."""
    truth_ids, truth_count = _renumber([step.truth for step in steps])
    found_ids, found_count = _renumber(found)
    return {
        "num_timesteps": len(steps),
        "num_gt_dets": sum(map(len, truth_ids)),
        "num_tracker_dets": sum(map(len, found_ids)),
        "num_gt_ids": truth_count,
        "num_tracker_ids": found_count,
        "gt_ids": truth_ids,
        "tracker_ids": found_ids,
        "similarity_scores": similarities or [step.iou for step in steps],
    }


def _renumber(numbers: Sequence[IntArray]) -> tuple[list[IntArray], int]:
    if not numbers:
        return [], 0
    names, compact = np.unique(np.concatenate(numbers), return_inverse=True)
    ends = np.cumsum([len(each) for each in numbers])[:-1]
    return np.split(compact.astype(np.int64), ends), len(names)
