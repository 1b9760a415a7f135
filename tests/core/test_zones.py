"""Counting in zones and over lines."""

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.datatypes import UNASSIGNED
from pipeline.passages import ZoneTotal
from pipeline.polygons import crossings, distance, inside
from pipeline.zone_settings import FLOOR, ZoneMap
from pipeline.zones import ZoneCounter

ROOM = [(100, 0), (200, 0), (200, 200), (100, 200)]
DOOR = [(100, 200), (100, 0)]
"""From the bottom to the top of the picture: its left is the left of the picture."""
FPS = 5


def counter(**cameras):
    return ZoneCounter({name: ZoneMap(**shapes) for name, shapes in cameras.items()})


def walk(zones, xs, *, camera="a", track=1, person=1, begin=0.0, foot=100.0):
    """Somebody with their feet at each x in turn; ``None`` is out of view."""
    told = []
    for step, x in enumerate(xs):
        time_s = begin + step / FPS
        boxes = [] if x is None else [(x - 10, foot - 60, x + 10, foot)]
        number = person(step) if callable(person) else person
        told += zones.see(camera, time_s, [track][: len(boxes)], [number][: len(boxes)], boxes)
    return told


def kinds(passages):
    return [(each.kind, each.name, each.global_id) for each in passages]


IN_AND_OUT = [*range(40, 160, 10), *[160] * 10, *range(160, 40, -10), *[40] * 8]


def test_somebody_comes_in_stays_and_goes():
    zones = counter(a={"zones": {"shop": ROOM}})
    told = walk(zones, IN_AND_OUT)
    assert kinds(told) == [("entry", "shop", 1), ("exit", "shop", 1)]
    came, went = told
    assert came.time_s == pytest.approx(6 / FPS)
    assert went.dwell_s == pytest.approx(went.time_s - came.time_s)
    assert 4 < went.dwell_s < 5
    assert zones.inside() == {"shop": 0}


def test_a_brush_with_the_border_is_no_entry_and_a_short_way_out_no_exit():
    zones = counter(a={"zones": {"shop": ROOM}})
    assert walk(zones, [90, 110, 90, 90, 90, 90, 90, 90]) == []
    stay = [150] * 5 + [90] * 2 + [150] * 5
    assert kinds(walk(zones, stay, begin=5)) == [("entry", "shop", 1)]
    assert zones.inside() == {"shop": 1}


def test_who_is_out_of_view_is_inside_until_a_visit_would_end():
    zones = counter(a={"zones": {"shop": ROOM}})
    assert len(walk(zones, [150] * 5)) == 1
    assert walk(zones, [None] * 40 + [150], begin=1) == []
    (gone,) = walk(zones, [None] * 60, begin=10)
    assert gone.kind == "exit"
    assert gone.dwell_s == pytest.approx(9)


def test_one_zone_of_two_cameras_counts_nobody_twice():
    zones = counter(a={"zones": {"shop": ROOM}}, b={"zones": {"shop": ROOM}})
    told = []
    for step in range(10):
        told += walk(zones, [150], camera="a", begin=step / FPS)
        told += walk(zones, [150], camera="b", track=7, begin=step / FPS)
    assert kinds(told) == [("entry", "shop", 1)]
    assert zones.inside() == {"shop": 1}
    assert walk(zones, [90] * 3 + [150], camera="a", begin=2) == []


def test_who_has_no_identity_yet_is_waited_for_and_counted_once():
    zones = counter(a={"zones": {"shop": ROOM}})
    told = walk(zones, [150] * 30, person=lambda step: 4 if step >= 6 else UNASSIGNED)
    assert kinds(told) == [("entry", "shop", 4)]
    assert told[0].time_s == 0.0


def test_who_never_gets_an_identity_counts_all_the_same():
    zones = counter(a={"zones": {"shop": ROOM}, "lines": {"door": DOOR}})
    told = walk(zones, IN_AND_OUT, person=UNASSIGNED)
    assert sorted(kinds(told)) == [
        ("entry", "shop", UNASSIGNED),
        ("exit", "shop", UNASSIGNED),
        ("line_in", "door", UNASSIGNED),
        ("line_out", "door", UNASSIGNED),
    ]


