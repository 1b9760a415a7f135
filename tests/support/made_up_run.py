"""The folder of a run in no time: nothing in it was ever looked at."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Sighted = tuple[int, str, float, float]
"""Identity, camera, first and last second."""


def write_made_up_run(
    folder: Path,
    sightings: Sequence[Sighted],
    *,
    record: dict[str, Any] | None = None,
    crops: int = 0,
    boxes: bool = True,
) -> Path:
    """A run whose tracks, numbered from 1, have one box a second and embeddings of 4 numbers.

    The crops of an identity are of its first track whose camera can be in a file's name.
    """
    folder.mkdir(parents=True)
    tracks = [(track, *each) for track, each in enumerate(sightings, start=1)]
    _write(
        folder / "identities.csv",
        ["global_id", "camera", "track_id", "first_s", "last_s", "frames", "similarity"],
        [(person, camera, n, first, last, 10, 0.9) for n, person, camera, first, last in tracks],
    )
    _write(
        folder / "tracks.csv",
        ["camera", "frame", "time_s", "track_id", "global_id", "x", "y", "w", "h", "score"],
        [
            (camera, int(10 * second), float(second), n, person, 5 * n, 6, 20, 50, 0.8)
            for n, person, camera, first, last in tracks
            for second in np.arange(first, last + 0.5 if boxes else first)
        ],
    )
    write_embeddings(folder, [(camera, n, person) for n, person, camera, _, _ in tracks])
    (folder / "run.json").write_text(json.dumps({"status": "complete"} | (record or {})))
    picture = cv2.imencode(".jpg", np.full((120, 50, 3), 90, np.uint8))[1].tobytes()
    shown = {p: (camera, n) for n, p, camera, _, _ in reversed(tracks) if "/" not in camera}
    for person, (camera, n) in shown.items() if crops else ():
        of_person = folder / "gallery" / f"{person:04d}"
        of_person.mkdir(parents=True)
        for number in range(crops):
            (of_person / f"{camera}_t{n}_{number}ms.jpg").write_bytes(picture)
    return folder


def write_embeddings(folder, tracks):
    """``embeddings.parquet`` of (camera, track, identity); the last one has no embedding."""
    vectors = [np.eye(4, dtype=np.float32)[n % 4].tolist() for n in range(len(tracks))]
    table = {
        "camera": pa.array([camera for camera, _, _ in tracks], pa.string()),
        "track_id": pa.array([n for _, n, _ in tracks], pa.int64()),
        "global_id": pa.array([person for _, _, person in tracks], pa.int64()),
        "embedding": pa.array([*vectors[:-1], []][: len(tracks)], pa.list_(pa.float32())),
    }
    pq.write_table(pa.table(table), folder / "embeddings.parquet")


def _write(path, columns, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
