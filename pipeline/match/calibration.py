"""From which similarity on are two tracks one person? Measured, not guessed.

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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray, IntArray
from pipeline.errors import InputError, ModelError
from pipeline.match.features import CameraCentres

__all__ = ["Calibration", "RatePoint", "calibrate", "load_calibration", "save_calibration"]

FORMAT = 1
GRID = np.round(np.arange(-0.2, 1.0001, 0.01), 2)
BOOTSTRAPS = 200
LEAST_PAIRS_PER_CAMERAS = 50
"""Genuine pairs that two cameras need for a curve of their own."""
PAIRS_PER_FALSE_MATCH = 3
"""Rule of three: ``3 / FMR`` impostor pairs without a false match bound the FMR."""


@dataclass(frozen=True, slots=True)
class RatePoint:
    """The error rates at one threshold, with 95% intervals over persons.

    Attributes:
        threshold: Cosine similarity.
        fmr: Share of impostor pairs at or above it.
        fmr_low: Lower end of the interval.
        fmr_high: Upper end.
        fnmr: Share of genuine pairs below it.
        fnmr_low: Lower end of the interval.
        fnmr_high: Upper end.
    """

    threshold: float
    fmr: float
    fmr_low: float
    fmr_high: float
    fnmr: float
    fnmr_low: float
    fnmr_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured, on what, and with which network.

    Attributes:
        weights_sha256: Hash of the weights file; empty if not known.
        runtime: Backend and precision; similarities of one network differ between them.
        identities: Number of persons.
        tracks: Number of their tracks.
        genuine_pairs: Pairs of one person in two cameras.
        impostor_pairs: Pairs of two persons in two cameras.
        centre_tracks: Strength of the camera centring the features had.
        curve: Error rates over the threshold, ascending.
        camera_pairs: The same for single pairs of cameras (``a|b``) with enough pairs.
    """

    weights_sha256: str
    runtime: str
    identities: int
    tracks: int
    genuine_pairs: int
    impostor_pairs: int
    centre_tracks: float
    curve: tuple[RatePoint, ...]
    camera_pairs: Mapping[str, tuple[RatePoint, ...]] = field(default_factory=dict)

    def threshold_for(self, *, false_match_rate: float) -> float:
        """Return the least threshold whose false match rate is low enough.

        Raises:
            InputError: The rate is lower than so few impostor pairs can show.
        """
        needed = PAIRS_PER_FALSE_MATCH / false_match_rate
        if self.impostor_pairs < needed:
            raise InputError(
                f"a false match rate of {false_match_rate:.2g} needs at least {needed:.0f} "
                f"impostor pairs, the calibration has {self.impostor_pairs}: allow a higher "
                "rate, or calibrate on more persons"
            )
        return next(
            (p.threshold for p in self.curve if p.fmr <= false_match_rate),
            self.curve[-1].threshold,
        )

    def threshold_for_search(self, *, rate: float, gallery_size: int) -> float:
        """Return the threshold at which a search among many persons names a wrong one rarely.

        Args:
            rate: Share of searches for an unknown person that may name somebody.
            gallery_size: Number of persons that are searched.

        Raises:
            InputError: As ``threshold_for``.
        """
        return self.threshold_for(false_match_rate=rate / gallery_size)


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
    by_pair = {}
    pair = np.minimum(place[a], place[b]) * len(names) + np.maximum(place[a], place[b])
    for code in np.unique(pair):
        own = pair == code
        if genuine[own].sum() >= LEAST_PAIRS_PER_CAMERAS and not genuine[own].all():
            name = f"{names[code // len(names)]}|{names[code % len(names)]}"
            by_pair[name] = _curve(
                cosine[own], genuine[own], person[a[own]], person[b[own]], seed=seed
            )
    return Calibration(
        weights_sha256=weights_sha256,
        runtime=runtime,
        identities=int(person.max()) + 1,
        tracks=len(means),
        genuine_pairs=int(genuine.sum()),
        impostor_pairs=int((~genuine).sum()),
        centre_tracks=centre_tracks,
        curve=curve,
        camera_pairs=by_pair,
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
        drawn.append(_rates(bins, genuine, weight, size))
    low, high = np.nanpercentile(np.array(drawn), [2.5, 97.5], axis=0)
    return tuple(
        RatePoint(*(round(float(v), 8) for v in row))
        for row in zip(GRID, fmr, low[0], high[0], fnmr, low[1], high[1], strict=True)
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


def load_calibration(
    path: Path, *, weights_sha256: str | None = None, runtime: str | None = None
) -> Calibration:
    """Read a calibration and check that it belongs to these weights.

    Args:
        path: The JSON file.
        weights_sha256: Hash that it must have been made with; ``None`` = do not check.
        runtime: Backend and precision likewise.

    Raises:
        ModelError: The file is missing, no calibration, or belongs to something else.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise ModelError(f"calibration {path} has another format: calibrate again")
        content["curve"] = tuple(RatePoint(**point) for point in content["curve"])
        content["camera_pairs"] = {
            name: tuple(RatePoint(**point) for point in curve)
            for name, curve in content["camera_pairs"].items()
        }
        calibration = Calibration(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"calibration {path} cannot be read: {error!r}") from None
    for what, wanted, got in (
        ("weights", weights_sha256, calibration.weights_sha256),
        ("runtime", runtime, calibration.runtime),
    ):
        if wanted is not None and wanted != got:
            raise ModelError(
                f"calibration {path} was made with other {what} ({got[:16]!r}, these are "
                f"{wanted[:16]!r}): calibrate again, or give --threshold"
            )
    return calibration
