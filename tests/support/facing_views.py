"""Two cameras that face each other over one floor, and people who walk between them."""

from __future__ import annotations

import csv

import numpy as np
import yaml

from support.floor_views import SIZE, seen
from support.made_up_run import write_made_up_run

__all__ = ["CORNERS", "camera_list", "pixels_in", "points_in", "walked_run", "walkers"]

CORNERS = np.array([(-2.5, 5), (2.5, 5), (2.5, 10), (-2.5, 10), (0, 7), (1, 8)], float)
FPS = 4
APART = 20


def pixels_in(camera, places, *, height=0.0):
    """Return pixels of places; ``front`` stands at the origin, ``back`` 15 m away and looks at it."""
    places = np.asarray(places, float)
    return seen(places if camera == "front" else np.array([0, 15]) - places, height=height)


def points_in(camera, places=CORNERS):
    return np.c_[pixels_in(camera, places), places].round(3).tolist()


def walkers(people, *, seconds=8, line=False, seed=0):
    """Return where each walks: ``(T, 2)`` metres at ``FPS`` frames a second."""
    random = np.random.default_rng(seed)
    low, high = (0.2, 5.0), (0.25, 10.0)
    if not line:
        low, high = (-2.5, 5.0), (2.5, 10.0)
    share = np.linspace(0, 1, seconds * FPS)[:, None]
    ends = random.uniform(low, high, (people, 2, 2))
    return [start + share * (stop - start) for start, stop in ends]


def walked_run(folder, ways, *, strangers=0):
    """Write a run in which both cameras see all of them; the first ``strangers`` are taken for others."""
    sightings, rows = [], []
    random = np.random.default_rng(1)
    for person, way in enumerate(ways, start=1):
        for camera in ("front", "back"):
            taken_for = (
                person % strangers + 1 if camera == "back" and person <= strangers else person
            )
            began = APART * person  # else they would hide each other's feet
            sightings.append((taken_for, camera, began / FPS, (began + len(way)) / FPS))
            feet = pixels_in(camera, way) + random.normal(0, 1, way.shape)
            tall = feet[:, 1] - pixels_in(camera, way, height=1.7)[:, 1]
            for frame, ((x, y), h) in enumerate(zip(feet, tall, strict=True), start=began):
                box = (x - h / 6, y - h, h / 3, h)
                rows.append(
                    (camera, frame, frame / FPS, len(sightings), taken_for, *np.round(box, 2), 0.9)
                )
    record = {
        "settings": {
            "cameras": [{"name": "front", "source": "a"}, {"name": "back", "source": "b"}]
        },
        "inputs": [
            {"camera": name, "source": name, "width": SIZE[0], "height": SIZE[1]}
            for name in ("front", "back")
        ],
    }
    write_made_up_run(folder, sightings, record=record, boxes=False)
    with (folder / "tracks.csv").open("a", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def camera_list(folder, **points):
    """Write a list of both cameras with these points, and return its path."""
    entries = []
    for name in ("front", "back"):
        (folder / f"{name}.mp4").touch()
        entry = {"name": name, "source": f"{name}.mp4"}
        entries.append(entry | ({"floor_points": points[name]} if name in points else {}))
    path = folder / "cams.yaml"
    path.write_text(yaml.safe_dump({"cameras": entries}))
    return path
