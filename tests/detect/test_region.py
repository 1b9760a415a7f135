"""Regions of interest and least heights."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.region import RegionFilter
from support.builders import detections

SQUARE = [(100.0, 100.0), (200.0, 100.0), (200.0, 200.0), (100.0, 200.0)]


def standing_at(x, y, height=50.0):
    return (x - 10, y - height, x + 10, y)


def test_a_person_counts_where_its_feet_are():
    keep = RegionFilter(polygon=SQUARE, min_height_px=0)
    found = keep(detections(standing_at(150, 150), standing_at(150, 240), standing_at(50, 150)))
    assert found.xyxy.tolist() == [list(standing_at(150, 150))]


def test_persons_below_the_least_height_do_not_count():
    keep = RegionFilter(polygon=None, min_height_px=40)
    found = keep(detections(standing_at(10, 100, 39), standing_at(10, 100, 40)))
    assert len(found) == 1


def test_no_detections_stay_none():
    assert len(RegionFilter(polygon=SQUARE, min_height_px=10)(detections())) == 0


def test_a_concave_region_leaves_its_notch_out():
    notch = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (50.0, 50.0), (0.0, 100.0)]
    keep = RegionFilter(polygon=notch, min_height_px=0)
    found = keep(detections(standing_at(50, 90), standing_at(50, 40), standing_at(5, 90)))
    assert len(found) == 2


@given(
    st.lists(st.tuples(st.floats(0, 300), st.floats(0, 300)), min_size=1, max_size=20),
    st.integers(0, 3),
)
def test_the_corner_a_polygon_starts_with_does_not_matter(feet, turn):
    boxes = detections(*(standing_at(x, y) for x, y in feet))
    turned = SQUARE[turn:] + SQUARE[:turn]
    one = RegionFilter(polygon=SQUARE, min_height_px=0)(boxes)
    other = RegionFilter(polygon=turned, min_height_px=0)(boxes)
    np.testing.assert_array_equal(one.xyxy, other.xyxy)


def test_a_region_that_leaves_everybody_out_is_told():
    keep = RegionFilter(polygon=SQUARE, min_height_px=0)
    for _ in range(20):
        assert not keep.warnings
        keep(detections(standing_at(50, 150)))
    assert "all 20 detections were left out" in keep.warnings[0]
    keep(detections(standing_at(150, 150)))
    assert not keep.warnings
