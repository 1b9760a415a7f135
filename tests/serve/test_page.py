"""The page in a real browser, used as an operator uses it."""

from support.live_page import MARKUP, NEEDS_CHROMIUM, expect, open_person

TOKEN = "correct-horse-battery"

pytestmark = NEEDS_CHROMIUM


def test_pictures_move_and_a_camera_that_is_down_says_why(open_page):
    page = open_page().page
    tile = page.locator(".tile", has_text="entrance")
    image = tile.locator("img")
    expect(image).to_be_visible()
    seen = set()
    for _ in range(3):
        page.wait_for_function(
            "([image, seen]) => image.naturalWidth === 960 && !seen.includes(image.src)",
            arg=[image.element_handle(), list(seen)],
        )
        seen.add(image.get_attribute("src"))
    assert len(seen) == 3
    down = page.locator(".tile", has_text="car_park")
    expect(down.locator(".cover strong")).to_have_text("Connection lost")
    expect(down.locator(".cover p")).to_have_text(f"no answer {MARKUP}")
    expect(page.locator("#condition")).to_have_text("1 of 3 cameras down")
    assert page.locator("img[src=x]").count() == 0


def test_pictures_that_nobody_looks_at_are_not_encoded(open_page):
    opened = open_page()
    page, view = opened.page, opened.run.view
    expect(page.locator(".tile img").first).to_be_visible()
    page.locator(".tabs a", has_text="System").click()
    expect(page.locator("#health tbody tr")).to_have_count(3)
    page.wait_for_timeout(1500)
    before = view.encoded
    page.wait_for_timeout(1500)
    assert view.encoded == before


def test_somebody_appears_is_named_merged_and_it_is_undone(open_page):
    opened = open_page()
    page, run = opened.page, opened.run
    people = page.locator(".card.person")
    page.locator(".tabs a", has_text="People").click()
    expect(people).to_have_count(2)

    run.people["lobby"] = (3, 3)
    expect(people).to_have_count(3)
    expect(page.locator(".card.person", has_text="Person 3")).to_contain_text("In view · lobby")

    dialog = open_person(page, "Person 3")
    dialog.get_by_label("Name", exact=True).fill(MARKUP)
    dialog.get_by_role("button", name="Save name").click()
    expect(dialog.locator("h2")).to_have_text(MARKUP)
    assert run.registry.name(3) == MARKUP

    dialog.get_by_role("button", name="Same person as").click()
    dialog.locator(".pick .face", has_text="Person 2").click()
    expect(dialog.locator(".person-head")).to_contain_text("Also was ID 2")
    expect(people).to_have_count(2)
    expect(dialog.locator(".sightings li")).to_have_count(2)

    dialog.locator(".toast", has_text="merged").get_by_role("button", name="Undo").click()
    expect(people).to_have_count(3)
    expect(dialog.locator(".sightings li")).to_have_count(1)
    dialog.get_by_role("button", name="Close").click()

    page.locator(".tabs a", has_text="Activity").click()
    page.get_by_role("button", name="Corrections").click()
    rows = page.locator("#events li")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("undone")
    rows.nth(2).get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(4)
    assert run.registry.name(3) == ""
    kinds = [said.kind for said in run.view.said]
    assert kinds == ["rename", "merge", "undo", "undo"]
    assert page.locator("img[src=x]").count() == 0
    assert page.title() == "Activity · reid-pipeline"


def test_sightings_of_somebody_else_are_split_off(open_page):
    opened = open_page()
    page, run = opened.page, opened.run
    run.people["lobby"] = (9, 1)
    page.locator(".tabs a", has_text="People").click()
    card = page.locator(".card.person", has_text="Person 1")
    expect(card).to_contain_text("2 sightings")
    dialog = open_person(page, "Person 1")
    expect(dialog.get_by_role("button", name="Split off")).to_be_disabled()
    dialog.locator(".sightings li", has_text="lobby").locator("input").check()
    dialog.get_by_role("button", name="Split off").click()
    expect(dialog.locator(".toast")).to_contain_text("Split off as Person 3")
    expect(dialog.locator(".sightings li")).to_have_count(1)
    assert run.registry.records.person(3).sightings == 1


def test_the_timeline_has_a_bar_for_every_sighting(open_page):
    page = open_page().page
    page.locator(".tabs a", has_text="Timeline").click()
    expect(page.locator("#chart .lane")).to_have_count(2)
    expect(page.locator("#chart .lane i")).to_have_count(2)
    expect(page.locator("#legend span")).to_have_count(3)
    page.get_by_role("button", name="24 h").click()
    expect(page.locator("#chart .lane i")).to_have_count(2)
    page.locator("#chart button").first.click()
    expect(page.locator("#person")).to_be_visible()


def test_no_view_is_wider_than_the_screen(open_page):
    page = open_page().page
    expect(page.locator(".tile img").first).to_be_visible()
    for width in (1600, 800, 360):
        page.set_viewport_size({"width": width, "height": 800})
        for view in ("Live", "People", "Timeline", "Search", "Watch", "Activity", "System"):
            page.locator(".tabs a", has_text=view).click()
            expect(page.locator(f"#view-{view.lower()}")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (view, width)


def test_the_page_says_that_the_server_is_gone(open_page):
    opened = open_page()
    page = opened.page
    expect(page.locator("#condition")).to_contain_text("down")
    page.locator(".tabs a", has_text="People").click()
    dialog = open_person(page, "Person 1")
    opened.run.server.stop(timeout_s=20)
    expect(page.locator("#banner")).to_be_visible()
    dialog.get_by_label("Name", exact=True).fill("Anna")
    dialog.get_by_role("button", name="Save name").click()
    expect(dialog.locator(".toast")).to_contain_text("The server does not answer")
    # The browser itself reports each request that failed.
    opened.faults[:] = [fault for fault in opened.faults if "Failed to load" not in fault]


def test_the_token_is_asked_for_and_a_wrong_one_is_refused(open_page):
    opened = open_page(token=TOKEN)
    page = opened.page
    expect(page).to_have_url(opened.run.server.url + "login")
    page.get_by_label("Access token").fill("a wrong token, but long")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not the token")
    page.get_by_label("Access token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".tile img").first).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Access token")).to_be_visible()
    # The wrong token, and what was on its way when the login ended.
    refused = ("status of 401", "status of 403")
    opened.faults[:] = [f for f in opened.faults if not any(each in f for each in refused)]
