"""The identity store of a live run, with what the page reads of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.registry.registry import Registry
from pipeline.results.history import History
from pipeline.results.watch_records import WatchRecords
from pipeline.results.zone_records import ZoneRecords

__all__ = ["LiveRegistry"]


class LiveRegistry(Registry):
    """A registry whose stored identities are read by ``pipeline.results``; see `Registry`."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self.records = History(folder, self.log, self.events)
        """What is stored, to be read from any thread."""
        self.watched = WatchRecords(folder)
        """Who is looked for, and alerts; to be read from any thread."""
        self._folder = folder

    @property
    def zones(self) -> ZoneRecords:
        """Zones and lines, and what they counted."""
        return ZoneRecords(self._folder, *self.zones_now())

    def figures(self) -> dict[str, float]:
        """Return how the registry is doing, to be shown as metrics."""
        return {"identities": float(self.records.count()), **super().figures()}
