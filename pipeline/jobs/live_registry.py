"""The identity store of a live run, with what the page reads of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.registry.registry import Registry
from pipeline.results.history import History

__all__ = ["LiveRegistry"]


class LiveRegistry(Registry):
    """A registry whose stored identities are read by ``pipeline.results``; see `Registry`."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self.records = History(folder, self.log, self.events)
        """What is stored, to be read from any thread."""

    def figures(self) -> dict[str, float]:
        """Return how the registry is doing, to be shown as metrics."""
        return {"identities": float(self.records.count()), **super().figures()}
