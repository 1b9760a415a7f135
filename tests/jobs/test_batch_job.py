"""An archive from Python: plan, progress, what came of it; nothing on the terminal."""

import pandas as pd
import pytest

from pipeline.archive_settings import BatchSettings
from pipeline.errors import OutputError, SourceError
from pipeline.jobs.batch import find_videos, plan_archive, process_archive
from pipeline.jobs.inputs import settings_for
from support.colour_network import write_colour_network
from support.small_archives import write_footage


@pytest.fixture
def footage(tmp_path):
    folder = write_footage(tmp_path / "videos", cameras=2, starts=("20260106_000004",))
    (folder / "cam2/20260106_000500.mp4").write_bytes(b"no video at all" * 100)
    return folder


def planned(footage, tmp_path):
    found = find_videos(footage)
    weights = write_colour_network(tmp_path / "colour.xml")
    settings = settings_for(
        [],
        base={"match": {"threshold": 0.9, "centre_tracks": 0}},
        given={"detect.detections": footage / "boxes.csv", "embed.weights": weights},
        cameras=[{"name": name, "source": str(footage)} for name in ("cam1", "cam2")],
    )
    return plan_archive(footage, found, tmp_path / "out", settings, BatchSettings(chunk_s=1))


def test_a_plan_names_what_can_be_read_and_the_job_does_it(footage, tmp_path, capfd):
    plan = planned(footage, tmp_path)
    good = {"cam1/20260106_000004.mp4", "cam2/20260106_000004.mp4"}
    assert set(plan.lengths) == good
    assert set(plan.damaged) == {"cam2/20260106_000500.mp4"}
    assert not (tmp_path / "out").exists()
    started, units = [], []
    done = process_archive(
        plan,
        tmp_path / "out",
        on_start=lambda seconds, workers: started.append((set(seconds), workers)),
        on_unit=lambda worker, unit, result: units.append((worker, unit.kind)),
    )
    assert started == [(good, 1)]
    assert {kind for _, kind in units} == {"survey", "detect", "track"}
    assert (done.files, done.tracklets, set(done.skipped)) == (2, 4, set(plan.damaged))
    identities = pd.read_parquet(tmp_path / "out" / "identities.parquet")
    assert done.identities == identities["global_id"].nunique()
    assert (tmp_path / "out" / "report.html").is_file()
    assert capfd.readouterr().out == ""


def test_a_folder_without_a_readable_video_makes_no_archive(footage, tmp_path):
    for path in footage.rglob("*.mp4"):
        path.write_bytes(b"no video at all" * 100)
    with pytest.raises(SourceError, match="none of the 3 files can be read"):
        process_archive(planned(footage, tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_plan_for_a_folder_with_other_files_is_refused(footage, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds files but no archive"):
        planned(footage, tmp_path)


def test_an_archive_that_was_ended_before_its_record_was_written_goes_on(
    footage, tmp_path, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.jobs.batch._try_networks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        process_archive(planned(footage, tmp_path), tmp_path / "out")

    assert (tmp_path / "out" / "work").is_dir()
    assert set(planned(footage, tmp_path).damaged) == {"cam2/20260106_000500.mp4"}
