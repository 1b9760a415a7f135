"""Erasing a person on the page, in a real browser."""

from support.live_page import NEEDS_CHROMIUM, expect, open_person

pytestmark = NEEDS_CHROMIUM


def test_an_admin_erases_somebody_after_being_asked_once_more(open_page):
    opened = open_page()
    page, eraser = opened.page, opened.run.eraser
    dialog = open_person(page, "Person 1")
    dialog.get_by_role("button", name="Forget this person").click()
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    dialog.get_by_role("button", name="Keep").click()
    dialog.get_by_role("button", name="Forget this person").click()
    assert eraser.asked == []
    dialog.get_by_role("button", name="Erase for good").click()
    expect(page.locator("#toasts")).to_contain_text("Person 1 was erased.")
    expect(page.locator("#toasts")).to_contain_text("watch folder has pictures of Bert")
    assert eraser.asked == [1]
    expect(page.locator("#person")).not_to_be_visible()


def test_others_are_not_offered_it(open_page):
    opened = open_page()
    page = opened.page
    page.route("**/api/status", lambda route: route.fulfill(json=_as_operator(route.fetch())))
    page.reload()
    dialog = open_person(page, "Person 1")
    expect(dialog.get_by_role("button", name="Find by looks")).to_be_visible()
    expect(dialog.get_by_text("Forget this person")).to_have_count(0)


def _as_operator(answer):
    return answer.json() | {"role": "operator"}
