"""Engines on which the units of an archive run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.runners.engines import Engine, InProcess, Processes
from pipeline.runners.ray_engine import RayCluster

__all__ = ["EngineName", "Workplace"]

EngineName = Literal["process", "processes", "ray"]


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where the work runs, which changes no result.

    Attributes:
        engine: One process, several, or a Ray cluster.
        workers: How many processes, or actors of the cluster.
        address: Of the Ray cluster; ``None`` starts one here.
        gpus: Share of a GPU that each actor of the cluster takes.
    """

    engine: EngineName = "process"
    workers: int = 1
    address: str | None = None
    gpus: float = 0.0

    def engine_for(self, make: Callable[[], Callable[[Any], Any]]) -> Engine:
        """Return what does the work that ``make`` sets up in each worker.

        Raises:
            SettingsError: Ray is not installed.
        """
        if self.engine == "process":
            return InProcess(make)
        if self.engine == "processes":
            return Processes(make, workers=self.workers)
        return RayCluster(make, workers=self.workers, address=self.address, gpus=self.gpus)
