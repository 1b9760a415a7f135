"""Settings of matching: when tracks get their identity, and how sure that must be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.settings_section import Seconds, Section, Share

__all__ = ["CameraPairSettings", "MatchSettings"]


class CameraPairSettings(Section):
    """What is known of two cameras."""

    cameras: tuple[str, str]
    """Names of the two."""
    overlap: bool = False
    """Whether their views overlap, so that one person can be visible in both at the same time."""
    min_travel_s: Seconds | None = None
    """Minimum time between leaving one and entering the other."""

    @model_validator(mode="after")
    def _check_consistency(self) -> CameraPairSettings:
        if self.cameras[0] == self.cameras[1]:
            raise ValueError(f"a pair is of two cameras, got {self.cameras[0]} twice")
        if self.overlap and self.min_travel_s:
            raise ValueError("a pair with overlap has no travel time: give one of the two")
        return self


class MatchSettings(Section):
    """One identity per person over all cameras."""

    threshold: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Minimum cosine similarity of two tracklets of one identity; none = from the calibration of
    the weights."""
    false_match_rate: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """False match rate (FMR) at which the threshold is read from the calibration. Clustering and
    constraints remove most of these false matches."""
    decide_crops: Annotated[int, Field(ge=1)] = 3
    """Number of good embeddings after which a track can be assigned an identity."""
    decide_after_s: Seconds = 1.5
    """Or: time after which one good embedding is enough."""
    max_wait_s: Seconds = 5.0
    """A track that is still ambiguous after this time gets a new identity."""
    margin: Share = 0.05
    """Minimum difference in similarity between the best and the second-best identity."""
    min_duration_s: Seconds = 1.0
    """Identities visible for less time than this in total, each second weighted by the detector's
    score, are dropped: most are fragments of a person or false detections. Such a track may still be
    assigned to an identity of the gallery."""
    overlap_s: Seconds = 0.5
    """Two tracks of one camera that overlap in time by more than this are different persons; where
    one person's track breaks, the next one often begins before the old one ends."""
    views: Literal["auto", "disjoint", "overlapping"] = "auto"
    """Whether one person can be visible in two cameras at the same time; ``auto`` learns it for
    each pair of cameras."""
    camera_pairs: list[CameraPairSettings] = Field(default_factory=list)
    """Settings of single pairs of cameras; they override ``views``."""
    centre_tracks: Annotated[float, Field(ge=0)] = 4.0
    """Number of distinct tracks of a camera at which half of its mean embedding is subtracted
    (camera centring); 0 = off."""
    place_margin: Annotated[float, Field(ge=0, le=2)] = 0.25
    """When tracklets are clustered, cameras in which several people were seen have nobody in common
    unless two of their tracklets exceed the threshold by this; 0 = off, every pair is compared."""
    place_weight: Annotated[float, Field(ge=0, le=1)] | None = None
    """Similarity that places on the floor (of calibrated cameras) and learned walking times add where they
    make one person e times likelier than two; none = from the calibration of the weights; 0 = neither is
    used."""
    tick_s: Annotated[float, Field(gt=0)] = 0.5
    """Interval between two rounds of assignment, each over all cameras."""
    review_s: Annotated[float, Field(gt=0)] = 5.0
    """Interval between two reviews, which merge and split identities; a multiple of ``tick_s``."""
    max_identities: Annotated[int, Field(ge=1)] = 50_000
    """Maximum number of identities in the gallery; those not seen for the longest time are removed
    first."""
    forget_after_s: Annotated[float, Field(gt=0)] | None = None
    """Identities that were not seen for this long are removed from the gallery; none = never."""
    resolve: bool = True
    """Cluster all tracklets again at the end of the run."""
