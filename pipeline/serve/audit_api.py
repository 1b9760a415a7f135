"""Who did what, in the API, for admins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from pipeline.serve.audit import AuditLog
from pipeline.serve.replies import Reply

__all__ = ["audit_router"]


class Noted(Reply):
    """One thing that somebody did."""

    time: float
    """When, seconds since the epoch."""
    user: str
    """Who; `local` where nobody is asked, `token` with the one token, empty if not known."""
    address: str
    action: str
    """`sign in`, or method and path."""
    status: int
    """What came of it, as HTTP says it."""


def audit_router(audit: AuditLog) -> APIRouter:
    """Return the route of the audit log.

    Args:
        audit: The log.
    """
    router = APIRouter(tags=["run"])

    @router.get("/audit")
    def noted(limit: Annotated[int, Query(ge=1, le=5000)] = 200) -> list[Noted]:
        """Sign-ins, searches, edits, exports, erasure: newest first, for admins."""
        return [Noted.model_validate(each) for each in audit.newest(limit)]

    return router
