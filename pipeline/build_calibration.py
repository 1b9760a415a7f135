"""The calibration of an embedder, and the thresholds of matching that follow from it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import ModelError
from pipeline.match.calibration import Calibration
from pipeline.protocols import Embedder
from pipeline.settings import MatchSettings, Settings

__all__ = [
    "Thresholds",
    "calibration_of",
    "false_match_curve",
    "matching_thresholds",
    "name_of",
]

log = logging.getLogger(__name__)

USUAL_THRESHOLD = 0.35
"""Threshold for weights without calibration; typical of networks trained like ours."""
COUNT_RATES = (4.0, 0.2)
"""False match rates, in multiples of the usual one, at which the count of people ends below and
above."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The threshold among so many tracklets.

    Attributes:
        among: Returns it.
        warnings: Why it may not fit the weights.
        of_count: Returns a lower and a higher one, for the interval of the count; ``None`` where
            the error rates of the weights are not known.
        place_weight: As ``Calibration.place_weight``.
    """

    among: Callable[[int], float]
    warnings: tuple[str, ...] = ()
    of_count: Callable[[int], tuple[float, float]] | None = None
    place_weight: float | None = None

    def weighed(self, match: MatchSettings) -> MatchSettings:
        """Return the settings with what places are worth, unless they say it themselves."""
        if match.place_weight is not None or self.place_weight is None:
            return match
        return match.model_copy(update={"place_weight": self.place_weight})

    def __call__(self, tracklets: int) -> float:
        """Return the cosine similarity from which on two of so many tracklets are one person."""
        return self.among(tracklets)


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


def matching_thresholds(settings: Settings, embedder: Embedder) -> Thresholds:
    """Return what gives the threshold among so many tracklets, and log its warnings.

    It is the one that was asked for, else the one that the weights were calibrated to.

    Raises:
        ModelError: The calibration was made with other weights.
    """
    given = settings.match.threshold
    calibration, doubts = None, [_strange_pairs(settings)]
    if given is None:
        calibration = calibration_of(embedder)
        doubts.insert(0, _calibration_warning(calibration, embedder))
    warnings = tuple(each for each in doubts if each is not None)
    for each in warnings:
        log.warning("%s", each)
    if given is not None:
        return Thresholds(lambda _: given, warnings)
    if calibration is None:
        return Thresholds(lambda _: USUAL_THRESHOLD, warnings)
    rate = settings.match.false_match_rate

    def at(rate: float, tracklets: int) -> float:
        return calibration.threshold_for(false_match_rate=rate, tracklets=tracklets)

    more, less = min(rate * COUNT_RATES[0], 0.5), rate * COUNT_RATES[1]
    return Thresholds(
        lambda tracklets: at(rate, tracklets),
        warnings,
        lambda tracklets: (at(more, tracklets), at(less, tracklets)),
        calibration.place_weight(),
    )


def _strange_pairs(settings: Settings) -> str | None:
    known = {each.name for each in settings.cameras}
    named = {name for pair in settings.match.camera_pairs for name in pair.cameras}
    if not (strange := sorted(named - known)):
        return None
    return f"match.camera_pairs names cameras that are not among these: {', '.join(strange)}"


def _calibration_warning(calibration: Calibration | None, embedder: Embedder) -> str | None:
    if not isinstance(embedder, ReidEmbedder):
        return (
            f"{name_of(embedder)} was not calibrated: tracks from a similarity of "
            f"{USUAL_THRESHOLD:.2f} on count as one person; choose with --threshold"
        )
    if calibration is None:
        return (
            f"{name_of(embedder)} were not calibrated: tracks from a similarity of "
            f"{USUAL_THRESHOLD:.2f} on count as one person; run `reid-pipeline calibrate --store` "
            "or choose with --threshold"
        )
    if _runtime_kind(calibration.runtime) != _runtime_kind(embedder.runtime):
        # One network gives nearly the same vectors everywhere; a user with a GPU should not have
        # to calibrate before the first run.
        return (
            f"{embedder.weights.name} were calibrated on {calibration.runtime}, this is "
            f"{embedder.runtime}: if identities look wrong, run `reid-pipeline calibrate` here or "
            "choose with --threshold"
        )
    return None


def name_of(stage: object) -> str:
    """Return what a stage calls itself, or else its class."""
    return str(getattr(stage, "name", type(stage).__name__))


def _runtime_kind(runtime: str) -> str:
    """Return a runtime without the difference that shifts no similarity: int8 or fp32.

    The int8 form of weights is only published where its scores fall by a hundredth at most.
    """
    return runtime.replace(", int8", ", fp32")
