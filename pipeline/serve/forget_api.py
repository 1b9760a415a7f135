"""Erasing a person, in the API."""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path

from pipeline.serve.register import Register
from pipeline.serve.replies import Reply

__all__ = ["Eraser", "Forgotten", "forget_router"]

Number = Annotated[int, Path(ge=1, lt=2**53)]


class Forgotten(Reply):
    """Somebody was erased."""

    files: int
    """How many files were rewritten."""
    still_watched: tuple[str, ...] = ()
    """Names of the watch folder that gave alerts for the person; their pictures there stay."""


class Eraser(Protocol):
    """Erases people; called from any thread."""

    def forget(self, identity: int) -> Forgotten:
        """Erase an identity from everything, verify it, and return.

        Raises:
            ReidPipelineError: It cannot be erased, or not all of it.
        """


def forget_router(register: Register, eraser: Eraser) -> APIRouter:
    """Return the route that erases people.

    Args:
        register: Where identities are stored.
        eraser: Erases them.
    """
    router = APIRouter(tags=["people"])

    @router.delete("/people/{identity}")
    def forget(identity: Number) -> Forgotten:
        """Erase a person for good: tables, vectors, pictures, events, names, and in recorded video.

        The answer comes when all of it is gone, which takes minutes where there is much video.
        """
        if register.records.person(identity) is None:
            raise HTTPException(404, f"there is no identity {identity}")
        return eraser.forget(identity)

    return router
