"""The page of finished work: runs, recordings, and what they allow."""

import json
import threading
from types import SimpleNamespace
from unittest.mock import ANY

import cv2
import httpx
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.jobs.finished import FinishedRegister
from pipeline.jobs.serve import serve_results
from pipeline.live_settings import WebSettings
from pipeline.results import open_results
from support.made_up_run import write_made_up_run
from support.placed_runs import finished
from support.small_recordings import LiveFolder, write_recording
from support.video_files import write_video

WAIT_S = 60


class Page:
    """The page of a folder, served until the end of the block."""

    def __init__(self, where, **options):
        self.stop, started = threading.Event(), threading.Event()
        self.url = ""

        def on_start(url):
            self.url = url
            started.set()

        self.thread = threading.Thread(
            target=serve_results,
            args=(where, WebSettings(port=0), self.stop),
            kwargs={"on_start": on_start, **options},
        )
        self.thread.start()
        assert started.wait(WAIT_S)
        self.client = httpx.Client(base_url=self.url, timeout=WAIT_S)

    def __enter__(self):
        return self.client

    def __exit__(self, *_):
        self.client.close()
        self.stop.set()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()


@pytest.fixture
def run(tmp_path):
    """Person 1 in lobby and yard, person 2 in the lobby."""
    sightings = [(1, "lobby", 0, 20), (2, "lobby", 5, 9), (1, "yard", 18, 40)]
    record = {"cameras": [{"camera": "lobby", "first_s": 0.0, "frames": 9}]}
    return write_made_up_run(tmp_path / "run", sightings, record=record, crops=1)


def test_people_sightings_and_pictures_of_a_run(run):
    with Page(run) as client:
        status = client.get("api/status").json()
        assert (status["name"], status["is_live"], status["has_dates"]) == ("run", False, False)
        assert (status["first_s"], status["now_s"], status["level"]) == (0.0, 40.0, "ok")
        people = client.get("api/people").json()
        assert [(p["identity"], p["sightings"], p["last_camera"]) for p in people] == [
            (1, 2, "yard"),
            (2, 1, "lobby"),
        ]
        sightings = client.get("api/people/1/sightings").json()
        assert [(s["camera"], s["first_s"], s["last_s"]) for s in sightings] == [
            ("yard", 18.0, 40.0),
            ("lobby", 0.0, 20.0),
        ]
        portrait = client.get(f"api/sightings/{people[1]['portrait']}/thumbnail.jpg")
        assert portrait.content[:2] == b"\xff\xd8"
        assert client.get("api/sightings/99/thumbnail.jpg").status_code == 404
        assert len(client.get("api/sightings?since=19&until=30").json()) == 2
        assert client.get("healthz").status_code == 200


def test_the_portrait_is_of_a_sighting_that_has_a_picture(run):
    """A run keeps crops of some tracks only."""
    (crop,) = (run / "gallery" / "0001").iterdir()  # of the first sighting
    crop.rename(crop.with_name("yard_t3_18000ms.jpg"))
    records = FinishedRegister(open_results(run)).records
    (person,) = records.people(limit=9, search="1")
    assert records.thumbnail(person.portrait)[:2] == b"\xff\xd8"


def test_edits_go_through_the_log_and_can_be_undone(run):
    with Page(run) as client:
        assert client.put("api/people/1/name", json={"name": "Anna"}).json()["name"] == "Anna"
        merged = client.post("api/people/1/merge", json={"other": 2}).json()
        assert [p["name"] for p in client.get("api/people").json()] == ["Anna"]
        assert open_results(run).edits().shown(2) == 1
        client.post(f"api/edits/{merged['edit']}/undo")
        assert len(client.get("api/people").json()) == 2
        yard = client.get("api/people/1/sightings").json()[0]["sighting"]
        split = client.post("api/people/1/split", json={"sightings": [yard]}).json()
        assert client.get(f"api/people/{split['global_id']}").json()["cameras"] == ["yard"]
        again = client.post("api/people/1/merge", json={"other": 1})
        assert again.status_code == 409
        kinds = [each["kind"] for each in client.get("api/events").json()]
        assert kinds == ["rename", "merge", "undo", "split"]
    assert open_results(run).edits().name(1) == "Anna"


def test_the_video_of_a_run_begins_at_the_sighting(run):
    write_video(run / "lobby.mp4", frames=2)
    with Page(run) as client:
        moment = client.get("api/videos/lobby/moment?time=5").json()
        assert moment["at_s"] == 4.0
        whole = client.get("api/videos/lobby/video.mp4?time=5")
        assert whole.content == (run / "lobby.mp4").read_bytes()
        part = client.get("api/videos/lobby/video.mp4?time=5", headers={"Range": "bytes=0-9"})
        assert (part.status_code, len(part.content)) == (206, 10)
        for camera in ("yard", "..%2Flobby", "*"):
            assert client.get(f"api/videos/{camera}/video.mp4?time=5").status_code == 404


