"""The record of finished work, in one form for every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, PositiveInt, ValidationError

from pipeline.errors import ResultsError
from pipeline.foreign import read_regular, unreadable

__all__ = ["CameraCounts", "CameraInput", "FloorRecord", "Record", "read_record"]


class CameraCounts(BaseModel):
    """What was found in one camera."""

    camera: str
    frames: int = 0
    boxes: int = 0
    tracks: int = 0
    last_s: float = 0.0
    first_s: float | None = None
    sizes: list[tuple[int, tuple[PositiveInt, PositiveInt]]] = []


class CameraInput(BaseModel):
    """What a camera was read from."""

    camera: str
    source: str = ""
    width: int = 0
    height: int = 0
    duration_s: float | None = None

    @property
    def name(self) -> str:
        r"""The file alone: folders, and passwords in addresses, are nobody else's business.

        Bytes that are no UTF-8 are escaped (``\udcfc``), as no table or page takes them.
        """
        name = self.source.replace("\\", "/").rstrip("/").rsplit("/", maxsplit=1)[-1]
        return name.encode("utf-8", "backslashreplace").decode()

    @property
    def sizes(self) -> list[tuple[int, tuple[int, int]]]:
        """Size of all frames as ``CameraCounts.sizes`` has it, empty where it is unknown."""
        return [(0, (self.width, self.height))] if self.width and self.height else []


class FloorRecord(BaseModel):
    """What the calibrated cameras see of the floor, from above."""

    y_up: bool = True
    views: dict[str, list[tuple[float, float]]] = {}


class Record(BaseModel):
    """What is recorded of the work; what is missing stays empty."""

    status: str = ""
    reason: str = ""
    started: str = ""
    finished: str = ""
    versions: dict[str, str] = {}
    resolved: dict[str, str | float | None] = {}
    seconds: dict[str, float] = {}
    weights_sha256: str = ""
    inputs: list[CameraInput] = []
    cameras: list[CameraCounts] = []
    identities_interval: tuple[int, int] | None = None
    warnings: list[str] = []
    floor: FloorRecord | None = None

    def counted(self, people: int) -> str:
        """Return a count of people with its interval, where that is known, wide, and still fits.

        Args:
            people: How many there are, edits by hand included.
        """
        least, most = self.identities_interval or (people + 1, people)
        if least < most and least <= people <= most:
            return f"{people:,} ({least:,} to {most:,})"
        return f"{people:,}"


def read_record(path: Path, *, way_out: str) -> tuple[dict[str, Any], Record]:
    """Return a record as it lies on disk, and in the form of all kinds; empty where there is none.

    Args:
        path: The file.
        way_out: What to do about a damaged one, for the message.

    Raises:
        ResultsError: It is damaged.
    """
    try:
        record = json.loads(read_regular(path))
        return record, Record.model_validate(record)
    except FileNotFoundError:
        return {}, Record()
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        problem = f"{path} is damaged ({place or 'file'}: {fault['msg']}): {way_out}"
    except (OSError, ValueError, TypeError, RecursionError) as error:
        problem = unreadable(path, error, mend=way_out)
    raise ResultsError(f"record {problem}")
