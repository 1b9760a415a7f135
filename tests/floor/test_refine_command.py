"""`reid-pipeline floor refine`: calibrations from people who are in two views at once."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import yaml

from pipeline.cli import main
from pipeline.floor.placing import plane_of
from pipeline.jobs.refine import refine_floor
from pipeline.sources import resolve_cameras
from pipeline.sources.camera_list import resolve_floor
from support.facing_views import CORNERS, camera_list, pixels_in, points_in, walked_run, walkers
from support.floor_views import SIZE

SHIFT = np.array([0.8, -0.5])
CENTRE = np.array([(x, y) for x in (-1.5, 0, 1.5) for y in (6, 7.5, 9)])


def write_picture(path):
    assert cv2.imwrite(str(path), np.full((40, 60, 3), 200, np.uint8))


def spoiled(change):
    return [[u, v, *change(np.array([x, y])).tolist()] for u, v, x, y in points_in("back")]


def off_m(path, camera="back"):
    """Return how far the places of a camera list are off in the middle of the floor."""
    plane = plane_of(next(c for c in resolve_cameras([str(path)]) if c.name == camera), SIZE)
    apart = plane.places(pixels_in(camera, CENTRE)) - CENTRE
    return float(np.linalg.norm(apart, axis=1).max())


def refined(folder, people=12, *, only=(), line=False, strangers=0, **points):
    cams, out = camera_list(folder, **points), folder / "new" / "refined.yaml"
    run = walked_run(folder / "run", walkers(people, line=line), strangers=strangers)
    return refine_floor(run, out, cams=cams, only=only), out


TURN = np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])


@pytest.mark.parametrize(
    "change",
    [
        lambda xy: xy + SHIFT,
        lambda xy: TURN @ xy + 0.3,
        lambda xy: xy * 3.28,
        lambda xy: xy * [1.2, 0.9],
        lambda xy: xy[::-1] - [7, -7],
    ],
    ids=["moved", "turned", "feet", "stretched", "mirrored"],
)
def test_a_wrong_camera_is_brought_to_where_the_other_sees_people(tmp_path, change):
    found, out = refined(
        tmp_path, only=["back"], front=points_in("front"), back=spoiled(change), strangers=3
    )
    [each] = found
    assert each.camera == "back"
    assert each.after_m < 0.2 < each.before_m
    assert off_m(tmp_path / "cams.yaml") > 0.5
    assert off_m(out) < 0.25


def test_a_camera_without_points_is_calibrated_from_one_that_has_them(tmp_path):
    found, out = refined(tmp_path, 16, front=points_in("front"))
    assert [(each.camera, each.plane is not None) for each in found] == [
        ("front", False),
        ("back", True),
    ]
    assert off_m(out) < 0.3
    entries = yaml.safe_load(out.read_text())["cameras"]
    assert [entry["source"] for entry in entries] == ["../front.mp4", "../back.mp4"]
    assert len(entries[1]["floor_points"]) >= 8


def test_what_the_list_says_of_the_floor_stays_in_it(tmp_path):
    cams, out = (
        camera_list(tmp_path, front=points_in("front"), back=spoiled(lambda xy: xy + SHIFT)),
        tmp_path / "new" / "refined.yaml",
    )
    write_picture(tmp_path / "plan.png")
    floor = {
        "plan": {"image": "plan.png", "m_per_pixel": 0.5, "origin": [3, 4]},
        "zones": {"shop": [[0, 0], [6, 0], [6, 4]]},
    }
    cams.write_text(yaml.safe_dump({**yaml.safe_load(cams.read_text()), "floor": floor}))
    refine_floor(walked_run(tmp_path / "run", walkers(12)), out, cams=cams, only=["back"])
    said = resolve_floor([str(out)])
    assert said == resolve_floor([str(cams)]).model_copy(update={"plan": said.plan})
    assert said.plan.image.resolve() == tmp_path / "plan.png"
    assert said.plan.m_per_pixel == 0.5


def test_true_calibrations_are_left_alone(tmp_path):
    found, out = refined(tmp_path, front=points_in("front"), back=points_in("back"))
    assert [each.reason.split(",")[1].strip() for each in found] == [
        "which is as near as feet can be told"
    ] * 2
    assert not out.exists()


def test_a_change_that_suits_the_fitted_tracks_alone_is_not_accepted(tmp_path):
    """People who are all taken for somebody else tell nothing of tracks left out."""
    found, out = refined(
        tmp_path, 10, strangers=10, front=points_in("front"), back=points_in("back")
    )
    assert all(each.plane is None and each.reason for each in found)
    assert not out.exists()


def test_what_came_of_it_is_said(tmp_path, capsys):
    cams = camera_list(tmp_path, front=points_in("front"), back=spoiled(lambda xy: xy + SHIFT))
    run, out = walked_run(tmp_path / "run", walkers(12)), tmp_path / "out.yaml"
    command = ["floor", "refine", str(run), "--cams", str(cams), "--out", str(out)]
    assert main([*command, "--camera", "back"]) == 0
    shown = capsys.readouterr().out
    assert "back: moved; 12 people in two views at once, held-out tracks 94 cm off before" in shown
    assert "cm after" in shown
    assert str(out) in shown
    assert main([*command[:-2], "--cams", str(out), "--out", str(tmp_path / "again.yaml")]) == 0
    shown = capsys.readouterr().out
    assert shown.count("not accepted: held-out tracks are") == 2
    assert "nothing was changed" in shown
    assert not (tmp_path / "again.yaml").exists()


def test_json_tells_what_came_of_each_camera(tmp_path, capsys):
    cams = camera_list(tmp_path, front=points_in("front"), back=spoiled(lambda xy: xy + SHIFT))
    run, out = walked_run(tmp_path / "run", walkers(12)), tmp_path / "new.yaml"
    command = ["floor", "refine", str(run), "--cams", str(cams), "--out", str(out)]
    assert main([*command, "--camera", "back", "--json", str(out)]) == 2
    assert not out.exists()
    assert main([*command, "--camera", "back", "--json", "-"]) == 0
    shown = capsys.readouterr().out
    [camera] = json.loads(shown)["cameras"]
    assert camera["camera"] == "back"
    assert camera["accepted"]
    assert camera["held_out_after_m"] < 0.2 < camera["held_out_before_m"]


@pytest.mark.parametrize(
    ("people", "line", "points", "flags", "said"),
    [
        (3, False, ["front"], ["--camera", "back"], "only 3 people are seen in it and in another"),
        (12, True, ["front"], ["--camera", "back"], "walk along one line"),
        (3, False, [], [], "one of them with floor_points or a calibration"),
        (3, False, ["front"], ["--camera", "side"], "no camera is named side"),
    ],
    ids=["too few", "one line", "none calibrated", "no such camera"],
)
def test_what_does_not_suffice_is_told_in_one_line(  # noqa: PLR0917
    tmp_path, capsys, people, line, points, flags, said
):
    cams = camera_list(tmp_path, **{name: points_in(name) for name in points})
    run, out = walked_run(tmp_path / "run", walkers(people, line=line)), tmp_path / "out.yaml"
    command = ["floor", "refine", str(run), "--cams", str(cams), "--out", str(out), *flags]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert said in " ".join(told.split())
    assert told.count("\n") == 1
    assert not out.exists()


def test_a_list_that_exists_is_never_written_over(tmp_path, capsys):
    cams = camera_list(tmp_path, front=points_in("front"), back=spoiled(lambda xy: xy + 1))
    before = cams.read_bytes()
    run = walked_run(tmp_path / "run", walkers(12))
    assert main(["floor", "refine", str(run), "--cams", str(cams), "--out", str(cams)]) == 2
    assert f"{cams} exists already" in capsys.readouterr().err
    assert cams.read_bytes() == before


def test_too_few_people_change_nothing_and_are_told(tmp_path, capsys):
    cams = camera_list(tmp_path, front=points_in("front"), back=spoiled(lambda xy: xy + 1))
    run, out = walked_run(tmp_path / "run", walkers(2)), tmp_path / "out.yaml"
    assert main(["floor", "refine", str(run), "--cams", str(cams), "--out", str(out)]) == 0
    assert "front: not accepted: only 2 people" in capsys.readouterr().out
    assert not out.exists()


def test_corners_are_in_both_views():
    for camera in ("front", "back"):
        pixels = pixels_in(camera, CORNERS)
        assert ((pixels > 0) & (pixels < SIZE)).all()
