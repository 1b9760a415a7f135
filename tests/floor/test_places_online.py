"""Online matching, which is all that a live run has, uses places as the resolution at the end does."""

import pandas as pd
import pytest

from support.assets import SAMPLE_VIDEOS
from support.placed_runs import finished

IN_BOTH_VIEWS = (2, 3, 6, 8)


def given(folder, **match):
    """Return the identity that each of ``IN_BOTH_VIEWS`` got in each camera, decided online alone."""
    results = finished(
        folder,
        calibrated=("lobby", "corridor"),
        seconds=12,
        resolve=False,
        **match,
    )
    boxes = results.boxes().merge(
        pd.read_csv(SAMPLE_VIDEOS / "ground_truth.csv"), on=["camera", "frame"]
    )
    same = boxes[(boxes["x_x"] - boxes["x_y"]).abs() + (boxes["y_x"] - boxes["y_y"]).abs() < 1]
    last = same.groupby(["identity", "camera"])["global_id"].last().unstack()
    return last.loc[list(IN_BOTH_VIEWS)]


@pytest.mark.parametrize("uses_places", [True, False])
def test_people_whom_mean_colours_mix_up_are_told_apart_by_place(tmp_path, uses_places):
    found = given(tmp_path / "run", **({} if uses_places else {"place_weight": 0}))
    is_right = (found["lobby"] == found["corridor"]) & ~found["lobby"].duplicated()
    assert bool(is_right.all()) is uses_places, found
