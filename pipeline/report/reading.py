"""What a report tells of: who was seen where, the best pictures, the record; read from a run."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import InputError

__all__ = [
    "CameraCounts",
    "InputVideo",
    "Pictures",
    "Reported",
    "RunRecord",
    "Sighting",
    "read_run",
    "taking_turns",
]

Pictures = Callable[[Sequence[int], int], Mapping[int, list[bytes]]]
"""From identities, and how many pictures of each, to their best ones, encoded."""
T = TypeVar("T")
CROP_NAME = re.compile(r"(?P<camera>.+)_t(?P<track>\d+)_(?P<ms>-?\d+)ms\.jpg")


@dataclass(frozen=True, slots=True)
class Sighting:
    """One track and whose it is.

    Attributes:
        global_id: The person, ``UNDECIDED`` where the evidence names nobody.
        camera: Name of the camera.
        first_s: Time of the first box, seconds on the run's time line.
        last_s: Time of the last box, not before ``first_s``.
    """

    global_id: int
    camera: str
    first_s: float
    last_s: float


class CameraCounts(BaseModel):
    """What was found in one camera."""

    camera: str
    frames: int = 0
    boxes: int = 0
    tracks: int = 0


class InputVideo(BaseModel):
    """What a camera was read from."""

    camera: str
    source: str = ""
    width: int = 0
    height: int = 0
    duration_s: float | None = None

    @property
    def name(self) -> str:
        """The file alone: folders, and passwords in addresses, are nobody else's business."""
        return self.source.replace("\\", "/").rstrip("/").rsplit("/", maxsplit=1)[-1]


class RunRecord(BaseModel):
    """``run.json``, as far as a report tells of it; what is missing stays empty."""

    status: str = ""
    reason: str = ""
    started: str = ""
    finished: str = ""
    versions: dict[str, str] = {}
    resolved: dict[str, str | float | None] = {}
    seconds: dict[str, float] = {}
    inputs: list[InputVideo] = []
    cameras: list[CameraCounts] = []
    warnings: list[str] = []


@dataclass(frozen=True, slots=True, eq=False)
class Reported:
    """A run, or an archive, as it lies on disk.

    Attributes:
        kind: What it is to its reader: ``run`` or ``archive``.
        name: Name of its folder.
        record: Its record, empty where there is none.
        record_file: Where the record is.
        sightings: All its tracks.
        tables: The files that have all of them.
        pictures: Of persons.
    """

    kind: str
    name: str
    record: RunRecord
    record_file: str
    sightings: list[Sighting]
    tables: str
    pictures: Pictures

    @property
    def cameras(self) -> list[str]:
        """Cameras that the run read, in its order, then others that it has tracks of."""
        known = [each.camera for each in self.record.inputs]
        known += [each.camera for each in self.record.cameras]
        return list(dict.fromkeys([*known, *sorted({s.camera for s in self.sightings})]))


def taking_turns(by_camera: Mapping[str, Sequence[T]], most: int) -> list[T]:
    """Return up to ``most`` of all cameras' things, the first of each camera first."""
    turns = zip_longest(*by_camera.values())
    return [each for turn in turns for each in turn if each is not None][:most]


def read_run(folder: Path) -> Reported:
    """Read the folder of a run.

    Raises:
        InputError: The folder is no run's, the run did not get as far as its tables, or one of
            its files is damaged.
    """
    if not folder.is_dir():
        raise InputError(f"run {folder} is no folder: give the --out folder of a finished run")
    return Reported(
        kind="run",
        name=folder.resolve().name,
        record=_record(folder / "run.json"),
        record_file="run.json",
        sightings=_sightings(folder / "identities.csv"),
        tables="identities.csv",
        pictures=partial(_pictures, folder / "gallery"),
    )


def _record(path: Path) -> RunRecord:
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return RunRecord()
    except OSError as error:
        raise InputError(f"run record {path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise InputError(
            f"run record {path} is damaged ({place or 'file'}: {fault['msg']}): run again, or "
            "move it away to report without it"
        ) from None


def _sightings(path: Path) -> list[Sighting]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                _sighting(row, f"{path} row {number}")
                for number, row in enumerate(csv.DictReader(file), start=1)
            ]
    except FileNotFoundError:
        raise InputError(
            f"{path} does not exist: either {path.parent} is no run's folder, or the run did not "
            "finish; run it again"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def _sighting(row: Mapping[str, str], origin: str) -> Sighting:
    try:
        first_s, last_s = float(row["first_s"]), float(row["last_s"])
        sighting = Sighting(int(row["global_id"]), row["camera"], first_s, last_s)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{origin} is damaged ({type(error).__name__}: {error}): expected the columns "
            "global_id, camera, first_s, last_s"
        ) from None
    if not (math.isfinite(first_s) and math.isfinite(last_s) and first_s <= last_s):
        raise InputError(f"{origin} is damaged: it goes from {first_s} s to {last_s} s")
    return sighting


def _pictures(gallery: Path, people: Sequence[int], most: int) -> dict[int, list[bytes]]:
    """Return crops that a run kept; files that cannot be read are left out."""
    found = {}
    for number in people:
        by_camera: dict[str, list[Path]] = {}
        for path in sorted((gallery / f"{number:04d}").glob("*.jpg")):
            name = CROP_NAME.fullmatch(path.name)
            if name is not None and os.access(path, os.R_OK) and path.is_file():
                by_camera.setdefault(name["camera"], []).append(path)
        found[number] = [path.read_bytes() for path in taking_turns(by_camera, most)]
    return found
