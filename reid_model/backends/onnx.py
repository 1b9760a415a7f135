"""Embedding with ONNX Runtime: runs everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid_model.backends import ARCHITECTURE_KEY, Precision
from reid_model.description import Description, ModelFacts, describe_model, output_of
from reid_model.errors import BackendError, WeightsError
from reid_model.installation import install_hint
from reid_model.preprocess import normalised

__all__ = ["OnnxRuntime", "onnx_facts"]

MODEL_INFO = "model_info "
"""What Model API's keys begin with in ONNX metadata."""


class OnnxRuntime:
    """An ``.onnx`` model on the CPU or a CUDA device.

    Args:
        weights: The file.
        device: As torch names it.
        precision: What the file holds; nothing but ``auto`` and ``fp32`` can be asked for.
        description: How to feed it; ``None`` = as its sidecar or the file says.

    Raises:
        WeightsError: The file cannot be used, or does not say how to feed it.
        BackendError: ONNX Runtime is not installed or lacks the device.
    """

    def __init__(
        self,
        weights: Path,
        *,
        device: str,
        precision: Precision,
        description: Description | None = None,
    ) -> None:
        if precision not in {"auto", "fp32"}:
            raise BackendError(f"an ONNX model has its own precision, {precision} cannot be set")
        self._session = _session(weights, device)
        facts = _facts(self._session)
        self.description: Description = describe_model(weights, facts, description)
        self._output = output_of(weights, facts, self.description)
        source = self._session.get_inputs()[0]
        self._input = source.name
        self._type = np.float16 if "float16" in source.type else np.float32
        self.name = f"{weights.name} (ONNX Runtime, {device})"

    def infer(self, images: Iterable[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return a vector for each ``(H, W, 3)`` uint8 BGR image of the input's size."""
        return [self._run(normalised(image[None], self.description)) for image in images]

    def forward(self, count: int) -> None:
        """Infer so many blank crops and drop the result: what the network alone costs."""
        blank = np.zeros((1, 3, *self.description.input_size), np.float32)
        for _ in range(count):
            self._run(blank)

    def _run(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        given = {self._input: image.astype(self._type, copy=False)}
        return np.asarray(self._session.run([self._output], given)[0], np.float32).reshape(-1)


def onnx_facts(model: Path) -> ModelFacts:
    """Return what an ``.onnx`` file says of its network.

    Raises:
        WeightsError: The file cannot be read.
        BackendError: ONNX Runtime is not installed.
    """
    return _facts(_session(model, "cpu"))


def _session(weights: Path, device: str) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415 - optional
    except ImportError:
        raise BackendError(f"weights {weights} need ONNX Runtime: {install_hint('onnx')}") from None
    provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise BackendError(f"this ONNX Runtime has no {provider}: use --device cpu")
    try:
        return onnxruntime.InferenceSession(str(weights), providers=[provider])
    except Exception as error:  # the runtime's own exceptions share no base
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"weights {weights} cannot be read: {reason}") from None


def _facts(session: Any) -> ModelFacts:
    notes = session.get_modelmeta().custom_metadata_map
    return ModelFacts(
        inputs={each.name: _shape(each.shape) for each in session.get_inputs()},
        outputs={each.name: _shape(each.shape) for each in session.get_outputs()},
        architecture=notes.get(ARCHITECTURE_KEY),
        wanted={
            key.removeprefix(MODEL_INFO): value
            for key, value in notes.items()
            if key.startswith(MODEL_INFO)
        },
    )


def _shape(lengths: Iterable[Any]) -> tuple[int | None, ...]:
    """Return a shape whose open lengths, named by ONNX, are ``None``."""
    return tuple(length if isinstance(length, int) else None for length in lengths)
