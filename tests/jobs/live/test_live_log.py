"""What a live run says in its log: when, in one line, and without passwords."""

import logging
import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from pipeline.cli.live_log import live_log
from pipeline.cli.live_view import LiveScreen, summary
from pipeline.errors import SourceError
from pipeline.health import CameraHealth, CameraState, RecordingState, RecordingStatus

log = logging.getLogger("pipeline.sources.live.condition")


@pytest.mark.parametrize("terminal", [False, True])
def test_lines_have_a_time_and_no_passwords(terminal):
    told = StringIO()
    text = "camera lobby is live again at rtsp://me:canary-1@host/1 " + "and more " * 20
    with live_log(Console(file=told, width=80, force_terminal=terminal), {"canary-1"}):
        log.info(text)
        try:
            raise ValueError("canary-1")
        except ValueError:
            log.exception("it failed")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", told.getvalue())
    assert re.match(r"[\d:]+ INFO" if terminal else r"\d{4}-\d\d-\d\dT[\d:]+\S+ INFO", lines)
    assert "canary" not in lines
    assert "ValueError: ***" in lines
    assert (lines.splitlines()[0].count("more") == 20) is not terminal


def test_afterwards_all_is_as_it_was():
    root, own = logging.getLogger(), logging.getLogger("pipeline")
    before = list(root.handlers), own.level
    with (
        pytest.raises(SourceError, match=r"\*\*\* failed"),
        live_log(Console(file=StringIO()), {"canary-1"}),
    ):
        raise SourceError("canary-1 failed")
    assert (list(root.handlers), own.level) == before


def camera(name, state=CameraState.LIVE, processed_fps=0.0):
    rates = {"received_fps": 10.0, "dropped_fps": 10 - processed_fps, "latency_p95_s": 0.5}
    rates = rates if state.delivers else {}
    return CameraHealth(name, "host", state, "why", 0.0, processed_fps=processed_fps, **rates)


RECORDING = RecordingState(RecordingStatus.RECORDING, RecordingStatus.PAUSED, "disk full")


def test_the_summary_tells_rates_latency_drops_and_who_does_not_deliver():
    cameras = [camera("a", processed_fps=2.5), camera("b", CameraState.DEGRADED, 3.0)]
    cameras.append(camera("c", CameraState.WAITING))
    assert summary(cameras, RECORDING, 7) == (
        "2 of 3 cameras deliver (not: c waiting); 5.5 of 20.0 frames/s processed, 2.5 to 3.0 of "
        "each, 14.5 dropped; latency 0.50 s (95%); 7 identities; recording: video paused: disk full"
    )


class Shown:
    """A run that shows cameras."""

    def __init__(self, *cameras):
        self._cameras = cameras

    def health(self):
        return self._cameras

    def figures(self):
        return {"identities": 7.0}


@pytest.mark.parametrize("width", [80, 160])
def test_a_terminal_shows_a_line_for_each_camera_however_long_its_reason(width):
    told = StringIO()
    console = Console(file=told, width=width, force_terminal=True, height=60)
    lost = replace(camera("c01", CameraState.WAITING), reason="nothing [b] answers " * 9)
    names = [f"c{n:02d}" for n in range(2, 20)]
    run = Shown(camera("c00", processed_fps=2.5), lost, *map(camera, names))
    with LiveScreen(run, url="http://127.0.0.1:1/", console=console, clock_s=0.0) as screen:
        screen.show(RECORDING, clock_s=0.5)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", told.getvalue()).splitlines()
    shown = [line for line in lines if re.search(r"\bc\d\d\b", line)]
    # Drawn by `show`, and once more at the end.
    assert [line.split()[0] for line in shown] == ["c00", "c01", *names] * 2
    assert "2.5 of 10.0" in shown[0]
    assert "0.50 s" in shown[0]
    assert "nothing [b]" in shown[1]
    assert "7 identities" in "".join(lines)


def test_the_summary_of_nothing_is_short():
    assert summary([camera("c", CameraState.FAILED)], RECORDING, 0) == (
        "0 of 1 cameras deliver (not: c failed); 0 identities; recording: video paused: disk full"
    )
