"""The floor of all cameras in a camera list."""

import cv2
import numpy as np
import pytest
import yaml

from pipeline.errors import InputError, SettingsError, SourceError
from pipeline.jobs.inputs import settings_for
from pipeline.sources.camera_list import resolve_floor

POINTS = [[0, 500, -3, 0], [900, 500, 3, 0], [300, 300, -3, 9], [600, 300, 3, 9]]
SQUARE, GATE = [[0, 0], [4, 0], [4, 4]], [[0, 0], [4, 0]]


def floor_list(tmp_path, floor, name="cams.yaml"):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "plan.png").write_bytes(cv2.imencode(".png", np.zeros((4, 6, 3), np.uint8))[1])
    tree = {"cameras": [{"name": "a", "source": "a.mp4", "floor_points": POINTS}], "floor": floor}
    path = tmp_path / name
    path.write_text(yaml.safe_dump(tree))
    return str(path)


def test_a_list_has_zones_lines_and_a_plan_of_the_floor(tmp_path):
    plan = {"image": "plan.png", "m_per_pixel": 0.5, "origin": [1, 2]}
    listed = floor_list(
        tmp_path, {"zones": {"shop": SQUARE}, "lines": {"gate": GATE}, "plan": plan}
    )
    floor = resolve_floor([listed, str(tmp_path / "a.mp4")])
    assert floor.zones["shop"][1] == (4.0, 0.0)
    assert floor.plan.image == tmp_path / "plan.png"
    settings = settings_for([listed])
    assert settings.floor == floor
    assert resolve_floor([str(tmp_path / "a.mp4")]) is None


@pytest.mark.parametrize(
    ("floor", "told"),
    [
        ({"zones": {"shop": SQUARE[:2]}}, "floor: zones.shop: List should have at least 3 items"),
        (
            {"zones": {"shop": [[0, 0], [1, "x"], [1, 1]]}},
            "zones.shop.1.1: Input should be a valid",
        ),
        (
            {"lines": {"gate": [[0, 0], [1, float("inf")]]}},
            "lines.gate.1.1: Input should be a finite",
        ),
        ({"walls": {}}, "unknown setting 'walls'"),
        ({"plan": {"image": "plan.png"}}, "plan.m_per_pixel: Field required"),
        (
            {"plan": {"image": "no.png", "m_per_pixel": 1, "origin": [0, 0]}},
            "no.png does not exist",
        ),
        ({"plan": {"image": "a.mp4", "m_per_pixel": 1, "origin": [0, 0]}}, "a.mp4"),
        (3, "floor: Input should be"),
    ],
)
def test_what_is_wrong_about_the_floor_is_one_line(tmp_path, floor, told):
    with pytest.raises(InputError) as caught:
        resolve_floor([floor_list(tmp_path, floor)])
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_lists_with_a_floor_are_refused(tmp_path):
    lists = [floor_list(tmp_path, {"lines": {"gate": GATE}}, name) for name in ("1.yaml", "2.yaml")]
    with pytest.raises(SourceError, match=r"2\.yaml: floor was given in another list already"):
        resolve_floor(lists)


@pytest.mark.parametrize(
    ("camera", "told"),
    [
        ({}, "shop is in metres, and no camera has floor_points or a calibration"),
        (
            {"floor_points": POINTS, "zones": {"shop": SQUARE}},
            "shop is also in pixels of camera a: call one of the two otherwise",
        ),
    ],
)
def test_zones_in_metres_need_a_calibration_and_a_name_of_their_own(camera, told):
    tree = {
        "cameras": [{"name": "a", "source": "a.mp4", **camera}],
        "floor": {"zones": {"shop": SQUARE}},
    }
    with pytest.raises(SettingsError, match=told):
        settings_for([], base=tree)
