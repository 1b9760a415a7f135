"""`reid-pipeline floor fit`: table, picture, errors."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import yaml

from pipeline.cli import main
from support.assets import SAMPLE_VIDEOS


def camera_list(folder, **entry):
    path = folder / "cams.yaml"
    video = str(SAMPLE_VIDEOS / "lobby.mp4")
    path.write_text(yaml.safe_dump({"cameras": [{"name": "lobby", "source": video, **entry}]}))
    return path


def sample_points():
    content = yaml.safe_load((SAMPLE_VIDEOS / "cameras.yaml").read_text())
    return next(each["floor_points"] for each in content["cameras"] if each["name"] == "lobby")


def test_errors_are_shown_and_the_grid_is_drawn_on_the_floor(tmp_path, capsys):
    points = sample_points()
    points[4][2] += 0.4
    out = tmp_path / "views"
    assert (
        main(["floor", "fit", str(camera_list(tmp_path, floor_points=points)), "--out", str(out)])
        == 0
    )
    shown = capsys.readouterr().out
    assert "5 (worst)" in shown
    assert "root mean square error" in shown
    drawn = cv2.imread(str(out / "lobby.jpg")).astype(int)
    with_lines = drawn[:, :, 1] - drawn[:, :, 2] > 60
    assert drawn.shape == (540, 960, 3)
    assert with_lines[280:].mean() > 0.01
    assert with_lines[:180].mean() < 0.001  # nothing above the horizon


def test_only_its_own_pictures_are_replaced(tmp_path, capsys):
    out = tmp_path / "photos"
    out.mkdir()
    photo = out / "lobby.jpg"
    assert cv2.imwrite(str(photo), np.full((20, 30, 3), 90, np.uint8))
    before = photo.read_bytes()
    cams = str(camera_list(tmp_path, floor_points=sample_points()))
    assert main(["floor", "fit", cams, "--out", str(out)]) == 2
    assert f"{photo} exists" in " ".join(capsys.readouterr().err.split())
    assert photo.read_bytes() == before
    photo.unlink()
    for _ in range(2):
        assert main(["floor", "fit", cams, "--out", str(out)]) == 0
    assert cv2.imread(str(photo)).shape == (540, 960, 3)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "has floor_points or a calibration"),
        ({"floor_points": [[1, 1, 0, 0]]}, "camera lobby: floor_points needs at least 4 points"),
        ({"floor_points": [[1, 1, 0]]}, "cameras.0: floor_points.0"),
        (
            {"floor_points": [[u + 100, *rest] for u, *rest in sample_points()]},
            "point 2 (1011.1, 328.3) is outside the picture of 960 x 540 pixels",
        ),
        ({"floor_points": [[v, u, x, y] for u, v, x, y in sample_points()]}, "outside the picture"),
        (
            {"floor_points": [*sample_points(), [*sample_points()[0][:2], 1, 1]]},
            "points 1 and 9 are one pixel with two places",
        ),
        (
            {"floor_points": [[u, v, 1000 * x, 1000 * y] for u, v, x, y in sample_points()]},
            "are 12000 m apart at most, which no view shows",
        ),
        (
            {"floor_points": [[u, v, 48 + x / 1e5, y / 1e5] for u, v, x, y in sample_points()]},
            "in metres, not in millimetres or degrees",
        ),
        ({"floor_points": [*sample_points()[:3], sample_points()[2]]}, "only 3 different ones"),
        ({"floor_points": [[float("nan"), 1, 2, 3], *sample_points()]}, "finite number, got nan"),
        ({"floor_points": [[u, v, x, 2] for u, v, x, _ in sample_points()]}, "on one line"),
        ({"calibration": {}}, "give files, or camera_matrix"),
        ({"calibration": {"files": ["gone.xml"]}}, "gone.xml does not exist"),
        (
            {"floor_points": sample_points(), "calibration": {"files": ["a.xml"]}},
            "give one of the two",
        ),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(tmp_path, capsys, entry, said):
    out = tmp_path / "views"
    assert main(["floor", "fit", str(camera_list(tmp_path, **entry)), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert said in " ".join(told.split())
    assert told.count("\n") == 1
    assert not out.exists()


def test_a_point_that_comes_twice_counts_as_it_is(tmp_path, capsys):
    points = sample_points()
    path = camera_list(tmp_path, floor_points=[*points, points[0]])
    assert main(["floor", "fit", str(path), "--out", str(tmp_path / "views")]) == 0
    assert "root mean square error 0.1 cm" in capsys.readouterr().out


def test_one_mirrored_camera_among_others_is_refused(tmp_path, capsys):
    content = yaml.safe_load((SAMPLE_VIDEOS / "cameras.yaml").read_text())
    for camera in content["cameras"]:
        camera["source"] = str(SAMPLE_VIDEOS / camera["source"])
    swapped = content["cameras"][1]
    swapped["floor_points"] = [[u, v, y, x] for u, v, x, y in swapped["floor_points"]]
    path = tmp_path / "cams.yaml"
    path.write_text(yaml.safe_dump(content))
    assert main(["floor", "fit", str(path), "--out", str(tmp_path / "views")]) == 2
    assert "camera lobby sees the floor mirrored" in " ".join(capsys.readouterr().err.split())
