"""Collects the results of one video file and writes them to the archive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.archive.footage import Recording
from pipeline.crops import cut, cut_blurred, encode_jpeg, shrunk
from pipeline.datatypes import FloatArray, FrameResult, Image, Tracklet
from pipeline.layout.archive import (
    BOX_SCHEMA,
    FLOOR_PATH,
    THUMBNAIL_SCHEMA,
    ArchiveFolder,
    sighting_schema,
    with_places,
)
from pipeline.places import PATH_COLUMNS, PLACE_COLUMNS, Path

__all__ = ["Gathering"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
THUMBNAIL_HEIGHT_PX = 192
"""Larger crops are scaled down to this height."""


@dataclass(slots=True)
class _Best:
    """The best crop of a track so far."""

    quality: float
    time_s: float
    xyxy: FloatArray
    crop: Image


class Gathering:
    """Collects what the frames of one file show, and writes it as parts.

    Args:
        recording: The file.
        key: Name of its parts.
        blur_heads: Whether heads in thumbnails are blurred.
        on_floor: Whether the camera is calibrated: then the parts have places.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        key: str,
        blur_heads: bool = False,
        on_floor: bool = False,
    ) -> None:
        self._recording = recording
        self._key = key
        self._blur_heads, self._on_floor = blur_heads, on_floor
        self._start_us = (recording.start - EPOCH) // timedelta(microseconds=1)
        self._boxes: list[tuple[int, int, Any]] = []
        self._best: dict[int, _Best] = {}
        self.frames = 0

    def write(self, result: FrameResult) -> None:
        """Take in a frame; its time counts from the start of the file."""
        self.frames += 1
        tracks = result.tracks
        if len(tracks) == 0:
            return
        self._boxes.append((result.frame.index, self._time_us(result.frame.time_s), tracks))
        for row, track_id in enumerate(tracks.track_id.tolist()):
            quality = float(result.quality[row])
            best = self._best.get(track_id)
            if best is None or quality > best.quality:
                crop = self._crop(result.frame.image, tracks.xyxy, row)
                self._best[track_id] = _Best(
                    quality, result.frame.time_s, tracks.xyxy[row].copy(), crop
                )

    def store(self, folder: ArchiveFolder, tracklets: Sequence[Tracklet]) -> None:
        """Write the parts of this file: boxes, thumbnails, and sightings last.

        Raises:
            SinkError: A part cannot be written.
        """
        dim = len(tracklets[0].embedding_sum) if tracklets else 0
        days: dict[str, list[Tracklet]] = defaultdict(list)
        for tracklet in sorted(tracklets, key=lambda each: (each.first_s, each.track_id)):
            first = EPOCH + timedelta(microseconds=self._time_us(tracklet.first_s))
            days[first.date().isoformat()].append(tracklet)
        boxes = self._box_table()
        for day, members in sorted(days.items()):
            ids = pa.array([self._tracklet_id(each.track_id) for each in members])
            tables = {
                "boxes": boxes.filter(pc.is_in(boxes["tracklet_id"], value_set=ids)),
                "thumbnails": self._thumbnail_table(members),
                "sightings": self._sighting_table(members, dim),
            }
            for name, table in tables.items():
                part = folder.part_path(name, camera=self._recording.camera, day=day, key=self._key)
                folder.write_part(part, table)

    def _time_us(self, time_s: float) -> int:
        return self._start_us + round(time_s * 1_000_000)

    def _tracklet_id(self, track_id: int) -> str:
        return f"{self._key}-{track_id}"

    def _box_table(self) -> pa.Table:
        schema = with_places(BOX_SCHEMA, PLACE_COLUMNS if self._on_floor else ())
        if not self._boxes:
            return schema.empty_table()
        counts = [len(tracks) for _, _, tracks in self._boxes]
        track = np.concatenate([tracks.track_id for _, _, tracks in self._boxes])
        frame = np.repeat(np.array([index for index, _, _ in self._boxes], np.int64), counts)
        time_us = np.repeat(np.array([time for _, time, _ in self._boxes], np.int64), counts)
        xywh = np.concatenate([tracks.xyxy for _, _, tracks in self._boxes])
        xywh[:, 2:] -= xywh[:, :2]
        score = np.concatenate([tracks.score for _, _, tracks in self._boxes])
        order = np.lexsort((frame, track))
        columns = [
            pa.array([self._tracklet_id(each) for each in track[order].tolist()], pa.string()),
            pa.array(frame[order]),
            pa.array(time_us[order]).cast(BOX_SCHEMA.field("time").type),
            *(pa.array(np.ascontiguousarray(column)) for column in xywh[order].T),
            pa.array(score[order]),
        ]
        if self._on_floor:
            placed = [tracks.places for _, _, tracks in self._boxes]
            cells = np.concatenate([each.cells() for each in placed if each is not None])
            columns += [pa.array(each[order], pa.float32(), from_pandas=True) for each in cells.T]
        return pa.Table.from_arrays(columns, schema=schema)

    def _thumbnail_table(self, tracklets: Sequence[Tracklet]) -> pa.Table:
        rows = [
            {
                "tracklet_id": self._tracklet_id(each.track_id),
                "jpeg": encode_jpeg(self._best[each.track_id].crop),
            }
            for each in tracklets
        ]
        return pa.Table.from_pylist(rows, schema=THUMBNAIL_SCHEMA)

    def _sighting_table(self, tracklets: Sequence[Tracklet], dim: int) -> pa.Table:
        rows = [self._sighting(each) for each in tracklets]
        names = (*PATH_COLUMNS, *FLOOR_PATH) if self._on_floor else ()
        return pa.Table.from_pylist(rows, schema=with_places(sighting_schema(dim), names))

    def _sighting(self, tracklet: Tracklet) -> dict[str, Any]:
        best = self._best[tracklet.track_id]
        x1, y1, x2, y2 = best.xyxy.tolist()
        length = float(np.linalg.norm(tracklet.embedding_sum))
        known = tracklet.weight > 0 and length > 0
        return {
            "tracklet_id": self._tracklet_id(tracklet.track_id),
            "track_id": tracklet.track_id,
            "first_time": self._time_us(tracklet.first_s),
            "last_time": self._time_us(tracklet.last_s),
            "file": self._recording.file,
            "frames": tracklet.frames,
            "quality": best.quality,
            "best_time_s": best.time_s,
            "best_x": x1,
            "best_y": y1,
            "best_w": x2 - x1,
            "best_h": y2 - y1,
            "weight": tracklet.weight,
            "visible_s": tracklet.visible_s,
            "agreement": length / tracklet.weight if known else 0.0,
            "embedding": (tracklet.embedding_sum / length).tolist() if known else None,
            **(_path_cells(tracklet.path) if tracklet.path is not None else {}),
        }

    def _crop(self, image: Image, boxes: FloatArray, row: int) -> Image:
        """Return the pixels of a box, scaled down: a copy, so that the frame can go."""
        if self._blur_heads:
            return shrunk(cut_blurred(image, boxes, row), max_height=THUMBNAIL_HEIGHT_PX)
        return shrunk(cut(image, boxes[row]), max_height=THUMBNAIL_HEIGHT_PX).copy()


def _path_cells(path: Path) -> dict[str, Any]:
    """Return the columns of a path, ``None`` where a number is not known."""
    cells = {
        name: None if np.isnan(value) else value
        for name, value in zip(PATH_COLUMNS, path.cells(), strict=True)
    }
    return {**cells, "path_first": path.first, "path": path.rows.ravel().tolist()}
