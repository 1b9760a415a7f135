"""`serve`, which somebody looks at and edits while it is ended."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil

from killing.commands import Command, in_place, make_scene
from pipeline.results import open_results

__all__ = ["SERVE"]

EDITS = 15
START_S, ANSWER_S = 60.0, 30.0
PAGE = re.compile(r"page: (\S+)")
LOOKS = ("", "api/people", "api/people/1/sightings", "api/events", "api/zones")
ANSWERED = "answered"


def _name(number: int) -> str:
    return f"Anna {number:02}"


def _visit(place: Path, log: Path, server: int) -> None:
    """Look at the page and rename somebody, again and again, and end the server when all is done.

    Each edit that was answered is noted; an edit that was noted and is not there is a failure.
    """
    url = _url(log, server)
    if url is None:
        return
    noted = place / ANSWERED
    try:
        with httpx.Client(base_url=url, timeout=ANSWER_S, trust_env=False) as client:
            known = int(noted.read_text()) if noted.exists() else 0
            name = client.get("api/people").raise_for_status().json()[0]["name"] or ""
            if known and not _name(known) <= name <= _name(known + 1):
                raise SystemExit(f"edit {known} was answered, and the page says {name!r}")
            for number in range(known + 1, EDITS + 1):
                for path in LOOKS:
                    client.get(path).raise_for_status()
                body = {"name": _name(number)}
                client.put("api/people/1/name", json=body).raise_for_status()
                noted.write_text(str(number))
    except httpx.TransportError:
        return  # it was ended, as it is every time but the last
    os.kill(server, signal.SIGTERM)


def _url(log: Path, server: int) -> str | None:
    """Wait for the page; ``None`` where the server ended first."""
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s and psutil.pid_exists(server):
        if found := PAGE.search(log.read_text() if log.exists() else ""):
            return found[1]
        time.sleep(0.01)
    if psutil.pid_exists(server):
        raise SystemExit(f"no page within {START_S:.0f} s")
    return None


def _edits(place: Path) -> Mapping[str, object]:
    results = open_results(place / "out")
    return {"name": results.edits().name(1), "answered": (place / ANSWERED).read_text()}


SERVE = Command(
    in_place(make_scene),
    ["pipeline", "serve", "out", "--port", "0"],
    _edits,
    ("out",),
    visitor=_visit,
)
