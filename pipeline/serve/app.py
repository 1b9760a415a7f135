"""The page, the API, the metrics and the health check as one ASGI application."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from pipeline.errors import EditError, InputError, SinkError
from pipeline.protocols import LiveView
from pipeline.serve.access import Access
from pipeline.serve.api import RunFacts, api_router
from pipeline.serve.audit import AuditLog
from pipeline.serve.audit_api import audit_router
from pipeline.serve.condition import Level, condition_of
from pipeline.serve.finished import Finished
from pipeline.serve.floor_api import floor_router
from pipeline.serve.floor_desk import FloorDesk
from pipeline.serve.forget_api import Eraser, forget_router
from pipeline.serve.guard import Guard
from pipeline.serve.login import add_login
from pipeline.serve.lookup import Lookup
from pipeline.serve.metrics import exposition
from pipeline.serve.register import Register
from pipeline.serve.search_api import search_router
from pipeline.serve.streams import Streams
from pipeline.serve.users import UserBook
from pipeline.serve.video_api import video_router
from pipeline.serve.watch_api import watch_router
from pipeline.serve.zones_api import zones_router
from pipeline.version import __version__

__all__ = ["create_app"]

PAGE = Path(__file__).parent / "page"


def create_app(
    view: LiveView,
    registry: Register,
    lookup: Lookup,
    eraser: Eraser,
    *,
    floor: FloorDesk,
    token: str | None,
    hosts: Sequence[str],
    users: UserBook | None = None,
    audit: AuditLog | None = None,
    finished: Finished | None = None,
    now: Callable[[], float] = time.time,
) -> FastAPI:
    """Return the application; its ``state.streams.end()`` ends what would go on forever.

    Args:
        view: What the run shows of itself.
        registry: Where identities are stored and edited.
        lookup: Reads pictures and archives.
        eraser: Erases people.
        floor: Knows where cameras and people stand.
        token: What has to be known to see anything; ``None`` where nobody is asked.
        hosts: Names and addresses by which browsers may ask for the page.
        users: Those who sign in by name; ``None`` where nobody does.
        audit: Where it is noted who does what; ``None`` = in memory.
        finished: What is shown instead of a live run.
        now: Seconds since the epoch.
    """
    # FastAPI's own pages about the API load scripts from elsewhere, so they are left out.
    app = FastAPI(
        title="reid-pipeline",
        summary="People across cameras, live",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    access, streams = Access(token, users, wall=now), Streams(view, registry)
    audit = AuditLog(None) if audit is None else audit
    app.state.streams = streams
    app.add_middleware(Guard, access=access, audit=audit, hosts=hosts)
    app.include_router(audit_router(audit), prefix="/api")
    run = RunFacts(needs_token=access.is_needed, now=now, finished=finished)
    app.include_router(api_router(view, registry, streams, run))
    app.include_router(video_router(lookup), prefix="/api")
    app.include_router(zones_router(view, registry), prefix="/api")
    app.include_router(floor_router(view, registry, floor), prefix="/api")
    app.include_router(search_router(lookup), prefix="/api")
    app.include_router(forget_router(registry, eraser), prefix="/api")
    app.include_router(watch_router(registry, lookup), prefix="/api")
    _add_page(app)
    add_login(app, access, audit)
    _add_checks(app, view, registry, is_live=finished is None)
    _add_errors(app)
    return app


def _add_page(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=PAGE / "static"))

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")


def _add_checks(app: FastAPI, view: LiveView, registry: Register, *, is_live: bool) -> None:
    @app.get("/metrics", tags=["run"], response_class=Response)
    def metrics() -> Response:
        """Everything that is counted, for Prometheus."""
        return Response(
            exposition(view, registry.zones.counts()),
            media_type="text/plain; version=0.0.4; charset=utf-8",
        )

    @app.get("/healthz", tags=["run"], responses={503: {"description": "It is failing."}})
    def healthz() -> Response:
        """200 while the run does its work, 503 while it does not, with the reasons."""
        condition = condition_of(view, trouble=registry.trouble, is_live=is_live)
        status = 503 if condition.level is Level.FAILING else 200
        content = {"status": condition.level, "reasons": condition.reasons}
        return Response(json.dumps(content), status, media_type="application/json")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> Response:
        # What was sent is not repeated; its keys may hold what no encoding can write.
        faults = [{name: each[name] for name in ("type", "loc", "msg")} for each in error.errors()]
        content = json.dumps({"detail": faults})
        return Response(content, 422, media_type="application/json")

    @app.exception_handler(InputError)
    def input_error(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 400)

    @app.exception_handler(EditError)
    def edit_error(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 409)

    @app.exception_handler(SinkError)
    def sink_error(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 507)
