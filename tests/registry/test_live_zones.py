"""Zones and lines of a live run."""

import pytest

from pipeline.errors import SinkError
from pipeline.jobs.live_registry import LiveRegistry as Registry
from pipeline.layout.zones import ZONES_FILE, read_zones
from pipeline.zone_settings import ZoneMap
from support.registry_feed import START, Feed

ALL = ZoneMap(zones={"shop": [(0, 0), (100, 0), (100, 100), (0, 100)]})


class Shop(Feed):
    """A feed whose lobby is a zone."""

    def __init__(self, path, **options):
        super().__init__(path, **options)
        self.registry.close()
        self.registry = Registry(path, keep_s=None, clock=self.clock, zones={"lobby": ALL})


def stay(feed, begin, seconds, *, gone=0):
    told = []
    for step in range(seconds):
        told += feed.see((1, 11), at=begin + step)[0]
    for step in range(gone):
        told += feed.see(at=begin + seconds + step)[0]
    return [each for each in told if each.zone]


@pytest.fixture
def shop(path):
    shop = Shop(path)
    yield shop
    shop.registry.close()


def test_who_comes_and_goes_is_told_with_identity_and_stay(shop):
    came, went = stay(shop, 0, 6, gone=15)
    assert (came.kind, came.zone, came.global_id, came.camera) == ("entry", "shop", 1, "lobby")
    assert (went.kind, went.dwell_s, went.time_s) == ("exit", 5.0, START + 5)
    assert came.number < went.number
    assert came.from_json(went.as_json()) == went


def test_counts_outlive_a_restart_and_can_be_of_today(shop, path):
    stay(shop, 0, 6, gone=15)
    (count,) = shop.stored().registry.zones.counts(since_s=START)
    assert (count.name, count.entries, count.exits, count.median_dwell_s) == ("shop", 1, 1, 5.0)
    shop.registry.close()
    again = Shop(path)
    stay(again, 7200, 5)
    (count,) = again.stored().registry.zones.counts()
    assert (count.inside, count.entries, count.exits) == (1, 2, 1)
    (later,) = again.registry.zones.counts(since_s=START + 7200)
    assert (later.entries, later.exits) == (1, 0)
    again.registry.close()


def test_what_is_drawn_counts_at_once_and_is_kept_for_recorded_work(shop, path):
    stay(shop, 0, 3)
    door = ZoneMap(lines={"door": [(0, 0), (0, 50)]})
    shop.registry.draw_zones("lobby", door)
    assert [each.name for each in shop.registry.zones.counts()] == ["door"]
    assert stay(shop, 3, 20) == []
    recorded = {"settings": {"cameras": [{"name": "lobby", "zones": ALL.zones}]}}
    assert read_zones(path, recorded) == {"lobby": door}
    (path / ZONES_FILE).unlink()
    assert read_zones(path, recorded) == {"lobby": ALL}


def test_a_disk_that_is_full_leaves_zones_as_they_were(shop, path):
    (path / ZONES_FILE).mkdir()
    with pytest.raises(SinkError, match="zones"):
        shop.registry.draw_zones("lobby", ZoneMap())
    assert [each.name for each in shop.registry.zones.counts()] == ["shop"]


def test_counts_go_with_their_age(path):
    shop = Shop(path)
    shop.registry.close()
    shop.registry = Registry(path, keep_s=10_000, clock=shop.clock, zones={"lobby": ALL})
    stay(shop, 0, 6, gone=15)
    assert shop.stored().registry.zones.counts()[0].entries == 1
    assert shop.registry.zones.counts(since_s=START)[0].median_dwell_s == 5.0
    shop.see((2, 12), at=20_000)
    for _ in range(3):
        shop.clock.now += 15
        shop.registry.write([], [])
    assert shop.registry.zones.counts()[0].entries == 0
    assert shop.registry.zones.counts(since_s=START)[0].median_dwell_s is None
    shop.registry.close()


def test_one_who_sits_for_long_does_not_move_how_long_people_usually_stay(shop):
    for begin, seconds in ((0, 6), (40, 300), (400, 8)):
        stay(shop, begin, seconds, gone=15)
    (count,) = shop.stored().registry.zones.counts(since_s=START)
    assert (count.exits, count.median_dwell_s) == (3, 7.0)


def test_a_zone_outside_the_picture_is_told_once(shop, caplog):
    beyond = ZoneMap(zones={"far": [(5000, 0), (5100, 0), (5100, 100)]})
    shop.registry.draw_zones("lobby", beyond)
    stay(shop, 0, 3)
    assert caplog.text.count("camera lobby: far lies outside its picture of") == 1
