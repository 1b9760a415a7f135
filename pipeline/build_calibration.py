"""The calibration that belongs to an embedder."""

from __future__ import annotations

from contextlib import suppress

from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import ModelError
from pipeline.match.calibration import Calibration
from pipeline.protocols import Embedder

__all__ = ["calibration_of", "false_match_curve"]


def calibration_of(embedder: Embedder) -> Calibration | None:
    """Return the calibration of an embedder, ``None`` where it has none.

    Raises:
        ModelError: It was made with other weights.
    """
    if isinstance(embedder, ReidEmbedder) and (notes := embedder.calibration) is not None:
        return Calibration.of_notes(notes, weights=embedder.weights, sha256=embedder.sha256)
    return None


def false_match_curve(embedder: Embedder) -> tuple[tuple[float, float], ...]:
    """Return thresholds and their false match rates, empty without a calibration that fits."""
    with suppress(ModelError):  # told where the threshold comes from it
        if (calibration := calibration_of(embedder)) is not None:
            return tuple((point.threshold, point.fmr) for point in calibration.curve)
    return ()
