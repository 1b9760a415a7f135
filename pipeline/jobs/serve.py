"""The page of finished work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from pipeline.errors import ResultsError
from pipeline.jobs.finished import FinishedForget, FinishedRegister, FinishedView, finished
from pipeline.jobs.lookup import PageLookup
from pipeline.jobs.page_floor import FinishedFloor
from pipeline.layout.recording import AUDIT_FILE
from pipeline.live_settings import WebSettings
from pipeline.results import open_results
from pipeline.serve.audit import AuditLog
from pipeline.serve.server import open_web
from pipeline.settings import CameraSettings, EmbedSettings, Settings

__all__ = ["serve_results"]

STOP_S = 2.0


def serve_results(
    where: Path,
    web: WebSettings,
    stop: threading.Event,
    *,
    archives: Sequence[Path] = (),
    on_start: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve the page of a run, an archive or a stopped recording until ``stop`` is set.

    Args:
        where: Its folder.
        web: Where to listen and who may come in.
        stop: Ends it.
        archives: Other finished work that the page may search.
        on_start: Called with the address of the page.

    Raises:
        InputError: It is none of these, is not finished or damaged, or the address is taken.
    """
    results = open_results(where)
    register = FinishedRegister(results)
    try:
        embed = EmbedSettings.model_validate((results.record.get("settings") or {}).get("embed"))
    except (AttributeError, ValidationError):
        embed = EmbedSettings()
    # The networks are those that made it; everything else of a run is not asked for.
    camera = CameraSettings(name="none", source="none")
    lookup = PageLookup(
        Settings(cameras=[camera], embed=embed),
        home=where,
        weights_sha256=results.summary().weights_sha256,
        archives=archives,
    )
    if not results.is_resolved:
        raise ResultsError(f"{where} has no identities yet: let it finish, or run it again")
    page = open_web(
        FinishedView(results),
        register,
        lookup,
        FinishedForget(register, lookup.forget_found),
        web,
        floor=FinishedFloor(register, where),
        audit=AuditLog(where / AUDIT_FILE),
        finished=finished(results),
    )
    page.start()
    try:
        on_start(page.url)
        stop.wait()
    finally:
        page.stop(timeout_s=STOP_S)
