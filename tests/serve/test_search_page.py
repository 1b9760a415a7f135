"""Search on the page, in a real browser."""

from support.live_page import NEEDS_CHROMIUM, expect, open_person

pytestmark = NEEDS_CHROMIUM


def test_a_person_and_a_photograph_are_found_and_time_narrows_it(open_page):
    opened = open_page()
    page = opened.page
    dialog = open_person(page, "Person 1")
    dialog.get_by_role("button", name="Find by looks").click()
    found = page.locator("#search-found .card")
    expect(found).to_have_count(2)
    expect(page.locator("#search-chosen")).to_have_text("Person 1")
    expect(found.last).to_contain_text("lobby · march")
    page.locator("#search-where").select_option("march")
    expect(found).to_have_count(1)
    page.locator("#search-since").fill("2026-01-05T08:00:00")
    page.wait_for_timeout(600)
    assert opened.run.lookup.asked.since_s > 1.7e9

    photograph = {"name": "anna.jpg", "mimeType": "image/jpeg", "buffer": opened.run.jpeg}
    page.locator("#search-file").set_input_files(photograph)
    expect(page.locator("#search-chosen")).to_have_text("anna.jpg")
    expect(page.locator("#search-note")).to_contain_text("1 sighting, most alike first")
    page.locator("#search-where").select_option("")
    expect(found).to_contain_text("Person 7")
