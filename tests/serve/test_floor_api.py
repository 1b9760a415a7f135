"""The floor in the API: where cameras stand, where people were, and points that are tried."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml

from pipeline.floor.placing import Floor
from pipeline.settings import Settings
from pipeline.sources.camera_list import read_calibrations, resolve_cameras
from support.api_client import Client, app_of
from support.assets import SAMPLE_VIDEOS
from support.live_view import NOW, walk

LOBBY = next(
    each.floor_points
    for each in resolve_cameras([str(SAMPLE_VIDEOS / "cameras.yaml")])
    if each.name == "lobby"
)


def calibrated(**floor):
    cameras = [{"name": "lobby", "source": "-", "floor_points": LOBBY}]
    return Settings(cameras=[*cameras, {"name": "yard", "source": "-"}], floor=floor)


def stroll(run, settings):
    """Two people walk through the lobby for three seconds."""
    floor = Floor(settings.cameras)
    for step in range(7):
        run.clock.now = NOW + 20 + step / 2
        people = [(21, 21, 300 + 20 * step, 480, 300), (22, 22, 700, 440, 280)]
        result = walk(0, "lobby", step, run.clock.now, people)
        placed = replace(result, tracks=floor.place(result.frame, result.tracks))
        run.registry.write([placed], [])
    run.clock.now += 2
    run.registry.write([], [])
    return placed.tracks.places


@pytest.fixture
def on_floor(run):
    run.floor = calibrated(zones={"hall": [[0, 0], [9, 0], [9, 9]]})
    run.view.set("lobby", size=(960, 540))
    run.places = stroll(run, run.floor)
    return Client(app_of(run))


def test_nothing_is_known_of_cameras_without_calibration(client):
    floor = {"y_up": True, "calibrated": [], "views": {}, "plan": None}
    assert client.get("/api/floor").json() == floor
    assert client.get("/api/floor/paths?since=0&until=1e12").json() == []
    assert client.get("/api/floor/heat?since=0&until=1e12").json()["cells"] == []
    assert client.get("/api/floor/plan").status_code == 404


def test_calibrated_cameras_say_what_they_see_once_their_size_is_known(on_floor, run):
    floor = on_floor.get("/api/floor").json()
    assert floor["calibrated"] == ["lobby"]
    corners = np.array(floor["views"]["lobby"])
    assert len(corners) > 10
    assert np.abs(corners).max() < 60
    run.view.set("lobby", size=None)
    assert on_floor.get("/api/floor").json()["views"] == {}


def test_people_have_paths_and_their_last_place_in_people_and_sightings(on_floor, run):
    first, second = on_floor.get(f"/api/floor/paths?since={NOW}&until={NOW + 60}").json()
    assert first["colour"].startswith("#")
    assert [t - NOW for t, *_ in first["points"]] == [20 + step / 2 for step in range(7)]
    for each, place in zip((first, second), run.places.xy, strict=True):
        np.testing.assert_allclose(each["points"][-1][1:], place, atol=0.02)
        person = on_floor.get(f"/api/people/{each['identity']}").json()
        np.testing.assert_allclose([person["x_m"], person["y_m"]], place, atol=0.02)
        assert 0 < person["uncertainty_m"] < 2
    (sighting,) = on_floor.get(f"/api/people/{first['identity']}/sightings").json()
    assert 0 < sighting["speed_m_s"] < 3
    (other,) = (p for p in on_floor.get("/api/people").json() if p["identity"] == 1)
    assert (other["x_m"], other["speed_m_s"]) == (None, None)
    narrow = on_floor.get(f"/api/floor/paths?since={NOW + 21}&until={NOW + 22}&limit=1").json()
    assert [len(each["points"]) for each in narrow] == [3]


def test_merged_people_have_one_path(on_floor):
    first, second = on_floor.get(f"/api/floor/paths?since={NOW}&until={NOW + 60}").json()
    on_floor.post(f"/api/people/{first['identity']}/merge", json={"other": second["identity"]})
    (left,) = on_floor.get(f"/api/floor/paths?since={NOW}&until={NOW + 60}").json()
    assert left["identity"] == first["identity"]
    assert len(left["points"]) == 7


def test_heat_is_seconds_in_squares(on_floor):
    heat = on_floor.get(f"/api/floor/heat?since={NOW}&until={NOW + 60}").json()
    assert sum(seconds for *_, seconds in heat["cells"]) == 7.0
    assert on_floor.get(f"/api/floor/heat?since=0&until={NOW}").json()["cells"] == []


def test_points_are_fitted_as_the_command_does(on_floor, run, tmp_path):
    run.view.show("yard", np.full((540, 960, 3), 90, np.uint8))
    asked = {"camera": "yard", "points": LOBBY}
    found = on_floor.post("/api/floor/fit", json=asked).json()
    assert len(found["errors_cm"]) == len(LOBBY)
    assert max(found["errors_cm"]) < 10
    assert len(found["view"]) > 10
    listed = tmp_path / "points.yaml"
    listed.write_text(found["text"])
    assert read_calibrations(listed, ["yard"])["yard"]["floor_points"] == LOBBY
    assert yaml.safe_load(found["text"])["cameras"][0]["name"] == "yard"
    grid = on_floor.post("/api/floor/grid", json=asked).content
    drawn = cv2.imdecode(np.frombuffer(grid, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == (540, 960, 3)
    assert (np.abs(drawn.astype(int) - 90) > 60).any(axis=2).mean() > 0.01


@pytest.mark.parametrize(
    ("points", "told"),
    [
        (LOBBY[:3], "needs at least 4 points, got 3"),
        ([[x, x, x, 2 * x] for x in range(5)], "lie on one line"),
        ([[x, y, n, m] for (x, y, m, n) in LOBBY], "sees the floor mirrored"),
        ([[*a[:2], *b[2:]] for a, b in zip(LOBBY, LOBBY[1:] + LOBBY[:1], strict=True)], "swapped"),
    ],
)
def test_points_that_cannot_be_are_one_line(on_floor, run, points, told):
    run.floor.cameras.append(run.floor.cameras[0].model_copy(update={"name": "hall"}))
    run.view.show("yard", np.full((540, 960, 3), 90, np.uint8))
    for what in ("fit", "grid"):
        answer = on_floor.post(f"/api/floor/{what}", json={"camera": "yard", "points": points})
        assert answer.status_code == 400
        assert "camera yard" in answer.json()["detail"]
        assert told in answer.json()["detail"]
        assert "\n" not in answer.json()["detail"]


def test_cameras_that_are_none_or_have_no_picture_are_told(on_floor):
    assert on_floor.get("/api/cameras/nowhere/view.jpg").status_code == 404
    assert on_floor.get("/api/cameras/yard/view.jpg").status_code == 404
    asked = {"camera": "yard", "points": LOBBY}
    assert "no picture" in on_floor.post("/api/floor/fit", json=asked).json()["detail"]
    assert on_floor.post("/api/floor/fit", json=asked | {"camera": "x"}).status_code == 404
    assert on_floor.get("/api/cameras/lobby/view.jpg").content[:2] == b"\xff\xd8"


def test_a_plan_is_shown_and_one_that_is_gone_is_none(run, tmp_path):
    image = tmp_path / "plan.png"
    cv2.imwrite(str(image), np.full((40, 60, 3), 200, np.uint8))
    run.floor = calibrated(plan={"image": image, "m_per_pixel": 0.5, "origin": (10, 30)})
    client = Client(app_of(run))
    plan = {"size": [60, 40], "m_per_pixel": 0.5, "origin": [10.0, 30.0]}
    assert client.get("/api/floor").json()["plan"] == plan
    answer = client.get("/api/floor/plan")
    assert (answer.headers["content-type"], answer.content) == ("image/png", image.read_bytes())
    image.unlink()
    assert Client(app_of(run)).get("/api/floor").json()["plan"] is None


def test_zones_in_metres_stand_apart_from_those_of_cameras(on_floor, run):
    answer = on_floor.get("/api/zones").json()
    assert set(answer) == {"cameras", "floor", "zones"}
    assert "the floor" not in answer["cameras"]
