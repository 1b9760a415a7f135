"""False people on footage in which nobody is: everybody found there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scipy.stats import chi2

from pipeline.datatypes import UNASSIGNED
from pipeline.errors import InputError
from pipeline.results.run import RunResults

__all__ = ["FalsePeople", "false_people"]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class FalsePeople:
    """How many people were found where nobody is.

    Attributes:
        cameras: Per camera, how many; somebody in two cameras counts in both.
        hours: Length of the footage, all cameras together.
    """

    cameras: Mapping[str, int]
    hours: float

    @property
    def count(self) -> int:
        """How many in all."""
        return sum(self.cameras.values())

    @property
    def per_hour(self) -> float:
        """How many per camera-hour."""
        return self.count / self.hours

    @property
    def interval(self) -> tuple[float, float]:
        """The exact 95% interval of ``per_hour``, as counts of rare events vary.

        Source: F. Garwood, "Fiducial Limits for the Poisson Distribution", 1936.
        """
        tail = (1 - CONFIDENCE) / 2
        low = float(chi2.ppf(tail, 2 * self.count)) / 2 if self.count else 0.0
        high = float(chi2.ppf(1 - tail, 2 * self.count + 2)) / 2
        return low / self.hours, high / self.hours

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        return {
            "false_people": self.count,
            "camera_hours": self.hours,
            "per_camera_hour": self.per_hour,
            "interval": list(self.interval),
            "cameras": dict(self.cameras),
        }


def false_people(results: RunResults) -> FalsePeople:
    """Count everybody that a run found.

    Args:
        results: A run over footage without people.

    Raises:
        InputError: The run has no record, or read nothing.
    """
    hours = sum(each.last_s for each in results.summary().cameras) / 3600
    if hours <= 0:
        raise InputError(
            f"{results.path} does not say how long its cameras were read, so there is no rate per "
            "hour: run it again to the end"
        )
    sightings = results.sightings()
    known = sightings[sightings["global_id"] != UNASSIGNED]
    people = known.groupby("camera")["global_id"].nunique()
    cameras = {each.camera: int(people.get(each.camera, 0)) for each in results.summary().cameras}
    return FalsePeople(cameras, hours)
