"""Small tables of true and found boxes for the tests of the scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

WIDTH, HEIGHT = 40.0, 100.0

Place = tuple[str, int, int]
"""Camera, frame, person: persons stand 100 pixels apart and never overlap."""


def truth_table(
    places: Iterable[Place], *, visible: Mapping[Place, float] | None = None
) -> pd.DataFrame:
    rows = [
        (camera, frame, frame / 10, person, 100.0 * person, 50.0, WIDTH, HEIGHT)
        for camera, frame, person in places
    ]
    table = pd.DataFrame(
        rows, columns=["camera", "frame", "time_s", "identity", "x", "y", "w", "h"]
    )
    shares = visible or {}
    keys = zip(table["camera"], table["frame"], table["identity"], strict=True)
    return table.assign(visible=[shares.get(key, 1.0) for key in keys])


def tracks_table(boxes: Iterable[tuple[str, int, int, int, int]]) -> pd.DataFrame:
    """Make a run's table from camera, frame, person whose box is found, track, global id."""
    rows = [
        (camera, frame, frame / 10, track, identity, 100.0 * person, 50.0, WIDTH, HEIGHT, 0.9)
        for camera, frame, person, track, identity in boxes
    ]
    columns = [
        "camera", "frame", "time_s", "track_id", "global_id", "x", "y", "w", "h", "score",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def perfect_tracks(truth: pd.DataFrame) -> pd.DataFrame:
    """Return the run that finds every true box and names it right."""
    table = truth.assign(
        track_id=truth["identity"].astype(int),
        global_id=truth["identity"].astype(int),
        score=0.9,
    )
    return table.drop(columns=["identity", "visible"])


def crowd(
    *, cameras: int, frames: int, persons: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return true boxes that walk at random and a run that finds them imperfectly.

    Persons cross and overlap; the run jitters boxes, misses some, invents some and breaks
    identities.
    """
    rng = np.random.default_rng(seed)
    tables = []
    for number in range(cameras):
        for person in range(persons):
            x = rng.uniform(0, 500) + np.cumsum(rng.normal(0, 8, frames))
            y = rng.uniform(0, 150) + np.cumsum(rng.normal(0, 2, frames))
            track = {"camera": f"cam{number}", "frame": np.arange(frames), "identity": person + 1}
            tables.append(pd.DataFrame({**track, "x": x, "y": y, "w": 60.0, "h": 150.0}))
    truth = pd.concat(tables, ignore_index=True).assign(visible=1.0)
    truth["time_s"] = truth["frame"] / 10
    found = perfect_tracks(truth)
    found["track_id"] += persons * (found["frame"] // max(1, frames // 3))
    found["global_id"] = found["track_id"]
    found[["x", "y"]] += rng.normal(0, 6, (len(found), 2))
    found = found[rng.random(len(found)) > 0.1]
    invented = found.sample(frac=0.05, random_state=seed)
    invented = invented.assign(
        x=invented["x"] + 300, track_id=invented["track_id"] + 1000, global_id=999
    )
    invented = invented.drop_duplicates(["camera", "frame"])
    return truth, pd.concat([found, invented], ignore_index=True)
