"""Embedding with ONNX Runtime: runs everywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from reid_model.architecture import Architecture
from reid_model.backends import ARCHITECTURE_KEY, Precision
from reid_model.errors import BackendError, WeightsError
from reid_model.preprocess import normalised, resized

__all__ = ["OnnxEmbedder"]


class OnnxEmbedder:
    """An exported ``.onnx`` model on the CPU or a CUDA device.

    Args:
        weights: The file.
        device: As torch names it.
        precision: What the file holds; nothing but ``auto`` and ``fp32`` can be asked for.

    Raises:
        WeightsError: The file cannot be used.
        BackendError: ONNX Runtime is not installed or lacks the device.
    """

    def __init__(self, weights: Path, *, device: str, precision: Precision) -> None:
        try:
            import onnxruntime  # noqa: PLC0415 - optional
        except ImportError:
            raise BackendError(
                f"weights {weights} need ONNX Runtime: pip install 'reid-pipeline[onnx]'"
            ) from None
        if precision not in {"auto", "fp32"}:
            raise BackendError(f"an ONNX model has its own precision, {precision} cannot be set")
        provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
        if provider not in onnxruntime.get_available_providers():
            raise BackendError(f"this ONNX Runtime has no {provider}: use --device cpu")
        try:
            self._session = onnxruntime.InferenceSession(str(weights), providers=[provider])
            text = self._session.get_modelmeta().custom_metadata_map[ARCHITECTURE_KEY]
            self._architecture = Architecture.model_validate(json.loads(text))
        except (KeyError, ValueError, ValidationError):
            raise WeightsError(
                f"weights {weights} do not say what network they are: export them with "
                "`reid-model export`"
            ) from None
        except Exception as error:  # the runtime's own exceptions share no base
            reason = " ".join(str(error).split())[:200]
            raise WeightsError(f"weights {weights} cannot be read: {reason}") from None
        self._input = self._session.get_inputs()[0].name
        self._name = f"{weights.name} (ONNX Runtime, {device})"

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self._architecture.embedding_dim

    @property
    def input_size(self) -> tuple[int, int]:
        """``(height, width)`` that crops are scaled to, pixels."""
        return self._architecture.input_size

    @property
    def name(self) -> str:
        """Weights, backend and precision, for reports."""
        return self._name

    def embed(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size."""
        vectors = np.zeros((len(crops), self.dim), np.float32)
        for row, crop in enumerate(crops):
            image = normalised(resized(crop, self.input_size)[None], self._architecture)
            vectors[row] = self._session.run(None, {self._input: image})[0][0]
        return vectors

    def forward(self, count: int) -> None:
        """Infer so many blank crops and drop the result: what the network alone costs."""
        blank = np.zeros((1, 3, *self.input_size), np.float32)
        for _ in range(count):
            self._session.run(None, {self._input: blank})
