"""Places of people in the sample videos, against where the renderer put them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.floor.placing import place_boxes, plane_of
from pipeline.sources import resolve_cameras
from support.assets import SAMPLE_VIDEOS

SIZE = (960, 540)


@pytest.fixture(scope="module")
def placed():
    """Return true boxes with their places, found and true, where the feet are seen."""
    truth = pd.read_csv(SAMPLE_VIDEOS / "ground_truth.csv").merge(
        pd.read_csv(SAMPLE_VIDEOS / "places.csv"), on=["time_s", "identity"], validate="m:1"
    )
    parts = []
    for camera in resolve_cameras([str(SAMPLE_VIDEOS / "cameras.yaml")]):
        plane = plane_of(camera, SIZE)
        for _, rows in truth[truth.camera == camera.name].groupby("frame"):
            xyxy = rows[["x", "y", "x", "y"]].to_numpy(np.float32)
            xyxy[:, 2:] += rows[["w", "h"]].to_numpy(np.float32)
            found = place_boxes(plane, xyxy, SIZE[1])
            parts.append(
                rows.assign(
                    found_x=found.xy[:, 0],
                    found_y=found.xy[:, 1],
                    height=found.height,
                    uncertainty=found.uncertainty_m,
                )
            )
    table = pd.concat(parts)
    return table.assign(error=np.hypot(table.found_x - table.x_m, table.found_y - table.y_m))


def test_every_true_box_has_a_true_place(placed):
    assert len(placed) == len(pd.read_csv(SAMPLE_VIDEOS / "ground_truth.csv"))


@pytest.mark.parametrize("camera", ["entrance", "lobby", "corridor"])
def test_the_median_error_of_people_whose_feet_are_seen_is_at_most_30_cm(placed, camera):
    seen = placed[(placed.camera == camera) & (placed.visible > 0.9) & placed.error.notna()]
    assert len(seen) > 400
    assert seen.error.median() <= 0.30


def test_feet_below_the_picture_have_no_place(placed):
    cut = placed.y + placed.h >= SIZE[1]
    assert cut.any()
    assert placed[cut].error.isna().all()


def test_uncertainty_says_how_far_off_places_are(placed):
    seen = placed[(placed.visible > 0.9) & placed.error.notna()]
    assert (seen.error < 2 * seen.uncertainty).mean() > 0.9
    near, far = seen[seen.h > 180], seen[seen.h < 90]
    assert near.uncertainty.median() < far.uncertainty.median()


def test_heights_of_people_are_those_of_people(placed):
    seen = placed[(placed.visible > 0.95) & placed.error.notna()]
    assert seen.groupby("identity").height.median().between(1.4, 2.0).all()
