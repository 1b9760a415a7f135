"""Calibrated cameras in archives: places in parts and results, and paths for the resolution."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from pipeline.archive.resolution import read_tracklets
from pipeline.cli import main
from pipeline.floor.fit import fit_points
from pipeline.layout.archive import ArchiveFolder
from pipeline.places import SLOT_S
from pipeline.results import open_results
from support.small_archives import arguments, batch, write_footage
from support.small_runs import SIZE

WIDTH, HEIGHT = SIZE
POINTS = [
    [0, HEIGHT / 2, -6, 12],
    [WIDTH, HEIGHT / 2, 6, 12],
    [WIDTH, HEIGHT, 2, 3],
    [0, HEIGHT, -2, 3],
]


def floor_list(folder, **names):
    path = folder / "floor.yaml"
    cameras = [{"name": name, "floor_points": points} for name, points in names.items()]
    path.write_text(yaml.safe_dump({"cameras": cameras}))
    return path


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    return write_footage(tmp_path_factory.mktemp("floor"), cameras=2, starts=("20260105_235959",))


@pytest.fixture(scope="module")
def archive(footage, weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("placed")
    assert (
        batch(footage, weights, folder / "a", "--floor", str(floor_list(folder, cam1=POINTS))) == 0
    )
    return folder / "a"


def test_boxes_have_the_places_of_their_feet(archive):
    results = open_results(archive)
    boxes = results.boxes("cam1")
    assert boxes["x_m"].notna().any()
    plane = fit_points("cam1", POINTS, SIZE).plane
    known = boxes.dropna(subset=["x_m"])
    feet = np.column_stack([known["x"] + known["w"] / 2, known["y"] + known["h"]])
    np.testing.assert_allclose(known[["x_m", "y_m"]], plane.places(feet), atol=0.01)
    assert results.boxes("cam2")["x_m"].isna().all()


def test_sightings_have_their_last_place_and_speed(archive):
    results = open_results(archive)
    assert [*results.summary().floor.views] == ["cam1"]
    assert len(results.summary().floor.views["cam1"]) > 10
    sightings = results.sightings()
    own = sightings[sightings["camera"] == "cam1"]
    assert own["x_m"].notna().any()
    assert (own["speed_m_s"].dropna() >= 0).all()
    assert sightings.loc[sightings["camera"] == "cam2", "x_m"].isna().all()


def test_the_resolution_reads_paths_on_the_time_line_of_the_calendar(archive):
    tracklets, _ = read_tracklets(ArchiveFolder(archive))
    placed = [each for each in tracklets if each.path is not None]
    assert {each.camera for each in placed} == {"cam1"}
    start_s = 1767657599  # 2026-01-05 23:59:59 UTC
    for each in placed:
        assert abs(each.path.first * SLOT_S - start_s - each.first_s) < 2


def test_an_archive_of_another_calibration_is_not_added_to(
    archive, footage, weights, tmp_path, capsys
):
    assert batch(footage, weights, archive) == 2
    assert "other settings" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("names", "said"),
    [({"door": POINTS}, "names none of the cameras cam1"), ({"cam1": POINTS[:3]}, "at least 4")],
)
def test_wrong_lists_are_told_before_any_work(footage, weights, tmp_path, capsys, *, names, said):
    given = arguments(
        footage, weights, tmp_path / "a", "--floor", str(floor_list(tmp_path, **names))
    )
    assert main(given) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "a").exists()
