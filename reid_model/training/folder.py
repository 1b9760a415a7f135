"""The folder of a training: never written over unless that was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reid_model.errors import OutputError
from reid_model.files import check_outputs

__all__ = ["check_training_folder", "clear_training"]

RESULTS = ("state.pt", "last.safetensors", "best.safetensors", "curves.csv", "curves.png")
EVENTS = "tensorboard/events.out.tfevents.*"


def check_training_folder(
    folder: Path, *, resume: bool, overwrite: bool, inputs: Iterable[Path | None]
) -> None:
    """Refuse a folder that holds a training, unless it is to go on or to be replaced.

    Args:
        folder: Where results go.
        resume: Whether the training in it goes on.
        overwrite: Whether the training in it may be replaced.
        inputs: Weights that are read.

    Raises:
        OutputError: It holds a training, or an input lies where a result would go.
    """
    held = [path for name in RESULTS if (path := folder / name).exists()]
    if resume and overwrite:
        raise OutputError("give --resume or --overwrite, not both")
    if held and not resume and not overwrite:
        raise OutputError(
            f"{folder} holds a training ({held[0].name}): --resume goes on with it, --overwrite "
            "replaces it, or choose another --out"
        )
    check_outputs((folder / name for name in RESULTS), filter(None, inputs))


def clear_training(folder: Path) -> None:
    """Remove the results of an earlier training, once the new one is sure to start."""
    for path in (*(folder / name for name in RESULTS), *folder.glob(EVENTS)):
        path.unlink(missing_ok=True)
