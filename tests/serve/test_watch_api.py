"""The watch list in the API."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.datatypes import CropEvidence
from support.api_client import JPEG, vector_of
from support.live_view import NOW, walk


def look_like(run, at, number, *, track=21, person=21):
    """Three frames of somebody in the lobby; returns the alerts."""
    alerts = []
    for step in range(3):
        run.clock.now = NOW + at + step
        result = walk(0, "lobby", 0, run.clock.now, [(track, person, 400, 480, 300)])
        evidence = CropEvidence(np.array([0]), vector_of(number)[None], np.array([0.8]))
        told = run.registry.write([replace(result, evidence=evidence)], [])
        alerts += [each for each in told if each.kind == "alert"]
    run.registry.write([], [])
    return alerts


def enrol(client, name="Anna", content=b"\x01 jpeg"):
    return client.post(f"/api/watch/picture?name={name}", content=content)


def test_somebody_is_looked_for_by_a_picture(client):
    answer = enrol(client)
    assert answer.json() == {
        "watched": 1,
        "name": "Anna",
        "is_of_folder": False,
        "pictures": 1,
        "alerts": 0,
        "last_alert_s": None,
    }
    assert enrol(client).json()["pictures"] == 2
    listed = client.get("/api/watch").json()
    assert 0 < listed["threshold"] < 1
    assert listed["archives"] == ["march"]
    assert [each["name"] for each in listed["people"]] == ["Anna"]
    picture = client.get("/api/watch/1/picture.jpg")
    assert (picture.content, picture.headers["content-type"]) == (JPEG, "image/jpeg")


def test_a_picture_may_be_large_other_requests_not(client):
    assert enrol(client, content=b"x" * 9_000_000).status_code == 200
    assert enrol(client, content=b"x" * 10_000_001).status_code == 413


def test_pictures_of_nobody_and_names_that_are_none_are_refused(client):
    answer = enrol(client, content=b"x")
    assert (answer.status_code, answer.json()["detail"].split(":")[0]) == (
        400,
        "no person was detected in the picture",
    )
    assert enrol(client, name="%20").status_code == 409
    assert client.post("/api/watch/picture?name=Anna").status_code == 422
    assert client.get("/api/watch").json()["people"] == []


def test_an_alert_is_an_event_that_can_be_answered(client, run):
    enrol(client)
    (alert,) = look_like(run, 20, 1)
    told = client.get("/api/events").json()[-1]
    assert (told["kind"], told["watched"], told["camera"]) == ("alert", "Anna", "lobby")
    assert told["similarity"] > 0.9
    (listed,) = client.get("/api/alerts").json()
    assert (listed["alert"], listed["is_match"]) == (alert.number, None)
    assert client.get(f"/api/alerts/{alert.number}/picture.jpg").content[:2] == b"\xff\xd8"
    client.put(f"/api/alerts/{alert.number}/answer", json={"is_match": True})
    assert client.get("/api/alerts").json()[0]["is_match"] is True
    assert client.get(f"/api/alerts?before={alert.number}").json() == []
    assert client.get("/api/watch").json()["people"][0]["alerts"] == 1


def test_a_sighting_can_be_looked_for(client, run):
    look_like(run, 20, 3)
    run.clock.now += 5
    run.registry.write([], [])
    sighting = client.get("/api/sightings?since=0&until=9e9").json()[0]["sighting"]
    answer = client.post("/api/watch/sighting", json={"name": "Bert", "sighting": sighting})
    assert answer.status_code == 200
    assert len(look_like(run, 120, 3, track=22)) == 1
    none = client.post("/api/watch/sighting", json={"name": "Bert", "sighting": 999})
    assert none.status_code == 409


def test_an_identity_of_an_archive_can_be_looked_for(client, run):
    asked = {"name": "Carla", "archive": "march", "identity": 5}
    assert client.post("/api/watch/identity", json=asked).status_code == 200
    assert len(look_like(run, 20, 5)) == 1
    other = client.post("/api/watch/identity", json=asked | {"archive": "april"})
    assert other.json()["detail"] == "there is no archive april: there is march"


def test_who_is_removed_is_gone_with_alerts(client, run):
    enrol(client)
    look_like(run, 20, 1)
    assert client.ask("DELETE", "/api/watch/1").json()["people"] == []
    assert client.get("/api/alerts").json() == []
    assert client.ask("DELETE", "/api/watch/1").status_code == 409


@pytest.mark.parametrize("path", ["/api/watch/9/picture.jpg", "/api/alerts/9/picture.jpg"])
def test_what_is_not_there_has_no_picture(client, path):
    assert client.get(path).status_code == 404
