"""The map of the floor in the report."""

from __future__ import annotations

import colorsys
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from pipeline.colours import camera_colour
from pipeline.report.floor_map import draw_map
from pipeline.report.page import render_report
from pipeline.results.record import FloorRecord, Record
from support.assets import REPOSITORY
from support.placed_runs import finished


class PlacedResults:
    """Boxes of people on a floor, as results give them."""

    def __init__(self, boxes, *, y_up=True, views=None):
        self._boxes = boxes
        self.path, self.record = Path("/nowhere"), {}
        self._record = Record(floor=FloorRecord(y_up=y_up, views=views or {}))

    def iter_boxes(self):
        for _, own in self._boxes.groupby("camera"):
            yield own

    def summary(self):
        return self._record

    def cameras(self):
        return sorted(set(self._boxes["camera"]))


def boxes(*rows):
    names = ["camera", "time", "global_id", "x_m", "y_m", "uncertainty_m"]
    return pd.DataFrame(rows, columns=names)


def walk(person, *, camera="a", first_s=0.0, y=2.0, count=10):
    return [(camera, first_s + 0.5 * k, person, float(k), y, 0.2) for k in range(count)]


def points_of(shape):
    return np.array([[float(v) for v in each.split(",")] for each in shape.points.split()])


def test_nothing_is_drawn_without_places():
    unknown = [("a", 0.0, 1, np.nan, np.nan, np.nan), ("a", 0.0, -1, 1, 1, 0.2)]
    assert draw_map(PlacedResults(boxes(*unknown))) is None


@pytest.mark.parametrize("y_up", [True, False])
def test_paths_run_to_the_right_and_north_is_up(y_up):
    north, south = walk(1, y=6.0), walk(2, y=1.0)
    found = draw_map(PlacedResults(boxes(*north, *south), y_up=y_up))
    paths = {path.hint: points_of(path) for path in found.paths}
    assert (np.diff(paths["person 1"][:, 0]) > 0).all()
    assert (paths["person 1"][0, 1] < paths["person 2"][0, 1]) is np.bool_(y_up)
    for path in paths.values():
        assert (path >= 0).all()
        assert (path <= [found.width, found.height]).all()


def test_boxes_of_uncalibrated_work_are_not_read():
    uncalibrated = PlacedResults(boxes(*walk(1)))
    uncalibrated._record = Record()
    uncalibrated.iter_boxes = None
    assert draw_map(uncalibrated) is None


def test_two_cameras_that_see_one_person_draw_one_path_and_count_one_stay():
    one = draw_map(PlacedResults(boxes(*walk(1))))
    both = draw_map(PlacedResults(boxes(*walk(1), *walk(1, camera="b"))))
    assert [path.points for path in both.paths] == [path.points for path in one.paths]
    assert both.cells == one.cells


def test_a_path_is_cut_where_nobody_saw_the_person_for_long():
    found = draw_map(PlacedResults(boxes(*walk(1), *walk(1, first_s=60.0, y=3.0))))
    assert len(found.paths) == 2


def test_the_place_where_people_stay_is_darkest():
    standing = [("a", 0.5 * k, 2, 8.0, 8.0, 0.2) for k in range(40)]
    found = draw_map(PlacedResults(boxes(*walk(1), *standing)))
    darkest = max(found.cells, key=lambda cell: cell.share)
    assert darkest.share == 1
    assert darkest.hint == "20 s"


def test_many_people_are_counted_where_they_are_not_drawn():
    many = [row for person in range(1, 71) for row in walk(person, y=person / 10, count=3)]
    found = draw_map(PlacedResults(boxes(*many)))
    assert len(found.paths) == 60
    assert found.left_out == 10


def test_a_camera_has_its_colour_whichever_are_calibrated():
    view = [[0, 0], [9, 0], [9, 4], [0, 4]]
    seen = boxes(*walk(1), *walk(1, camera="b"))
    (alone,) = draw_map(PlacedResults(seen, views={"b": view})).views
    _, beside = draw_map(PlacedResults(seen, views={"a": view, "b": view})).views
    assert alone.colour == beside.colour == camera_colour(1)


def test_cameras_have_the_hues_that_they_have_on_the_page():
    page = (REPOSITORY / "pipeline/serve/page/static/colours.js").read_text()
    (listed,) = re.findall(r"const COLOURS = \[(.*)\];", page)
    for place, colour in enumerate(re.findall(r"#(\w{6})", listed)):
        red, green, blue = (value / 255 for value in bytes.fromhex(colour))
        hue = 360 * colorsys.rgb_to_hls(red, green, blue)[0]
        assert camera_colour(place).startswith(f"hsl({round(hue)} ")
    assert camera_colour(place + 1) == camera_colour(0)


def test_views_are_drawn_and_cut_near_where_people_went():
    far = {"a": [(-1000.0, 5.0), (1000.0, 5.0), (1.0, 0.0), (-1.0, 0.0)]}
    found = draw_map(PlacedResults(boxes(*walk(1)), views=far))
    (view,) = found.views
    assert view.hint == "a"
    corners = points_of(view)
    assert (corners >= 0).all()
    assert (corners <= [found.width, found.height]).all()


def test_the_report_of_a_calibrated_run_shows_the_map(tmp_path):
    page = render_report(finished(tmp_path / "placed", calibrated=("lobby",)))
    assert page.count('<svg class="floor"') == 1
    assert re.search(r"<polygon class=\"view\" points=\"[\d.,\s-]+\"", page)
    assert "<script" not in page


def test_zones_in_metres_and_a_plan_are_drawn_where_they_are(tmp_path):
    plan = tmp_path / "plan.png"
    cv2.imwrite(str(plan), np.full((40, 60, 3), 200, np.uint8))
    results = PlacedResults(boxes(*walk(1)))
    results.path = tmp_path
    shapes = {"zones": {"hall": [[0, 0], [4, 0], [4, 4]]}, "lines": {"gate": [[0, 2], [9, 2]]}}
    told = {"image": str(plan), "m_per_pixel": 0.1, "origin": [10, 30]}
    results.record = {"settings": {"cameras": [], "floor": {**shapes, "plan": told}}}
    found = draw_map(results)
    (path,) = found.paths
    (gate,) = found.gates
    assert [each.hint for each in found.zones] == ["hall"]
    np.testing.assert_allclose(points_of(gate), points_of(path)[[0, -1]], atol=0.2)
    scale = (points_of(gate)[1, 0] - points_of(gate)[0, 0]) / 9
    left, top = (
        points_of(gate)[0] + np.array([-1.0, -1.0]) * scale
    )  # of 10 and 30 pixels, above 0, 2
    assert (found.plan.x, found.plan.y) == pytest.approx((left, top), abs=0.5)
    assert (found.plan.width, found.plan.height) == pytest.approx((6 * scale, 4 * scale), abs=0.5)
    assert found.plan.uri.startswith("data:image/jpeg;base64,")
    plan.unlink()
    assert draw_map(results).plan is None
