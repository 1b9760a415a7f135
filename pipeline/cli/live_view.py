"""What a live run shows in the terminal: its cameras, again and again."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from pipeline.health import CameraHealth, RecordingState
from pipeline.run.live import LiveRun

__all__ = ["LiveScreen"]

log = logging.getLogger(__name__)

LOG_EVERY_S = 60.0


class LiveScreen:
    """A table on a terminal, a line for each camera once a minute elsewhere.

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
            for camera in self._run.health():
                log.info("%s", _line(camera))
            log.info("recording: %s", recording)

    def _table(self, cameras: Sequence[CameraHealth], recording: RecordingState) -> Table:
        figures = self._run.figures()
        table = Table(caption=self._caption(recording, figures.get("identities", 0.0)))
        for heading in ("camera", "state", "processed/s", "received/s", "late/s", "latency"):
            table.add_column(heading, justify="left" if heading in {"camera", "state"} else "right")
        for each in cameras:
            colour = "green" if each.state.delivers else "red"
            reason = f" ({each.reason})" if each.reason else ""
            table.add_row(
                each.camera,
                f"[{colour}]{each.state}[/]{_plain(reason)}",
                f"{each.processed_fps:.1f}",
                f"{each.received_fps:.1f}",
                f"{each.dropped_fps:.1f}",
                f"{each.latency_p95_s:.2f} s",
            )
        return table

    def _caption(self, recording: RecordingState, identities: float) -> str:
        page = f"page: {self._url} · " if self._url else ""
        return _plain(f"{page}{identities:.0f} identities · recording: {recording} · Ctrl-C ends")


def _line(camera: CameraHealth) -> str:
    reason = f" ({camera.reason})" if camera.reason else ""
    return (
        f"{camera.camera}: {camera.state}{reason}, {camera.processed_fps:.1f} of "
        f"{camera.received_fps:.1f} frames/s processed, latency {camera.latency_p95_s:.2f} s, "
        f"{camera.dropped} dropped, {camera.reconnects} reconnects"
    )


def _plain(text: str) -> str:
    """Return a text in which nothing is a style."""
    return text.replace("[", r"\[")
