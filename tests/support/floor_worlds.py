"""Simulated people on a floor that several calibrated cameras see at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.datatypes import Tracklet
from pipeline.places import SLOT_S, Path
from support.worlds import looks, unit

Owner = dict[tuple[str, int], int]


def crowd(
    *,
    people: int,
    cameras: int,
    alike: int = 0,
    noise: float = 0.3,
    slots: int = 24,
    wrong: Mapping[int, tuple[float, float]] | None = None,
    mirrored: int | None = None,
    seed: int = 0,
) -> tuple[list[Tracklet], Owner]:
    """Return a tracklet for each person and camera, and who is who.

    Args:
        people: Who wander over 12 x 12 metres, all seen by every camera.
        cameras: Named c0, c1 and so on.
        alike: So many of the people look the same.
        noise: Of the embeddings, relative to their length.
        slots: Half seconds that each is seen.
        wrong: Factor and offset in metres of the places of a camera that is badly calibrated; a wrong
            factor makes people as much taller.
        mirrored: A camera whose x and y are swapped.
        seed: Of all randomness.
    """
    random = np.random.default_rng(seed)
    appearance = looks(people, seed=seed)
    appearance[:alike] = appearance[0]
    starts, steps = random.uniform(0, 12, (people, 2)), random.normal(0, 0.4, (people, 2))
    found, owner = [], {}
    for camera in range(cameras):
        factor, offset = (wrong or {}).get(camera, (1.0, 0.0))
        for person in range(people):
            walked = starts[person] + np.arange(slots)[:, None] * steps[person]
            xy = (walked + random.normal(0, 0.15, (slots, 2))) * factor + offset
            xy = xy[:, ::-1] if camera == mirrored else xy
            spread = np.tile([0.04, 0, 0.04], (slots, 1)) * factor**2
            rows = np.column_stack([xy, spread, np.full(slots, 1.7 * factor)])
            vector = unit(appearance[person] + noise * unit(random.normal(size=32)))
            key = f"c{camera}", person + 1
            owner[key] = person
            found.append(
                Tracklet(
                    *key,
                    0.0,
                    slots * SLOT_S,
                    10 * slots,
                    vector * np.float32(3),
                    3.0,
                    slots * SLOT_S,
                    Path(0, rows.astype(np.float32)),
                )
            )
    return sorted(found, key=lambda t: (t.first_s, t.camera, t.track_id)), owner
