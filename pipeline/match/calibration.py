"""Calibration of the similarity threshold: error rates over the threshold.

Similarities do not carry over from one network to another, so each set of weights needs its
own threshold. It is measured on tracks whose persons are known: *genuine* pairs show one
person in two cameras, *impostor* pairs two persons. The share of impostors
at or above a threshold is its false match rate (FMR), the share of genuine pairs below it
the false non-match rate (FNMR).

Places have nobody in common: two tracks of two places are impostors, whoever they show. What one
place does to appearance is not what another does, so impostors within places and across them count
apart, and the FMR is the higher of the two. A search among ``G`` persons makes about ``G`` comparisons,
so a false identification rate ``r`` asks for an FMR of ``r / G``.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.datatypes import FloatArray, IntArray
from pipeline.errors import InputError, ModelError
from pipeline.foreign import MARK
from pipeline.match.features import CameraCentres
from pipeline.match.rates import ACROSS, GENUINE, WITHIN, RatePoint, rate_curve

__all__ = ["Calibration", "TrackLabel", "calibrate", "calibration_as_json"]

FORMAT = 3
FEW_TRACKLETS = 100
"""Up to so many the false match rate is taken as it is; beyond, it falls with their cube root: the
more people, the more strangers who look alike. Measured on simulated tracklets."""
PAIRS_PER_FALSE_MATCH = 3
"""Rule of three: ``3 / FMR`` impostor pairs without a false match bound the FMR."""
RARE_SHARE = 1e-4
"""Steps of the curve with a smaller share of pairs say nothing about likelihoods."""
MIN_STEPS = 10
MIN_SLOPE = 2.0
INDEPENDENT_SHARE = 0.5
"""Feet that are hidden are hidden for seconds, and a calibration is off all the time."""
MAX_MISSED = 0.95
"""Weights that miss more of the genuine pairs than this tell nobody apart: chance misses as much."""


@dataclass(frozen=True, slots=True)
class TrackLabel:
    """Whom a track shows, and where.

    Attributes:
        place: Nobody is in two of them.
        identity: A name, unique in its place; ``None`` where it is not known.
        camera: A name, unique in its place.
        span: Its first and last second, where that is known.
    """

    place: str
    identity: str | None
    camera: str
    span: tuple[float, float] | None = None


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
        impostor_pairs: Pairs of two persons in one place.
        places: Number of places.
        across_pairs: Pairs of two places.
    """

    weights_sha256: str
    runtime: str
    curve: tuple[RatePoint, ...]
    identities: int = 0
    tracks: int = 0
    genuine_pairs: int = 0
    impostor_pairs: int = 0
    places: int = 1
    across_pairs: int = 0

    @classmethod
    def of_notes(cls, notes: Mapping[str, Any], *, weights: Path, sha256: str) -> Self:
        """Return the calibration that was stored with weights, by `notes`.

        Args:
            notes: What was stored.
            weights: Where, for messages.
            sha256: The hash of the weights as they are now.

        Raises:
            ModelError: It cannot be read, or was made with other weights: its threshold would mean
                nothing.
        """
        try:
            missed = {float(row[0]): float(row[1]) for row in notes.get("fnmr", ())}
            curve = tuple(
                RatePoint(float(t), float(rate), missed.get(float(t), nan))
                for t, rate in notes["fmr"]
            )
            if not curve or not all(
                isfinite(point.threshold) and 0 <= point.fmr <= 1 for point in curve
            ):
                raise ValueError("rates that are none")
            found = cls(notes["weights_sha256"], notes["runtime"], curve)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ModelError(
                f"the calibration of {weights} is damaged ({error!r}): run `reid-pipeline calibrate "
                "--store` again"
            ) from None
        if found.weights_sha256 != sha256:
            raise ModelError(
                f"the calibration of {weights} was made with other weights (SHA-256 "
                f"{found.weights_sha256[:16]}..., these have {sha256[:16]}...): run "
                "`reid-pipeline calibrate --store` again, or give --threshold"
            )
        return found

    def notes(self, *, threshold: float, false_match_rate: float) -> dict[str, Any]:
        """Return what is stored with the weights."""
        return {
            "threshold": threshold,
            "false_match_rate": false_match_rate,
            "identities": self.identities,
            "tracks": self.tracks,
            "places": self.places,
            "weights_sha256": self.weights_sha256,
            "runtime": self.runtime,
            "fmr": [[point.threshold, point.fmr] for point in self.curve],
            "fnmr": [[p.threshold, p.fnmr, p.fnmr_low, p.fnmr_high] for p in self.curve],
        }

    def threshold_for(self, *, false_match_rate: float, tracklets: int = 0) -> float:
        """Return the lowest threshold whose false match rate is low enough.

        Args:
            false_match_rate: Accepted among at most ``FEW_TRACKLETS`` tracklets.
            tracklets: How many are compared with each other.

        Raises:
            InputError: The rate is lower than so few impostor pairs can show.
        """
        needed = PAIRS_PER_FALSE_MATCH / false_match_rate
        kinds = (self.impostor_pairs, "impostor pairs"), (self.across_pairs, "pairs of two places")
        for pairs, kind in kinds:
            if 0 < pairs < needed:
                raise InputError(
                    f"a false match rate of {false_match_rate:.2g} needs at least {needed:.0f} "
                    f"{kind}, the calibration has {pairs}: allow a higher rate, or calibrate on "
                    "more persons"
                )
        accepted = false_match_rate * (FEW_TRACKLETS / max(tracklets, FEW_TRACKLETS)) ** (1 / 3)
        return next(
            (p.threshold for p in self.curve if p.fmr <= accepted), self.curve[-1].threshold
        )

    def place_weight(self) -> float | None:
        """Return the similarity that places are worth where they make one person e times likelier.

        As much similarity changes the number of genuine pairs for each impostor pair by that factor: the
        slope of its logarithm, over the similarities that both have. Half of it, as places err together.
        ``None`` where the curve does not tell.
        """
        at = np.array([point.threshold for point in self.curve])
        genuine = np.diff([point.fnmr for point in self.curve])
        impostor = -np.diff([point.fmr for point in self.curve])
        both = (genuine > RARE_SHARE) & (impostor > RARE_SHARE)
        if both.sum() < MIN_STEPS:
            return None
        weight = np.sqrt(np.minimum(genuine, impostor)[both])
        ratio = np.log(genuine[both] / impostor[both])
        slope = float(np.polyfit(at[:-1][both], ratio, 1, w=weight)[0])
        return INDEPENDENT_SHARE / slope if slope > MIN_SLOPE else None

    def checked_threshold(self, *, false_match_rate: float) -> float:
        """Return the threshold for a rate, where it tells people apart at all.

        Raises:
            InputError: As for `threshold_for`, or no threshold has so low a rate, or the one that has
                it misses nearly everybody.
        """
        threshold = self.threshold_for(false_match_rate=false_match_rate)
        point = next(each for each in self.curve if each.threshold == threshold)
        if point.fmr > false_match_rate or point.fnmr > MAX_MISSED:
            raise InputError(
                f"the weights do not tell these people apart: at {threshold:.2f}, {point.fmr:.1%} of "
                f"strangers match and {point.fnmr:.1%} of the pairs of one person do not; check the "
                "weights, how crops become their input, and the names of the crops"
            )
        return threshold


