"""Answers that do not end by themselves: moving pictures and live events."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from fastapi import HTTPException
from fastapi.concurrency import run_in_threadpool

from pipeline.protocols import LiveView
from pipeline.serve.register import Register
from pipeline.serve.replies import Event

__all__ = ["BOUNDARY", "Streams"]

BOUNDARY = "reid-pipeline-picture"
MAX_STREAMS = 64
"""Streams at a time; each costs a connection and some work several times a second."""
EVENTS_EVERY_S = 0.25
PICTURES_EVERY_S = 0.1
HEARTBEAT_S = 15.0
"""A comment after so much silence shows both ends that the other one is there."""
MAX_EVENTS = 200


class Streams:
    """Makes streams, counts them, and ends them all when the server stops.

    Args:
        view: The run.
        register: Where its events are stored.
    """

    def __init__(self, view: LiveView, register: Register) -> None:
        self._view = view
        self._register = register
        self._open = 0
        self._ending = threading.Event()

    def end(self) -> None:
        """End all streams within a quarter of a second. From any thread."""
        self._ending.set()

    def require_room(self) -> None:
        """Refuse one more stream where there are too many.

        Raises:
            HTTPException: 503.
        """
        if self._open >= MAX_STREAMS:
            raise HTTPException(503, f"{MAX_STREAMS} streams are open already: close some")

    async def events(self, after: int) -> AsyncIterator[bytes]:
        """Yield events as server-sent events, from the one after number ``after`` on."""
        with self._counted():
            yield b"retry: 2000\n\n"
            silent_s = 0.0
            while not self._ending.is_set():
                if self._register.newest_event > after:
                    told = await run_in_threadpool(
                        self._register.records.events, limit=MAX_EVENTS, after=after
                    )
                    for each in told:
                        after = each.number
                        text = Event.model_validate(each.as_json()).model_dump_json()
                        yield f"id: {after}\ndata: {text}\n\n".encode()
                    silent_s = 0.0 if told else silent_s
                if silent_s >= HEARTBEAT_S:
                    yield b": still here\n\n"
                    silent_s = 0.0
                await asyncio.sleep(EVENTS_EVERY_S)
                silent_s += EVENTS_EVERY_S

    async def pictures(self, camera: str) -> AsyncIterator[bytes]:
        """Yield a camera's pictures as parts of a multipart answer; a slow reader gets fewer."""
        with self._counted():
            shown = None
            while not self._ending.is_set():
                picture = await run_in_threadpool(self._view.picture, camera)
                if picture is not None and picture[0] != shown:
                    shown, jpeg = picture
                    head = (
                        f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
                    )
                    yield head.encode() + b"\r\n\r\n" + jpeg + b"\r\n"
                await asyncio.sleep(PICTURES_EVERY_S)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
