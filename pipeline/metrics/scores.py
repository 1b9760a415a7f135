"""Scores of a run, per camera and over all cameras together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from pipeline.datatypes import UNASSIGNED
from pipeline.errors import InputError
from pipeline.metrics.pairing import Paired, TimeStep, pair_boxes
from pipeline.metrics.tables import check_cameras, check_ground_truth, check_tracks
from pipeline.metrics.trackeval_scores import clear_scores, hota_scores, identity_scores

__all__ = ["Score", "Scores", "score", "score_paired"]


@dataclass(frozen=True, slots=True)
class Score:
    """The scores of one camera, or of all cameras together.

    Shares are in [0, 1] (MOTA has no lower bound), 0 where they divide by nothing. Counts are of boxes that count, that
    is, without hidden persons and the found boxes that match them.

    Attributes:
        idf1: F1 of the boxes whose identity is right under the best one-to-one naming.
        idp: Precision of the same.
        idr: Recall of the same.
        hota: Geometric mean of detection and association, averaged over overlaps.
        det_a: Detection accuracy.
        ass_a: Association accuracy.
        mota: 1 - (missed + false + switches) / true boxes.
        id_switches: How often a person's found identity changed.
        recall: Share of the true boxes that were found.
        precision: Share of the found boxes that are true; 0 where nothing was found.
        true_boxes: Boxes in the ground truth.
        found_boxes: Boxes in the run.
        true_identities: Persons in the ground truth.
        found_identities: Identities in the run.
        unassigned_boxes: Found boxes without identity: undecided, or a second box of an identity
            that is in the frame already.
        duplicate_boxes: Those of the second kind.
        hidden_boxes: Ground-truth boxes that do not count.
        ignored_boxes: Found boxes that do not count.
    """

    idf1: float
    idp: float
    idr: float
    hota: float
    det_a: float
    ass_a: float
    mota: float
    id_switches: int
    recall: float
    precision: float
    true_boxes: int
    found_boxes: int
    true_identities: int
    found_identities: int
    unassigned_boxes: int
    duplicate_boxes: int
    hidden_boxes: int
    ignored_boxes: int


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a run.

    Attributes:
        overall: All cameras together; identities are the same person in every camera.
        cameras: Each camera alone, by name.
    """

    overall: Score
    cameras: Mapping[str, Score]

    def as_dict(self) -> dict[str, Any]:
        """Return plain numbers, for JSON."""
        cameras = {name: asdict(each) for name, each in self.cameras.items()}
        return {"overall": asdict(self.overall), "cameras": cameras}


def score(
    ground_truth: pd.DataFrame,
    tracks: pd.DataFrame,
    *,
    iou: float = 0.5,
    min_visible: float = 0.3,
) -> Scores:
    """Score the boxes and identities of a run.

    Over all cameras together, every (camera, frame) is a time step of its own; the cameras
    stand one after another in order of their names, which matters for id switches alone.

    Args:
        ground_truth: ``camera,frame,identity,x,y,w,h``, optionally ``visible``.
        tracks: ``camera,frame,track_id,global_id,x,y,w,h``, optionally ``score``. A camera
            that has no rows here counts as one where nothing was found.
        iou: Minimum overlap of a found box with the person it shows.
        min_visible: Ground-truth boxes of which less can be seen are neither rewarded nor
            punished.

    Raises:
        InputError: A table is malformed, a camera of the run is not in the ground truth, no
            true box is visible enough, or a library is missing.
    """
    truth = check_ground_truth(ground_truth)
    found = check_tracks(tracks)
    check_cameras(truth["camera"], found["camera"])
    return score_paired(pair_boxes(truth, found, iou=iou, min_visible=min_visible), iou=iou)


def score_paired(paired: Paired, *, iou: float) -> Scores:
    """Score boxes that were put side by side before.

    Args:
        paired: All time steps.
        iou: Minimum overlap of a found box with the person it shows.

    Raises:
        InputError: There is no true box, or a library is missing.
    """
    if not any(len(step.truth) for step in paired.steps):
        raise InputError(
            "no box of the ground truth is visible enough to count: lower --min-visible"
        )
    names = list(paired.hidden)
    cameras = {
        name: _score([step for step in paired.steps if step.camera == name], paired, [name], iou)
        for name in names
    }
    return Scores(overall=_score(paired.steps, paired, names, iou), cameras=cameras)


def _score(steps: Sequence[TimeStep], paired: Paired, cameras: Sequence[str], iou: float) -> Score:
    clear = clear_scores(steps, iou=iou)
    identity = identity_scores(steps, iou=iou)
    hota = hota_scores(steps)
    true_boxes = sum(len(step.truth) for step in steps)
    found_boxes = sum(len(step.found) for step in steps)
    return Score(
        idf1=identity["IDF1"],
        idp=identity["IDP"],
        idr=identity["IDR"],
        hota=hota["HOTA"],
        det_a=hota["DetA"],
        ass_a=hota["AssA"],
        mota=clear["MOTA"],
        id_switches=int(clear["IDSW"]),
        recall=clear["CLR_TP"] / max(1, true_boxes),
        precision=clear["CLR_TP"] / max(1, found_boxes),
        true_boxes=true_boxes,
        found_boxes=found_boxes,
        true_identities=len({number for step in steps for number in step.truth}),
        found_identities=len({number for step in steps for number in step.found} - {UNASSIGNED}),
        unassigned_boxes=sum(int((step.found == UNASSIGNED).sum()) for step in steps),
        duplicate_boxes=sum(paired.doubles[name] for name in cameras),
        hidden_boxes=sum(paired.hidden[name] for name in cameras),
        ignored_boxes=sum(paired.ignored[name] for name in cameras),
    )
