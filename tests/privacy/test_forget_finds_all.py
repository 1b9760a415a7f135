"""Who is forgotten is covered where the person is, and what is left of the person is noticed."""

import csv
import shutil

import av
import numpy as np
import pytest

from pipeline.cli import main
from pipeline.results import open_results, run_erasure
from support.colour_network import write_colour_network
from support.small_archives import batch, write_footage
from support.small_runs import SHIRTS, run, walker_box, write_scene
from support.video_files import write_video

GREY = 90


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


def picture(index, *, scale=1.0, empty=False):
    image = np.full((round(240 * scale), round(320 * scale), 3), GREY, np.uint8)
    if empty:
        return image
    x, y, w, h = (round(scale * each) for each in walker_box(1, index))
    image[y : y + h, x : x + w] = SHIRTS[1]
    return image


def write_walk(folder, camera, *, scales=None, times=None):
    """A walker, and the boxes; with several scales, the walker comes with the second."""
    folder.mkdir(parents=True, exist_ok=True)
    scales = scales or [1.0] * 30
    path = folder / f"{camera}.ts"
    seconds = times or [n / 10 for n in range(30)]
    if len(set(scales)) == 1:
        write_video(path, frames=[picture(n) for n in range(30)], times=seconds, gop=1)
    else:
        pieces = []
        for scale in dict.fromkeys(scales):
            own = [n for n in range(30) if scales[n] == scale]
            piece = write_video(
                folder / f"piece{scale}.ts",
                frames=[picture(n, scale=scale, empty=scale == scales[0]) for n in own],
                times=[seconds[n] for n in own],
                gop=1,
            )
            pieces.append(piece.read_bytes())
            piece.unlink()
        path.write_bytes(b"".join(pieces))
    new = not (folder / "boxes.csv").exists()
    with (folder / "boxes.csv").open("a", newline="") as file:
        rows = csv.writer(file)
        if new:
            rows.writerow(["camera", "frame", "x", "y", "w", "h"])
        for n in range(30):
            if len(set(scales)) > 1 and scales[n] == scales[0]:
                continue
            rows.writerow([camera, n, *(scales[n] * each for each in walker_box(1, n))])
    return path


def shirts(path):
    with av.open(str(path)) as video:
        images = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    colour = np.array(SHIRTS[1])
    return [int((np.abs(each.astype(int) - colour).max(axis=2) < 40).sum()) for each in images]


def forgotten(out):
    """Forget everybody; return the worst share of the shirt left, by video."""
    was = {path.name: max(shirts(path)) for path in out.glob("*.mp4")}
    for number in open_results(out).identities()["global_id"]:
        assert main(["forget", str(out), "--identity", str(number), "--yes"]) == 0
    return {name: max(shirts(out / name)) / most for name, most in was.items() if most}


def test_a_picture_that_changes_its_size_is_covered_behind_the_change(weights, tmp_path):
    sizes = [1.0] * 6 + [0.5] * 24
    video = write_walk(tmp_path / "scene", "gate", scales=sizes)
    assert run(tmp_path / "scene", weights, tmp_path / "run", cams=[str(video)]) == 0
    left = forgotten(tmp_path / "run")
    assert set(left) == {"gate.mp4", "mosaic.mp4"}
    assert max(left.values()) < 0.03


def test_a_slow_camera_is_covered_for_as_long_as_the_mosaic_shows_its_picture(weights, tmp_path):
    slow = write_walk(tmp_path / "scene", "slow", times=[n * 0.5 for n in range(30)])
    fast = write_video(
        tmp_path / "scene" / "fast.mp4",
        frames=[np.full((240, 320, 3), GREY, np.uint8)] * 145,
        rate=10,
    )
    cams = [str(slow), str(fast)]
    assert run(tmp_path / "scene", weights, tmp_path / "run", cams=cams) == 0
    assert max(forgotten(tmp_path / "run").values()) < 0.03


def test_frames_that_are_in_no_video_do_not_shift_what_is_covered(weights, tmp_path):
    """Numbers of frames go on where damaged ones are left out: time alone says which is which."""
    video = write_walk(tmp_path / "scene", "gate")
    assert run(tmp_path / "scene", weights, tmp_path / "run", cams=[str(video)]) == 0
    tracks = tmp_path / "run" / "tracks.csv"
    header, *rows = (line.split(",") for line in tracks.read_text().splitlines())
    moved = [[row[0], str(int(row[1]) + 7), *row[2:]] for row in rows]
    tracks.write_text("".join(",".join(each) + "\n" for each in [header, *moved]))
    assert max(forgotten(tmp_path / "run").values()) < 0.03


def test_a_video_without_the_pictures_of_the_person_is_refused_and_stays(weights, tmp_path, capsys):
    video = write_walk(tmp_path / "scene", "gate")
    assert run(tmp_path / "scene", weights, tmp_path / "run", cams=[str(video)]) == 0
    other = write_video(tmp_path / "other.mp4", frames=10, size=(320, 240), rate=3)
    shutil.copy(other, tmp_path / "run" / "gate.mp4")
    assert main(["forget", str(tmp_path / "run"), "--identity", "1", "--yes"]) == 2
    assert "gate.mp4 has no picture of" in capsys.readouterr().err
    assert (tmp_path / "run" / "gate.mp4").read_bytes() == other.read_bytes()


@pytest.mark.parametrize("names", [("01", "02"), ("NA", "1e3"), ("null", "True")])
def test_cameras_called_like_numbers_or_nothing_are_forgotten(names, weights, tmp_path):
    scene = write_scene(tmp_path / "scene", frames=16, people=1)
    text = (scene / "boxes.csv").read_text()
    for number, name in enumerate(names, start=1):
        (scene / f"cam{number}.mp4").rename(scene / f"{name}.mp4")
        text = text.replace(f"cam{number},", f"{name},")
    (scene / "boxes.csv").write_text(text)
    assert run(scene, weights, tmp_path / "run") == 0
    assert max(forgotten(tmp_path / "run").values()) < 0.03
    for table in ("tracks.csv", "identities.csv"):
        assert len((tmp_path / "run" / table).read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "case",
    [
        ("_rewrite_parquet", "tracks.parquet"),
        ("_csv_without", "identities.csv"),
        ("_events_without", "events"),
        ("_remove_crops", "gallery"),
    ],
)
def test_whatever_erasing_leaves_is_found_and_named(case, weights, tmp_path, monkeypatch, capsys):
    step, said = case
    scene = write_scene(tmp_path / "scene", frames=16, people=1)
    assert run(scene, weights, tmp_path / "run", "--no-video") == 0
    monkeypatch.setattr(
        run_erasure, step, lambda path, _: path.read_bytes() if path.is_file() else None
    )
    assert main(["forget", str(tmp_path / "run"), "--identity", "1", "--yes"]) == 2
    error = capsys.readouterr().err
    assert "is not forgotten" in error
    assert said in error


def test_what_is_left_in_an_archive_is_found_and_named(weights, tmp_path, monkeypatch, capsys):
    footage = write_footage(tmp_path / "footage", cameras=2, starts=("20260105_235959",))
    assert batch(footage, weights, tmp_path / "archive") == 0
    monkeypatch.setattr("pipeline.results.archive_erasure.write_table", lambda *_: None)
    assert main(["forget", str(tmp_path / "archive"), "--identity", "1", "--yes"]) == 2
    assert "is not forgotten" in capsys.readouterr().err
