"""Zones and lines in the API and in metrics."""

from support.live_view import NOW, walk

SHOP = {"zones": {"shop": [[0, 0], [960, 0], [960, 540], [0, 540]]}, "lines": {}}

NOTHING = {"zones": {}, "lines": {}}


def draw(client, camera="lobby", drawn=SHOP):
    return client.put(f"/api/cameras/{camera}/zones", json=drawn)


def stay(run):
    for step in range(4):
        run.clock.now = NOW + 20 + step
        people = [(21, 21, 400, 480, 300), (22, 22, 600, 480, 300)]
        run.registry.write([walk(0, "lobby", 0, run.clock.now, people)], [])
    run.registry.write([], [])


def test_zones_are_drawn_and_count_from_then_on(client, run):
    assert client.get("/api/zones").json() == {"cameras": {}, "floor": NOTHING, "zones": []}
    assert draw(client).json()["cameras"] == {"lobby": SHOP}
    stay(run)
    (zone,) = client.get("/api/zones").json()["zones"]
    assert zone == {
        "name": "shop",
        "is_line": False,
        "cameras": ["lobby"],
        "inside": 2,
        "entries": 2,
        "exits": 0,
        "median_dwell_s": None,
    }
    events = client.get("/api/events").json()[-2:]
    assert [(each["kind"], each["zone"]) for each in events] == [("entry", "shop")] * 2


def test_metrics_have_a_label_for_each_zone(client, run):
    draw(client)
    stay(run)
    text = client.get("/metrics").text
    assert 'reid_pipeline_zone_inside{zone="shop"} 2.0' in text
    assert 'reid_pipeline_zone_passages_total{direction="in",zone="shop"} 2.0' in text


def test_shapes_and_cameras_that_are_none_are_refused(client):
    assert draw(client, camera="nowhere").status_code == 404
    assert draw(client, drawn={"zones": {"shop": [[0, 0], [1, 1]]}}).status_code == 422
    assert draw(client, drawn={"name": "x"}).status_code == 422
    assert client.get("/api/zones").json()["zones"] == []


def test_drawing_nothing_removes_what_was_drawn(client):
    draw(client)
    assert draw(client, drawn={}).json()["zones"] == []
