"""The interface of a live run's identity store to the page: ``pipeline.registry.Registry`` has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.datatypes import Event

__all__ = ["Register"]


class Register(Protocol):
    """Takes edits of identities and remembers the newest events; called from any thread.

    Edits return the event to tell, and raise ``EditError`` or ``SinkError``.
    """

    @property
    def trouble(self) -> str:
        """Why nothing can be stored just now, empty where all is well."""

    @property
    def newest_event(self) -> int:
        """Number of the newest event, 0 before the first."""

    def events(self, *, limit: int, after: int = 0, newest: bool = False) -> list[Event]:
        """Return events with a number above ``after``, oldest first."""

    def name(self, identity: int) -> str:
        """Return what an identity is called, empty if it has no name."""

    def rename(self, identity: int, name: str) -> Event:
        """Give an identity a name."""

    def merge(self, identity: int, other: int) -> Event:
        """Have two identities be one person."""

    def split(self, identity: int, sightings: Sequence[int]) -> Event:
        """Make a new identity of some sightings of another one."""

    def undo(self, edit: int) -> Event:
        """Take an edit back."""
