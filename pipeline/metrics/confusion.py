"""The matrix of true against found identities, and its picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.datatypes import UNASSIGNED
from pipeline.foreign import write_figure
from pipeline.metrics.figures import GREY, INK, in_natural_order, new_figure

__all__ = ["FALSE", "MISSED", "NO_IDENTITY", "confusion", "draw_confusion"]

MISSED, NO_IDENTITY, FALSE = "missed", "no identity", "false"
MAX_COLUMNS = 60
"""More found identities than this are drawn as one column."""
CELL_IN = 0.34


def confusion(boxes: pd.DataFrame, names: Mapping[int, str]) -> pd.DataFrame:
    """Count boxes by true and found identity.

    Args:
        boxes: As ``box_table`` returns it.
        names: Found identity to person, as ``name_identities`` returns it.

    Returns:
        A row for every person and one for false boxes; a column for every found identity,
        those that bear a person's name first and in the order of the persons, then those
        without identity and the missed ones. Names are text.
    """
    person = boxes["identity"].where(boxes["identity"] != "", FALSE)
    found = boxes["global_id"].astype(str)
    found = found.where(boxes["global_id"] != UNASSIGNED, NO_IDENTITY)
    found = found.where(boxes["is_found"], MISSED)
    counts = pd.crosstab(person, found)
    people = in_natural_order([str(each) for each in counts.index if each != FALSE])
    owner = {str(number): name for number, name in names.items()}
    rank = {name: place for place, name in enumerate(people)}
    numbers = [str(each) for each in counts.columns if each not in (MISSED, NO_IDENTITY)]
    total = {number: int(counts[number].sum()) for number in numbers}
    numbers.sort(key=lambda number: (rank.get(owner.get(number, ""), len(rank)), -total[number]))
    return counts.reindex(
        index=[*people, FALSE], columns=[*numbers, NO_IDENTITY, MISSED], fill_value=0
    )


def draw_confusion(counts: pd.DataFrame, path: Path) -> None:
    """Draw the matrix; a run without mistakes has one dark cell in each row and column.

    Args:
        counts: As ``confusion`` returns it.
        path: The picture, PNG.

    Raises:
        InputError: matplotlib is missing.
        SinkError: The picture cannot be written.
    """
    shown = _at_most(counts, MAX_COLUMNS)
    rows, columns = shown.shape
    figure = new_figure(max(5.0, CELL_IN * columns + 1.8), max(3.0, CELL_IN * rows + 1.6))
    panel = figure.subplots()
    values = shown.to_numpy(np.float64)
    share = values / np.maximum(1, values.sum(axis=1, keepdims=True))
    panel.imshow(_shades(share, shown), aspect="auto", interpolation="nearest")
    for row, column in np.argwhere(values > 0):
        panel.text(
            column,
            row,
            f"{values[row, column]:.0f}",
            ha="center",
            va="center",
            fontsize=6,
            color="white" if share[row, column] > 0.5 else INK,
        )
    _dress(panel, shown)
    write_figure(figure, path)


def _at_most(counts: pd.DataFrame, most: int) -> pd.DataFrame:
    """Fold the rarest found identities into one column."""
    numbers = counts.columns[:-2]
    if len(numbers) <= most:
        return counts
    frequent = counts[numbers].sum().nlargest(most).index
    kept = [number for number in numbers if number in set(frequent)]
    others = counts[[number for number in numbers if number not in set(frequent)]]
    folded = counts[kept].assign(**{f"{others.shape[1]} others": others.sum(axis=1)})
    return folded.join(counts[list(counts.columns[-2:])])


def _shades(share: NDArray[np.float64], shown: pd.DataFrame) -> NDArray[np.float64]:
    """Return blue for found identities, grey for the rest, darker with the share of the row."""
    blue, grey = np.array([0.10, 0.32, 0.60]), np.array([0.45, 0.46, 0.48])
    is_plain = np.zeros(share.shape, bool)
    is_plain[:, -2:] = True
    is_plain[shown.index == FALSE] = True
    dark = np.where(is_plain[..., None], grey, blue)
    # The square root lets a few wrong boxes among hundreds be seen.
    shades: NDArray[np.float64] = 1 - np.sqrt(share)[..., None] * (1 - dark)
    return shades


def _dress(panel: Any, shown: pd.DataFrame) -> None:
    rows, columns = shown.shape
    panel.set_xticks(range(columns), shown.columns, rotation=90, fontsize=7, color=INK)
    panel.set_yticks(range(rows), shown.index, fontsize=7, color=INK)
    panel.set_xlabel("found identity (boxes)", fontsize=9, color=INK)
    panel.set_ylabel("true identity", fontsize=9, color=INK)
    panel.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    panel.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    panel.grid(which="minor", color=GREY, linewidth=0.4)
    panel.tick_params(which="both", length=0)
    panel.axvline(columns - 2.5, color=INK, linewidth=1)
    panel.axhline(rows - 1.5, color=INK, linewidth=1)
    for side in panel.spines.values():
        side.set_visible(False)
