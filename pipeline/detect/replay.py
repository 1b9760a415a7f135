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
from pipeline.foreign_tables import first_line, numbers_in, read_csv, read_headless

__all__ = ["ReplayDetector", "read_detections"]

BOX_COLUMNS = ["camera", "frame", "x", "y", "w", "h"]
NUMBERS = ["frame", "x", "y", "w", "h", "score"]
MOT_COLUMNS = ["frame", "id", "x", "y", "w", "h", "score"]


class ReplayDetector:
    """Hands out saved boxes by camera and frame number, and counts those that find no place.

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
        self._notes = _misfits(table, cameras)
        self._last = dict.fromkeys(cameras, -1)
        self._given = self._unsure = self._outside = 0
        self._boxes: dict[tuple[str, int], Detections] = {}
        for key, rows in table.drop_duplicates().groupby(["camera", "frame"], sort=False):
            camera, frame = cast("tuple[str, int]", key)
            xywh = rows[["x", "y", "w", "h"]].to_numpy(np.float32)
            xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
            self._boxes[camera, int(frame)] = Detections(xyxy, rows["score"].to_numpy(np.float32))

    @property
    def warnings(self) -> list[str]:
        """What a user should know of boxes that were left out so far, one line each."""
        lines = list(self._notes)
        for camera, last in self._last.items():
            frames = {frame: len(each) for (c, frame), each in self._boxes.items() if c == camera}
            beyond = sum(count for frame, count in frames.items() if frame > last)
            if beyond and last >= 0:
                lines.append(
                    f"{camera}: {beyond} of {sum(frames.values())} saved boxes lie beyond the last "
                    f"frame that was read, {last} counted from 0"
                )
        if self._outside:
            lines.append(
                f"{self._outside} of {self._given} saved boxes lie outside their picture or have "
                "no area"
            )
        if self._unsure > self._given / 2:
            lines.append(
                f"{self._unsure} of {self._given} saved boxes have a score below the confidence of "
                f"{self._confidence:g}"
            )
        return lines

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the saved boxes of each frame, clipped to its image."""
        return [self._of(frame) for frame in frames]

    def _of(self, frame: Frame) -> Detections:
        self._last[frame.camera] = max(self._last.get(frame.camera, -1), frame.index)
        saved = self._boxes.get((frame.camera, frame.index))
        if saved is None:
            return Detections.empty()
        height, width = frame.shape[:2]
        xyxy = np.clip(saved.xyxy, 0, np.array([width, height, width, height], np.float32))
        visible = (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        sure = saved.score >= self._confidence
        self._given += len(visible)
        self._outside += int((~visible).sum())
        self._unsure += int((~sure).sum())
        return Detections(xyxy, saved.score).select(visible & sure)


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
    if "camera" in first_line(path, what="detections", raises=DetectionsFileError).lower():
        return _read_csv(path)
    if len(cameras) != 1:
        raise DetectionsFileError(
            f"detections {path} have no column 'camera' and the run has {len(cameras)} cameras: "
            "give a CSV with camera,frame,x,y,w,h or a folder with one MOT file per camera"
        )
    return _read_mot(path, cameras[0])


def _misfits(table: pd.DataFrame, cameras: Sequence[str]) -> list[str]:
    """Return what of a table finds no camera, and which camera no box."""
    notes = []
    others = table[~table["camera"].isin(cameras)]
    if len(others):
        names = ", ".join(sorted(others["camera"].unique()))
        notes.append(
            f"{len(others)} of {len(table)} saved boxes belong to no camera of this run: {names}"
        )
    empty = [camera for camera in cameras if camera not in set(table["camera"])]
    if empty:
        notes.append(f"there are no saved boxes of {', '.join(empty)}")
    if twice := int(table.duplicated().sum()):
        notes.append(f"{twice} of {len(table)} saved boxes repeat another one and were left out")
    return notes


def _read_csv(path: Path) -> pd.DataFrame:
    table = read_csv(path, what="detections", raises=DetectionsFileError)
    missing = [column for column in BOX_COLUMNS if column not in table]
    if missing:
        raise DetectionsFileError(
            f"detections {path} lack the columns {', '.join(missing)}; "
            f"expected {','.join(BOX_COLUMNS)} and optionally score"
        )
    if "score" not in table:
        table["score"] = 1.0
    return _checked(table[[*BOX_COLUMNS, "score"]], path, first_frame=0, header_lines=1)


def _read_mot(path: Path, camera: str) -> pd.DataFrame:
    table = read_headless(path, what="detections", raises=DetectionsFileError)
    if table.empty:
        return pd.DataFrame(columns=[*BOX_COLUMNS, "score"])
    if table.shape[1] < len(MOT_COLUMNS) - 1:
        raise DetectionsFileError(
            f"detections {path} have {table.shape[1]} columns, expected MOT text: "
            "frame,id,x,y,w,h,score"
        )
    table = table.iloc[:, : len(MOT_COLUMNS)]
    table.columns = pd.Index(MOT_COLUMNS[: table.shape[1]])
    if "score" not in table:
        table["score"] = 1.0
    checked = _checked(table.assign(camera=camera), path, first_frame=1, header_lines=0)
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


def _checked(
    table: pd.DataFrame, path: Path, *, first_frame: int, header_lines: int
) -> pd.DataFrame:
    """Return the table with numbers for numbers; raise at the first row that has none."""
    table = table.copy()
    numbers = {name: numbers_in(table[name], whole=name == "frame") for name in NUMBERS}
    expected = {
        "frame": f"a whole number from {first_frame} on",
        "score": "0 to 1: scale the scores, or leave the column out to take all boxes for sure",
    }
    for column, values in numbers.items():
        bad = np.isnan(values)
        if column == "frame":
            bad |= values < first_frame
        elif column == "score":
            bad |= (values < 0) | (values > 1)
        if bad.any():
            row = int(bad.argmax())
            value = table[column].iloc[row]
            raise DetectionsFileError(
                f"detections {path}, line {row + 1 + header_lines}: {column} is "
                f"{repr(value) if isinstance(value, str) else format(value, 'g')}, expected "
                f"{expected.get(column, 'a number')}"
            )
    if len(table) and max(numbers["w"].max(), numbers["h"].max()) <= 1:
        raise DetectionsFileError(
            f"detections {path}: no box is larger than 1, they seem to be shares of the picture: "
            "expected pixels, so multiply them by its width and height"
        )
    return table.assign(**numbers).astype({"frame": np.int64})
