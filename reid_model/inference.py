"""Embedding crops fast: one call for torch, OpenVINO and ONNX Runtime.

Whatever the backend, the vector of a crop never depends on the other crops of a call: on a
CPU every crop is its own request. Only a GPU takes many at once, where the order of sums
inside a batch may differ in the last bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from reid_model.backends import Precision
from reid_model.description import Description, write_sidecar
from reid_model.errors import BackendError, WeightsError
from reid_model.files import special_kind
from reid_model.patterns import pattern_crops
from reid_model.preprocess import resized
from reid_model.stored_weights import (
    CHECKPOINT_SUFFIX,
    default_weights,
    model_xml,
    read_notes,
    weights_sha256,
    write_notes,
)

__all__ = ["Embedder", "NetworkEmbedder", "load_embedder", "runtime_of"]

Image = NDArray[np.uint8]
Backend = Literal["auto", "torch", "openvino", "onnx"]

CALIBRATION = "calibration"
SAME = 1e-4
"""Unit vectors of different pictures that differ less than this in every entry are one vector."""
PROBES = 4


class Embedder(Protocol):
    """Turns crops into unit vectors."""

    @property
    def dim(self) -> int:
        """Length of an embedding."""

    @property
    def name(self) -> str:
        """Weights, backend and precision, for reports."""

    def embed(self, crops: Sequence[Image]) -> NDArray[np.float32]:
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size."""


class Runtime(Protocol):
    """A network and what runs it, one for each backend."""

    description: Description
    name: str

    def infer(self, images: Iterable[Any]) -> list[NDArray[np.float32]]:
        """Return a vector for each ``(H, W, 3)`` uint8 BGR image of the input's size."""

    def forward(self, count: int) -> None:
        """Infer so many blank crops and drop the result."""


