"""Training curves: a CSV that grows with the run, the same for TensorBoard, and a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from reid_model.errors import DatasetError
from reid_model.writing import write_atomically, write_figure, writing

__all__ = ["CurveLog", "draw_curves"]

CURVES = "curves.csv"
SCORES = ("rank1", "mAP")


class CurveLog:
    """Rows of step, what was measured, and its value.

    A resumed run cuts off what lies behind the step it goes on from.

    Args:
        folder: Where ``curves.csv`` and the TensorBoard events go.
        after: The last step whose rows are kept.

    Raises:
        OutputError: The files cannot be written; so do ``write`` and ``close``.
    """

    def __init__(self, folder: Path, *, after: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - slow to load

        self._path = path = folder / CURVES
        kept: list[list[str]] = []
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))[1:]
            kept = [row for row in rows if len(row) == 3 and int(row[0]) <= after]
        text = io.StringIO(newline="")
        whole = csv.writer(text, lineterminator="\n")
        whole.writerows([["step", "curve", "value"], *kept])
        write_atomically(path, text.getvalue().encode())
        with writing(path):
            self._file = path.open("a", newline="", encoding="utf-8")
            self._rows = csv.writer(self._file, lineterminator="\n")
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=after + 1)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add one row per value, and let readers see them."""
        with writing(self._path):
            for curve, value in values.items():
                self._rows.writerow([step, curve, f"{value:.6g}"])
                self._board.add_scalar(curve, value, step)
            self._file.flush()

    def close(self) -> None:
        """Close the files."""
        with writing(self._path):
            self._file.close()
            self._board.close()


def draw_curves(folder: Path, picture: Path) -> None:
    """Draw the curves of a run: losses on the left, scores on held-out identities on the right.

    Raises:
        DatasetError: The folder holds no curves.
        OutputError: The picture cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load

    path = folder / CURVES
    if not path.is_file():
        raise DatasetError(f"{folder} holds no {CURVES}: is it the folder of a training run?")
    table = pd.read_csv(path)
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    for curve, rows in table.groupby("curve", sort=False):
        if curve in SCORES:
            scores.plot(rows["step"], rows["value"], marker="o", label=curve)
        elif str(curve).startswith("loss"):
            losses.plot(rows["step"], rows["value"], label=curve)
    for axes, title in ((losses, "training loss"), (scores, "held-out identities")):
        axes.set(title=title, xlabel="step")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    write_figure(figure, picture, dpi=120)
