"""The re-identification network behind the `Embedder` protocol; the only import of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.datatypes import FloatArray, Image
from pipeline.errors import ModelError, OutputError
from pipeline.settings import EmbedSettings

__all__ = ["ReidEmbedder"]

_TINY = 1e-12


class ReidEmbedder:
    """Unit vectors by a network of `reid_model`.

    Args:
        settings: Weights, backend, precision, and what is done to crops first.
        device: Resolved device as torch names it.

    Raises:
        ModelError: The weights are missing, unreadable, of the wrong kind or worthless, or masks are
            asked for and a package is missing.
    """

    def __init__(self, settings: EmbedSettings, *, device: str) -> None:
        from reid_model.inference import load_embedder  # noqa: PLC0415 - start-up time

        with _as_model_error():
            self._network = load_embedder(
                settings.weights,
                device=device,
                precision=settings.precision,
                backend=settings.backend,
            )
            self._trim, self._mirror = settings.trim, settings.mirror
            self._masker = None
            if settings.mask:
                from reid_model.segmentation.masker import PersonMasker  # noqa: PLC0415

                self._masker = PersonMasker()

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self._network.dim

    @property
    def takes_gpu_crops(self) -> bool:
        """Whether crops of frames on a GPU may stay there: masks are made on the CPU."""
        return self._network.takes_tensors and self._masker is None

    @property
    def runtime(self) -> str:
        """What the weights run on, in which precision, on which crops: it all shifts similarities."""
        runtime = self._network.name.removeprefix(self.weights.name).strip(" ()")
        return ", ".join([runtime, *self._changes])

    @property
    def weights(self) -> Path:
        """The file or folder of the weights."""
        return self._network.weights

    @property
    def sha256(self) -> str:
        """What tells whether two embedders give comparable vectors.

        Raises:
            ModelError: The weights cannot be read.
        """
        with _as_model_error():
            return self._network.sha256

    @property
    def calibration(self) -> Mapping[str, Any] | None:
        """What `store_calibration` has stored with the weights.

        Raises:
            ModelError: The weights cannot be read.
        """
        with _as_model_error():
            return self._network.calibration

    def store_calibration(self, calibration: Mapping[str, Any]) -> None:
        """Store a calibration with the weights: in a checkpoint, beside a model of another format.

        Raises:
            ModelError: The weights can hold none, or are not those any more that were loaded.
            OutputError: The file cannot be written.
        """
        with _as_model_error():
            self._network.store_calibration(calibration)

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
        """Return ``(M, D)`` float32 unit rows for ``M`` BGR crops of any size.

        Raises:
            ModelError: The network gives vectors that are no finite numbers, or of length zero.
        """
        if self._masker is not None:
            crops = self._masker.masked(crops)
        crops = [_trimmed(crop, self._trim) for crop in crops]
        if not self._mirror:
            with _as_model_error():
                return self._network.embed(crops)
        mirrored = [_mirrored(crop) for crop in crops]
        with _as_model_error():
            vectors = self._network.embed([*crops, *mirrored])
        both = vectors[: len(crops)] + vectors[len(crops) :]
        result: FloatArray = both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), _TINY)
        return result


@contextmanager
def _as_model_error() -> Iterator[None]:
    """Turn errors of the network's package into ours."""
    from reid_model import errors  # noqa: PLC0415 - start-up time

    try:
        yield
    except errors.OutputError as error:
        raise OutputError(str(error)) from error
    except errors.ReidModelError as error:
        raise ModelError(str(error)) from error


def _mirrored(crop: Any) -> Any:
    is_array = isinstance(crop, np.ndarray)
    return np.ascontiguousarray(crop[:, ::-1]) if is_array else crop.flip(1)


def _trimmed(crop: Image, share: float) -> Image:
    """Return a crop without half the share of its height and width on each side, as a view."""
    height, width = crop.shape[:2]
    rows, columns = round(height * share / 2), round(width * share / 2)
    return crop[rows : height - rows, columns : width - columns]
