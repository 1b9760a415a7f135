"""The watch list on the page, in a real browser."""

from pipeline.person_picture import PersonPicture
from support.api_client import vector_of
from support.live_page import MARKUP, NEEDS_CHROMIUM, expect, open_person

pytestmark = NEEDS_CHROMIUM


def test_somebody_is_looked_for_by_a_photograph_and_by_a_sighting_and_removed(open_page):
    opened = open_page()
    page, run = opened.page, opened.run
    page.locator(".tabs a", has_text="Watch").click()
    expect(page.locator("#watch-note")).to_contain_text("from a similarity of 0.")
    page.get_by_label("Name for alerts").fill(MARKUP)
    photographs = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": b"12"} for n in "ab"]
    page.locator("#enrol-files").set_input_files(photographs)
    page.get_by_role("button", name="Look for this person").click()
    card = page.locator("#watched .card", has_text=MARKUP)
    expect(card).to_contain_text("2 pictures")
    assert [each.name for each in run.registry.watched.people()] == [MARKUP]
    card.get_by_role("button").click()
    expect(page.locator("#watched .card")).to_have_count(0)

    page.get_by_label("Name for alerts").fill("Anna")
    page.get_by_label("Person number in the archive").fill("3")
    page.get_by_role("button", name="Look for this person").click()
    expect(page.locator("#watched .card", has_text="Anna")).to_contain_text("1 picture")

    dialog = open_person(page, "Person 2")
    dialog.get_by_role("button", name="Look for this person").click()
    expect(dialog.locator(".toast").last).to_contain_text("no picture that is good enough")
    opened.faults[:] = [fault for fault in opened.faults if "status of 409" not in fault]


def test_an_alert_is_told_shown_with_both_pictures_and_answered(open_page):
    opened = open_page()
    page, run = opened.page, opened.run
    run.registry.enrol("Anna", [PersonPicture(run.jpeg, vector_of(1))])
    run.looks[1] = vector_of(1)
    toast = page.locator(".toast", has_text="Anna was seen in entrance")
    toast.get_by_role("link", name="Show").click()
    alert = page.locator("#alerts .alert")
    expect(alert).to_have_count(1)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.alert img')].every((i) => i.naturalWidth > 0)"
    )
    alert.get_by_role("button", name="No:").click()
    expect(alert.get_by_role("button", name="No:")).to_have_attribute("aria-pressed", "true")
    (kept,) = run.registry.watched.alerts(limit=9)
    assert kept.is_match is False
    page.locator(".tabs a", has_text="Activity").click()
    page.get_by_role("button", name="Alerts").click()
    expect(page.locator("#events li")).to_contain_text("Anna was seen in entrance: Person 1")
