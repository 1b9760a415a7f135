"""The report of a run: what it says, what it can stand, and that nothing in it is run."""

import re
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.cli.run_report import identity_table
from pipeline.report.page import Limits, render_report
from pipeline.results import open_results
from support.colour_network import write_colour_network
from support.made_up_run import write_made_up_run
from support.small_runs import run, write_scene

CHROMIUM = Path("/usr/bin/chromium")
MARKUP = (
    "\"'><img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
)


def write_run(folder, sightings, **options):
    return write_made_up_run(folder, sightings, boxes=False, **options)


def page_of(folder, **options):
    return render_report(open_results(folder), **options)


def crowd(people):
    return [
        (n, camera, 3.0 * n + shift, 3.0 * n + shift + 20)
        for n in range(1, people + 1)
        for camera, shift in (("door", 0), ("hall", 30))
    ]


@pytest.mark.parametrize("people", [0, 1, 8])
def test_everybody_is_shown_however_few(people, tmp_path):
    page = page_of(write_run(tmp_path / "run", crowd(people), crops=2))
    assert len(re.findall(r'<article id="p\d+"', page)) == people
    assert page.count("data:image/jpeg") == 2 * people
    assert ("No persons were detected" in page) == (people == 0)


def test_a_crowd_is_cut_and_the_page_says_so(tmp_path):
    folder = write_run(tmp_path / "run", crowd(2000), crops=1)
    page = page_of(folder)
    assert page.count("<article") == 120
    assert "of 2,000" in page
    assert "the first 200 of 2,000" in page
    assert "more visits had no room here" in page
    assert len(page) < 3_000_000


def test_those_longest_in_view_are_kept(tmp_path):
    sightings = [(1, "a", 0, 1), (2, "a", 0, 9), (3, "a", 0, 5)]
    page = page_of(write_run(tmp_path / "run", sightings), limits=Limits(cards=2))
    assert re.findall(r'<article id="p(\d+)"', page) == ["2", "3"]


def test_tracks_without_identity_are_counted_apart(tmp_path):
    page = page_of(write_run(tmp_path / "run", [(-1, "a", 0, 1), (4, "a", 0, 5)]))
    assert re.findall(r'<article id="p(\d+)"', page) == ["4"]
    assert "1 track without an identity" in page


def test_a_failed_run_says_why(tmp_path):
    record = {"status": "failed", "reason": "disk full", "warnings": ["cam1: cut short"]}
    page = page_of(write_run(tmp_path / "run", crowd(1), record=record))
    assert "The run is failed: disk full" in page
    assert "cam1: cut short" in page


def test_files_that_are_no_pictures_are_left_out(tmp_path):
    folder = write_run(tmp_path / "run", crowd(1), crops=1)
    (folder / "gallery" / "0001" / "hall_t2_5ms.jpg").write_bytes(b"<script>no picture</script>")
    assert page_of(folder).count("data:image/jpeg") == 1


def test_a_run_writes_its_report(tmp_path):
    scene = write_scene(tmp_path / "scene")
    out = tmp_path / "out"
    weights = write_colour_network(tmp_path / "colour.xml")
    assert run(scene, weights, out, "--no-video") == 0
    page = (out / "report.html").read_text()
    assert "cam1" in page
    assert "data:image/jpeg" in page
    assert (out / "report.html").stat().st_mode & 0o077 == 0


def test_the_command_writes_where_it_is_told(tmp_path):
    folder = write_run(tmp_path / "run", crowd(2))
    assert main(["report", str(folder), "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").is_file()
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("identities.csv", "global_id,camera,first_s,last_s\n1,a,zero,2\n"),
        ("identities.csv", "global_id,camera,first_s,last_s\n1,a,nan,2\n"),
        ("identities.csv", "global_id,camera,first_s,last_s\n1,a,5,2\n"),
        ("identities.csv", "who,where\n1,a\n"),
        ("identities.csv", None),
        ("run.json", "{"),
        ("run.json", '{"cameras": 3}'),
    ],
)
def test_damaged_files_are_one_line_and_exit_code_2(name, content, tmp_path, capsys):
    folder = write_run(tmp_path / "run", crowd(1))
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    assert main(["report", str(folder)]) == 2
    complaint = capsys.readouterr().err
    assert name in complaint
    assert complaint.count("\n") == 1


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_markup_in_names_stays_text_in_a_browser(tmp_path, width):
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    record = {
        "reason": MARKUP,
        "status": MARKUP,
        "started": MARKUP,
        "warnings": [MARKUP],
        "versions": {MARKUP: MARKUP},
        "resolved": {MARKUP: MARKUP},
        "inputs": [{"camera": MARKUP, "source": MARKUP}],
        "cameras": [{"camera": MARKUP, "frames": 3}],
    }
    sightings = [(1, MARKUP, 0, 5), (1, "hall", 9, 12), (2, "hall", 0, 4), (2, MARKUP, 6, 8)]
    name = "<script>document.title='broken'<"
    folder = write_run(tmp_path / name, sightings, record=record, crops=1)
    page_file = tmp_path / "page.html"
    page_file.write_text(page_of(folder))
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_page(viewport={"width": width, "height": 800})
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(page_file.as_uri())
        assert page.title() == f"{name}: who was where"
        assert page.locator("script").count() == 0
        assert page.locator("[onerror]").count() == 0
        assert page.locator("h1").inner_text() == name
        assert MARKUP in page.locator(".tag").first.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert said == []
        browser.close()


def test_the_page_and_the_table_of_a_run_agree_on_the_time_in_view(tmp_path):
    walk = [(1, "door", 0, 5), (1, "door", 12, 20), (1, "hall", 40, 44), (2, "hall", 0, 1)]
    folder = write_run(tmp_path / "run", walk)
    (in_view,) = (
        column
        for column in identity_table(open_results(folder)).columns
        if column.header == "in view"
    )
    assert list(in_view.cells) == ["24.0 s", "1.0 s"]  # 20 at the door over a gap, 4 in the hall
    page = page_of(folder)
    assert re.findall(r"</span> (\S+ \S+) in view", page) == ["24.0 s", "1.0 s"]
