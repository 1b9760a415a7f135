"""Progress without a terminal is a line a minute; on one, it fits 80 columns."""

import io
from datetime import UTC, datetime

from rich.console import Console

from pipeline.archive.footage import Recording
from pipeline.archive.journal import Unit
from pipeline.cli import batch_progress, progress
from pipeline.cli.batch_progress import BatchProgress
from pipeline.cli.progress import RunProgress
from pipeline.jobs.progress import CameraProgress
from reid_model.cli.training_progress import steps_bar


class Clock:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def test_a_run_logs_once_a_minute_and_at_the_end_of_each_part(capsys):
    clock = Clock()
    with RunProgress(None, clock=clock) as shown:
        for second in range(1, 151):
            clock.now_s = float(second)
            for camera in ("a", "b"):
                shown.show(CameraProgress("find", camera, second * 10, second, 300.0))
        shown.show(CameraProgress("draw", "a", 1, 1.0, 300.0))
        shown.show(CameraProgress("draw", "a", 90, 9.0, 300.0, done=True))
    assert capsys.readouterr().err.splitlines() == [
        "finding people: 20%, 1210 frames, 20.2 frames/s, about 4 min left",
        "finding people: 40%, 2410 frames, 20.1 frames/s, about 3 min left",
        "finding people: 50%, 3000 frames, 20.1 frames/s, about 3 min left",
        "drawing video: 100%, 90 frames, 90.0 frames/s",
    ]


def test_an_archive_logs_once_a_minute_and_at_its_end(capsys):
    clock = Clock()
    file = Recording("file", "cam", datetime(2026, 1, 5, tzinfo=UTC), 1, 1)
    with BatchProgress({"file": 100.0}, workers=1, clock=clock) as shown:
        for second in (30, 61, 90):
            clock.now_s = float(second)
            shown.update(0, Unit("detect", file, second), {"frames": 61, "share": 0.2})
    assert capsys.readouterr().err.splitlines() == [
        "0 of 1 files, 30%, 2.0 frames/s, about 2 min left",
        "0 of 1 files, 45%, 2.0 frames/s, about 2 min left",
    ]


def test_a_training_logs_its_first_step_a_line_a_minute_and_its_last():
    clock, out = Clock(), io.StringIO()
    with steps_bar(Console(file=out), steps=100, clock=clock) as advance:
        for step in range(1, 101):
            clock.now_s = step * 2.0
            advance(step, f"loss {step}")
    assert out.getvalue().splitlines() == [
        "step 1 of 100, loss 1, about 3 min left",
        "step 31 of 100, loss 31, about 2 min left",
        "step 61 of 100, loss 61, about 1 min left",
        "step 91 of 100, loss 91, about 0 min left",
        "step 100 of 100, loss 100, about 0 min left",
    ]


def terminal(out, **_):
    return Console(file=out, force_terminal=True, width=80, color_system=None)


def test_bars_fit_eighty_columns(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: terminal(out))
    monkeypatch.setattr(batch_progress, "Console", lambda **_: terminal(out))
    name = "a camera with a name that is much too long"
    with RunProgress(None) as shown:
        shown.show(CameraProgress("find", name, 123456, 600.0, 36000.0))
    file = Recording(f"{name}/{name}.mp4", "cam", datetime(2026, 1, 5, tzinfo=UTC), 1, 1)
    with BatchProgress({file.file: 100.0}, workers=1) as shown:
        shown.update(0, Unit("detect", file, 1), {"frames": 61, "share": 0.2})
    with steps_bar(terminal(out), steps=100_000) as advance:
        advance(12_345, "loss 1.234  rank-1 0.901  mAP 0.812")
    last = out.getvalue().split("\x1b[2K")[-1]
    assert "loss 1.234" in last
    for line in out.getvalue().splitlines():
        assert len(line.split("\x1b[2K")[-1].rstrip()) <= 80
    assert "frames/s" in out.getvalue()
    # What does not fit is cut, not wrapped.
    assert out.getvalue().count("…") >= 2
