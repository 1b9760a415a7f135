"""The page of a real live run in a real browser: cameras, detector, matcher, registry and all.

Begun by ``run``, which watches live when it is given cameras.
"""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from support.live_program import Program, is_live, wait_for, write_config

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = Path("/usr/bin/chromium")
WAIT_MS = 90_000
PICTURES = os.environ.get("LIVE_PAGE_PICTURES")
"""Folder for pictures of what the browser shows; none = none are kept."""

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed")


@pytest.fixture
def program(camera_list, tmp_path):
    cameras = camera_list("corridor", "lobby")
    program = Program(write_config(tmp_path), tmp_path / "out", cameras, command="run")
    yield program
    assert program.end(signal.SIGTERM) == 0, program.text()


@pytest.fixture
def page(program):
    wait_for(is_live(program, "corridor", "lobby"), program)
    faults = []
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(program.url)
        yield page
        browser.close()
    assert faults == []


def keep_picture(page, name):
    if PICTURES is not None:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def expect(locator):
    return playwright_api.expect(locator)


playwright_api.expect.set_options(timeout=WAIT_MS)


def test_pictures_move_somebody_appears_is_named_merged_and_it_is_undone(page, program, tmp_path):
    image = page.locator(".tile", has_text="lobby").locator("img")
    expect(image).to_be_visible()
    first = image.get_attribute("src")
    page.wait_for_function(
        "([image, first]) => image.naturalWidth === 960 && image.src !== first",
        arg=[image.element_handle(), first],
    )
    keep_picture(page, "live")

    page.locator(".tabs a", has_text="People").click()
    people = page.locator(".card.person")
    expect(people.nth(1)).to_be_visible()
    keep_picture(page, "people")
    people.first.click()
    dialog = page.locator("#person")
    dialog.get_by_label("Name", exact=True).fill("Ada <b>")
    dialog.get_by_role("button", name="Save name").click()
    expect(dialog.locator("h2")).to_have_text("Ada <b>")

    dialog.get_by_role("button", name="Same person as").click()
    dialog.locator(".pick .face").first.click()
    expect(dialog.locator(".person-head")).to_contain_text(re.compile(r"Also was ID \d"))
    keep_picture(page, "merged")
    (ada,) = json.loads(program.get("/api/people?search=Ada"))
    assert ada["merged"]

    dialog.locator(".toast", has_text="merged").get_by_role("button", name="Undo").click()
    expect(dialog.locator(".person-head")).not_to_contain_text("Also was")
    dialog.get_by_role("button", name="Close").click()
    page.locator(".tabs a", has_text="Activity").click()
    page.get_by_role("button", name="Corrections").click()
    by_hand = page.locator("#events li", has_text="Ada <b>")
    expect(by_hand.filter(has_text="undone").first).to_be_visible()
    keep_picture(page, "activity")
    for view in ("Timeline", "System"):
        page.locator(".tabs a", has_text=view).click()
        expect(page.locator(f"#view-{view.lower()}")).to_be_visible()
        page.wait_for_timeout(500)
        keep_picture(page, view.lower())

    def edits_in_the_log():
        logs = (tmp_path / "out" / "events").glob("*.jsonl")
        events = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
        return [event["kind"] for event in events if event["author"] == "hand"]

    wait_for(lambda: edits_in_the_log() == ["rename", "merge", "undo"], program)