class NetworkEmbedder:
    """A network whose vectors are looked at before anybody relies on them.

    Args:
        weights: The file or folder.
        runtime: What runs them.

    Raises:
        WeightsError: The network gives vectors that mean nothing.
    """

    def __init__(self, weights: Path, runtime: Runtime) -> None:
        self.weights = weights
        self._runtime = runtime
        vectors = self.embed(pattern_crops(PROBES))
        self._dim = int(vectors.shape[1])
        if np.ptp(vectors, axis=0).max() < SAME:
            raise WeightsError(
                f"weights {weights} give every picture the same embedding: they are damaged, or "
                "the network collapsed in training"
            )

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self._dim

    @property
    def takes_tensors(self) -> bool:
        """Whether crops may be torch's tensors, wherever they are."""
        return bool(getattr(self._runtime, "takes_tensors", False))

    @property
    def description(self) -> Description:
        """What the network's input is made of."""
        return self._runtime.description

    @property
    def name(self) -> str:
        """Weights, backend and precision, for reports."""
        return self._runtime.name

    @cached_property
    def sha256(self) -> str:
        """What tells whether two networks give comparable vectors: the hash of the weights.

        Of a model in another format, how its input is made counts too.
        """
        return self._hash()

    def _hash(self) -> str:
        own = weights_sha256(self.weights)
        if self.weights.suffix == CHECKPOINT_SUFFIX:
            return own
        steps = self.description.model_dump_json(exclude={CALIBRATION})
        return hashlib.sha256(f"{own} {steps}".encode()).hexdigest()

    @property
    def calibration(self) -> Mapping[str, Any] | None:
        """What was stored by `store_calibration`, if anything."""
        if self.weights.suffix == CHECKPOINT_SUFFIX:
            stored = read_notes(self.weights).get(CALIBRATION) or None
            return stored if isinstance(stored, Mapping | None) else {CALIBRATION: stored}
        return self.description.calibration

    def store_calibration(self, calibration: Mapping[str, Any]) -> None:
        """Keep a calibration with the weights: in a checkpoint's notes, or in a model's sidecar.

        Raises:
            WeightsError: The weights are not those any more that were measured, or can hold none.
            OutputError: It cannot be written.
        """
        if self.sha256 != self._hash():
            raise WeightsError(
                f"weights {self.weights} were replaced while they were measured, so nothing was "
                "stored with them: do it again"
            )
        if self.weights.suffix == CHECKPOINT_SUFFIX:
            write_notes(self.weights, {CALIBRATION: dict(calibration)})
        elif runtime_of(self.weights) is not None:
            found = self.description.model_copy(update={CALIBRATION: dict(calibration)})
            write_sidecar(self.weights, found)
        else:
            raise WeightsError(
                f"weights {self.weights} can hold no calibration: give a .safetensors, .onnx or "
                ".xml file"
            )

    def embed(self, crops: Sequence[Any]) -> NDArray[np.float32]:
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size.

        Args:
            crops: ``(H, W, 3)`` uint8 arrays, or tensors where `takes_tensors`.

        Raises:
            WeightsError: A vector has entries that are no numbers, or length zero.
        """
        if not len(crops):
            return np.zeros((0, self._dim), np.float32)
        vectors = np.stack(self._runtime.infer(self._ready(crop) for crop in crops))
        length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
        if not np.isfinite(length).all():
            raise WeightsError(
                f"weights {self.weights} give embeddings that are no finite numbers: they are "
                "damaged, or their preprocessing is wrong"
            )
        if not (length > 0).all():
            raise WeightsError(
                f"weights {self.weights} give embeddings of length zero: they are damaged, or "
                "their preprocessing is wrong"
            )
        unit: NDArray[np.float32] = (vectors / length).astype(np.float32)
        return unit

    def _ready(self, crop: Any) -> Any:
        is_array = isinstance(crop, np.ndarray)
        return resized(crop, self.description.input_size) if is_array else crop

    def forward(self, count: int) -> None:
        """Infer so many blank crops and drop the result: what the network alone costs."""
        self._runtime.forward(count)


def load_embedder(
    weights: Path | None = None,
    *,
    device: str = "cpu",
    precision: Precision = "auto",
    backend: Backend = "auto",
    description: Description | None = None,
) -> NetworkEmbedder:
    """Return an embedder for a checkpoint or a model in another format.

    Args:
        weights: A ``.safetensors`` checkpoint, an ``.onnx`` file, an OpenVINO ``.xml`` file or its
            folder; ``None`` takes the package's own. Models of others need a sidecar where
            their file does not say how to feed them (`reid_model.description`).
        device: As torch names it: ``cpu``, ``cuda:0``, ``mps``.
        precision: ``auto`` is fp32 on a CPU and fp16 on a CUDA device.
        backend: ``auto`` is OpenVINO on a CPU and torch elsewhere; models in other formats bring
            their own.
        description: How to feed a model in another format; ``None`` = as its sidecar or the file
            says.

    Raises:
        WeightsError: The weights are missing, unreadable or of the wrong kind, or give vectors
            that mean nothing.
        BackendError: The backend or the precision is not to be had here.
    """
    path = default_weights() if weights is None else weights
    if not path.exists():
        raise WeightsError(f"weights {path} do not exist: check the path")
    xml = model_xml(path)
    for file in [path] if xml is None else [xml, xml.with_suffix(".bin")]:
        if file.exists() and (kind := special_kind(file)):
            raise WeightsError(f"weights {file} are {kind}, no file: name a file")
    own = runtime_of(path)
    if own is not None and backend not in {"auto", own}:
        raise BackendError(f"weights {path} are a model for {own}, they cannot run on {backend}")
    chosen = own or ("openvino" if backend == "auto" and device == "cpu" else backend)
    runtime: Runtime
    if chosen == "onnx":
        from reid_model.backends.onnx import OnnxRuntime  # noqa: PLC0415 - optional

        runtime = OnnxRuntime(path, device=device, precision=precision, description=description)
    elif chosen == "openvino":
        from reid_model.backends.openvino import OpenVinoRuntime  # noqa: PLC0415

        if device != "cpu":
            raise BackendError(f"OpenVINO runs on the CPU here, not on {device}: use --device cpu")
        runtime = OpenVinoRuntime(path, precision=precision, description=description)
    else:
        from reid_model.backends.torch import TorchRuntime  # noqa: PLC0415

        runtime = TorchRuntime(path, device=device, precision=precision)
    return NetworkEmbedder(path, runtime)


def runtime_of(path: Path) -> Literal["openvino", "onnx"] | None:
    """Return the backend that a model is for, ``None`` for a checkpoint."""
    if path.suffix == ".onnx":
        return "onnx"
    if path.suffix == ".xml" or (path.is_dir() and any(path.glob("*.xml"))):
        return "openvino"
    return None
