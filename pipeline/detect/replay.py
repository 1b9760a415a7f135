"""Saved boxes in place of a detector, so that everything after detection runs alone.

Two formats are read. A CSV with the columns ``camera,frame,x,y,w,h`` and, optionally,
``score`` (frames from 0); further columns are ignored, so a run's ``tracks.csv`` and a
ground truth fit. MOT Challenge text (``frame,id,x,y,w,h,score,...``, frames from 1): one
file where there is one camera, else a folder with ``CAMERA.txt`` or
``CAMERA/det/det.txt`` for every camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from pipeline.datatypes import Detections, Frame
from pipeline.errors import DetectionsFileError

__all__ = ["ReplayDetector", "read_detections"]

BOX_COLUMNS = ["camera", "frame", "x", "y", "w", "h"]
MOT_COLUMNS = ["frame", "id", "x", "y", "w", "h", "score"]


class ReplayDetector:
    """Hands out saved boxes by camera and frame number.

    Args:
        path: The file or folder.
        cameras: Names of the run's cameras.
        confidence: Minimum score of a box.

    Raises:
        DetectionsFileError: The file is missing or malformed, or names none of the cameras.
    """

    def __init__(self, path: Path, *, cameras: Sequence[str], confidence: float) -> None:
        self._confidence = confidence
        table = read_detections(path, cameras=cameras)
        known = set(table["camera"].unique())
        if len(table) and not known & set(cameras):
            raise DetectionsFileError(
                f"detections {path} hold boxes of {', '.join(sorted(known))}, but the cameras "
                f"of this run are {', '.join(cameras)}: rename one side"
            )
        self.name = f"{path.name} (saved boxes)"
        self._boxes: dict[tuple[str, int], Detections] = {}
        for key, rows in table.groupby(["camera", "frame"], sort=False):
            camera, frame = cast("tuple[str, int]", key)
            xywh = rows[["x", "y", "w", "h"]].to_numpy(np.float32)
            xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
            self._boxes[camera, int(frame)] = Detections(xyxy, rows["score"].to_numpy(np.float32))

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the saved boxes of each frame, clipped to its image."""
        return [self._of(frame) for frame in frames]

    def _of(self, frame: Frame) -> Detections:
        saved = self._boxes.get((frame.camera, frame.index))
        if saved is None:
            return Detections.empty()
        height, width = frame.image.shape[:2]
        xyxy = np.clip(saved.xyxy, 0, np.array([width, height, width, height], np.float32))
        visible = (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        return Detections(xyxy, saved.score).select(visible & (saved.score >= self._confidence))


def read_detections(path: Path, *, cameras: Sequence[str]) -> pd.DataFrame:
    """Return saved boxes as a table ``camera,frame,x,y,w,h,score``.

    Args:
        path: CSV file, MOT text file, or folder of MOT text files.
        cameras: Names of the cameras, to find their files and to name a lone MOT file.

    Raises:
        DetectionsFileError: The file is missing or malformed.
    """
    if path.is_dir():
        return _read_mot_folder(path, cameras)
    try:
        with path.open(encoding="utf-8") as file:
            first_line = file.readline()
    except FileNotFoundError:
        raise DetectionsFileError(f"detections {path} do not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DetectionsFileError(f"detections {path} cannot be read: {error}") from None
    if "camera" in first_line:
        return _read_csv(path)
    if len(cameras) != 1:
        raise DetectionsFileError(
            f"detections {path} have no column 'camera' and the run has {len(cameras)} cameras: "
            "give a CSV with camera,frame,x,y,w,h or a folder with one MOT file per camera"
        )
    return _read_mot(path, cameras[0])


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"camera": str})
    except (ValueError, OSError) as error:
        raise DetectionsFileError(f"detections {path} are no CSV: {error}") from None
    missing = [column for column in BOX_COLUMNS if column not in table]
    if missing:
        raise DetectionsFileError(
            f"detections {path} lack the columns {', '.join(missing)}; "
            f"expected {','.join(BOX_COLUMNS)} and optionally score"
        )
    if "score" not in table:
        table["score"] = 1.0
    return _checked(table[[*BOX_COLUMNS, "score"]], path, header_lines=1)


def _read_mot(path: Path, camera: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, header=None)
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=[*BOX_COLUMNS, "score"])
    except (ValueError, OSError) as error:
        raise DetectionsFileError(f"detections {path} are no MOT text: {error}") from None
    if table.shape[1] < len(MOT_COLUMNS) - 1:
        raise DetectionsFileError(
            f"detections {path} have {table.shape[1]} columns, expected MOT text: "
            "frame,id,x,y,w,h,score"
        )
    table = table.iloc[:, : len(MOT_COLUMNS)]
    table.columns = pd.Index(MOT_COLUMNS[: table.shape[1]])
    if "score" not in table:
        table["score"] = 1.0
    checked = _checked(table.assign(camera=camera), path, header_lines=0)
    return checked.assign(frame=checked["frame"] - 1)[[*BOX_COLUMNS, "score"]]


def _read_mot_folder(folder: Path, cameras: Sequence[str]) -> pd.DataFrame:
    tables = []
    for camera in cameras:
        places = [folder / f"{camera}.txt", folder / camera / "det" / "det.txt"]
        tables += [_read_mot(place, camera) for place in places if place.is_file()][:1]
    if not tables:
        raise DetectionsFileError(
            f"detections folder {folder} has no CAMERA.txt or CAMERA/det/det.txt for any of "
            f"{', '.join(cameras)}"
        )
    return pd.concat(tables, ignore_index=True)


def _checked(table: pd.DataFrame, path: Path, *, header_lines: int) -> pd.DataFrame:
    """Return the table with numbers for numbers; raise at the first row that has none."""
    table = table.copy()
    for column in [*BOX_COLUMNS[1:], "score"]:
        numbers = pd.to_numeric(table[column], errors="coerce")
        bad = np.flatnonzero(~np.isfinite(numbers.to_numpy(np.float64)))
        if len(bad):
            raise DetectionsFileError(
                f"detections {path}, line {bad[0] + 1 + header_lines}: {column} is "
                f"{table[column].iloc[bad[0]]!r}, expected a number"
            )
        table[column] = numbers
    wild = np.flatnonzero(~table["score"].between(0, 1).to_numpy())
    if len(wild):
        raise DetectionsFileError(
            f"detections {path}, line {wild[0] + 1 + header_lines}: score is "
            f"{table['score'].iloc[wild[0]]:g}, expected 0 to 1: scale the scores, or leave the "
            "column out to take all boxes for sure"
        )
    return table.astype({"frame": np.int64})
