"""Which part of the ground truth a run is held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from pipeline.errors import InputError
from pipeline.metrics.finished_run import FinishedRun
from pipeline.metrics.tables import CAMERAS

__all__ = ["Coverage", "coverage", "restrict", "unlabelled"]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """How much of the ground truth lies in frames that a run processed.

    Attributes:
        share: Per camera, the share of the true boxes; without the cameras for which it is
            not known how far the run came.
        within: The true boxes in processed frames.
    """

    share: Mapping[str, float]
    within: pd.DataFrame


def coverage(ground_truth: pd.DataFrame, frames: Mapping[str, int]) -> Coverage:
    """Compare the ground truth with how many frames of each camera were processed.

    Args:
        ground_truth: As ``check_ground_truth`` returns it.
        frames: Per camera, the number of frames; a camera that is missing counts as whole.
    """
    limit = ground_truth["camera"].map(dict(frames)).fillna(float("inf"))
    inside = ground_truth["frame"] < limit
    share = inside.groupby(ground_truth["camera"]).mean()
    known = {str(camera): float(part) for camera, part in share.items() if camera in frames}
    return Coverage(known, ground_truth[inside].reset_index(drop=True))


def unlabelled(ground_truth: pd.DataFrame, tracks: pd.DataFrame) -> Mapping[str, float]:
    """Return per camera the share of the found boxes that lie in frames without any true box.

    Args:
        ground_truth: As ``check_ground_truth`` returns it.
        tracks: As ``check_tracks`` returns it.
    """
    labelled = pd.MultiIndex.from_frame(ground_truth[["camera", "frame"]])
    outside = ~pd.MultiIndex.from_frame(tracks[["camera", "frame"]]).isin(labelled)
    share = pd.Series(outside).groupby(tracks["camera"].to_numpy()).mean()
    return {str(camera): float(part) for camera, part in share.items()}


def restrict(
    ground_truth: pd.DataFrame, run: FinishedRun, *, cameras: Sequence[str]
) -> tuple[pd.DataFrame, FinishedRun]:
    """Keep the cameras that are to be scored, and see that both sides have them.

    Args:
        ground_truth: As ``check_ground_truth`` returns it.
        run: The run.
        cameras: The cameras to score; none means all.

    Raises:
        InputError: The cameras of the run and of the ground truth do not correspond. A tracks
            CSV alone does not tell in which cameras nothing was found, so there a camera of
            the ground truth may be missing.
    """
    true = {*ground_truth["camera"], *ground_truth.attrs.get(CAMERAS, ())}
    wanted = set(cameras) or true | run.cameras
    ours = wanted & run.cameras
    is_recorded = bool(run.frames or run.sources)
    if wanted - true or (is_recorded and wanted - ours) or not ours:
        raise InputError(
            f"the cameras do not correspond: the run has {_list(run.cameras)}, the ground truth "
            f"has {_list(true)}{f', asked for is {_list(wanted)}' if cameras else ''}: rename "
            "with --map RUN=TRUTH, or choose cameras that both have with --camera"
        )
    kept = run.tracks["camera"].isin(wanted)
    truth = ground_truth[ground_truth["camera"].isin(wanted)].reset_index(drop=True)
    return truth, replace(run, tracks=run.tracks[kept].reset_index(drop=True))


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
