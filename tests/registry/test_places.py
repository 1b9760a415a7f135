"""Places on the floor in the identity store of a live run, and what reads them."""

import json
import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from pipeline.events import Event
from pipeline.jobs.live_registry import LiveRegistry
from pipeline.layout.recording import REGISTRY
from pipeline.places import Places
from pipeline.results import open_results
from pipeline.zone_settings import FLOOR, ZoneMap
from support.registry_feed import START, event, frame_result


def placed(*people, at, camera="lobby"):
    """A frame of ``(track, person, x, y)``, each known to 0.3 m across and 0.4 m along."""
    result = frame_result([each[:2] for each in people], camera, START + at)
    xy = np.array([each[2:] for each in people], float).reshape(-1, 2)
    spread = np.tile([0.09, 0.0, 0.16], (len(people), 1))
    spread[np.isnan(xy[:, 0])] = np.nan
    places = Places(xy, spread, np.full(len(people), 1.7))
    return replace(result, tracks=replace(result.tracks, places=places))


@pytest.fixture
def walked(feed):
    """Person 1 walks along ``x`` at 1 m/s for 4 s, person 2 has no place, person 3 no calibration."""
    told = []
    for step in range(9):
        feed.clock.now = START + step / 2
        people = [(1, 11, step / 2, 3.0), (2, 12, np.nan, np.nan)]
        events = [event("new", 11, "lobby", 1, at=2.0)] if step == 4 else []
        told += feed.registry.write([placed(*people, at=step / 2)], events)
    feed.see((9, 13), camera="yard", at=5)
    feed.stored().told = told
    return feed


def test_people_and_sightings_have_their_last_place_and_speed(walked):
    people = {each.identity: each for each in walked.records.people(limit=9)}
    (sighting,) = walked.records.sightings(identity=1, limit=9)
    for found in (people[1], sighting):
        place = found.x_m, found.y_m, found.uncertainty_m, found.speed_m_s
        assert place == pytest.approx((4.0, 3.0, 0.4, 1.0), abs=1e-6)
    for other in (2, 3):
        found = people[other]
        assert (found.x_m, found.y_m, found.uncertainty_m, found.speed_m_s) == (None,) * 4


def test_events_say_where_somebody_stood(walked):
    (new,) = walked.told
    assert new.place == pytest.approx((2.0, 3.0, 0.4))
    fields = new.as_json()
    assert (fields["x_m"], fields["y_m"], fields["uncertainty_m"]) == (2.0, 3.0, 0.4)
    assert Event.from_json(fields) == replace(new, embedding=None)


def test_recorded_sightings_have_places_as_those_of_runs(walked, path):
    (path / "recording.json").write_text("{}")
    table = open_results(path).sightings().set_index("global_id")
    assert table.loc[1, ["x_m", "y_m", "uncertainty_m", "speed_m_s"]].tolist() == pytest.approx(
        [4.0, 3.0, 0.4, 1.0], abs=1e-6
    )
    assert np.isnan(table.loc[3, "x_m"])


def test_places_go_with_their_sighting(walked, path):
    walked.registry.close()
    with sqlite3.connect(path / REGISTRY) as connection:
        assert connection.execute("SELECT count(*) FROM places").fetchone() == (1,)
        connection.execute("DELETE FROM sightings WHERE track = 1")
        assert connection.execute("SELECT count(*) FROM places").fetchone() == (0,)


def test_zones_in_metres_count_over_cameras_and_stay_out_of_what_is_drawn(path, feed):
    feed.registry.close()
    hall = ZoneMap(zones={"hall": [(0, 2), (9, 2), (9, 4), (0, 4)]})
    registry = LiveRegistry(path, keep_s=None, clock=feed.clock, zones={FLOOR: hall})
    told = []
    for step in range(6):
        feed.clock.now = START + step / 2
        for camera, x in (("lobby", 1.0), ("yard", 1.1)):
            result = placed((1, 11, x, 3.0), (2, 12, 1.0, 8.0), at=step / 2, camera=camera)
            told += registry.write([result], [])
    (entry,) = (each for each in told if each.zone)
    assert (entry.kind, entry.zone, entry.global_id) == ("entry", "hall", 1)
    assert entry.place[:2] == (1.0, 3.0)
    (count,) = registry.zones.counts()
    assert (count.cameras, count.inside, count.entries) == ((FLOOR,), 1, 1)
    registry.draw_zones("lobby", ZoneMap(lines={"door": [(0, 0), (0, 50)]}))
    assert set(json.loads((path / "zones.json").read_text())) == {"lobby"}
    assert FLOOR in registry.zones.maps
    registry.close()
