"""Videos of one frame a second: who walks is tracked, and who cannot be is warned of."""

import csv
import json

import numpy as np
import pytest

from support.colour_network import write_colour_network
from support.small_archives import batch
from support.small_runs import SIZE, rows_of, run
from support.video_files import write_video

FRAMES = 30
LOOSE = "1 frame a second, 30 of 30 boxes belong to no track or are the only one of theirs"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


def walks(index):
    """A person 120 px high who walks across, again and again: more than a box width a second."""
    return 10 + 60 * (index % 5), 60, 40, 120


def jumps(index):
    """A person 30 px high who is elsewhere in every frame."""
    return 10 + 250 * (index % 2), 60 + 130 * (index // 2 % 2), 10, 30


def write_clip(folder, box_of, *, file="slow.mp4", camera="slow"):
    """A video of one person at one frame a second, and ``boxes.csv``."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    images = []
    with (folder / "boxes.csv").open("w", newline="") as boxes:
        rows = csv.writer(boxes)
        rows.writerow(["camera", "frame", "x", "y", "w", "h"])
        for index in range(FRAMES):
            x, y, w, h = box_of(index)
            image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
            image[y : y + h, x : x + w] = (40, 40, 220)
            images.append(image)
            rows.writerow([camera, index, x, y, w, h])
    write_video(folder / file, frames=images, rate=1)
    return folder


def test_who_walks_is_in_tracks_with_all_boxes_but_the_first(weights, tmp_path):
    scene = write_clip(tmp_path / "scene", walks)
    assert run(scene, weights, tmp_path / "out", "--no-video") == 0
    frames = {int(row["frame"]) for row in rows_of(tmp_path / "out" / "tracks.csv")}
    assert frames >= set(range(1, FRAMES))
    assert json.loads((tmp_path / "out" / "run.json").read_text())["warnings"] == []


def test_a_run_warns_in_record_terminal_and_report(weights, tmp_path, capsys):
    scene, out = write_clip(tmp_path / "scene", jumps), tmp_path / "out"
    assert run(scene, weights, out, "--no-video") == 0
    (warning,) = json.loads((out / "run.json").read_text())["warnings"]
    assert warning.startswith(f"slow: {LOOSE}")
    assert LOOSE in " ".join(capsys.readouterr().err.split())
    assert LOOSE in (out / "report.html").read_text()


def test_a_batch_warns_in_record_terminal_and_report(weights, tmp_path, capsys):
    file = "slow/20260105_120000.mp4"
    folder = write_clip(tmp_path / "footage", jumps, file=file, camera=file)
    out = tmp_path / "archive"
    assert batch(folder, weights, out) == 0
    (entry,) = json.loads((out / "archive.json").read_text())["files"]
    assert [text.startswith(LOOSE) for text in entry["warnings"]] == [True]
    assert f"{file}: {LOOSE}" in " ".join(capsys.readouterr().err.split())
    assert LOOSE in (out / "report.html").read_text()


@pytest.mark.parametrize("batch_size", ["1", "7"])
def test_tracks_at_a_low_rate_are_the_same_for_every_batch_size(weights, tmp_path, batch_size):
    scene = write_clip(tmp_path / "scene", walks)
    for out, size in (("one", "4"), ("other", batch_size)):
        flags = ("--no-video", "--batch-size", size)
        assert run(scene, weights, tmp_path / out, *flags) == 0
    tables = [(tmp_path / out / "tracks.csv").read_bytes() for out in ("one", "other")]
    assert tables[0] == tables[1]
