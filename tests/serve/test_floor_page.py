"""The map of the floor and calibration by clicking, in a real browser."""

import re
from dataclasses import replace

import pytest
import yaml

from pipeline.floor.placing import Floor
from pipeline.settings import Settings
from support import live_page
from support.live_page import NEEDS_CHROMIUM, expect
from support.live_view import walk

pytestmark = NEEDS_CHROMIUM

SIZE = (960, 540)
POINTS = [(100, 500, -3, 1), (860, 500, 3, 1), (300, 380, -3, 9), (660, 380, 3, 9)]


@pytest.fixture
def calibrated(monkeypatch):
    """The lobby alone is calibrated, and people in it have places."""
    cameras = [{"name": "lobby", "source": "-", "floor_points": POINTS}]
    cameras += [{"name": name, "source": "-"} for name in ("entrance", "car_park")]
    settings = Settings(cameras=cameras, floor={"zones": {"hall": [[-3, 0], [3, 0], [3, 9]]}})
    floor = Floor(settings.cameras)

    def placed(*args):
        result = walk(*args)
        return replace(result, tracks=floor.place(result.frame, result.tracks))

    monkeypatch.setattr(live_page, "walk", placed)
    monkeypatch.setattr(live_page.LiveRun, "floor", settings, raising=False)


def open_map(opened):
    opened.run.view.set("lobby", size=SIZE)
    opened.page.locator(".tabs a", has_text="Map").click()
    return opened.page


def test_the_map_shows_views_and_people_who_move_and_opens_them(calibrated, open_page):
    page = open_map(open_page())
    person = page.locator("#floor-here li")
    expect(person).to_have_text(re.compile(r"^Person 2-?\d\.\d m, [01]\.\d m$"))
    expect(page.locator("#floor-map .view")).to_have_count(1)
    expect(page.locator("#floor-map .name")).to_have_text("lobby")
    expect(page.locator("#floor-map")).to_have_attribute("aria-label", re.compile("1 person"))
    dot = page.locator("#floor-map .here")
    before = dot.get_attribute("cx")
    page.wait_for_function(
        "before => document.querySelector('#floor-map .here').getAttribute('cx') !== before",
        arg=before,
    )
    expect(page.locator("#floor-map .path")).not_to_have_count(0)
    expect(page.locator("#floor-map .heat")).not_to_have_count(0)
    red, green, blue = bytes.fromhex(page.locator("#floor-map .view").get_attribute("fill")[1:])
    page.locator(".tabs a", has_text="Timeline").click()
    mark = page.locator("#legend span", has_text="lobby").locator("i")
    expect(mark).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
    page.locator(".tabs a", has_text="Map").click()
    for what, shapes in (("Views", ".view"), ("Paths", ".path"), ("Heat map", ".heat")):
        page.get_by_role("checkbox", name=what).uncheck()
        expect(page.locator(f"#floor-map {shapes}")).to_have_count(0)
    person.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#person")).to_contain_text("Person 2")


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_the_map_fits_windows_of_every_width(calibrated, open_page, width):
    opened = open_page()
    opened.page.set_viewport_size({"width": width, "height": 800})
    page = open_map(opened)
    expect(page.locator("#floor-map .here")).to_have_count(1)
    box = page.locator("#floor-map").bounding_box()
    assert 0.5 * min(width, 800) < box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_calibration_the_map_says_how_to_get_one(open_page):
    page = open_map(open_page())
    empty = page.locator("#floor-empty")
    expect(empty).to_contain_text("No camera is calibrated")
    expect(page.locator("#floor-body")).to_be_hidden()
    empty.get_by_role("button").click()
    expect(page.locator("#calibration")).to_be_visible()


def test_points_are_clicked_and_typed_tried_and_downloaded(open_page):
    opened = open_page()
    page = open_map(opened)
    page.get_by_role("button", name="Calibrate a camera").first.click()
    page.locator("#calibration-camera").select_option("lobby")
    expect(page.locator("#calibration-canvas circle")).to_have_count(0)
    canvas = page.locator("#calibration-canvas")
    expect(canvas).to_have_attribute("viewBox", "0 0 960 540")
    box = canvas.bounding_box()

    def add(px, py, x, y):
        at = {"x": px / SIZE[0] * box["width"], "y": py / SIZE[1] * box["height"]}
        canvas.click(position=at)
        page.get_by_label("x in metres").fill(str(x))
        page.get_by_label("y in metres").fill(str(y))
        page.get_by_role("button", name="Add point").click()

    hint, save = page.locator("#calibration-hint"), page.locator("#calibration-save")
    for point in POINTS[:3]:
        add(*point)
    expect(hint).to_contain_text("1 more point at least")
    expect(save).to_be_disabled()
    add(*POINTS[3])
    expect(hint).to_contain_text("Four points always fit")
    expect(page.locator("#calibration-picture")).to_have_attribute("src", re.compile("^blob:"))

    # By the keys: the cursor is in the middle of where was clicked last.
    canvas.focus()
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowUp", "Enter"):
        page.keyboard.press(key)
    page.get_by_label("x in metres").fill("40")
    page.get_by_label("y in metres").fill("-30")
    page.keyboard.press("Enter")
    expect(hint).to_contain_text("fit no view of one floor")
    expect(hint).to_have_class("bad")
    page.get_by_role("button", name="Remove point 5").click()
    expect(hint).to_contain_text("Root mean square error")
    expect(page.locator("#calibration-points tr").first).to_contain_text("cm (a pixel")

    with page.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == "floor_points_lobby.yaml"
    (camera,) = yaml.safe_load(download.value.path().read_text())["cameras"]
    assert camera["name"] == "lobby"
    for found, given in zip(camera["floor_points"], POINTS, strict=True):
        assert found == pytest.approx(given, abs=2)
    opened.faults[:] = [fault for fault in opened.faults if "status of 400" not in fault]
