"""The interface between the page and the store of identities. ``pipeline.registry.Registry`` has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pipeline.datatypes import Event, FloatArray
from pipeline.layout.edits import Edit
from pipeline.passages import ZoneCount
from pipeline.person_picture import PersonPicture
from pipeline.zone_settings import ZoneMap

__all__ = ["Records", "Register", "WatchRecords", "ZoneRecords"]


class Records(Protocol):
    """What is stored; the attributes of persons and sightings are those of ``replies``."""

    def people(
        self, *, limit: int, search: str = "", seen_before_s: float | None = None
    ) -> Sequence[object]:
        """Return identities, those seen last first."""

    def person(self, identity: int) -> object | None:
        """Return one identity, by any number that it ever had."""

    def sightings(
        self,
        *,
        limit: int,
        identity: int | None = None,
        since_s: float = ...,
        until_s: float = ...,
    ) -> Sequence[object]:
        """Return sightings that overlap a span of time, newest first."""

    def thumbnail(self, sighting: int) -> bytes | None:
        """Return a sighting's thumbnail as JPEG."""

    def events(self, *, limit: int, after: int = 0, newest: bool = False) -> list[Event]:
        """Return events with a number above ``after``, oldest first."""

    def edits(self, *, limit: int) -> Sequence[Edit]:
        """Return edits, newest first."""


class WatchRecords(Protocol):
    """Who is looked for, and alerts; the attributes are those of ``watch_api``."""

    def people(self) -> Sequence[object]:
        """Return who is looked for, by name."""

    def alerts(self, *, limit: int, before: int | None = None) -> Sequence[object]:
        """Return alerts, newest first; ``before`` is the number of one, to turn pages."""

    def alert_picture(self, alert: int) -> bytes | None:
        """Return what was seen as JPEG."""

    def picture(self, watched: int) -> bytes | None:
        """Return the first picture of somebody who is looked for."""

    def vector(self, sighting: int) -> FloatArray | None:
        """Return the ``(D,)`` unit embedding of a sighting."""


class ZoneRecords(Protocol):
    """Zones and lines at one moment."""

    @property
    def maps(self) -> Mapping[str, ZoneMap]:
        """Zones and lines by camera."""

    def counts(self, *, since_s: float | None = ...) -> Sequence[ZoneCount]:
        """Return what was counted, by name; ``None`` = all that is kept, perhaps without stays."""


class Register(Protocol):
    """Stores identities and edits of them; called from any thread.

    Edits return the event to tell, say by which user they were made, and raise ``EditError`` or ``SinkError``.
    """

    @property
    def records(self) -> Records:
        """What is stored."""

    @property
    def trouble(self) -> str:
        """Why nothing can be stored just now, empty where all is well."""

    @property
    def newest_event(self) -> int:
        """Number of the newest event, 0 before the first."""

    def name(self, identity: int) -> str:
        """Return what an identity is called, empty if it has no name."""

    def rename(self, identity: int, name: str, *, user: str = ...) -> Event:
        """Give an identity a name."""

    def merge(self, identity: int, other: int, *, user: str = ...) -> Event:
        """Have two identities be one person."""

    def split(self, identity: int, sightings: Sequence[int], *, user: str = ...) -> Event:
        """Make a new identity of some sightings of another one."""

    def undo(self, edit: int, *, user: str = ...) -> Event:
        """Take an edit back."""

    @property
    def zones(self) -> ZoneRecords:
        """Zones and lines, and what they counted."""

    def draw_zones(self, camera: str, drawn: ZoneMap) -> None:
        """Have a camera's zones and lines be these from now on."""

    @property
    def watched(self) -> WatchRecords:
        """Who is looked for, and alerts."""

    @property
    def alert_threshold(self) -> float | None:
        """The least similarity that is an alert now, ``None`` where there can be none."""

    def enrol(self, name: str, pictures: Sequence[PersonPicture]) -> int:
        """Look for somebody, or by more pictures; return their number on the list."""

    def stop_watching(self, number: int) -> str:
        """Look for somebody no more; return what they were called."""

    def answer_alert(self, alert: int, *, is_match: bool) -> None:
        """Take in what the operator says of an alert."""