def calibrate(
    means: FloatArray,
    labels: Sequence[TrackLabel],
    *,
    centre_tracks: float,
    overlap_s: float = 0.0,
    weights_sha256: str = "",
    runtime: str = "",
) -> Calibration:
    """Measure error rates on tracks whose persons are known.

    Args:
        means: ``(N, D)`` mean embedding of each track.
        labels: Whom each shows, and where. Tracks of one place are compared where both persons are
            known and the cameras differ, or where one camera shows both at the same time; tracks
            of two places always.
        centre_tracks: Strength of the camera centring, as the matcher will use it.
        overlap_s: Tracks of one camera that overlap by more than this are two persons.
        weights_sha256: Hash of the weights file.
        runtime: Backend and precision.

    Raises:
        InputError: There are no genuine or no impostor pairs over two cameras.
    """
    person = _numbers([(t.place, t.identity or row) for row, t in enumerate(labels)])
    camera = _numbers([(t.place, t.camera) for t in labels])
    place = _numbers([t.place for t in labels])
    known = np.array([t.identity is not None for t in labels], bool)
    cameras = len(set(camera.tolist()))
    centres = CameraCentres.of(means, camera, cameras=cameras, prior=centre_tracks)
    features = centres.apply(means, camera)
    a, b = np.triu_indices(len(means), k=1)
    across = place[a] != place[b]
    counts = across | known[a] & known[b] & (camera[a] != camera[b])
    begin, end = np.array([t.span or (np.nan, np.nan) for t in labels]).reshape(-1, 2).T
    together = np.minimum(end[a], end[b]) - np.maximum(begin[a], begin[b]) > overlap_s
    counts |= together & (camera[a] == camera[b]) & (person[a] != person[b])
    a, b, across = a[counts], b[counts], across[counts]
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
            f"got {len(set(person[known].tolist()))} known person(s) in {cameras} camera(s), "
            f"{int(genuine.sum())} pair(s) of one person over two cameras; add crops of known people, or "
            "name people of a run by `reid-pipeline edit`"
        )
    kind = np.where(genuine, GENUINE, np.where(across, ACROSS, WITHIN))
    curve = rate_curve(cosine, kind, person[a])
    return Calibration(
        weights_sha256=weights_sha256,
        runtime=runtime,
        identities=len(set(person[known].tolist())),
        tracks=len(means),
        genuine_pairs=int(genuine.sum()),
        impostor_pairs=int((kind == WITHIN).sum()),
        places=len(set(place.tolist())),
        across_pairs=int(across.sum()),
        curve=curve,
    )


def _numbers(names: Sequence[Hashable]) -> IntArray:
    """Return a number for each name, from 0, equal ones for equal names."""
    number = {name: row for row, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], np.int64)


def calibration_as_json(calibration: Calibration) -> dict[str, Any]:
    """Return a calibration as JSON holds it."""
    return {"written_by": f"{MARK} calibrate", "format": FORMAT, **asdict(calibration)}
