"""Calibration of the similarity threshold: error rates over the threshold.

Similarities do not carry over from one network to another, so each set of weights needs its
own threshold. It is measured on tracks whose persons are known: *genuine* pairs show one
person in two cameras, *impostor* pairs two persons in two cameras. The share of impostors
at or above a threshold is its false match rate (FMR), the share of genuine pairs below it
the false non-match rate (FNMR). A search among ``G`` persons makes about ``G`` comparisons,
so a false identification rate ``r`` asks for an FMR of ``r / G``.

Source: ISO/IEC 19795-1 for the rates; Bolle, Ratha, Pankanti, "Error analysis of pattern
recognition systems: the subsets bootstrap" (2004), for drawing persons instead of pairs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.errors import InputError
from pipeline.match.features import CameraCentres

__all__ = ["Calibration", "RatePoint", "calibrate", "save_calibration"]

FORMAT = 2
GRID = np.round(np.arange(-0.2, 1.0001, 0.01), 2)
BOOTSTRAPS = 200
FEW_TRACKLETS = 1000
"""Up to so many the false match rate is taken as it is; beyond, it falls with their cube root: the
more people, the more strangers who look alike. Measured on simulated tracklets."""
PAIRS_PER_FALSE_MATCH = 3
"""Rule of three: ``3 / FMR`` impostor pairs without a false match bound the FMR."""


@dataclass(frozen=True, slots=True)
class RatePoint:
    """The error rates at one threshold.

    Attributes:
        threshold: Cosine similarity.
        fmr: Share of impostor pairs at or above it.
        fnmr: Share of genuine pairs below it; not a number where it was not stored.
        fnmr_low: Lower end of its 95% interval over persons.
        fnmr_high: Upper end.
    """

    threshold: float
    fmr: float
    fnmr: float = nan
    fnmr_low: float = nan
    fnmr_high: float = nan


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured, on what, and with which network.

    Attributes:
        weights_sha256: Hash of the weights file; empty if not known.
        runtime: Backend and precision; similarities of one network differ between them.
        curve: Error rates over the threshold, ascending.
        identities: Number of persons; 0 here and below where it is not known.
        tracks: Number of their tracks.
        genuine_pairs: Pairs of one person in two cameras.
        impostor_pairs: Pairs of two persons in two cameras.
    """

    weights_sha256: str
    runtime: str
    curve: tuple[RatePoint, ...]
    identities: int = 0
    tracks: int = 0
    genuine_pairs: int = 0
    impostor_pairs: int = 0

    def threshold_for(self, *, false_match_rate: float, tracklets: int = 0) -> float:
        """Return the lowest threshold whose false match rate is low enough.

        Args:
            false_match_rate: Accepted among at most ``FEW_TRACKLETS`` tracklets.
            tracklets: How many are compared with each other.

        Raises:
            InputError: The rate is lower than so few impostor pairs can show.
        """
        needed = PAIRS_PER_FALSE_MATCH / false_match_rate
        if 0 < self.impostor_pairs < needed:
            raise InputError(
                f"a false match rate of {false_match_rate:.2g} needs at least {needed:.0f} "
                f"impostor pairs, the calibration has {self.impostor_pairs}: allow a higher "
                "rate, or calibrate on more persons"
            )
        accepted = false_match_rate * (FEW_TRACKLETS / max(tracklets, FEW_TRACKLETS)) ** (1 / 3)
        return next(
            (p.threshold for p in self.curve if p.fmr <= accepted), self.curve[-1].threshold
        )


def calibrate(
    means: FloatArray,
    identities: Sequence[str],
    cameras: Sequence[str],
    *,
    centre_tracks: float,
    weights_sha256: str = "",
    runtime: str = "",
    seed: int = 0,
) -> Calibration:
    """Measure error rates on tracks whose persons are known.

    Args:
        means: ``(N, D)`` mean embedding of each track.
        identities: Who it shows.
        cameras: Where.
        centre_tracks: Strength of the camera centring, as the matcher will use it.
        weights_sha256: Hash of the weights file.
        runtime: Backend and precision.
        seed: Of the bootstrap.

    Raises:
        InputError: There are no genuine or no impostor pairs over two cameras.
    """
    person = np.unique(np.array(identities), return_inverse=True)[1].astype(np.int64)
    names, place = np.unique(np.array(cameras), return_inverse=True)
    place = place.astype(np.int64)
    centres = CameraCentres.of(means, place, cameras=len(names), prior=centre_tracks)
    features = centres.apply(means, place)
    a, b = np.triu_indices(len(means), k=1)
    apart = place[a] != place[b]
    a, b = a[apart], b[apart]
    cosine = np.concatenate(
        [
            np.einsum("pd,pd->p", features[a[i : i + 65536]], features[b[i : i + 65536]])
            for i in range(0, len(a), 65536)
        ]
        or [np.zeros(0, np.float32)]
    )
    genuine = person[a] == person[b]
    if not genuine.any() or genuine.all():
        raise InputError(
            "calibration needs persons who were seen in two cameras, and more than one person: "
            f"got {len(set(identities))} person(s) in {len(names)} camera(s), "
            f"{int(genuine.sum())} pair(s) of one person over two cameras"
        )
    curve = _curve(cosine, genuine, person[a], person[b], seed=seed)
    return Calibration(
        weights_sha256=weights_sha256,
        runtime=runtime,
        identities=int(person.max()) + 1,
        tracks=len(means),
        genuine_pairs=int(genuine.sum()),
        impostor_pairs=int((~genuine).sum()),
        curve=curve,
    )


def _curve(
    cosine: FloatArray, genuine: NDArray[np.bool_], one: IntArray, other: IntArray, *, seed: int
) -> tuple[RatePoint, ...]:
    """Return the rates over the grid, with a bootstrap that draws persons, not pairs.

    A drawn person brings all pairs along, each as often as both of its persons were drawn:
    pairs of one person depend on each other, and drawing them singly would make the
    intervals too narrow.
    """
    bins = np.searchsorted(GRID, cosine, side="right")  # thresholds at or below the cosine
    size = len(GRID) + 1
    fmr, fnmr = _rates(bins, genuine, np.ones(len(bins)), size)
    random = np.random.default_rng(seed)
    people = int(max(one.max(), other.max())) + 1
    drawn = []
    for _ in range(BOOTSTRAPS):
        times = np.bincount(random.integers(people, size=people), minlength=people)
        weight = np.where(genuine, times[one], times[one] * times[other]).astype(np.float64)
        drawn.append(_rates(bins, genuine, weight, size)[1])
    low, high = np.nanpercentile(np.array(drawn), [2.5, 97.5], axis=0)
    return tuple(
        RatePoint(*(round(float(v), 8) for v in row))
        for row in zip(GRID, fmr, fnmr, low, high, strict=True)
    )


def _rates(
    bins: NDArray[np.int64], genuine: NDArray[np.bool_], weight: NDArray[np.float64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return FMR and FNMR at every threshold of the grid."""
    impostors = np.bincount(bins[~genuine], weight[~genuine], minlength=size)
    same = np.bincount(bins[genuine], weight[genuine], minlength=size)
    with np.errstate(invalid="ignore"):
        fmr = 1 - np.cumsum(impostors)[:-1] / impostors.sum()
        fnmr = np.cumsum(same)[:-1] / same.sum()
    return np.maximum(fmr, 0), fnmr


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration as JSON."""
    content = {"format": FORMAT, **asdict(calibration)}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
