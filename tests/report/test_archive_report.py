"""The report of an archive, which has no gallery, no CSV, and any number of tracklets."""

import json
import re

import pytest

from pipeline.cli import main
from pipeline.report.page import render_report
from pipeline.results import open_results
from support.colour_network import write_colour_network
from support.made_up_archive import write_made_up
from support.small_archives import batch, write_boxes, write_footage

MARKUP = "<script>document.title='broken'</script>"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    footage = write_footage(tmp_path_factory.mktemp("footage"))
    (footage / "cam1" / "20260106_000100.mp4").write_bytes(b"no video")
    write_boxes(footage, ["cam1/20260106_000100.mp4"], frames=1)
    weights = write_colour_network(footage / "colour.xml")
    out = tmp_path_factory.mktemp("out") / "archive"
    assert batch(footage, weights, out) == 0
    return out


def test_a_batch_writes_its_report(archive):
    page = (archive / "report.html").read_text()
    assert (archive / "report.html").stat().st_mode & 0o077 == 0
    assert re.findall(r'<article id="p(\d+)"', page) == ["1", "2"]
    assert page.count("data:image/jpeg") == 2 * 4
    assert "2026-01-05 23:59:59" in page
    assert "cam1/20260106_000100.mp4 was skipped" in page
    cells = re.findall(r"<td>(cam\d)</td><td class=\"path\">(.*?)</td>", page)
    assert cells == [("cam1", "4 files"), *((f"cam{n}", "3 files") for n in (2, 3, 4))]
    # Three files of each camera, with twenty frames and two tracks; tracks begin at their second box.
    figures = re.findall(r'<td class="number">(60|114|6)</td>', page)
    assert figures == ["60", "114", "6"] * 4


def test_the_command_writes_the_same_page_again(archive, tmp_path):
    page = tmp_path / "page.html"
    assert main(["report", str(archive), "--out", str(page)]) == 0
    assert page.read_bytes() == (archive / "report.html").read_bytes()


def test_pictures_are_the_best_with_the_cameras_taking_turns(tmp_path):
    results = open_results(write_made_up(tmp_path / "archive", tracklets=400, people=2))
    pictures = results.pictures_of([2], 6)
    assert {number: len(each) for number, each in pictures.items()} == {2: 6}
    assert results.pictures_of([99], 6) == {99: []}


def test_a_hundred_thousand_tracklets_are_a_page_of_some_megabytes(tmp_path):
    folder = write_made_up(tmp_path / "archive", tracklets=100_000, people=3000)
    page = render_report(open_results(folder))
    assert page.count("<article") == 120
    assert "of 3,000" in page
    assert len(page) < 4_000_000


def test_names_of_files_stay_text(tmp_path):
    folder = write_made_up(tmp_path / "archive", tracklets=8, people=2, file=MARKUP)
    page = render_report(open_results(folder))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("identities.parquet", None, "run `reid-pipeline batch` again"),
        ("identities.parquet", b"no table", "identities.parquet"),
        ("sightings/camera=cam0/day=2026-01-05/k0.parquet", b"no table", "k0.parquet"),
        ("archive.json", b"{", "archive.json"),
        ("archive.json", b'{"files": 3}', "archive.json"),
        ("archive.json", b'{"cameras": ["a"], "files": [{}]}', "archive.json"),
    ],
)
def test_damage_is_one_line_and_exit_code_2(name, content, told, tmp_path, capsys):
    folder = write_made_up(tmp_path / "archive", tracklets=8, people=2)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    assert main(["report", str(folder)]) == 2
    complaint = capsys.readouterr().err
    assert told in complaint
    assert complaint.count("\n") == 1
    assert not (folder / "report.html").exists()


def test_an_archive_without_anybody_says_so(tmp_path):
    folder = write_made_up(tmp_path / "archive", tracklets=0, people=1)
    assert "No persons were detected" in render_report(open_results(folder))
    assert json.loads((folder / "archive.json").read_text())["status"] == "complete"