def test_a_recording_has_dates_events_and_video(tmp_path):
    recording = write_recording(tmp_path / "live")
    with Page(recording) as client:
        status = client.get("api/status").json()
        assert status["has_dates"] is True
        assert len(client.get("api/events").json()) == 3
        sighting = client.get("api/people/1/sightings").json()[-1]
        found = client.get(f"api/videos/lobby/moment?time={sighting['first_s']}")
        assert found.status_code == 200
        client.put("api/people/1/name", json={"name": "Anna"})
    assert open_results(recording).edits().name(1) == "Anna"


def test_nobody_is_looked_for_in_finished_work(run):
    with Page(run) as client:
        listed = client.get("api/watch").json()
        assert (listed["threshold"], listed["people"]) == (None, [])
        posted = client.post("api/watch/sighting", json={"name": "x", "sighting": 1})
        assert posted.status_code == 409
        assert client.delete("api/watch/1").status_code == 409


def test_zones_count_what_is_drawn(run):
    shop = {"zones": {"shop": [[-9, -9], [999, -9], [999, 999], [-9, 999]]}}
    with Page(run) as client:
        (zone,) = client.put("api/cameras/lobby/zones", json=shop).json()["zones"]
        assert (zone["name"], zone["entries"], zone["exits"]) == ("shop", 2, 2)
    assert json.loads((run / "zones.json").read_text())["lobby"]["zones"]["shop"]


def test_while_somebody_records_edits_are_refused(tmp_path):
    with LiveFolder(tmp_path / "live") as live:
        live.see((1, 1), events=[live.new(1, 1)])
        live.settle()
        register = FinishedRegister(open_results(live.folder))
        with pytest.raises(InputError, match="live run is recording"):
            register.rename(1, "Anna")


def test_what_is_no_finished_work_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no run, archive or recording"):
        serve_results(tmp_path, WebSettings(port=0), threading.Event())


def test_search_on_the_list_is_by_name_and_number(run):
    register = FinishedRegister(open_results(run))
    register.rename(2, "Bert Braun")
    names = SimpleNamespace(
        of=lambda text: [p.name for p in register.records.people(limit=9, search=text)]
    )
    assert names.of("braun") == ["Bert Braun"]
    assert names.of("#2") == ["Bert Braun"]
    assert register.records.people(limit=1)[0].identity == 1


def test_the_floor_of_finished_work(tmp_path):
    placed = finished(tmp_path / "placed", calibrated=("lobby",))
    with Page(placed.path) as client:
        floor = client.get("api/floor").json()
        assert (floor["y_up"], floor["calibrated"]) == (True, ["lobby"])
        assert list(floor["views"]) == ["lobby"]
        paths = client.get("api/floor/paths?since=0&until=60").json()
        boxes = placed.boxes("lobby").dropna(subset=["x_m"])
        assert {each["identity"] for each in paths} <= set(boxes["global_id"])
        own = boxes[boxes["global_id"] == paths[0]["identity"]].iloc[0]
        np.testing.assert_allclose(
            paths[0]["points"][0][1:], own[["x_m", "y_m"]].tolist(), atol=0.4
        )
        assert sum(
            s for *_, s in client.get("api/floor/heat?since=0&until=60").json()["cells"]
        ) == (sum(len(each["points"]) for each in paths) / 2)
        person = client.get(f"api/people/{paths[0]['identity']}").json()
        assert {"x_m", "y_m", "uncertainty_m", "speed_m_s"} <= set(person)
        # Of the source as long as that is there: in the size that points count in.
        for camera in ("lobby", "corridor"):
            jpeg = client.get(f"api/cameras/{camera}/view.jpg").content
            assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1).shape == (540, 960, 3)
        points = placed.record["settings"]["cameras"][0]["floor_points"]
        asked = {"camera": "corridor", "points": points}
        assert max(client.post("api/floor/fit", json=asked).json()["errors_cm"]) < 10


def test_work_without_calibration_has_no_floor_and_no_view_where_the_video_is_gone(run):
    with Page(run) as client:
        assert client.get("api/floor").json()["calibrated"] == []
        assert client.get("api/floor/paths?since=0&until=60").json() == []
        assert client.get("api/people/1").json()["x_m"] is None
        assert client.get("api/cameras/lobby/view.jpg").status_code == 404


def test_a_person_of_finished_work_is_erased(tmp_path):
    folder = write_recording(tmp_path / "live", video_fps=60)
    with Page(folder) as page:
        page.put("/api/people/1/name", json={"name": "Anna"})
        page.post("/api/search", json={"identity": 1})
        assert page.delete("/api/people/1").json() == {"files": ANY, "still_watched": []}
        assert [each["identity"] for each in page.get("/api/people").json()] == [2]
        assert page.delete("/api/people/1").status_code == 404
        found = page.post("/api/search", json={"identity": 2}).json()["found"]
        assert {each["identity"] for each in found} == {2}
        assert all(1 not in {e["global_id"], e["other_id"]} for e in page.get("/api/events").json())
    assert "Anna" not in (folder / "edits.jsonl").read_text()
    assert set(open_results(folder).owners()) == {2}
