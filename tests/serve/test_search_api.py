"""Search in the API."""

import pytest

from support.api_client import JPEG


def test_an_identity_is_found_in_all_places(client):
    answer = client.post("/api/search", json={"identity": 3}).json()
    assert answer["is_complete"] is True
    own, other = answer["found"]
    assert (own["archive"], own["picture"]) == ("", "/api/sightings/3/thumbnail.jpg")
    assert (other["archive"], other["has_dates"]) == ("march", True)
    assert client.get(other["picture"]).content == JPEG


def test_a_picture_is_looked_for(client):
    path = "/api/search/picture?since=5&until=9&archive=march&camera=lobby&count=7"
    (found,) = client.post(path, content=b"\x02 jpeg").json()["found"]
    assert (found["archive"], found["sighting"]) == ("march", "2")
    nobody = client.post("/api/search/picture", content=b"x")
    assert nobody.status_code == 400


def test_a_search_can_be_narrowed(client):
    asked = {"identity": 3, "archive": "march", "archives": [""], "since": 1, "count": 1}
    assert len(client.post("/api/search", json=asked).json()["found"]) == 1


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"identity": 0},
        {"identity": 1, "count": 0},
        {"identity": 1, "since": -1},
        {"identity": 1, "colour": "red"},
    ],
)
def test_questions_that_are_none_are_refused(client, asked):
    assert client.post("/api/search", json=asked).status_code == 422


def test_archives_that_are_not_there_are_named(client):
    answer = client.post("/api/search", json={"identity": 1, "archive": "april"})
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "there is no archive april: there is march",
    )


def test_pictures_that_nobody_asked_for_are_not_there(client):
    for query in ("archive=april&sighting=1", "archive=march&sighting=../x"):
        assert client.get(f"/api/search/picture.jpg?{query}").status_code == 404
