"""Camera centres and overlaps learned from the tracks, updated at each review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datatypes import FloatArray
from pipeline.match.constraints import SpatialRules, estimate_overlaps
from pipeline.match.evidence import TrackEvidence
from pipeline.match.features import CameraCentres
from pipeline.match.spans import Spans
from pipeline.match.trust import learn_ground, nat_worth
from pipeline.match.walking import learn_walking
from pipeline.settings import MatchSettings

__all__ = ["View"]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Features of tracks without their camera's colouring, and who cannot be one person.

    Attributes:
        cameras: Number of each camera by name.
        centres: What each camera does to embeddings.
        rules: Which cameras may see one person at one time, and what places and gaps say.
        warnings: By camera, why its places are not used.
    """

    cameras: Mapping[str, int]
    centres: CameraCentres
    rules: SpatialRules
    warnings: Mapping[str, str]

    @classmethod
    def of(
        cls,
        tracks: Sequence[TrackEvidence],
        cameras: Mapping[str, int],
        settings: MatchSettings,
        dim: int,
        *,
        threshold: float,
    ) -> View:
        """Learn from tracks that have at least one embedding each.

        Args:
            tracks: In an order that does not depend on chance.
            cameras: Number of each camera by name, from 0.
            settings: What is known beforehand.
            dim: Length of an embedding.
            threshold: Cosine similarity from which on two tracks are one person.
        """
        means = np.zeros((0, dim), np.float32)
        if tracks:
            means = np.stack([track.mean for track in tracks])
        spans = Spans.of(
            ((t.first_s, t.last_s, cameras[t.camera]) for t in tracks), [t.path for t in tracks]
        )
        centres = CameraCentres.of(
            means, spans.camera, cameras=len(cameras), prior=settings.centre_tracks
        )
        counts = None
        features = centres.apply(means, spans.camera)
        if settings.views == "auto":
            counts = estimate_overlaps(features, spans, overlap_s=settings.overlap_s)
        names = sorted(cameras, key=lambda name: cameras[name])
        ground, warnings = learn_ground(features, spans, names, settings, threshold=threshold)
        walking = learn_walking(
            features, spans, len(names), threshold=threshold, cosine_per_nat=nat_worth(settings)
        )
        rules = SpatialRules(names, settings, counts, ground, walking)
        return cls(dict(cameras), centres, rules, warnings)

    @classmethod
    def blank(cls, settings: MatchSettings, dim: int) -> View:
        """Return the view before anything was seen."""
        return cls.of([], {}, settings, dim, threshold=0.0)

    def knows(self, cameras: Mapping[str, int]) -> bool:
        """Return whether all these cameras were there when the view was made."""
        return len(cameras) == len(self.cameras)

    def features(self, tracks: Sequence[TrackEvidence]) -> FloatArray:
        """Return ``(N, D)`` unit rows, one per track."""
        means: FloatArray = np.stack([track.mean for track in tracks])
        camera = np.array([self.cameras[track.camera] for track in tracks], np.int64)
        return self.centres.apply(means, camera)
