"""The record of a live run whose disk goes away."""

import json

import pytest

from pipeline.errors import SinkError
from pipeline.jobs.live_record import finish_record, record_views


def test_the_end_on_a_disk_that_is_gone_is_an_error_and_makes_no_new_folder(tmp_path):
    with pytest.raises(SinkError, match=r"recording\.json is gone: is the disk still there"):
        finish_record(tmp_path / "disk" / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_cameras_see_is_noted_once_and_only_where_there_is_a_record(tmp_path):
    floor = {"y_up": True, "views": {"lobby": [[0.0, 1.0]]}}
    record_views(tmp_path, floor)
    assert not list(tmp_path.iterdir())
    path = tmp_path / "recording.json"
    path.write_text('{"status": "incomplete", "floor": {"y_up": true, "views": {}}}')
    record_views(tmp_path, floor)
    assert json.loads(path.read_text()) == {"status": "incomplete", "floor": floor}
    stamp = path.stat().st_mtime_ns
    record_views(tmp_path, floor)
    assert path.stat().st_mtime_ns == stamp