def test_an_identity_that_is_corrected_moves_with_the_stay():
    zones = counter(a={"zones": {"shop": ROOM}})
    told = walk(zones, [150] * 20, person=lambda step: 4 if step < 10 else 2)
    assert kinds(told) == [("entry", "shop", 4)]
    assert zones.inside() == {"shop": 1}


def test_crossings_have_a_direction():
    zones = counter(a={"lines": {"door": DOOR}})
    told = walk(zones, IN_AND_OUT)
    assert kinds(told) == [("line_in", "door", 1), ("line_out", "door", 1)]


def test_who_stands_on_a_line_does_not_cross_it_again_and_again():
    zones = counter(a={"lines": {"door": DOOR}})
    jitter = [100 + (-1) ** step * 1.5 for step in range(30)]
    assert walk(zones, [80, *jitter, 80, 70]) == []
    assert kinds(walk(zones, [80, *jitter, 120, 130, 140, 150], begin=10)) == [
        ("line_in", "door", 1)
    ]


def test_a_box_that_loses_its_feet_for_a_moment_crosses_nothing():
    zones = counter(a={"lines": {"door": DOOR}})
    assert walk(zones, [60] * 5 + [140] * 2 + [60] * 15) == []


def test_who_passes_beside_a_line_does_not_cross_it():
    zones = counter(a={"lines": {"door": [(100, 50), (100, 0)]}})
    assert walk(zones, range(40, 160, 10)) == []


def test_a_track_that_breaks_at_the_line_crosses_it_once_its_identity_is_known():
    zones = counter(a={"lines": {"door": DOOR}})
    assert walk(zones, [60, 70, 80, 90]) == []
    told = walk(
        zones,
        [110, 120, 130, 140, 150],
        track=2,
        begin=1.4,
        person=lambda step: 1 if step > 1 else UNASSIGNED,
    )
    assert kinds(told) == [("line_in", "door", 1)]


def test_a_line_of_two_cameras_is_crossed_once():
    zones = counter(a={"lines": {"door": DOOR}}, b={"lines": {"door": DOOR}})
    told = walk(zones, range(40, 180, 10))
    told += walk(zones, range(40, 180, 10), camera="b", track=9, begin=3)
    assert kinds(told) == [("line_in", "door", 1)]
    assert len(walk(zones, range(40, 180, 10), begin=20)) == 1


def test_at_the_end_everybody_has_left():
    zones = counter(a={"zones": {"shop": ROOM}})
    walk(zones, [150] * 6)
    (gone,) = zones.finish()
    assert (gone.kind, gone.dwell_s) == ("exit", pytest.approx(1.0))
    assert zones.finish() == []


def test_cameras_without_zones_count_nobody():
    zones = counter(a={"zones": {"shop": ROOM}})
    assert walk(zones, IN_AND_OUT, camera="other") == []


def test_totals_add_up():
    total = ZoneTotal()
    for each in walk(counter(a={"zones": {"shop": ROOM}}), IN_AND_OUT):
        total.add(each)
    assert (total.entries, total.exits, len(total.dwells_s)) == (1, 1, 1)


@pytest.mark.parametrize(
    "shapes",
    [
        {"zones": {"shop": [(0, 0), (1, 1)]}},
        {"lines": {"door": [(0, 0)]}},
        {"zones": {"": ROOM}},
        {"zones": {"a\nb": ROOM}},
        {"zones": {"shop": [(0, 0), (1, 1), (float("nan"), 0)]}},
        {"areas": {}},
    ],
)
def test_shapes_that_are_none_are_refused(shapes):
    with pytest.raises(ValidationError):
        ZoneMap(**shapes)


# Geometry, against slow and obvious versions


def test_points_in_a_polygon_that_is_bent():
    bent = np.array([(0, 0), (10, 0), (10, 10), (5, 4), (0, 10)], float)
    points = np.array([(5, 2), (5, 6), (1, 7), (9, 7), (11, 1)], float)
    assert inside(points, bent).tolist() == [True, False, True, True, False]


def test_distance_is_that_of_the_nearest_of_many_points_on_the_line():
    rng = np.random.default_rng(0)
    line, points = rng.uniform(0, 100, (4, 2)), rng.uniform(0, 100, (20, 2))
    dense = np.concatenate([np.linspace(a, b, 2000) for a, b in pairwise(line)])
    slow = np.linalg.norm(points[:, None] - dense[None], axis=2).min(axis=1)
    assert distance(points, line) == pytest.approx(slow, abs=0.05)


