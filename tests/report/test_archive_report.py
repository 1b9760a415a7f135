"""The report of an archive, which has no gallery, no CSV, and any number of tracklets."""

import json
import re

import cv2
import numpy as np
import pyarrow as pa
import pytest

from pipeline.archive.store import (
    IDENTITY_SCHEMA,
    THUMBNAIL_SCHEMA,
    ArchiveFolder,
    sighting_schema,
    write_table,
)
from pipeline.build_report import read_reported
from pipeline.cli import main
from pipeline.report.page import render_report
from small_archives import batch, write_boxes, write_footage
from small_runs import write_random_weights

MONDAY_US = 1_767_571_200_000_000
DAY = "2026-01-05"
MARKUP = "<script>document.title='broken'</script>"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    footage = write_footage(tmp_path_factory.mktemp("footage"))
    (footage / "cam1" / "20260106_000100.mp4").write_bytes(b"no video")
    write_boxes(footage, ["cam1/20260106_000100.mp4"], frames=1)
    weights = write_random_weights(footage / "weights.safetensors")
    out = tmp_path_factory.mktemp("out") / "archive"
    assert batch(footage, weights, out) == 0
    return out


def jpeg(shade):
    image = np.full((60, 30, 3), shade, np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def made_up(path, *, tracklets, people, cameras=4, file="a.mp4"):
    """An archive of one day, a part for each camera, written as a batch would."""
    folder = ArchiveFolder(path)
    random = np.random.default_rng(0)
    schema = sighting_schema(1)
    identities = {"tracklet_id": [], "global_id": [], "similarity": []}
    for number in range(cameras):
        count = tracklets // cameras
        names = [f"{number}-{n}" for n in range(count)]
        first = np.sort(random.integers(0, 80_000_000_000, count)) + MONDAY_US
        columns = {
            "tracklet_id": names,
            "track_id": list(range(count)),
            "first_time": first.tolist(),
            "last_time": (first + random.integers(10**6, 10**8, count)).tolist(),
            "file": [file] * count,
            "quality": random.random(count).tolist(),
        }
        rest = [name for name in schema.names if name not in columns]
        table = pa.table(columns | {name: [None] * count for name in rest}, schema=schema)
        part = {"camera": f"cam{number}", "day": DAY, "key": f"k{number}"}
        folder.write_part(folder.part_path("sightings", **part), table)
        pictures = {"tracklet_id": names, "jpeg": [jpeg(90)] * count}
        thumbnails = pa.table(pictures, schema=THUMBNAIL_SCHEMA)
        folder.write_part(folder.part_path("thumbnails", **part), thumbnails)
        identities["tracklet_id"] += names
        identities["global_id"] += (random.integers(people, size=count) + 1).tolist()
        identities["similarity"] += [0.9] * count
    write_table(folder.identities_path, pa.table(identities, schema=IDENTITY_SCHEMA))
    files = [{"file": file, "camera": "cam0", "status": "skipped", "reason": f"broken {file}"}]
    names = [f"cam{n}" for n in range(cameras)]
    folder.write_record({"status": "complete", "files": files, "cameras": names})
    return path


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
    reported = read_reported(made_up(tmp_path / "archive", tracklets=400, people=2))
    pictures = reported.pictures([2], 6)
    assert {number: len(each) for number, each in pictures.items()} == {2: 6}
    assert reported.pictures([99], 6) == {99: []}


def test_a_hundred_thousand_tracklets_are_a_page_of_some_megabytes(tmp_path):
    folder = made_up(tmp_path / "archive", tracklets=100_000, people=3000)
    page = render_report(read_reported(folder))
    assert page.count("<article") == 120
    assert "of 3,000" in page
    assert len(page) < 4_000_000


def test_names_of_files_stay_text(tmp_path):
    folder = made_up(tmp_path / "archive", tracklets=8, people=2, file=MARKUP)
    page = render_report(read_reported(folder))
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
    folder = made_up(tmp_path / "archive", tracklets=8, people=2)
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
    folder = made_up(tmp_path / "archive", tracklets=0, people=1)
    assert "Nobody was found" in render_report(read_reported(folder))
    assert json.loads((folder / "archive.json").read_text())["status"] == "complete"
