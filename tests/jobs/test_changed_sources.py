"""Videos that are replaced, cut or removed while a run reads them."""

from __future__ import annotations

import shutil

import av
import pytest

from pipeline.jobs.inputs import settings_for
from pipeline.jobs.run import process_videos
from support.colour_network import write_colour_network
from support.small_runs import rows_of, write_scene


def run(scene, out, *, change):
    """A run during which something happens to ``cam1.mp4`` before videos are drawn."""
    weights = write_colour_network(scene.parent / "colour.xml")
    given = {"detect.detections": scene / "boxes.csv", "embed.weights": weights}
    given |= {"runner.device": "cpu", "match.threshold": 0.9}
    settings = settings_for([str(scene / f"cam{n}.mp4") for n in (1, 2)], given=given)
    changes = iter([change])

    def show(progress):
        if progress.part == "draw":
            next(changes, lambda _path: None)(scene / "cam1.mp4")

    return process_videos(settings, out, on_progress=show)


def pictures(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


@pytest.fixture
def scene(tmp_path):
    return write_scene(tmp_path / "scene")


def replaced_by_a_shorter_one(path):
    short = write_scene(path.parent / "short", cameras=1, frames=5)
    shutil.move(short / "cam1.mp4", path)


def removed(path):
    path.unlink()


@pytest.mark.parametrize("change", [replaced_by_a_shorter_one, removed])
def test_a_changed_video_is_told_of_and_the_others_keep_their_labels(change, scene, tmp_path):
    warnings = run(scene, tmp_path / "out", change=change)
    assert [each for each in warnings if "was changed, replaced or removed" in each] == [
        "cam1: the file was changed, replaced or removed while it was read: run again once it is whole"
    ]
    assert len(rows_of(tmp_path / "out" / "tracks.csv")) > 100
    drawn = pictures(tmp_path / "out" / "cam2.mp4")
    plain = pictures(scene / "cam2.mp4")
    assert len(drawn) == len(plain) == 30
    last = abs(drawn[-1].astype(int) - plain[-1]).max(axis=2)
    assert (last[40:200, 100:320] > 60).sum() > 400  # boxes are drawn up to the end


def test_a_video_that_stays_is_not_told_of(scene, tmp_path):
    assert run(scene, tmp_path / "out", change=lambda _path: None) == []
