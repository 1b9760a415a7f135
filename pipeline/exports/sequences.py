"""The boxes of a run or an archive as sequences: stretches of frames that are numbered together.

A camera of a run is one sequence. In an archive every video file is one, as each counts its
frames from 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.datatypes import UNDECIDED
from pipeline.errors import InputError
from pipeline.layout.archive import ArchiveFolder, read_part

__all__ = ["BOX_COLUMNS", "BoxSequence", "read_sequences"]

BOX_COLUMNS = ["frame", "time", "track_id", "global_id", "x", "y", "w", "h", "score"]
UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
RUN_COLUMNS = {"camera", "time_s", *BOX_COLUMNS} - {"time"}


@dataclass(frozen=True, slots=True, eq=False)
class BoxSequence:
    """The boxes of frames that are numbered together.

    Attributes:
        name: Unique, and safe as a file name.
        camera: Name of the camera.
        video: What it was read from, empty where that is unknown.
        size: ``(width, height)`` in pixels, ``None`` where that is unknown.
        boxes: ``BOX_COLUMNS``, in order of (frame, track). ``frame`` counts from 0, ``time`` is
            seconds of the run or UTC of the archive, ``x, y`` is the top left in pixels, and
            ``global_id`` is -1 where the evidence names nobody.
    """

    name: str
    camera: str
    video: str
    size: tuple[int, int] | None
    boxes: pd.DataFrame


def read_sequences(path: Path) -> Iterator[BoxSequence]:
    """Yield the sequences of a run or an archive; of an archive one file is in memory at a time.

    Args:
        path: Folder of a finished run, or of an archive.

    Raises:
        InputError: It is neither, or a table of it is missing or damaged.
    """
    if (path / "archive.json").is_file():
        return _of_archive(path)
    if (path / "tracks.csv").is_file():
        return _of_run(path)
    raise InputError(
        f"{path} holds neither tracks.csv nor archive.json: give the --out folder of `run` or "
        "`batch`"
    )


def _of_run(folder: Path) -> Iterator[BoxSequence]:
    inputs = {}
    if (folder / "run.json").exists():
        record = _record(folder / "run.json")
        try:
            inputs = {str(each["camera"]): each for each in record.get("inputs", [])}
        except (KeyError, TypeError) as error:
            raise InputError(f"record {folder / 'run.json'} is damaged: {error!r}") from None
    path = folder / "tracks.csv"
    try:
        table = pd.read_csv(path, dtype={"camera": str}, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"tracks {path} cannot be read as CSV: {reason}") from None
    if missing := sorted(RUN_COLUMNS - set(table.columns)):
        raise InputError(f"tracks {path} lacks the columns {', '.join(missing)}")
    table = table.rename(columns={"time_s": "time"})
    table = _with_numbers(table, origin=f"tracks {path}")
    for camera in [*inputs, *sorted(set(table["camera"]) - set(inputs))]:
        known = inputs.get(camera, {})
        size = (int(known.get("width") or 0), int(known.get("height") or 0))
        source = str(known.get("source", "")).replace("\\", "/")
        yield BoxSequence(
            name=camera,
            camera=camera,
            video=PurePosixPath(source).name,
            size=size if all(size) else None,
            boxes=_ordered(table[table["camera"] == camera]),
        )


def _of_archive(folder: Path) -> Iterator[BoxSequence]:
    try:
        owners = ArchiveFolder(folder).identities().to_pandas().set_index("tracklet_id")
        taken: set[str] = set()
        for days in _days_by_file(folder / "sightings").values():
            tracklets = _read(days, ["tracklet_id", "track_id", "file"])
            boxes = _read([_twin(folder, day) for day in days], None)
            table = boxes.merge(tracklets, on="tracklet_id", validate="many_to_one")
            owner = table["tracklet_id"].map(owners["global_id"])
            table = table.assign(global_id=owner.fillna(UNDECIDED).astype("int64"))
            file = str(tracklets["file"].iloc[0]) if len(tracklets) else days[0].stem
            camera = days[0].parent.parent.name[len("camera=") :]
            yield BoxSequence(_free_name(file, taken), camera, file, None, _ordered(table))
    except (KeyError, ValueError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"archive {folder} is damaged: {reason}") from None


def _days_by_file(sightings: Path) -> dict[str, list[Path]]:
    """Return the parts of every video file, by (camera, key): one part for each day."""
    parts: dict[str, list[Path]] = {}
    for path in sorted(sightings.glob("camera=*/day=*/*.parquet")):
        parts.setdefault(f"{path.parent.parent.name}/{path.stem}", []).append(path)
    return parts


def _twin(folder: Path, part: Path) -> Path:
    """Return the part that holds the boxes of a part of sightings."""
    return folder / "boxes" / part.parent.parent.name / part.parent.name / part.name


def _read(paths: list[Path], columns: list[str] | None) -> pd.DataFrame:
    frame: pd.DataFrame = pa.concat_tables(read_part(each, columns) for each in paths).to_pandas()
    return frame


def _free_name(file: str, taken: set[str]) -> str:
    """Return a file name for a path that no other path has, whatever it is made of."""
    plain = UNSAFE.sub("_", file.rsplit(".", maxsplit=1)[0]).strip("_") or "file"
    name, number = plain, 1
    while name.lower() in taken:  # some file systems ignore case
        number += 1
        name = f"{plain}-{number}"
    taken.add(name.lower())
    return name


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    return table[BOX_COLUMNS].sort_values(["frame", "track_id"], ignore_index=True)


def _record(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError(type(content).__name__)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"record {path} cannot be read: {error}") from None
    return content


def _with_numbers(table: pd.DataFrame, *, origin: str) -> pd.DataFrame:
    """Return a table whose numbers are numbers, the whole ones int64.

    Raises:
        InputError: Names the row, from 1.
    """
    checked = table.copy()
    for column in BOX_COLUMNS:
        values = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
        whole = column in {"frame", "track_id", "global_id"}
        wrong = ~np.isfinite(values) | (whole & (values != np.rint(values)))
        if wrong.any():
            row = int(wrong.argmax())
            kind = "a whole number" if whole else "a number"
            raise InputError(
                f"{origin}: row {row + 1} has {column} = {table[column].iloc[row]!r}, "
                f"expected {kind}"
            )
        checked[column] = values.astype(np.int64) if whole else values
    return checked
