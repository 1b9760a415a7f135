"""From a checkpoint of a training run to the files that ship, and the tables of their card.

What is published is what was measured: the scores are those of the files written here, and nothing is
replaced before they are known.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid_model.backends import Precision
from reid_model.backends.openvino import save_form
from reid_model.card import filled_card
from reid_model.checkpoint import load_checkpoint, save_checkpoint
from reid_model.data.pixels import read_crop
from reid_model.errors import BackendError, DatasetError, OutputError, WeightsError
from reid_model.evaluation.report import Evaluation, evaluate_images
from reid_model.evaluation.sets import LabelledSet
from reid_model.inference import load_embedder
from reid_model.patterns import pattern_crops
from reid_model.quantization import save_int8_form
from reid_model.stored_weights import (
    CHECKPOINT_SUFFIX,
    openvino_form,
    read_notes,
    weights_sha256,
    write_notes,
)
from reid_model.writing import write_atomically, writing

__all__ = ["Published", "check_loss", "publish"]

MIN_COSINE = 0.99
"""What half precision and OpenVINO have to keep of every embedding."""
COMPARED = 32
MAX_LOSS = 0.01
"""What int8 may cost of rank-1 and mAP on any of the sets."""
CALIBRATION_CROPS = 300
"""Pictures that tell the ranges for int8."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """What was written.

    Attributes:
        weights: The checkpoint in half precision, its OpenVINO forms in folders beside it.
        card: The model card whose tables were filled in, if there is one.
        scores: Of the published files, by data set.
        min_cosine: Smallest cosine between their embeddings and those of the given checkpoint.
    """

    weights: Path
    card: Path | None
    scores: dict[str, Evaluation]
    min_cosine: float


def publish(
    checkpoint: Path,
    out: Path,
    sets: Sequence[LabelledSet],
    *,
    calibrate_on: Sequence[Path] = (),
) -> Published:
    """Write the files that ship.

    Args:
        checkpoint: Calibrated weights, such as ``best.safetensors``; may be ``out`` itself.
        out: The ``.safetensors`` to write; a ``README.md`` beside it gets its tables filled in.
        sets: What to score on, mirror images added.
        calibrate_on: Pictures of people that tell the ranges for the int8 form; those of the sets
            are left out. Without them no int8 form is written, and one that is there goes.

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
            scores = _scores(made, sets)
            if calibrate_on:
                save_int8_form(made, _int8_folder(made), _ranges(calibrate_on, sets))
                check_loss(scores, _scores(made, sets, "int8"))
            write_notes(made, {"scores": {name: _noted(each) for name, each in scores.items()}})
            filled = None if text is None else filled_card(text, made)
            for int8 in (False, True):
                _replace(openvino_form(made, int8=int8), openvino_form(out, int8=int8))
            shutil.move(made, out)
            if filled is not None:
                write_atomically(card, filled.encode())
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


def _scores(
    weights: Path, sets: Sequence[LabelledSet], precision: Precision = "auto"
) -> dict[str, Evaluation]:
    network = load_embedder(weights, precision=precision)
    return {
        each.name: evaluate_images(each.images, network, flip=True, protocol=each.protocol)
        for each in sets
    }


def _int8_folder(weights: Path) -> Path:
    """Return where the int8 form of weights goes, its folder made."""
    form = openvino_form(weights, int8=True)
    form.parent.mkdir()
    return form


def _ranges(pictures: Sequence[Path], sets: Sequence[LabelledSet]) -> list[NDArray[np.uint8]]:
    """Return some of the pictures, spread over all of them, none of which is scored on."""
    judged = {image.path.resolve() for each in sets for image in each.images}
    free = [path for path in pictures if path.resolve() not in judged]
    if not free:
        raise DatasetError("the int8 form needs pictures that are in none of the sets of --data")
    rows = np.linspace(0, len(free) - 1, min(len(free), CALIBRATION_CROPS)).astype(int)
    return [read_crop(free[row]) for row in rows]


def check_loss(full: Mapping[str, Evaluation], int8: Mapping[str, Evaluation]) -> None:
    """Hold the scores in int8, by data set, against those in full precision.

    Raises:
        BackendError: One of them falls by more than ``MAX_LOSS``.
    """
    for name, whole in full.items():
        for score in ("rank1", "mean_average_precision"):
            before, after = getattr(whole.ranking, score), getattr(int8[name].ranking, score)
            log.info("%s, %s: %.4f, int8 %.4f", name, score, before, after)
            if after < before - MAX_LOSS:
                raise BackendError(
                    f"in int8 {score} on {name} falls from {before:.3f} to {after:.3f}, more than "
                    f"{MAX_LOSS}: publish without --calibrate-on, or with other pictures"
                )


def _replace(made: Path, form: Path) -> None:
    """Put an OpenVINO form in the place of another; one of which nothing was made goes."""
    for old, new in ((form, made), (form.with_suffix(".bin"), made.with_suffix(".bin"))):
        if new.is_file():
            old.parent.mkdir(exist_ok=True)
            shutil.move(new, old)
        else:
            old.unlink(missing_ok=True)
    with suppress(OSError):  # it holds something, or is not there
        form.parent.rmdir()


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
