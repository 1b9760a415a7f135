"""What the page and its API show and change."""

import re

import cv2
import numpy as np
import pytest

from pipeline.health import CameraState, RecordingState, RecordingStatus
from support.live_view import NOW

# What is shown


def test_the_page_and_all_that_it_loads_come_from_here(client):
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    assert {"/static/app.css", "/static/main.js"} <= set(links)
    for link in links:
        assert link.startswith("/"), link
        assert client.get(link).status_code == 200, link
    assert "<script>" not in page.text
    assert not re.search(r"\son\w+=|\sstyle=", page.text)


def test_all_modules_of_the_page_are_there(client):
    wanted, seen = ["main.js"], set()
    while wanted:
        name = wanted.pop()
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 200, name
        assert "javascript" in answer.headers["content-type"]
        assert not re.search(r"https?://(?!www\.w3\.org)|innerHTML|eval\(", answer.text), name
        seen.add(name)
        wanted += set(re.findall(r'from "\./(\w+\.js)"', answer.text)) - seen
    assert len(seen) > 5


def test_status_shows_cameras_figures_and_reasons(client, run):
    run.view.set("yard", state=CameraState.REFUSED, reason="wrong password")
    status = client.get("/api/status").json()
    assert status["level"] == "degraded"
    assert status["reasons"] == [
        "camera yard refuses the user name or the password (wrong password)"
    ]
    assert [(c["camera"], c["state"]) for c in status["cameras"]] == [
        ("lobby", "live"),
        ("yard", "refused"),
    ]
    assert status["now_s"] == NOW + 10
    assert status["figures"]["detector_fps"] == 41.5
    assert status["newest_event"] == 2
    assert status["needs_token"] is False


def test_pictures_are_encoded_only_when_they_are_asked_for(client, run):
    assert run.view.encoded == 0
    first = client.get("/api/cameras/lobby/picture.jpg")
    image = cv2.imdecode(np.frombuffer(first.content, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (540, 960, 3)
    number = int(first.headers["x-picture-number"])
    assert client.get(f"/api/cameras/lobby/picture.jpg?after={number}").status_code == 204
    run.view.show("lobby", np.zeros((40, 60, 3), np.uint8))
    newer = client.get(f"/api/cameras/lobby/picture.jpg?after={number}")
    assert int(newer.headers["x-picture-number"]) > number
    assert newer.content != first.content


def test_a_camera_without_picture_and_one_that_is_none_differ(client):
    assert client.get("/api/cameras/yard/picture.jpg").status_code == 204
    assert client.get("/api/cameras/cellar/picture.jpg").status_code == 404
    assert client.get("/api/cameras/cellar/stream.mjpeg").status_code == 404


def test_people_and_where_they_were(client):
    people = client.get("/api/people").json()
    assert [(p["identity"], p["sightings"], p["last_camera"]) for p in people] == [
        (1, 2, "yard"),
        (2, 1, "lobby"),
    ]
    assert re.fullmatch("#[0-9a-f]{6}", people[0]["colour"])
    portrait = client.get(f"/api/sightings/{people[0]['portrait']}/thumbnail.jpg")
    assert portrait.headers["content-type"] == "image/jpeg"
    assert portrait.headers["cache-control"] == "no-store"
    seen = client.get("/api/people/1/sightings").json()
    assert [(s["camera"], s["first_s"] - NOW, s["last_s"] - NOW) for s in seen] == [
        ("yard", 3, 3),
        ("lobby", 0, 2),
    ]
    span = client.get("/api/sightings", params={"since": NOW + 2.5, "until": NOW + 9}).json()
    assert [(s["identity"], s["camera"]) for s in span] == [(1, "yard")]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/people/99", 404),
        ("/api/people/99/sightings", 404),
        ("/api/people/0", 422),
        ("/api/people/9999999999999999999999", 422),
        ("/api/people/x", 422),
        ("/api/people?limit=0", 422),
        ("/api/people?limit=1000000", 422),
        ("/api/sightings/99/thumbnail.jpg", 404),
        ("/api/sightings", 422),
        ("/api/nothing", 404),
        ("/static/../app.py", 404),
        ("/static/%2e%2e/index.html", 404),
    ],
)
def test_what_is_not_there_or_no_number_is_said_so(client, path, status):
    assert client.get(path).status_code == status


def test_events_and_edits_are_listed(client):
    client.put("/api/people/1/name", json={"name": "Anna"})
    events = client.get("/api/events").json()
    assert [e["kind"] for e in events] == ["new", "new", "rename"]
    assert [e["event"] for e in client.get("/api/events?after=2").json()] == [3]
    assert events[2] | {"colour": ""} == {
        "event": 3, "time": NOW + 10, "kind": "rename", "global_id": 1, "name": "Anna",
        "other_id": None, "other_name": "", "camera": None, "from_camera": None, "track_id": None,
        "author": "hand", "user": None, "edit": 1, "watched": None, "similarity": None, "zone": None, "dwell_s": None, "colour": "",
        "x_m": None, "y_m": None, "uncertainty_m": None,
    }  # fmt: skip
    (edit,) = client.get("/api/edits").json()
    assert (edit["kind"], edit["new_name"], edit["undone"]) == ("rename", "Anna", False)


def test_the_api_describes_itself(client):
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"/api/status", "/api/people/{identity}/merge", "/metrics", "/healthz"} <= set(paths)
    for path, methods in paths.items():
        assert all(each["summary"] for each in methods.values()), path


# Edits


