"""Embedding crops fast: one call for torch, OpenVINO and ONNX Runtime.

Whatever the backend, the vector of a crop never depends on the other crops of a call: on a
CPU every crop is its own request. Only a GPU takes many at once, where the order of sums
inside a batch may differ in the last bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from reid_model.backends import Precision
from reid_model.errors import BackendError, WeightsError

__all__ = ["Embedder", "load_embedder"]

Image = NDArray[np.uint8]
Backend = Literal["auto", "torch", "openvino", "onnx"]


class Embedder(Protocol):
    """Turns crops into unit vectors."""

    @property
    def dim(self) -> int:
        """Length of an embedding."""

    @property
    def input_size(self) -> tuple[int, int]:
        """``(height, width)`` that crops are scaled to, pixels."""

    @property
    def name(self) -> str:
        """Weights, backend and precision, for reports."""

    def embed(self, crops: Sequence[Image]) -> NDArray[np.float32]:
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size."""

    def forward(self, count: int) -> None:
        """Infer so many blank crops and drop the result: what the network alone costs."""


def load_embedder(
    weights: Path | None = None,
    *,
    device: str = "cpu",
    precision: Precision = "auto",
    backend: Backend = "auto",
) -> Embedder:
    """Return an embedder for a checkpoint or an exported model.

    Args:
        weights: A ``.safetensors`` checkpoint, an exported ``.onnx`` file, an exported
            OpenVINO ``.xml`` file or its folder; ``None`` takes the package's own.
        device: As torch names it: ``cpu``, ``cuda:0``, ``mps``.
        precision: ``auto`` is fp32 on a CPU and fp16 on a CUDA device.
        backend: ``auto`` is OpenVINO on a CPU and torch elsewhere; exported models bring
            their own.

    Raises:
        WeightsError: The weights are missing, unreadable or of the wrong kind.
        BackendError: The backend or the precision is not to be had here.
    """
    from reid_model.checkpoint import default_weights  # noqa: PLC0415 - loads torch

    path = default_weights() if weights is None else weights
    if not path.exists():
        raise WeightsError(f"weights {path} do not exist: check the path")
    own = _backend_of(path)
    if own is not None and backend not in {"auto", own}:
        raise BackendError(f"weights {path} are a model for {own}, they cannot run on {backend}")
    chosen = own or ("openvino" if backend == "auto" and device == "cpu" else backend)
    if chosen == "onnx":
        from reid_model.backends.onnx import OnnxEmbedder  # noqa: PLC0415 - optional

        return OnnxEmbedder(path, device=device, precision=precision)
    if chosen == "openvino":
        from reid_model.backends.openvino import OpenVinoEmbedder  # noqa: PLC0415

        if device != "cpu":
            raise BackendError(f"OpenVINO runs on the CPU here, not on {device}: use --device cpu")
        return OpenVinoEmbedder(path, precision=precision)
    from reid_model.backends.torch import TorchEmbedder  # noqa: PLC0415

    return TorchEmbedder(path, device=device, precision=precision)


def _backend_of(path: Path) -> Literal["openvino", "onnx"] | None:
    """Return the backend that an exported model was made for, ``None`` for a checkpoint."""
    if path.suffix == ".onnx":
        return "onnx"
    if path.suffix == ".xml" or (path.is_dir() and any(path.glob("*.xml"))):
        return "openvino"
    return None
