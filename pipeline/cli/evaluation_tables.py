"""The scores of a run as tables and notes for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.table import Table

from pipeline.jobs.evaluate import Evaluation
from pipeline.metrics.false_people import FalsePeople
from pipeline.metrics.scores import Score, Scores

__all__ = ["false_people_table", "notes", "score_table"]

SHOWN = {
    "IDF1": "idf1",
    "IDP": "idp",
    "IDR": "idr",
    "HOTA": "hota",
    "DetA": "det_a",
    "AssA": "ass_a",
    "MOTA": "mota",
    "switches": "id_switches",
    "recall": "recall",
    "precision": "precision",
    "people": "true_identities",
    "found": "found_identities",
}
MANY_UNLABELLED = 0.25
"""Share of the found boxes in frames without any true box from which on the labels are doubted."""
WHOLE_NUMBERS = frozenset({"id_switches", "true_identities", "found_identities"})


def score_table(scores: Scores, coverage: Mapping[str, float]) -> Table:
    """Return a row for every camera and one for all of them together.

    Args:
        scores: The scores.
        coverage: Per camera, the share of the true boxes in frames that the run processed; a
            column of its own unless the run processed them all.
    """
    partial = any(share < 1 for share in coverage.values())
    table = Table(title="Scores", title_justify="left")
    table.add_column("camera")
    for name in [*SHOWN, *(["covered"] if partial else [])]:
        table.add_column(name, justify="right")
    for camera, score in scores.cameras.items():
        share = f"{coverage[camera]:.0%}" if camera in coverage else "?"
        table.add_row(camera, *_cells(score), *([share] if partial else []))
    table.add_section()
    table.add_row("all together", *_cells(scores.overall), style="bold")
    return table


def false_people_table(found: FalsePeople) -> Table:
    """Return a row for every camera in which somebody was found, and one for all of them."""
    low, high = found.interval
    table = Table(title="False people", title_justify="left")
    table.add_column("camera")
    table.add_column("found", justify="right")
    for camera, count in found.cameras.items():
        if count:
            table.add_row(camera, str(count))
    table.add_section()
    table.add_row(f"all {len(found.cameras)}, {found.hours:.2f} hours", str(found.count))
    table.add_row(
        "per hour, and its 95% interval", f"{found.per_hour:.2f} ({low:.2f} to {high:.2f})"
    )
    return table


def notes(found: Evaluation, *, status: str, cut: bool) -> Iterator[str]:
    """Yield what one has to know to read the numbers, one line each.

    Args:
        found: The scores, and what they rest on.
        status: Of the run, empty where it is not known.
        cut: Whether true boxes beyond the processed frames were left out.
    """
    overall = found.scores.overall
    if status not in ("", "complete"):
        yield f"The run is {status}: its boxes may not be all there."
    if overall.hidden_boxes:
        yield (
            f"{overall.hidden_boxes} ground-truth boxes are ignored because too little is visible, "
            f"and {overall.ignored_boxes} found boxes that match them."
        )
    if overall.unassigned_boxes:
        doubles = f", {overall.duplicate_boxes} of them a second box of an identity in one frame"
        yield (
            f"{overall.unassigned_boxes} found boxes have no identity"
            f"{doubles if overall.duplicate_boxes else ''}: detected, but unassigned."
        )
    if any(share < 1 for share in found.covered.values()):
        fate = "left out" if cut else "missed; --processed-only leaves them out"
        yield (
            f"The ground truth goes on beyond the frames that the run processed: what is there counts as {fate}. "
            "If the whole video was processed, the ground truth is of another frame rate."
        )
    for camera, share in found.unlabelled.items():
        if share >= MANY_UNLABELLED:
            yield (
                f"{share:.0%} of the boxes found in {camera} lie in frames without any true box and count as "
                "false: is the ground truth of another frame rate, or of some frames only?"
            )
    unseen = [camera for camera, score in found.scores.cameras.items() if not score.found_boxes]
    if unseen:
        yield f"Nothing was found in {', '.join(unseen)}."


def _cells(score: Score) -> list[str]:
    return [_cell(field, getattr(score, field)) for field in SHOWN.values()]


def _cell(field: str, value: float) -> str:
    return f"{value:.0f}" if field in WHOLE_NUMBERS else f"{value:.3f}"
