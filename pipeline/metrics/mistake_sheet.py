"""The picture of the worst mistakes: pairs of crops that contradict the ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.datatypes import Image
from pipeline.foreign import write_figure
from pipeline.metrics.figures import GREY, INK, new_figure
from pipeline.metrics.matches import BoxView, Mistake

__all__ = ["draw_mistakes"]

PAIRS_A_ROW = 4
PAIR_IN = (3.1, 3.3)


def draw_mistakes(mistakes: Sequence[Mistake], crops: Mapping[BoxView, Image], path: Path) -> None:
    """Draw every mistake as two crops side by side, worst first.

    Args:
        mistakes: At least one.
        crops: What could be cut out of the videos; a gap says that a crop is missing.
        path: The picture, PNG.

    Raises:
        InputError: matplotlib is missing.
        SinkError: The picture cannot be written.
    """
    columns = min(PAIRS_A_ROW, len(mistakes))
    rows = -(-len(mistakes) // columns)
    figure = new_figure(PAIR_IN[0] * columns, PAIR_IN[1] * rows)
    cells = figure.subfigures(rows, columns, squeeze=False).ravel()
    for cell, mistake in zip(cells, mistakes, strict=False):
        cell.suptitle(_title(mistake), fontsize=8.5, color=INK)
        views = (mistake.first, mistake.second)
        for panel, view in zip(cell.subplots(1, 2), views, strict=True):
            _show(panel, crops.get(view), view)
    write_figure(figure, path)


def _title(mistake: Mistake) -> str:
    first, second = mistake.first, mistake.second
    extent = f"{mistake.boxes} boxes" if mistake.boxes != 1 else "1 box"
    if mistake.kind == "merged":
        return f"two persons, one identity: {first.global_id}\n{extent}"
    names = f"{first.global_id}, {second.global_id}"
    return f"person {first.identity}, two identities: {names}\n{extent}"


def _show(panel: Any, crop: Image | None, view: BoxView) -> None:
    if crop is None:
        panel.text(0.5, 0.5, "no crop", ha="center", va="center", fontsize=8, color=GREY)
        panel.set_xlim(0, 1)
        panel.set_ylim(0, 1)
        panel.set_box_aspect(2)
    else:
        panel.imshow(crop[:, :, ::-1])
    panel.set_xticks([])
    panel.set_yticks([])
    for side in panel.spines.values():
        side.set_color(GREY)
    when = f"frame {view.frame}" if view.time_s is None else f"{view.time_s:.1f} s"
    panel.set_xlabel(
        f"person {view.identity}, found as {view.global_id}\n{view.camera}, {when}",
        fontsize=7,
        color=INK,
    )
