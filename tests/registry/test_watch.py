"""The watch list: one alert per stay, and a threshold that learns."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.datatypes import CropEvidence
from pipeline.errors import EditError
from pipeline.jobs.live_registry import LiveRegistry as Registry
from pipeline.live_settings import WatchSettings
from pipeline.person_picture import PersonPicture
from pipeline.registry.alert_rate import AlertRate
from support.api_client import CURVE
from support.registry_feed import START, Clock, frame_result

DIM = 8
ANNA, BERT, CARLA = np.eye(DIM, dtype=np.float32)[:3]
SETTINGS = WatchSettings(false_alerts_per_day=10, stay_gap_s=30)


def noisy(vector, rng, share=0.3):
    vector = vector + share * rng.normal(size=DIM) / np.sqrt(DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Site:
    """A registry that is shown people with what they look like."""

    def __init__(self, path, **options):
        self.clock = Clock()
        self.registry = Registry(
            path, keep_s=None, clock=self.clock, watch=SETTINGS, curve=CURVE, **options
        )
        self.rng = np.random.default_rng(0)

    def see(self, at, *people, camera="lobby"):
        """One frame with ``(track, matcher's number, vector)`` each; returns the alerts."""
        self.clock.now = START + at
        result = frame_result([each[:2] for each in people], camera, START + at)
        vectors = np.array([noisy(each[2], self.rng) for each in people], np.float32)
        rows = np.arange(len(people))
        quality = np.full(len(people), 0.8, np.float32)
        result = replace(result, evidence=CropEvidence(rows, vectors, quality))
        told = self.registry.write([result], [])
        return [each for each in told if each.kind == "alert"]

    def stay(self, begin, seconds, *people, camera="lobby"):
        frames = [self.see(begin + step, *people, camera=camera) for step in range(seconds)]
        return [alert for each in frames for alert in each]


@pytest.fixture
def site(path):
    site = Site(path)
    yield site
    site.registry.close()


def enrol(site, name, *vectors):
    return site.registry.enrol(name, [PersonPicture(b"enrolled", each) for each in vectors])


def test_somebody_on_the_list_is_told_once_a_stay_with_both_pictures(site):
    enrol(site, "Anna", ANNA)
    alerts = site.stay(0, 10, (1, 11, ANNA), (2, 12, BERT))
    assert [(a.watched, a.camera, a.track_id, a.time_s) for a in alerts] == [
        ("Anna", "lobby", 1, START + 2)  # the third crop
    ]
    assert alerts[0].similarity > 0.8
    seen, enrolled = alerts[0].pictures
    assert seen.startswith(b"\xff\xd8")
    assert enrolled == b"enrolled"
    assert set(alerts[0].as_message()) - set(alerts[0].as_json()) == {"seen_jpeg", "watched_jpeg"}


def test_a_stay_goes_on_over_gaps_and_new_tracks_and_ends_after_a_long_one(site):
    enrol(site, "Anna", ANNA)
    assert len(site.stay(0, 5, (1, 11, ANNA))) == 1
    assert site.stay(20, 5, (3, 11, ANNA)) == []
    assert site.stay(50, 5, (4, 13, ANNA)) == []
    assert len(site.stay(100, 5, (5, 11, ANNA))) == 1


def test_another_camera_is_another_stay(site):
    enrol(site, "Anna", ANNA)
    assert len(site.stay(0, 5, (1, 11, ANNA))) == 1
    assert len(site.stay(2, 5, (1, 11, ANNA), camera="yard")) == 1


def test_adding_and_removing_counts_at_once(site):
    assert site.stay(0, 5, (1, 11, ANNA)) == []
    number = enrol(site, "Anna", ANNA)
    assert len(site.see(6, (1, 11, ANNA))) == 1
    site.registry.stop_watching(number)
    assert site.stay(100, 5, (2, 11, ANNA)) == []
    assert site.registry.watched.people() == []
    with pytest.raises(EditError, match="number 1"):
        site.registry.stop_watching(number)
    assert enrol(site, "Anna", ANNA) == number + 1, "a number is never used twice"


def test_several_pictures_of_one_name_are_one_person(site):
    mixed = (ANNA + BERT) / np.sqrt(2)
    enrol(site, "Anna", ANNA, mixed)
    enrol(site, " Anna ", ANNA)
    (person,) = site.registry.watched.people()
    assert (person.name, person.pictures) == ("Anna", 3)
    assert site.registry.watched.picture(person.watched) == b"enrolled"


@pytest.mark.parametrize("name", ["", "  \n", "x" * 81])
def test_names_that_are_none_are_refused(site, name):
    with pytest.raises(EditError, match="1 to 80"):
        enrol(site, name, ANNA)


def test_weights_without_calibration_keep_no_rate(path):
    registry = Registry(path, keep_s=None)
    with pytest.raises(EditError, match="calibrate --store"):
        registry.enrol("Anna", [PersonPicture(b"", ANNA)])
    assert registry.alert_threshold is None
    registry.close()


def test_alerts_are_kept_answered_and_outlive_a_restart(site, path):
    enrol(site, "Anna", ANNA)
    (alert,) = site.stay(0, 5, (1, 11, ANNA))
    site.registry.write([], [])
    (kept,) = site.registry.watched.alerts(limit=9)
    assert (kept.alert, kept.name, kept.identity, kept.is_match) == (alert.number, "Anna", 1, None)
    assert site.registry.watched.alert_picture(alert.number).startswith(b"\xff\xd8")
    site.registry.answer_alert(alert.number, is_match=True)
    site.registry.close()
    again = Site(path)
    assert again.registry.watched.alerts(limit=9)[0].is_match is True
    assert len(again.stay(100, 5, (1001, 11, ANNA))) == 1
    with pytest.raises(EditError, match="no alert 99"):
        again.registry.answer_alert(99, is_match=False)
    again.registry.close()


def test_whom_the_operator_denied_alerts_no_more(site):
    enrol(site, "Anna", ANNA)
    (alert,) = site.stay(0, 5, (1, 11, ANNA))
    site.registry.answer_alert(alert.number, is_match=False)
    assert site.stay(100, 5, (2, 11, ANNA)) == []
    assert len(site.stay(100, 5, (3, 12, ANNA))) == 1


def test_answers_move_the_threshold(site):
    enrol(site, "Anna", ANNA)
    before = site.registry.alert_threshold
    for stay in range(5):
        (alert,) = site.stay(100 * stay, 5, (stay, 10 + stay, ANNA))
        site.registry.answer_alert(alert.number, is_match=stay < 1)
    assert site.registry.alert_threshold > before + 0.05


def test_a_folder_owns_its_names_and_those_by_hand_stay(site):
    enrol(site, "Carla", CARLA)
    site.registry.enrol_folder(
        {"Anna": [PersonPicture(b"a", ANNA)], "Bert": [PersonPicture(b"b", BERT)]}
    )
    (alert,) = site.stay(0, 5, (1, 11, ANNA))
    site.registry.enrol_folder({"Anna": [PersonPicture(b"new", ANNA)]})
    people = {each.name: each for each in site.registry.watched.people()}
    assert set(people) == {"Anna", "Carla"}
    assert site.registry.watched.picture(people["Anna"].watched) == b"new"
    site.registry.write([], [])
    assert [a.alert for a in site.registry.watched.alerts(limit=9)] == [alert.number]


# From a rate to a threshold


def rate(**options):
    return AlertRate(CURVE, wanted=options.pop("wanted", 1.0), cameras=1, **options)


def test_the_threshold_has_the_wanted_rate():
    """500 people a day, one looked for: 0.002 of strangers, which the curve has at 0.54."""
    assert rate().threshold(people=1, correction=1.0) == pytest.approx(0.54, abs=0.005)
    assert rate(wanted=10).threshold(people=10, correction=1.0) == pytest.approx(0.54, abs=0.005)
    assert rate().threshold(people=1, correction=10.0) == pytest.approx(0.74, abs=0.005)


def test_beyond_the_curve_its_last_line_goes_on():
    far = rate(wanted=0.01).threshold(people=1, correction=1.0)
    assert far == pytest.approx(0.94, abs=0.01)
    assert rate().false_match_rate(far) == pytest.approx(10 ** (-far * 5), rel=0.05)
    assert rate(wanted=1e-9).threshold(people=1000, correction=1.0) == 1.0


def test_crowded_cameras_ask_for_more_similarity():
    crowded = rate()
    for n in range(10_000):
        crowded.note_person(n, "lobby", START + 8.64 * n)  # ten thousand a day
    quiet = rate()
    for n in range(10):
        quiet.note_person(n, "lobby", START + 8640 * n)
    thresholds = [each.threshold(people=1, correction=1.0) for each in (crowded, quiet)]
    assert thresholds[0] > 0.75
    assert thresholds[1] < 0.5


def test_people_count_once_a_day_and_camera_however_often_they_come():
    often, once = rate(), rate()
    for n in range(10_000):
        often.note_person(n % 10, "lobby", START + 8.64 * n)
    for n in range(10):
        once.note_person(n, "lobby", START + 8640 * n)
    thresholds = [each.threshold(people=1, correction=1.0) for each in (often, once)]
    assert thresholds[0] == pytest.approx(thresholds[1], abs=0.01)
    assert not often.note_person(3, "lobby", START + 86_300)
    assert often.note_person(3, "yard", START + 86_300)
    assert often.note_person(3, "lobby", START + 2 * 86_400)


@pytest.mark.parametrize("factor", [1.0, 10.0, 100.0])
def test_answers_lead_to_the_wanted_rate_whatever_the_site_makes_of_calibration(factor):
    """False alerts come ``factor`` times as often as calibration says; a day at a time."""
    wanted, expected, false = 1.0, 0.0, 0.0
    for _ in range(400):
        correction = AlertRate.correction_of(
            expected=expected, alerts=round(false) or 1, answered=round(false), false=round(false)
        )
        expected += wanted / correction
        false += wanted / correction * factor
    assert factor * wanted / correction == pytest.approx(wanted, rel=0.3)


# Erasing


def erase(site, identity):
    return site.registry.erase(identity, site.registry.let_go(identity).tracks)


def test_pictures_of_somebody_who_is_erased_go_and_those_of_others_stay(site):
    """By a sighting, by a photograph that was confirmed, and by one that nobody answered for."""
    enrol(site, "Anna", ANNA)
    (alert,) = site.stay(0, 5, (1, 11, ANNA), (2, 12, BERT))
    site.registry.answer_alert(alert.number, is_match=True)
    site.registry.let_go(1)  # stores what waits
    (sighting,) = site.registry.records.sightings(identity=1, limit=9)
    cut_out = PersonPicture(b"cut out", ANNA, sighting.sighting)
    site.registry.enrol("Her again", [cut_out])
    site.registry.enrol("Bert", [PersonPicture(b"another", BERT), cut_out])
    assert erase(site, 1) == []
    people = {each.name: each.pictures for each in site.registry.watched.people()}
    assert people == {"Bert": 1}
    assert [each.watched for each in site.registry.watched.alerts(limit=9)] == []
    assert len(site.stay(200, 5, (9, 13, ANNA))) == 0, "nobody looks for her any more"


def test_pictures_of_the_watch_folder_stay_and_are_named(site):
    site.registry.enrol_folder({"Anna": [PersonPicture(b"of the folder", ANNA)]})
    (alert,) = site.stay(0, 5, (1, 11, ANNA))
    site.registry.answer_alert(alert.number, is_match=True)
    assert erase(site, 1) == ["Anna"]
    assert [each.name for each in site.registry.watched.people()] == ["Anna"]
