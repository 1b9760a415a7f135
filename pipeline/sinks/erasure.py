"""Taking one person out of what a run has written.

Pictures first, tables last: a kill in between leaves the person known, so that the same
command does the rest. Every file is replaced whole.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from av.error import FFmpegError
from numpy.typing import NDArray

from pipeline.crops import cover
from pipeline.datatypes import FloatArray, Image
from pipeline.errors import InputError
from pipeline.sinks.encoder import VideoWriter
from pipeline.sinks.mosaic import Mosaic
from pipeline.sinks.run_folder import write_atomically

__all__ = ["PersonInRun", "find_person", "forget_in_run"]

MARGIN = 0.08
"""Of a box's sides, added around it: boxes do not hold all of a person."""
BRIDGED = 25
"""Frames for which a track may be interrupted and the person is still there."""
BEYOND = 4
"""Frames before and after a track in which the person may be in the picture already or still."""
PACE = 6
"""Boxes that tell how fast somebody goes."""
SHOWN_S = 0.3
"""How old a camera's picture in the mosaic may be."""

Boxes = dict[int, list[FloatArray]]
"""By frame, ``(4,)`` corners in pixels."""


@dataclass(frozen=True, slots=True)
class PersonInRun:
    """Where a person is in a run's folder.

    Attributes:
        folder: Of the run.
        identity: Number of the person.
        tracks: ``(camera, track)`` of each track.
        videos: Annotated videos that show the person, the mosaic last.
    """

    folder: Path
    identity: int
    tracks: frozenset[tuple[str, int]]
    videos: tuple[Path, ...]


def find_person(folder: Path, identity: int) -> PersonInRun:
    """Return where a person is.

    Raises:
        InputError: The folder is not that of a finished run, or nobody has that number.
    """
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        table = pd.read_csv(folder / "identities.csv")
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} is not the folder of a run ({error}): choose another") from None
    if record.get("status") != "complete":
        raise InputError(
            f"the run in {folder} is {record.get('status')}: let it end, or run it again"
        )
    rows = table[table["global_id"] == identity]
    if rows.empty:
        known = sorted(set(table["global_id"]) - {-1})
        told = f"from {known[0]} to {known[-1]}" if known else "none"
        raise InputError(f"nobody in {folder} has the identity {identity}: there are {told}")
    tracks = frozenset(zip(rows["camera"].astype(str), rows["track_id"].tolist(), strict=True))
    names = [*sorted({camera for camera, _ in tracks}), "mosaic"]
    videos = tuple(path for path in (folder / f"{name}.mp4" for name in names) if path.is_file())
    return PersonInRun(folder, identity, tracks, videos)


def forget_in_run(
    person: PersonInRun,
    *,
    rewrite_report: Callable[[], None],
    on_file: Callable[[Path], None] = lambda _path: None,
) -> None:
    """Cover a person in videos, and remove the person from pictures, tables and report.

    Args:
        person: As ``find_person`` returned it.
        rewrite_report: Writes the report anew from the tables.
        on_file: Called with every file that was rewritten.

    Raises:
        InputError: A table or a video is damaged.
        SinkError: A file cannot be written.
    """
    folder = person.folder
    boxes = _boxes(folder / "tracks.csv", person.tracks)
    for video in person.videos:
        if video.stem == "mosaic":
            _cover_mosaic(video, folder, person)
        else:
            _cover_video(video, boxes.get(video.stem, {}))
        on_file(video)
    shutil.rmtree(folder / "gallery" / f"{person.identity:04d}", ignore_errors=True)
    keep_table = _without(person)
    for name in ("embeddings.parquet", "tracks.parquet"):
        path = folder / name
        if path.is_file():
            _rewrite_parquet(path, keep_table)
            on_file(path)
    _rewrite_events(folder / "events.jsonl", person)
    for name in ("tracks.csv", "identities.csv"):
        _rewrite_csv(folder / name, person)
        on_file(folder / name)
    rewrite_report()


def _boxes(tracks_csv: Path, tracks: frozenset[tuple[str, int]]) -> dict[str, Boxes]:
    """Return the person's boxes by camera and frame, also where a track was interrupted."""
    rows: dict[tuple[str, int], list[tuple[int, FloatArray]]] = defaultdict(list)
    for key, row in _csv_rows(tracks_csv):
        if key in tracks:
            x, y, w, h = (float(row[name]) for name in ("x", "y", "w", "h"))
            box = np.array([x, y, x + w, y + h], np.float32)
            rows[key].append((int(row["frame"]), box))
    found: dict[str, Boxes] = defaultdict(lambda: defaultdict(list))
    for (camera, _), track in rows.items():
        for frame, box in _filled(sorted(track, key=lambda each: each[0])):
            found[camera][frame].append(box)
    return found


