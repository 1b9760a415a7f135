"""Terminal view of a live run."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.cli.terminal import Console
from pipeline.health import CameraHealth, CameraState, RecordingState
from pipeline.runners.live import LiveRun

__all__ = ["LiveScreen", "summary"]

log = logging.getLogger(__name__)

LOG_EVERY_S = 60.0
COLOURS = {
    CameraState.LIVE: "green",
    CameraState.DEGRADED: "yellow",
    CameraState.CONNECTING: "yellow",
    CameraState.STOPPED: "dim",
}


class LiveScreen:
    """A table on a terminal, a line once a minute elsewhere.

    Args:
        run: What to show.
        url: Where the page is, empty where there is none.
        console: Where to write.
        clock_s: Now; seconds of a clock that never jumps.
    """

    def __init__(self, run: LiveRun, *, url: str, console: Console, clock_s: float) -> None:
        self._run, self._url, self._console = run, url, console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._logged_s = clock_s

    def __enter__(self) -> LiveScreen:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, recording: RecordingState, *, clock_s: float) -> None:
        """Show how all is doing now."""
        if self._console.is_terminal:
            self._live.update(self._table(self._run.health(), recording), refresh=True)
        elif clock_s - self._logged_s >= LOG_EVERY_S:
            self._logged_s = clock_s
            persons = int(self._run.figures().get("identities", 0.0))
            log.info("%s", summary(self._run.health(), recording, persons))

    def _table(self, cameras: Sequence[CameraHealth], recording: RecordingState) -> Table:
        figures = self._run.figures()
        caption = self._caption(recording, figures.get("identities", 0.0))
        table = Table(caption=caption, caption_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for heading in ("camera", "state"):
            table.add_column(heading, no_wrap=True)
        for heading in ("frames/s", "dropped/s", "latency"):
            table.add_column(heading, no_wrap=True, justify="right")
        table.add_column("")
        for each in cameras:
            colour = COLOURS.get(each.state, "red")
            table.add_row(
                each.camera,
                f"[{colour}]{each.state}[/]",
                f"{each.processed_fps:.1f} of {each.received_fps:.1f}",
                f"{each.dropped_fps:.1f}",
                f"{each.latency_p95_s:.2f} s" if each.processed_fps else "-",
                # One line for each camera, so that twenty fit; the log and the page tell all of it.
                Text(each.reason, no_wrap=True, overflow="ellipsis"),
            )
        return table

    def _caption(self, recording: RecordingState, identities: float) -> str:
        page = f"page: {self._url} · " if self._url else ""
        return _plain(
            f"{page}{identities:.0f} identities · recording: {recording} · end with Ctrl-C"
        )


def summary(cameras: Sequence[CameraHealth], recording: RecordingState, persons: int) -> str:
    """Return in one line how all is doing: fit for a log that is read weeks later."""
    good = [each for each in cameras if each.state.delivers]
    bad = [f"{each.camera} {each.state}" for each in cameras if not each.state.delivers]
    parts = [f"{len(good)} of {len(cameras)} cameras deliver"]
    if bad:
        parts[0] += f" (not: {', '.join(bad)})"
    if good:
        rates = [each.processed_fps for each in good]
        received = sum(each.received_fps for each in good)
        dropped = sum(each.dropped_fps for each in good)
        latency_s = max(each.latency_p95_s for each in good)
        parts.append(
            f"{sum(rates):.1f} of {received:.1f} frames/s processed, {min(rates):.1f} to "
            f"{max(rates):.1f} of each, {dropped:.1f} dropped"
        )
        parts.append(f"latency {latency_s:.2f} s (95%)")
    parts += [f"{persons} identities", f"recording: {recording}"]
    return "; ".join(parts)


def _plain(text: str) -> str:
    """Return a text in which nothing is a style."""
    return text.replace("[", r"\[")
