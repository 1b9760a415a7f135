"""The bar of a batch moves with every chunk, so that there is a time left for one long file too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.archive.footage import Recording
from pipeline.archive.journal import Unit
from pipeline.cli.batch_progress import BatchProgress

LONG, SHORT = (
    Recording(file, "cam", datetime(2026, 1, 5, tzinfo=UTC), 1, 1) for file in ("long", "short")
)


def steps(*updates):
    """The seconds of video that count as done after each update."""
    done = []
    with BatchProgress({"long": 90.0, "short": 10.0}, workers=2) as progress:
        for unit, result in updates:
            progress.update(1, unit, result)
            done.append(progress.done_s)
    return done


def test_chunks_count_as_they_are_done_and_the_whole_file_at_its_end():
    half = {"frames": 50, "share": 0.5}
    done = steps(
        (Unit("survey", LONG), {}),
        (Unit("detect", LONG, 0), half),
        (Unit("detect", LONG, 1), half),
        (Unit("track", LONG), {"frames": 100}),
        (Unit("survey", SHORT), {"failure": "it broke"}),
    )
    assert done == pytest.approx([0, 33.75, 67.5, 90, 100])


def test_a_file_that_is_looked_at_again_as_a_whole_never_counts_for_more_than_itself():
    done = steps(
        (Unit("detect", LONG, 0), {"frames": 50, "share": 0.9}),
        (Unit("detect", LONG, 0), {"frames": 100, "share": 1.0}),
        (Unit("track", LONG), {"frames": 100}),
        (Unit("track", LONG), {"frames": 100}),
    )
    assert done == pytest.approx([60.75, 67.5, 90, 90])


def test_what_an_interrupted_run_did_before_counts_when_its_file_is_done(capsys):
    assert steps((Unit("track", LONG), {"frames": 100})) == pytest.approx([90])
    assert "1 of 2 files" in capsys.readouterr().err
