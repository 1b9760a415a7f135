"""Zones on the page, in a real browser."""

from support.live_page import NEEDS_CHROMIUM, WAIT_MS, expect

pytestmark = NEEDS_CHROMIUM


def save(page, button, **words):
    """Press a button, and wait until the server has taken what that changed."""
    with page.expect_response(lambda each: each.request.method == "PUT", timeout=WAIT_MS):
        page.get_by_role("button", name=button, **words).click()


def test_a_zone_is_drawn_by_mouse_and_a_line_by_keys_and_both_count(open_page):
    opened = open_page()
    page, run = opened.page, opened.run
    run.view.set("lobby", size=(960, 540))
    tile = page.locator(".tile", has_text="lobby")
    expect(tile.locator("img")).to_be_visible()
    page.wait_for_function(
        "() => document.querySelector('[data-key=lobby] svg.zones').hasAttribute('viewBox')"
    )
    tile.get_by_role("button", name="Zones and lines").click()
    canvas = page.locator("#zone-canvas")
    box = canvas.bounding_box()
    for x, y in ((0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)):
        canvas.click(position={"x": x * box["width"], "y": y * box["height"]})
    page.get_by_label("Name of the zone or line").fill("hall")
    save(page, "Add", exact=True)
    expect(page.locator("#zone-list li")).to_have_text(["hall zoneRemove"])
    corners = run.registry.zones.maps["lobby"].zones["hall"]
    assert len(corners) == 4
    assert abs(corners[0][0] - 0.02 * 960) < 5

    page.get_by_role("button", name="Line", exact=True).click()
    canvas.focus()
    for key in ("Enter", "Enter", "Backspace", "ArrowDown", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.get_by_label("Name of the zone or line").fill("door")
    save(page, "Add", exact=True)
    expect(page.locator("#zone-list li")).to_have_count(2)
    (x, y), second = run.registry.zones.maps["lobby"].lines["door"]
    assert second == (x + 1, y + 10)
    save(page, "Remove door")
    expect(page.locator("#zone-list li")).to_have_count(1)
    assert run.registry.zones.maps["lobby"].lines == {}
    page.locator("#zone-close").click()

    expect(page.locator("#zone-counts li", has_text="hall")).to_contain_text("1 inside")
    expect(tile.locator("svg.zones text")).to_have_text("hall")
    expect(page.locator("#latest")).to_contain_text("came into hall")
