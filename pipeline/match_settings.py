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
    """Whether they see the same place, so that one person can be in both at one time."""
    min_travel_s: Seconds | None = None
    """Least time between leaving the one and entering the other."""

    @model_validator(mode="after")
    def _check_consistency(self) -> CameraPairSettings:
        if self.overlap and self.min_travel_s:
            raise ValueError("a pair with overlap has no travel time: give one of the two")
        return self


class MatchSettings(Section):
    """One identity per person over all cameras."""

    threshold: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Least cosine similarity of one person's tracklets; none = calibrated with the weights."""
    false_match_rate: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Share of pairs of strangers' tracks that a calibrated threshold lets pass. Groups and
    constraints take most of them out again."""
    decide_crops: Annotated[int, Field(ge=1)] = 3
    """Good embeddings after which a track may get its identity."""
    decide_after_s: Seconds = 1.5
    """... or this much time with at least one good embedding."""
    max_wait_s: Seconds = 5.0
    """A track that is still ambiguous after so long gets a new identity."""
    margin: Share = 0.05
    """Lead over the runner-up that a decision needs."""
    least_seen_s: Seconds = 1.0
    """Who was seen for less than this, all tracks together, is nobody: mostly a piece of somebody
    or no person at all. Such a track may still turn out to be somebody known."""
    overlap_s: Seconds = 0.0
    """Tracks of one camera that share more time than this are two persons."""
    views: Literal["auto", "disjoint", "overlapping"] = "auto"
    """Whether one person can be in two cameras at one time; ``auto`` = learn it per pair."""
    camera_pairs: list[CameraPairSettings] = Field(default_factory=list)
    """What is known of single pairs of cameras; overrides ``views``."""
    centre_tracks: Annotated[float, Field(ge=0)] = 4.0
    """Tracks of a camera that look unlike each other, besides the first, at which half of the
    camera's own colouring is taken out; 0 = never."""
    tick_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.5
    """Time between two rounds of decisions; each looks at all cameras together."""
    review_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 5.0
    """Time between two reviews, which merge and split identities; several ticks."""
    max_identities: Annotated[int, Field(ge=1)] = 50_000
    """Most persons that are remembered; beyond, those not seen for longest are forgotten."""
    forget_after_s: Annotated[float, Field(gt=0)] | None = None
    """A person who was not seen for so long is forgotten; none = never."""
    resolve: bool = True
    """Resolve the identities once more over the whole run at its end."""
