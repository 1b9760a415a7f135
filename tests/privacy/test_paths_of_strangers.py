"""Names in the tables of a stranger's folder lead nowhere else."""

from __future__ import annotations

import pytest

from pipeline.exports.writing import ExportFormat, export_boxes
from pipeline.jobs.footage import video_at
from pipeline.results import open_results
from pipeline.results.run_erasure import videos_of
from support.made_up_run import write_made_up_run
from support.video_files import write_video


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "a/../../outside", ".."])
def test_no_video_outside_is_painted_over(tmp_path, name):
    write_video(tmp_path / "outside.mp4")
    run = write_made_up_run(tmp_path / "run", [(1, name, 0, 5), (1, "door", 6, 9)])
    write_video(run / "door.mp4")
    results = open_results(run)
    videos = videos_of(results, results.sightings())
    assert [path.name for path in videos] == ["door.mp4"]


def test_no_linked_video_is_painted_over(tmp_path):
    write_video(tmp_path / "outside.mp4")
    run = write_made_up_run(tmp_path / "run", [(1, "door", 0, 5)])
    (run / "door.mp4").symlink_to(tmp_path / "outside.mp4")
    results = open_results(run)
    assert videos_of(results, results.sightings()) == ()


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "a/../../outside"])
def test_no_export_is_written_outside(tmp_path, name):
    run = write_made_up_run(tmp_path / "run", [(1, name, 0, 5)])
    before = {path for path in tmp_path.rglob("*") if "export" not in path.parts}
    export_boxes(open_results(run), tmp_path / "export", kind=ExportFormat.mot)
    after = {
        path for path in tmp_path.rglob("*") if "export" not in path.relative_to(tmp_path).parts
    }
    assert after == before
    assert list((tmp_path / "export").glob("*.txt"))


def test_what_links_lead_to_is_not_shown(tmp_path):
    (tmp_path / "secret").write_text("of somebody else")
    run = write_made_up_run(tmp_path / "run", [(1, "door", 0, 5)], crops=1)
    crop = next((run / "gallery").rglob("*.jpg"))
    (run / "door.mp4").symlink_to(tmp_path / "secret")
    assert open_results(run).pictures_of([1])[1]
    assert video_at(run, "door", 1.0) is None
    crop.unlink()
    crop.symlink_to(tmp_path / "secret")
    assert open_results(run).pictures_of([1])[1] == []
