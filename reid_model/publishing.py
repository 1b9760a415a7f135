"""From a checkpoint of a training run to the files that ship, and the tables of their card.

What is published is what was measured: the scores are those of the files written here, and nothing is
replaced before they are known.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid_model.backends.openvino import save_form
from reid_model.card import filled_card
from reid_model.checkpoint import load_checkpoint, save_checkpoint
from reid_model.data.sets import LabelledSet
from reid_model.errors import BackendError, OutputError, WeightsError
from reid_model.evaluation.report import Evaluation, evaluate_images
from reid_model.inference import load_embedder
from reid_model.patterns import pattern_crops
from reid_model.stored_weights import (
    CHECKPOINT_SUFFIX,
    openvino_form,
    read_notes,
    weights_sha256,
    write_notes,
)
from reid_model.writing import write_whole, writing

__all__ = ["Published", "publish"]

MIN_COSINE = 0.99
"""What half precision and OpenVINO have to keep of every embedding."""
COMPARED = 32


@dataclass(frozen=True, slots=True)
class Published:
    """What was written.

    Attributes:
        weights: The checkpoint in half precision, its OpenVINO form in a folder beside it.
        card: The model card whose tables were filled in, if there is one.
        scores: Of the published files, by data set.
        min_cosine: Smallest cosine between their embeddings and those of the given checkpoint.
    """

    weights: Path
    card: Path | None
    scores: dict[str, Evaluation]
    min_cosine: float


def publish(checkpoint: Path, out: Path, sets: Sequence[LabelledSet]) -> Published:
    """Write the files that ship.

    Args:
        checkpoint: Calibrated weights, such as ``best.safetensors``; may be ``out`` itself.
        out: The ``.safetensors`` to write; a ``README.md`` beside it gets its tables filled in.
        sets: What to score on, mirror images added.

    Raises:
        WeightsError: The checkpoint cannot be used, or was not calibrated.
        BackendError: The written files compute something else than the checkpoint.
        OutputError: A file cannot be written, or the card has no place for the tables.
        DatasetError: A set cannot be scored on.
    """
    if out.suffix != CHECKPOINT_SUFFIX:
        raise OutputError(f"{out} is no {CHECKPOINT_SUFFIX}: name such a file with --out")
    card = out.with_name("README.md")
    text = card.read_text(encoding="utf-8") if card.is_file() else None
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
            made = Path(scratch) / out.name
            _write_half(checkpoint, made, instead_of=out)
            form = openvino_form(made)
            form.parent.mkdir()
            save_form(made, form)
            cosine = _min_cosine(checkpoint, made)
            network = load_embedder(made)
            scores = {
                each.name: evaluate_images(each.images, network, flip=True, protocol=each.protocol)
                for each in sets
            }
            write_notes(made, {"scores": {name: _noted(each) for name, each in scores.items()}})
            filled = None if text is None else filled_card(text, made)
            form_folder = openvino_form(out).parent
            form_folder.mkdir(exist_ok=True)
            for file in sorted(form.parent.iterdir()):
                shutil.move(file, form_folder / file.name)
            shutil.move(made, out)
            if filled is not None:
                write_whole(card, filled.encode())
    return Published(out, None if text is None else card, scores, cosine)


def _write_half(checkpoint: Path, path: Path, *, instead_of: Path) -> None:
    loaded = load_checkpoint(checkpoint)
    notes = {key: value for key, value in loaded.notes.items() if key != "scores"}
    calibration = notes.get("calibration")
    if checkpoint.suffix != CHECKPOINT_SUFFIX or not isinstance(calibration, dict):
        raise WeightsError(
            f"weights {checkpoint} were not calibrated: run `reid-pipeline calibrate --store` on them "
            "first"
        )
    if calibration.get("weights_sha256") != weights_sha256(checkpoint):
        raise WeightsError(
            f"the calibration of {checkpoint} was made with other weights: run `reid-pipeline "
            "calibrate --store` again"
        )
    if instead_of.is_file():
        notes = {**{k: v for k, v in read_notes(instead_of).items() if k == "licence"}, **notes}
    save_checkpoint(loaded.network, path, notes={**notes, "name": path.stem}, half=True)
    # Rounding moves no similarity by a step of the curve (`MIN_COSINE` is checked), so it holds.
    write_notes(path, {"calibration": {**calibration, "weights_sha256": weights_sha256(path)}})


def _min_cosine(checkpoint: Path, made: Path) -> float:
    crops = pattern_crops(COMPARED)
    expected = load_embedder(checkpoint, backend="torch").embed(crops)
    cosine = float((expected * load_embedder(made).embed(crops)).sum(axis=1).min())
    if not cosine >= MIN_COSINE:
        raise BackendError(
            f"half precision does not compute what {checkpoint} does (cosine {cosine:.4f}, expected "
            f"{MIN_COSINE} or more)"
        )
    return cosine


def _noted(found: Evaluation) -> dict[str, Any]:
    every = found.as_json()
    kept = ("rank1", "rank5", "rank10", "mAP", "queries", "gallery", "identities", "flip")
    return {key: every[key] for key in kept}
