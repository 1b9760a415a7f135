"""The re-identification network behind the `Embedder` protocol; the only import of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.datatypes import FloatArray, Image
from pipeline.errors import ModelError
from pipeline.settings import EmbedSettings

__all__ = ["ReidEmbedder"]


class ReidEmbedder:
    """Unit vectors by a network of `reid_model`.

    Args:
        settings: Weights, backend and precision.
        device: Resolved device as torch names it.

    Raises:
        ModelError: The weights are missing, unreadable or of the wrong kind.
    """

    def __init__(self, settings: EmbedSettings, *, device: str) -> None:
        from reid_model.checkpoint import default_weights  # noqa: PLC0415 - start-up time
        from reid_model.errors import ReidModelError  # noqa: PLC0415
        from reid_model.inference import calibrated_threshold, load_embedder  # noqa: PLC0415

        try:
            self._network = load_embedder(
                settings.weights,
                device=device,
                precision=settings.precision,
                backend=settings.backend,
            )
            self._weights = settings.weights or default_weights()
            self._threshold = calibrated_threshold(settings.weights)
        except ReidModelError as error:
            raise ModelError(str(error)) from error

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self._network.dim

    @property
    def calibrated_threshold(self) -> float | None:
        """Cosine from which on two tracks are one person, where the weights say it."""
        return self._threshold

    @property
    def weights(self) -> Path:
        """The file or folder of the weights."""
        return self._weights

    @property
    def name(self) -> str:
        """Which weights run on what, for reports."""
        return self._network.name

    def embed(self, crops: Sequence[Image]) -> FloatArray:
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size."""
        return self._network.embed(crops)