def _filled(track: Sequence[tuple[int, FloatArray]]) -> Iterator[tuple[int, FloatArray]]:
    """Yield a track's boxes with a margin, gaps bridged and ends drawn out."""
    frames = np.array([frame for frame, _ in track])
    boxes = np.array([box for _, box in track])
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2) * np.array([-1, -1, 1, 1]) * MARGIN
    boxes = boxes + sides
    for frame in range(int(frames[0]) - BEYOND, int(frames[-1]) + BEYOND + 1):
        after = int(np.searchsorted(frames, frame))
        before = max(0, after - 1)
        after = min(after, len(frames) - 1)
        if frames[after] - frames[before] <= BRIDGED:
            inside = [np.interp(frame, frames, boxes[:, side]) for side in range(4)]
            yield frame, np.array(inside, np.float32)
        if frame < frames[0]:
            yield frame, _carried_on(frames[:PACE], boxes[:PACE], frame)
        elif frame > frames[-1]:
            yield frame, _carried_on(frames[-PACE:], boxes[-PACE:], frame)


def _carried_on(frames: NDArray[np.int64], boxes: NDArray[np.float64], frame: int) -> FloatArray:
    """Return where a box is at a frame before or after, if it goes on as it did."""
    span = max(1, int(frames[-1] - frames[0]))
    nearest = 0 if frame < frames[0] else -1
    moved = (boxes[-1] - boxes[0]) / span * (frame - frames[nearest])
    return np.asarray(boxes[nearest] + moved, np.float32)


def _csv_rows(path: Path) -> Iterator[tuple[tuple[str, int], dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield (row["camera"], int(row["track_id"])), row


def _cover_video(path: Path, boxes: Boxes) -> None:
    def change(image: Image, number: int, _time_s: float) -> None:
        for box in boxes.get(number, []):
            cover(image, box)

    _rewrite_video(path, change)


def _cover_mosaic(path: Path, folder: Path, person: PersonInRun) -> None:
    """Cover wherever the person is in a camera's picture of that time or shortly before."""
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    cameras = [str(each["name"]) for each in record["settings"]["cameras"]]
    sizes = [_size(folder / f"{camera}.mp4") for camera in cameras]
    mosaic = Mosaic(cameras, sizes, font_scale=1.0)
    rows = [(key[0], row) for key, row in _csv_rows(folder / "tracks.csv") if key in person.tracks]
    times = np.array([float(row["time_s"]) for _, row in rows])
    begin_s = min(float(each["time_offset_s"]) for each in record["settings"]["cameras"])
    order = np.argsort(times, kind="stable")

    def change(image: Image, _number: int, time_s: float) -> None:
        now_s = time_s + begin_s
        first, last = np.searchsorted(times[order], [now_s - SHOWN_S, now_s + SHOWN_S])
        for index in order[first:last]:
            camera, row = rows[index]
            x, y, w, h = (float(row[name]) for name in ("x", "y", "w", "h"))
            margin = np.array([-w, -h, w, h]) * MARGIN
            box = (np.array([x, y, x + w, y + h]) + margin).astype(np.float32)
            cover(image, mosaic.placed(camera, sizes[cameras.index(camera)], box))

    _rewrite_video(path, change)


def _size(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def _rewrite_video(path: Path, change: Callable[[Image, int, float], None]) -> None:
    try:
        with av.open(str(path)) as container, VideoWriter(path) as writer:
            for number, frame in enumerate(container.decode(video=0)):
                image: Image = frame.to_ndarray(format="bgr24")
                time_s = float(frame.time or 0.0)
                change(image, number, time_s)
                writer.write(image, time_s)
    except FFmpegError as error:
        raise InputError(f"{path} cannot be read ({error}): remove it, then forget again") from None


def _without(person: PersonInRun) -> Callable[[pa.Table], pa.Table]:
    def keep(table: pa.Table) -> pa.Table:
        gone = pc.equal(table["global_id"], person.identity)
        for camera, track in person.tracks:
            same = pc.and_(pc.equal(table["camera"], camera), pc.equal(table["track_id"], track))
            gone = pc.or_(gone, same)
        return table.filter(pc.invert(gone))

    return keep


def _rewrite_parquet(path: Path, keep: Callable[[pa.Table], pa.Table]) -> None:
    try:
        table = pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} is damaged ({error}): remove it, then forget again") from None
    buffer = io.BytesIO()
    pq.write_table(keep(table), buffer)
    private = path.stat().st_mode & 0o077 == 0
    write_atomically(path, buffer.getvalue(), private=private)


def _rewrite_csv(path: Path, person: PersonInRun) -> None:
    header, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = csv.DictReader([header, *lines])
    kept = [
        line
        for line, row in zip(lines, rows, strict=True)
        if (row["camera"], int(row["track_id"])) not in person.tracks
    ]
    private = path.stat().st_mode & 0o077 == 0
    write_atomically(path, "".join([header, *kept]).encode(), private=private)


def _rewrite_events(path: Path, person: PersonInRun) -> None:
    """Remove events of the person's tracks, and of identities that only those tracks had."""
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    events = [json.loads(line) for line in lines]
    is_theirs = [(each.get("camera"), each.get("track_id")) in person.tracks for each in events]
    theirs, others = (
        {
            each["global_id"]
            for each, of_person in zip(events, is_theirs, strict=True)
            if of_person == wanted and "camera" in each
        }
        for wanted in (True, False)
    )
    gone = theirs - others
    kept = [
        line
        for line, each, of_person in zip(lines, events, is_theirs, strict=True)
        if not of_person and not {each["global_id"], each.get("other_id")} & gone
    ]
    write_atomically(path, "".join(kept).encode())
