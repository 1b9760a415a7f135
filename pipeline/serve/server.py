"""The web server of a live run, in a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
import time

import uvicorn
from fastapi import FastAPI

from pipeline.errors import SettingsError
from pipeline.live_settings import WebSettings, is_loopback
from pipeline.protocols import LiveView
from pipeline.serve.app import create_app
from pipeline.serve.audit import AuditLog
from pipeline.serve.finished import Finished
from pipeline.serve.floor_desk import FloorDesk
from pipeline.serve.forget_api import Eraser
from pipeline.serve.lookup import Lookup
from pipeline.serve.register import Register
from pipeline.serve.users import UserBook

__all__ = ["WebServer", "open_web"]

logger = logging.getLogger(__name__)

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
MAX_CONNECTIONS = 200
START_S = 10.0
POLL_S = 0.01


def open_web(
    view: LiveView,
    registry: Register,
    lookup: Lookup,
    eraser: Eraser,
    settings: WebSettings,
    *,
    floor: FloorDesk,
    audit: AuditLog | None = None,
    finished: Finished | None = None,
) -> WebServer:
    """Return the web server of a run, not started yet.

    Args:
        view: What the run shows of itself.
        registry: Where identities are stored and edited.
        lookup: Reads pictures and archives.
        eraser: Erases people.
        settings: Where it listens and who may come in.
        floor: Knows where cameras and people stand.
        audit: Where it is noted who does what; ``None`` = in memory.
        finished: What is shown instead of a live run.

    Raises:
        SettingsError: The file of users cannot be read.
    """
    token = None if settings.token is None else settings.token.get_secret_value()
    hosts = _hosts(settings)
    app = create_app(
        view,
        registry,
        lookup,
        eraser,
        floor=floor,
        token=token,
        hosts=hosts,
        users=None if settings.users is None else UserBook.read(settings.users),
        audit=audit,
        finished=finished,
    )
    return WebServer(app, settings)


class WebServer:
    """Serves an application until it is stopped. Signals are left to the program.

    Args:
        app: As ``create_app`` returns it.
        settings: Where it listens.
    """

    def __init__(self, app: FastAPI, settings: WebSettings) -> None:
        self._app = app
        self._settings = settings
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._port = settings.port

    @property
    def url(self) -> str:
        """Where the page is, to be opened on this machine."""
        scheme = "http" if self._settings.certificate is None else "https"
        host = self._settings.host
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # nosec B104 # shown alone
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._port}/"

    def start(self) -> None:
        """Listen, and serve from then on.

        Raises:
            SettingsError: The address is taken or not of this machine, or the certificate
                cannot be read.
        """
        try:
            self._server = uvicorn.Server(self._config())
            self._server.config.load()
        except OSError as error:
            raise SettingsError(
                f"web.certificate or web.private_key cannot be used ({error.strerror or error}): "
                "give two PEM files that belong together"
            ) from None
        listener = self._listen()
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="web-server", daemon=True
        )
        self._thread.start()
        end_s = time.monotonic() + START_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end_s:
            time.sleep(POLL_S)
        if not self._server.started:
            listener.close()
            raise SettingsError(f"the web server did not start at {self.url}: see the log")
        logger.debug("the page is at %s", self.url)

    def stop(self, *, timeout_s: float) -> None:
        """End all connections and the thread; does nothing where it is not running."""
        if self._server is None or self._thread is None:
            return
        self._app.state.streams.end()
        self._server.should_exit = True
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(1.0)
        self._server = self._thread = None

    def _config(self) -> uvicorn.Config:
        settings = self._settings
        return uvicorn.Config(
            self._app,
            lifespan="off",
            # The program has a log of its own; a line for every picture has no place in it.
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            # Anybody could state another address, and so guess tokens without a limit.
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=1,
            ws="none",
            ssl_certfile=None if settings.certificate is None else str(settings.certificate),
            ssl_keyfile=None if settings.private_key is None else str(settings.private_key),
        )

    def _listen(self) -> socket.socket:
        host, port = self._settings.host, self._settings.port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            listener = socket.socket(family, kind, protocol)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen(128)
            except OSError:
                listener.close()
                raise
        except OSError as error:
            raise SettingsError(
                f"the page cannot be served at {host}:{port} ({error.strerror}): choose another "
                "web.host or web.port"
            ) from None
        self._port = listener.getsockname()[1]
        return listener


def _hosts(settings: WebSettings) -> list[str]:
    names = [*LOCAL_NAMES, settings.host, *settings.allowed_hosts]
    if not is_loopback(settings.host):
        names.append(socket.gethostname())
    return names
