"""`reid-pipeline serve`: finished work in the browser."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from pipeline.cli.options import TokenOption, UsersOption
from pipeline.cli.terminal import Console
from pipeline.errors import SettingsError
from pipeline.jobs.serve import serve_results
from pipeline.live_settings import WebSettings
from pipeline.runners.memory import limit_kept_memory
from pipeline.settings import first_fault

__all__ = ["serve"]


def serve(
    where: Annotated[Path, typer.Argument(help="The --out folder of `run`, `batch` or `live`.")],
    *,
    archive: Annotated[
        list[Path] | None,
        typer.Option(
            help="Other finished work that the page may search; several may be given.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address of the page; all but 127.0.0.1 need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the page; 0 = any that is free.")] = 8080,
    token: TokenOption = None,
    users: UsersOption = None,
) -> None:
    """Open finished work in the browser: people, timeline, search, video, corrections."""
    given: dict[str, object] = {"host": host, "port": port} | (
        {} if token is None else {"token": token}
    )
    given |= {} if users is None else {"users": users}
    try:
        web = WebSettings.model_validate(given)
    except ValidationError as error:
        raise SettingsError(first_fault(error)) from None
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    console = Console(stderr=True)
    limit_kept_memory()
    serve_results(
        where,
        web,
        stop,
        archives=archive or (),
        on_start=lambda url: console.print(f"page: {url} · end with Ctrl-C", highlight=False),
    )
