"""The application, asked as programs and browsers ask it."""

import asyncio
import re
import tempfile
from pathlib import Path
from types import SimpleNamespace

import cv2
import httpx
import numpy as np
import pytest

from pipeline.health import CameraState, RecordingState, RecordingStatus
from pipeline.registry.registry import Registry
from pipeline.serve.app import create_app
from support.live_view import NOW, FakeView, annotated, event, walk

TOKEN = "correct-horse-battery"
HOSTS = ("localhost", "127.0.0.1", "::1", "cameras.example")


class Client:
    """Asks an application without a server between."""

    def __init__(self, app, *, base="http://127.0.0.1:8080", address="10.0.0.9", headers=None):
        self._transport = httpx.ASGITransport(app, client=(address, 5000))
        self._base = base
        self._headers = headers or {}

    def ask(self, method, path, **options):
        options["headers"] = self._headers | options.get("headers", {})

        async def go():
            async with httpx.AsyncClient(transport=self._transport, base_url=self._base) as client:
                return await client.request(method, path, **options)

        return asyncio.run(go())

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, **options):
        return self.ask("POST", path, **options)

    def put(self, path, **options):
        return self.ask("PUT", path, **options)


@pytest.fixture
def run():
    """A view with two cameras, and a registry in which two people were seen."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        clock = SimpleNamespace(now=NOW)
        registry = Registry(Path(folder), keep_s=None, clock=lambda: clock.now)
        view = FakeView("lobby", "yard")
        for index in range(3):
            clock.now = NOW + index
            result = walk(
                0, "lobby", index, clock.now, [(1, 11, 200, 480, 300), (2, 12, 600, 480, 300)]
            )
            told = (
                [event("new", 11, "lobby", 1), event("new", 12, "lobby", 2)] if index == 0 else []
            )
            registry.write([result], told)
        registry.write([walk(1, "yard", 0, NOW + 3, [(7, 11, 300, 480, 300)])], [])
        clock.now = NOW + 10
        registry.write([], [])
        view.show("lobby", annotated(result))
        yield SimpleNamespace(view=view, registry=registry, clock=clock)
        registry.close()


def app_of(run, *, token=None):
    return create_app(run.view, run.registry, token=token, hosts=HOSTS, now=lambda: run.clock.now)


@pytest.fixture
def client(run):
    return Client(app_of(run))


@pytest.fixture
def closed(run):
    return app_of(run, token=TOKEN)


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
        "author": "hand", "edit": 1, "colour": "",
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


# Who may ask


@pytest.mark.parametrize("host", ["localhost:8080", "[::1]:8080", "CAMERAS.example", "127.0.0.1"])
def test_own_names_are_answered(client, host):
    assert client.get("/api/status", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "10.1.2.3"]
)
def test_names_of_others_are_not_answered(client, host):
    for path in ("/", "/api/status", "/login", "/static/app.css"):
        assert client.get(path, headers={"Host": host}).status_code == 421


def test_the_address_that_a_client_connected_to_is_answered(run):
    there = Client(app_of(run), base="http://192.168.7.7:8080")
    assert there.get("/api/status").status_code == 200
    assert there.get("/api/status", headers={"Host": "192.168.7.8:8080"}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:8080"},
    ],
)
def test_pages_of_others_change_nothing(client, run, headers):
    answer = client.put("/api/people/1/name", json={"name": "x"}, headers=headers)
    assert answer.status_code == 403
    assert run.registry.name(1) == ""


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://127.0.0.1:8080"}, {"Sec-Fetch-Site": "same-origin"}],
)
def test_the_page_itself_and_programs_change_things(client, headers):
    answer = client.put("/api/people/1/name", json={"name": "x"}, headers=headers)
    assert answer.status_code == 200


def test_nothing_is_changed_by_get(client, run):
    for path in ("/api/people/1/name", "/api/people/1/merge", "/api/people/1/split"):
        assert client.get(path).status_code == 405
    assert client.get("/api/edits/1/undo").status_code == 405
    assert run.view.said == []


def test_what_is_too_large_is_not_read(client):
    answer = client.put("/api/people/1/name", content=b"x" * 70_000)
    assert answer.status_code == 413

    async def endless():
        yield b"x"

    assert client.put("/api/people/1/name", content=endless()).status_code == 411


def test_browsers_are_told_what_the_page_may_do(client):
    for path in ("/", "/api/status", "/static/main.js", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


# With a token


def paths_of(app):
    yield from ("/", "/static/main.js", "/docs", "/nothing", "/logout")
    for path in app.openapi()["paths"]:
        yield re.sub(r"\{camera\}", "lobby", re.sub(r"\{(?!camera)\w+\}", "1", path))
    yield "/api/openapi.json"


def test_the_token_is_asked_for_on_every_page_and_call(closed):
    client = Client(closed)
    paths = list(paths_of(closed))
    assert len(paths) > 15
    for path in paths:
        for method in ("GET", "POST", "PUT"):
            answer = client.ask(method, path)
            if (method, path) == ("GET", "/"):
                assert answer.headers["location"] == "/login"
                continue
            assert answer.status_code == 401, (method, path)
            assert "lobby" not in answer.text


def test_programs_say_the_token_in_a_header(closed):
    ask = Client(closed).get
    assert ask("/api/status", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert ask("/metrics", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    assert ask("/api/status", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert ask("/api/status", headers={"Authorization": f"Basic {TOKEN}"}).status_code == 401
    assert ask(f"/api/status?token={TOKEN}").status_code == 401


def test_people_log_in_and_out(closed):
    client = Client(closed)
    assert "Access token" in client.get("/login").text
    answer = client.post("/login", data={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert TOKEN not in cookie
    inside = Client(closed, headers={"Cookie": cookie.split(";")[0]})
    assert inside.get("/api/status").json()["needs_token"] is True
    out = inside.post("/logout").headers["set-cookie"]
    assert 'reid_pipeline_login=""' in out
    assert "Max-Age=0" in out


def test_over_https_the_cookie_never_travels_without_it(closed):
    client = Client(closed, base="https://127.0.0.1:8080")
    assert "Secure" in client.post("/login", data={"token": TOKEN}).headers["set-cookie"]


def test_guessing_is_limited_by_address(closed):
    guess = Client(closed)
    for _ in range(5):
        answer = guess.post("/login", data={"token": "guess"})
        assert answer.status_code == 403
        assert "not the token" in answer.text
        assert "set-cookie" not in answer.headers
    assert guess.post("/login", data={"token": TOKEN}).status_code == 429
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert guess.get("/api/status", headers=bearer).status_code == 429
    other = Client(closed, address="10.0.0.10")
    assert other.get("/api/status", headers=bearer).status_code == 200


def test_where_no_token_is_needed_nobody_is_asked_for_one(client):
    assert client.get("/login").headers["location"] == "/"