def test_a_person_is_named_merged_split_and_all_is_undone(client, run):
    named = client.put("/api/people/1/name", json={"name": "Anna"}).json()
    assert client.get("/api/people?search=ann").json()[0]["identity"] == 1
    merged = client.post("/api/people/1/merge", json={"other": 2}).json()
    assert [p["identity"] for p in client.get("/api/people").json()] == [1]
    assert client.get("/api/people/2").json()["identity"] == 1
    sighting = client.get("/api/people/1/sightings").json()[0]["sighting"]
    split = client.post("/api/people/1/split", json={"sightings": [sighting]}).json()
    assert {p["identity"] for p in client.get("/api/people").json()} == {1, 3}
    for each in (named, merged, split):
        assert client.post(f"/api/edits/{each['edit']}/undo").json()["kind"] == "undo"
    people = client.get("/api/people").json()
    assert [(p["identity"], p["name"], p["sightings"]) for p in people] == [(1, "", 2), (2, "", 1)]
    assert [said.kind for said in run.view.said] == [
        "rename", "merge", "split", "undo", "undo", "undo",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (("PUT", "/api/people/9/name", {"name": "x"}), 404),
        (("PUT", "/api/people/1/name", {"name": "x" * 100}), 409),
        (("PUT", "/api/people/1/name", {"name": 5}), 422),
        (("PUT", "/api/people/1/name", {"name": "x", "more": 1}), 422),
        (("POST", "/api/people/1/merge", {"other": 9}), 404),
        (("POST", "/api/people/1/merge", {"other": 1}), 409),
        (("POST", "/api/people/1/split", {"sightings": []}), 409),
        (("POST", "/api/people/1/split", {"sightings": [99]}), 409),
        (("POST", "/api/edits/9/undo", None), 409),
    ],
)
def test_edits_that_make_no_sense_are_refused_with_a_reason(client, run, call, status):
    method, path, body = call
    answer = client.ask(method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert run.view.said == []


def test_markup_in_names_stays_text(client):
    name = "<script>alert(1)</script>\"'&"
    client.put("/api/people/1/name", json={"name": name})
    answer = client.get("/api/people/1")
    assert answer.json()["name"] == name
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


# Health and metrics


def test_healthz_is_200_while_anything_is_seen(client, run):
    assert client.get("/healthz").json() == {"status": "ok", "reasons": []}
    run.view.set("yard", state=CameraState.WAITING, reason="no answer")
    paused = RecordingStatus.PAUSED
    run.view.recording_state = RecordingState(paused, paused, "disk full: 12 MB free, needs 62")
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        "reasons": [
            "recording is paused: disk full: 12 MB free, needs 62",
            "camera yard has lost its connection (no answer)",
        ],
    }


def test_a_machine_that_is_too_slow_says_so(client, run):
    run.view.set("lobby", received_fps=10.0, processed_fps=1.9, last_frame_s=NOW + 9)
    run.view.set("yard", received_fps=1.0, processed_fps=0.9, last_frame_s=NOW + 10)
    assert client.get("/healthz").json()["status"] == "ok"
    run.view.set("lobby", last_frame_s=NOW + 10)
    (reason,) = client.get("/healthz").json()["reasons"]
    assert reason == ("the machine is too slow: of 10.0 frames a second of lobby it processes 1.9")
    run.view.set("lobby", received_fps=10.0, processed_fps=2.0)
    assert client.get("/healthz").json()["status"] == "ok"


def test_places_that_are_not_used_are_a_reason(client, run):
    run.view.doubts.append("yard: people would be 5.6 m tall, so its places are not used")
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "reasons": run.view.doubts}


def test_healthz_is_503_with_reasons_when_nothing_is_seen(client, run):
    for name in ("lobby", "yard"):
        run.view.set(name, state=CameraState.NO_VIDEO)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == [
        "no camera delivers pictures",
        "camera lobby sends no video",
        "camera yard sends no video",
    ]


@pytest.mark.parametrize("state", [state for state in CameraState if state != "live"])
def test_every_state_but_live_is_a_reason(client, run, state):
    run.view.set("yard", state=state)
    (reason,) = client.get("/healthz").json()["reasons"]
    assert reason.startswith("camera yard ")


def test_healthz_is_503_when_nothing_can_be_stored(client, run):
    run.registry._store.trouble = "the disk is full"
    assert client.get("/healthz").status_code == 503


def test_metrics_are_in_prometheus_format(client, run):
    run.view.numbers["registry_events_total"] = 7.0
    run.view.set("yard", dropped=12, state=CameraState.STALLED, skew_s=-0.5)
    text = client.get("/metrics").text
    for line in (
        'reid_pipeline_camera_dropped_total{camera="yard"} 12.0',
        'reid_pipeline_camera_up{camera="lobby"} 1.0',
        'reid_pipeline_camera_state{camera="yard",state="stalled"} 1.0',
        'reid_pipeline_camera_state{camera="yard",state="live"} 0.0',
        'reid_pipeline_camera_skew_seconds{camera="yard"} -0.5',
        "reid_pipeline_latency_p95_seconds 0.42",
        "reid_pipeline_registry_events_total 7.0",
    ):
        assert line in text.splitlines(), line
    assert 'skew_seconds{camera="lobby"}' not in text


@pytest.mark.parametrize(
    "body", [b'{"\xed\xa0\x80": 1}', b'{"name": "\xed\xa0\x80"}', b"\xff", b"["]
)
def test_bodies_that_are_no_text_are_refused(client, body):
    headers = {"Content-Type": "application/json"}
    answer = client.put("/api/people/1/name", content=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.json()["detail"]


def test_what_was_sent_is_not_repeated(client):
    answer = client.put("/api/people/1/name", json={"name": ["canary-5"]})
    assert answer.status_code == 422
    assert "canary-5" not in answer.text
