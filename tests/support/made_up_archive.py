"""An archive of any size in no time: nothing in it was ever looked at."""

from __future__ import annotations

import cv2
import numpy as np
import pyarrow as pa

from pipeline.layout.archive import (
    IDENTITY_SCHEMA,
    THUMBNAIL_SCHEMA,
    ArchiveFolder,
    sighting_schema,
)

MONDAY_US = 1_767_571_200_000_000
DAY = "2026-01-05"


def jpeg(shade):
    image = np.full((60, 30, 3), shade, np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def write_made_up(path, *, tracklets, people, cameras=4, file="a.mp4"):
    """An archive of one day, a part for each camera, written as a batch would; no boxes."""
    folder = ArchiveFolder(path)
    random = np.random.default_rng(0)
    schema = sighting_schema(4)
    identities = {"tracklet_id": [], "global_id": [], "similarity": []}
    for number in range(cameras):
        count = tracklets // cameras
        names = [f"{number}-{n}" for n in range(count)]
        first = np.sort(random.integers(0, 80_000_000_000, count)) + MONDAY_US
        vectors = random.normal(size=(count, 4))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        columns = {
            "tracklet_id": names,
            "track_id": list(range(count)),
            "first_time": first.tolist(),
            "last_time": (first + random.integers(10**6, 10**8, count)).tolist(),
            "file": [file] * count,
            "quality": random.random(count).tolist(),
            "embedding": vectors.tolist(),
        }
        rest = [name for name in schema.names if name not in columns]
        table = pa.table(columns | {name: [None] * count for name in rest}, schema=schema)
        part = {"camera": f"cam{number}", "day": DAY, "key": f"k{number}"}
        folder.write_part(folder.part_path("sightings", **part), table)
        pictures = {"tracklet_id": names, "jpeg": [jpeg(90)] * count}
        thumbnails = pa.table(pictures, schema=THUMBNAIL_SCHEMA)
        folder.write_part(folder.part_path("thumbnails", **part), thumbnails)
        identities["tracklet_id"] += names
        identities["global_id"] += (random.integers(people, size=count) + 1).tolist()
        identities["similarity"] += [0.9] * count
    folder.write_identities(pa.table(identities, schema=IDENTITY_SCHEMA))
    files = [{"file": file, "camera": "cam0", "status": "skipped", "reason": f"broken {file}"}]
    names = [f"cam{n}" for n in range(cameras)]
    settings = {"cameras": [{"name": name, "source": "videos"} for name in names]}
    record = {"status": "complete", "files": files, "cameras": names, "settings": settings}
    folder.write_record(record)
    return path
