"""Models for other runtimes, each compared with the network it came from before it is kept."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reid_model.backends import ARCHITECTURE_KEY
from reid_model.checkpoint import Checkpoint, load_checkpoint
from reid_model.errors import BackendError, OutputError, WeightsError
from reid_model.files import check_outputs
from reid_model.inference import load_embedder
from reid_model.installation import install_hint
from reid_model.patterns import pattern_crops

__all__ = ["Export", "Format", "StoredPrecision", "export"]

Format = Literal["onnx", "openvino"]
StoredPrecision = Literal["fp32", "fp16"]
MIN_COSINE = {"fp32": 0.9999, "fp16": 0.99}
"""What an export has to reach; one that is worse is a fault of the conversion."""
OPSET = 18


@dataclass(frozen=True, slots=True)
class Export:
    """What was written.

    Attributes:
        path: The model; for OpenVINO the ``.xml``, its ``.bin`` beside it.
        size_bytes: All files together.
        min_cosine: Smallest cosine between its embeddings and the network's.
        crops: On how many crops.
    """

    path: Path
    size_bytes: int
    min_cosine: float
    crops: int


def export(
    weights: Path,
    folder: Path,
    *,
    kind: Format,
    precision: StoredPrecision = "fp32",
    crops: Sequence[NDArray[np.uint8]] | None = None,
    overwrite: bool = False,
) -> Export:
    """Convert a checkpoint and compare the result with it on crops.

    Args:
        weights: A ``.safetensors`` checkpoint.
        folder: Where the model goes, named like the checkpoint.
        kind: For which runtime.
        precision: Of the stored weights. In which precision OpenVINO computes is chosen where
            the model is loaded.
        crops: ``(H, W, 3)`` uint8 BGR images to compare on; ``None`` = patterns.
        overwrite: Whether a model that is there already may be replaced.

    Raises:
        WeightsError: The checkpoint cannot be used.
        OutputError: The model is there already, or cannot be written.
        BackendError: A package is missing, or the model computes something else.
    """
    checkpoint = load_checkpoint(weights)
    stem = weights.stem if precision == "fp32" else f"{weights.stem}_{precision}"
    name = f"{stem}.onnx" if kind == "onnx" else f"{stem}.xml"
    target = folder / name
    written = [target] if kind == "onnx" else [target, target.with_suffix(".bin")]
    check_outputs(written, [weights])
    taken = [path for path in written if path.exists()]
    if taken and not overwrite:
        raise OutputError(f"{taken[0]} exists already: choose another --out, or --overwrite")
    compared = pattern_crops(32) if crops is None else list(crops)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as scratch:
            made = Path(scratch) / name
            if kind == "onnx":
                _write_onnx(checkpoint, made, half=precision == "fp16")
            else:
                _write_openvino(weights, made, half=precision == "fp16")
            cosine = _min_cosine(weights, made, compared)
            if not cosine >= MIN_COSINE[precision]:  # also where it is no number at all
                raise BackendError(
                    f"{name} does not compute what {weights} does (cosine {cosine:.4f}, expected "
                    f"{MIN_COSINE[precision]} or more): try --precision fp32"
                )
            size = 0
            for file in sorted(Path(scratch).iterdir()):
                size += file.stat().st_size
                shutil.move(file, folder / file.name)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"{target} cannot be written ({reason}): choose another --out") from None
    return Export(target, size, cosine, len(compared))


def _write_onnx(checkpoint: Checkpoint, path: Path, *, half: bool) -> None:
    try:
        import onnx  # noqa: PLC0415 - optional
        import onnxscript  # noqa: F401, PLC0415 - what torch exports through
        import torch  # noqa: PLC0415 - loads slowly
    except ImportError as error:
        raise BackendError(f"ONNX export needs {error.name}: {install_hint('train')}") from None
    module: torch.nn.Module = checkpoint.network
    if half:
        module = _half_inside(checkpoint.network)
    example = torch.zeros(2, 3, *checkpoint.architecture.input_size)
    batch = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own retired parts
        program: Any = torch.onnx.export(
            module,
            (example,),
            input_names=["images"],
            output_names=["embeddings"],
            dynamic_shapes=({0: batch},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    onnx.helper.set_model_props(
        model, {ARCHITECTURE_KEY: checkpoint.architecture.model_dump_json(), **_notes(checkpoint)}
    )
    onnx.save(model, str(path))


def _half_inside(network: Any) -> Any:
    """Return the network computing in half precision between float32 inputs and outputs."""
    import torch  # noqa: PLC0415 - loads slowly

    class Half(torch.nn.Module):
        def __init__(self, inner: torch.nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            embeddings: torch.Tensor = self.inner(images.half())
            return embeddings.float()

    return Half(network.half()).eval()


def _write_openvino(weights: Path, path: Path, *, half: bool) -> None:
    import openvino  # noqa: PLC0415 - loads slowly

    from reid_model.backends.openvino import convert  # noqa: PLC0415

    openvino.save_model(convert(weights), str(path), compress_to_fp16=half)


def _notes(checkpoint: Checkpoint) -> dict[str, str]:
    """Return what a runtime's metadata can hold of the checkpoint's notes."""
    kept = {
        key: checkpoint.notes[key] for key in ("trained_on", "scores") if key in checkpoint.notes
    }
    return {key: json.dumps(value) for key, value in kept.items()}


def _min_cosine(weights: Path, made: Path, crops: Sequence[NDArray[np.uint8]]) -> float:
    expected = load_embedder(weights, backend="torch").embed(crops)
    try:
        got = load_embedder(made).embed(crops)
    except WeightsError:  # it gives no vectors to speak of
        return float("nan")
    return float((expected * got).sum(axis=1).min())
