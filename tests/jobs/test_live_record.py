"""The record of a live run whose disk goes away."""

import pytest

from pipeline.errors import SinkError
from pipeline.jobs.live_record import finish_record


def test_the_end_on_a_disk_that_is_gone_is_an_error_and_makes_no_new_folder(tmp_path):
    with pytest.raises(SinkError, match=r"recording\.json is gone: is the disk still there"):
        finish_record(tmp_path / "disk" / "out")
    assert list(tmp_path.iterdir()) == []
