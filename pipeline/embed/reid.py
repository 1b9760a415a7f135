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
        settings: Weights, backend, precision, and whether crops lose their background.
        device: Resolved device as torch names it.

    Raises:
        ModelError: The weights are missing, unreadable or of the wrong kind, or masks are asked
            for and a package is missing.
    """

    def __init__(self, settings: EmbedSettings, *, device: str) -> None:
        from reid_model.checkpoint import default_weights  # noqa: PLC0415 - start-up time
        from reid_model.errors import ReidModelError  # noqa: PLC0415
        from reid_model.inference import load_embedder  # noqa: PLC0415

        try:
            self._network = load_embedder(
                settings.weights,
                device=device,
                precision=settings.precision,
                backend=settings.backend,
            )
            self._weights = settings.weights or default_weights()
            self._masker = None
            if settings.mask:
                from reid_model.segmentation.masker import PersonMasker  # noqa: PLC0415

                self._masker = PersonMasker()
        except ReidModelError as error:
            raise ModelError(str(error)) from error

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self._network.dim

    @property
    def runtime(self) -> str:
        """What the weights run on and in which precision: similarities depend on both."""
        return self.name.removeprefix(self._weights.name).strip(" ()")

    @property
    def weights(self) -> Path:
        """The file or folder of the weights."""
        return self._weights

    @property
    def name(self) -> str:
        """Which weights run on what, for reports."""
        return self._network.name + (", masked crops" if self._masker else "")

    def embed(self, crops: Sequence[Image]) -> FloatArray:
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size."""
        if self._masker is not None:
            crops = self._masker.masked(crops)
        return self._network.embed(crops)