def test_a_way_over_a_bent_line_and_back_does_not_cross_it():
    line = np.array([(0, 0), (10, 0), (10, 10)], float)
    assert crossings(np.array([5.0, 5.0]), np.array([15.0, 5.0]), line) == -crossings(
        np.array([15.0, 5.0]), np.array([5.0, 5.0]), line
    )
    assert crossings(np.array([15.0, -5.0]), np.array([20.0, 5.0]), line) == 0
    assert crossings(np.array([-5.0, 5.0]), np.array([4.0, -5.0]), line) == 0


# In metres


def on_floor(zones, places, *, camera="a", track=1, person=1, begin=0.0, off_m=0.1):
    """Somebody at each ``(x_m, y_m)`` in turn, whose box is anywhere; ``None`` has no place."""
    told = []
    for step, place in enumerate(places):
        row = [(np.nan,) * 3 if place is None else (*place, off_m)]
        box = [(0, 0, 20, 60)]
        told += zones.see(
            camera, begin + step / FPS, [track], [person], box, places=np.array(row, float)
        )
    return told


SQUARE = [(1, 0), (5, 0), (5, 4), (1, 4)]
GATE = [(1, 0), (1, 4)]
"""From south to north: its left is the west."""
EAST_AND_BACK = [(x / 5, 2.0) for x in [*range(15), *[15] * 8, *range(15, 0, -1), *[0] * 8]]


@pytest.mark.parametrize("y_up", [True, False])
def test_zones_and_lines_in_metres_count_in_every_camera_that_has_places(y_up):
    shapes = ZoneMap(zones={"square": SQUARE}, lines={"gate": GATE})
    zones = ZoneCounter({FLOOR: shapes}, y_up=y_up)
    told = on_floor(zones, EAST_AND_BACK, camera="b") + zones.finish()
    # Where y goes down on the map, the line runs to the south and its right is the west.
    first, second = ("line_in", "line_out") if y_up else ("line_out", "line_in")
    assert [(each.kind, each.name) for each in sorted(told, key=lambda each: each.time_s)] == [
        ("entry", "square"),
        (first, "gate"),
        ("exit", "square"),
        (second, "gate"),
    ]


def test_nobody_counts_twice_who_is_seen_by_several_cameras_on_the_floor():
    zones = ZoneCounter({FLOOR: ZoneMap(zones={"square": SQUARE}, lines={"gate": GATE})})
    told = []
    for step, place in enumerate(EAST_AND_BACK[:20]):
        for track, camera in enumerate("abc"):
            told += on_floor(zones, [place], camera=camera, track=track, begin=step / FPS)
    told += zones.finish()
    assert sorted(kinds(told)) == [
        ("entry", "square", 1),
        ("exit", "square", 1),
        ("line_in", "gate", 1),
    ]


def test_a_line_between_two_views_is_crossed_by_the_hand_over():
    zones = ZoneCounter({FLOOR: ZoneMap(lines={"gate": GATE})})
    told = on_floor(zones, [(0.2, 2), (0.5, 2), (0.8, 2)], camera="a")
    told += on_floor(zones, [(1.3, 2), (1.6, 2), (2, 2)], camera="b", track=8, begin=1.5)
    assert kinds([*told, *zones.finish()]) == [("line_in", "gate", 1)]


def test_who_has_no_place_for_a_while_stays_where_they_were():
    zones = ZoneCounter({FLOOR: ZoneMap(zones={"square": SQUARE})})
    assert kinds(on_floor(zones, [(2, 2)] * 5)) == [("entry", "square", 1)]
    assert on_floor(zones, [None] * 20, begin=1) == []
    assert zones.inside() == {"square": 1}


def test_a_place_that_is_unsure_near_a_line_is_on_no_side_of_it():
    zones = ZoneCounter({FLOOR: ZoneMap(lines={"gate": GATE})})
    wobble = [(1 + (-1) ** step * 0.3, 2) for step in range(20)]
    assert on_floor(zones, [(0, 2), *wobble, (0, 2)], off_m=0.8) == []
