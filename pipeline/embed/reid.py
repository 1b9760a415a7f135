"""The re-identification network behind the `Embedder` protocol; the only import of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.datatypes import FloatArray, Image
from pipeline.errors import ModelError
from pipeline.settings import EmbedSettings

__all__ = ["ReidEmbedder"]

_TINY = 1e-12


class ReidEmbedder:
    """Unit vectors by a network of `reid_model`.

    Args:
        settings: Weights, backend, precision, and what is done to crops first.
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
            self._trim, self._mirror = settings.trim, settings.mirror
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
        """What the weights run on, in which precision, on which crops: it all shifts similarities."""
        runtime = self._network.name.removeprefix(self._weights.name).strip(" ()")
        return ", ".join([runtime, *self._changes])

    @property
    def weights(self) -> Path:
        """The file or folder of the weights."""
        return self._weights

    @property
    def name(self) -> str:
        """Which weights run on what, for reports."""
        return ", ".join([self._network.name, *self._changes])

    @property
    def _changes(self) -> list[str]:
        """What is done to crops, in words."""
        trimmed = [f"trimmed by {self._trim:.0%}"] if self._trim else []
        mirrored = ["with mirror images"] if self._mirror else []
        masked = ["masked"] if self._masker else []
        return trimmed + mirrored + masked

    def embed(self, crops: Sequence[Image]) -> FloatArray:
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size."""
        if self._masker is not None:
            crops = self._masker.masked(crops)
        crops = [_trimmed(crop, self._trim) for crop in crops]
        if not self._mirror:
            return self._network.embed(crops)
        mirrored = [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]
        vectors = self._network.embed([*crops, *mirrored])
        both = vectors[: len(crops)] + vectors[len(crops) :]
        result: FloatArray = both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), _TINY)
        return result


def _trimmed(crop: Image, share: float) -> Image:
    """Return a crop without half the share of its height and width on each side, as a view."""
    height, width = crop.shape[:2]
    rows, columns = round(height * share / 2), round(width * share / 2)
    return crop[rows : height - rows, columns : width - columns]
